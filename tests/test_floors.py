"""The floors: a module imports only from floors below its own, and no file outgrows a reader."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "fastconv"
FLOORS = [  # low to high; of the top one, modules may import one another
    {"problem", "quota"},
    {
        "kernel",
        "view",
        "regions",
        "sampling",
        "activations",
        "threads",
        "machine",
        "storage",
        "jitted",
        "rounding",
    },
    {"costs", "binding"},
    {"backends"},
    {"dispatch"},
    {
        "plan",
        "adaptive",
        "local",
        "fold",
        "fractional",
        "means",
        "padding",
        "shuffle",
        "unpool",
        "deformable",
    },
    {"roi"},
    {"calls"},
    {"ops", "lax", "functional"},
    {"layers"},
    {"integrations"},
    {"__init__", "__main__", "cli"},
]
MAX_LINES = 300

MODULES = sorted(PACKAGE.rglob("*.py"))
FILES = [*MODULES, *sorted(ROOT.glob("tests/**/*.py")), *sorted(ROOT.glob("bench/**/*.py"))]


def name(path):
    """Dotted name inside the package; "ops" is the package ops, "__init__" this package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def is_module(dotted):
    return (
        bool(list(PACKAGE.glob(dotted.replace(".", "/") + ".py")))
        or (PACKAGE / dotted.replace(".", "/")).is_dir()
    )


def imports(path):
    """Absolute dotted names of all that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def inner_imports(path):
    """Modules of this package that a file imports; the package itself where it imports a public name."""
    for dotted in imports(path):
        package, _, rest = dotted.partition(".")
        if package == "fastconv":
            while rest and not is_module(rest):
                rest = rest.rpartition(".")[0]
            yield rest or "__init__"


def floor(module):
    (number,) = [n for n, modules in enumerate(FLOORS) if module.partition(".")[0] in modules] or [None]
    assert number is not None, f"{module} is on no floor: which imports what?"
    return number


def shown(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_imports_point_down(path):
    own = name(path)
    for other in inner_imports(path):
        together = own.partition(".")[0] == other.partition(".")[0] or floor(own) == len(FLOORS) - 1
        assert floor(other) < floor(own) or together, f"{own} imports {other}"


@pytest.mark.parametrize("path", sorted((PACKAGE / "backends").rglob("*.py")), ids=shown)
def test_backends_do_not_import_one_another(path):
    own = name(path).split(".")[:2]
    others = [other.split(".") for other in inner_imports(path) if other.startswith("backends")]

    assert [other for other in others if other[:2] != own] == []


def test_the_problem_imports_nothing_else():
    for path in (PACKAGE / "problem").glob("*.py"):
        assert {other.partition(".")[0] for other in inner_imports(path)} <= {"problem"}


def test_the_definition_imports_problem_and_kernel_alone():
    """What the tests trust shares with what they judge only the geometry, which is tested by counting."""
    inner = {other.partition(".")[0] for other in inner_imports(PACKAGE / "backends/naive.py")}
    outer = {dotted.partition(".")[0] for dotted in imports(PACKAGE / "backends/naive.py")}

    assert inner == {"problem", "kernel"}
    assert outer == {"__future__", "math", "numpy", "fastconv"}


FACES = [path for path in MODULES if name(path).partition(".")[0] in {"lax", "functional"}]


@pytest.mark.parametrize("path", FACES, ids=shown)
def test_faces_translate_and_compute_no_geometry(path):
    """No window is laid out and no size divided in them: `problem` does that."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    called = {
        getattr(node.func, "id", getattr(node.func, "attr", None))
        for node in nodes
        if isinstance(node, ast.Call)
    }
    operators = {type(node.op) for node in nodes if isinstance(node, ast.BinOp)}

    assert called.isdisjoint({"Window", "Fraction", "divmod", "ceil", "floor", "prod"})
    assert operators.isdisjoint({ast.FloorDiv, ast.Div, ast.Mod})


@pytest.mark.parametrize("path", sorted((PACKAGE / "functional").glob("*.py")), ids=shown)
def test_functional_does_no_sums_at_all(path):
    nodes = ast.walk(ast.parse(path.read_text()))
    operators = {type(node.op) for node in nodes if isinstance(node, (ast.BinOp, ast.AugAssign))}

    assert operators <= {ast.BitOr, ast.BitAnd}  # of dictionaries and flags


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_only_its_backend_imports_numba(path):
    if not name(path).startswith("backends.numba"):
        assert {dotted.partition(".")[0] for dotted in imports(path)}.isdisjoint({"numba", "llvmlite"})


def lines(path):
    """Lines of a file, without the docstrings of its public functions: users read those elsewhere."""
    text = path.read_text()
    total = len(text.splitlines())
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and ast.get_docstring(node):
            total -= node.body[0].end_lineno - node.body[0].lineno + 1
    return total


@pytest.mark.parametrize("path", FILES, ids=shown)
def test_file_is_short(path):
    assert lines(path) <= MAX_LINES
