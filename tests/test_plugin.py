"""A backend is one file; the package works without Numba, and imports nothing that it does not need."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(code, cwd, **environment):
    """Run Python in another process, with `cwd` before everything on its path; return what it prints."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
    return finished(command, cwd, **environment)


def finished(command, cwd, **environment):
    environment = {**os.environ, "PYTHONPATH": str(cwd), **environment}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


TOY = '''
"""Every output is the sum of all weights: wrong, quick, and a row like any other."""

from fastconv.kernel import Kernel
from fastconv.problem import ConvProblem


def run(p, x, w, bias, y):
    y[...] = w.sum()


def rejects(p):
    return "too large a window for a toy" if p.window.taps > 9 else None


KERNELS = [Kernel("toy:sum", ConvProblem, rejects, lambda p: 1e-12, run)]
'''


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The project's code with one more file in it."""
    root = tmp_path_factory.mktemp("copy")
    leave = shutil.ignore_patterns("__pycache__", ".*", "results")
    for name in ("fastconv", "tests", "bench", "pyproject.toml", "conftest.py"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=leave)
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, root / name)
    (root / "fastconv/backends/toy.py").write_text(TOY)
    return root


def test_one_file_is_a_backend(copy):
    printed = run(
        """
        import numpy as np
        import fastconv
        x, w = np.zeros((1, 5, 6, 2), np.float32), np.ones((3, 2, 2, 4), np.float32)
        print(fastconv.__file__)
        print(fastconv.backends())
        print(np.unique(fastconv.conv(x, w, backend="toy")))
        print(np.unique(fastconv.conv(x, w, backend="toy:sum")))
        print(np.unique(fastconv.conv(x, w)))
        with fastconv.use_backend("toy"):
            print(np.unique(fastconv.conv(x, w)))
        print(fastconv.explain(fastconv.plan_conv(x.shape, w)))
        print(fastconv.explain(fastconv.plan_conv((1, 8, 8, 2), np.ones((4, 3, 2, 4), np.float32))))
        try:
            fastconv.max_pool(x, 2, backend="toy")
        except NotImplementedError as error:
            print(str(error).splitlines()[0])
        """,
        copy,
    )

    where, names, *sums = printed.splitlines()[:6]
    explained = printed.splitlines()[6:]
    assert where == str(copy / "fastconv/__init__.py")
    assert names == "('naive', 'einsum', 'numba', 'toy')"
    assert sums == ["[48.]"] * 4
    assert explained[1].split() == ["toy:sum", "1e-09", "ms"]
    assert "planned: toy:sum" in explained
    assert any(" ".join(line.split()) == "toy:sum too large a window for a toy" for line in explained)
    assert explained[-1] == "backend='toy' cannot compute pool max n1 c2 i5x6 k2x2 s2x2 d1x1 p0+0x0+0 float32"


def test_its_rows_are_tested(copy):
    command = [sys.executable, "-m", "pytest", "--collect-only", "tests/test_kernels.py"]

    collected = finished([*command, "-p", "no:cacheprovider"], copy)

    assert "test_row_equals_definition[toy:sum-conv 2d-float32]" in collected
    assert "test_row_accepts_a_case[toy:sum]" in collected
    assert "test_row_rounds_within_bound[toy:sum-conv 2d-float64]" in collected
    assert "[toy:sum-conv 4d-" not in collected  # of 12 taps, which it rejects


def test_its_rows_are_measured(copy):
    command = [sys.executable, "-m", "pytest", "--collect-only", "--benchmark-only", "bench"]

    collected = finished([*command, "-p", "no:cacheprovider"], copy)

    assert "toy:sum" in collected


def test_its_tests_fail(copy):
    """They judge it: the toy is wrong."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_kernels.py", "-k"]

    with pytest.raises(AssertionError, match=r"FAILED .*toy:sum-conv 1x1-float32"):
        finished([*command, "test_row_equals_definition and toy and 1x1-float32"], copy)


BLOCKED = """
import sys
sys.modules["numba"] = None  # so that importing it raises ImportError
"""


def test_everything_works_without_numba():
    printed = run(
        BLOCKED
        + """
import numpy as np
import fastconv
x = np.arange(2 * 6 * 7 * 2, dtype=np.float32).reshape(2, 6, 7, 2)
w, d = np.ones((3, 2, 2, 4), np.float32), np.ones((3, 2, 2, 2), np.float32)
print(fastconv.backends())
print(fastconv.conv(x, w, strides=(2, 1), padding="same", activation="relu").shape)
print(fastconv.depthwise_conv(x, d).shape)
print(fastconv.separable_conv(x, d, np.ones((1, 1, 4, 5), np.float32)).shape)
print(fastconv.conv_transpose(x, np.ones((3, 2, 4, 2), np.float32), 2).shape)
print(*(pool(x, 2)[0, 0, 0] for pool in (fastconv.max_pool, fastconv.min_pool, fastconv.average_pool)))
print(fastconv.pool(x, 2, fn=np.median).shape, fastconv.adaptive_max_pool(x, 4).shape)
print(fastconv.windows(x, 2).shape)
plan = fastconv.plan_conv(x.shape, w)
print(plan(x).shape, plan.kernel.backend)
print(fastconv.explain(plan).splitlines()[-2])
""",
        ROOT,
    )

    assert printed.splitlines() == [
        "('naive', 'einsum')",
        "(2, 3, 7, 4)",
        "(2, 4, 6, 4)",
        "(2, 4, 6, 5)",
        "(2, 13, 14, 4)",
        "[16. 17.] [0. 1.] [8. 9.]",
        "(2, 3, 3, 2) (2, 4, 4, 2)",
        "(2, 5, 6, 2, 2, 2)",
        "(2, 4, 6, 4) einsum",
        "  numba cannot be imported here: import of numba halted; None in sys.modules",
    ]


@pytest.mark.parametrize("backend", ["numba", "numba:direct"])
def test_numba_is_refused_with_the_reason_where_it_cannot_be_imported(backend):
    printed = run(
        BLOCKED
        + f"""
import numpy as np
import fastconv
x = np.zeros((1, 5, 6, 2), np.float32)
calls = [
    lambda: fastconv.conv(x, np.ones((3, 2, 2, 4), np.float32), backend={backend!r}),
    lambda: fastconv.max_pool(x, (3, 2), backend={backend!r}),
    lambda: fastconv.plan_conv(x.shape, np.ones((3, 2, 2, 4), np.float32), backend={backend!r}),
]
for call in calls:
    try:
        call()
    except NotImplementedError as error:
        lines = str(error).splitlines()
        print(lines[0], lines[-1], sep="\\n")
""",
        ROOT,
    )

    why = "  numba cannot be imported here: import of numba halted; None in sys.modules"
    conv = f"backend='{backend}' cannot compute conv n1 g1 ic2 oc4 i5x6 k3x2 s1x1 d1x1 p0+0x0+0 float32"
    pool = f"backend='{backend}' cannot compute pool max n1 c2 i5x6 k3x2 s3x2 d1x1 p0+0x0+0 float32"
    assert printed.splitlines() == [conv, why, pool, why, conv, why]


HEAVY = ("numba", "llvmlite", "scipy", "matplotlib", "rich", "keras", "jax", "PIL")


@pytest.mark.parametrize(
    "use",
    [
        "pass",
        "fastconv.conv(x, w, backend='einsum')",
        "fastconv.max_pool(x, 2, backend='naive')",
        "fastconv.plan_conv(x.shape, w, backend='einsum:matmul')(x)",
        "fastconv.plan_pool(x.shape, 2, dtype=float, backend='einsum')(x)",
        "fastconv.adaptive_max_pool(x, (3, 4))",
        "fastconv.windows(x, 2)",
        "with fastconv.use_backend('einsum'): fastconv.conv(x, w)",
        "fastconv.set_num_threads(1)",
    ],
)
def test_what_is_not_needed_is_not_imported(use):
    printed = run(
        f"""
        import sys
        import numpy as np
        before = set(sys.modules)
        import fastconv
        x, w = np.zeros((1, 5, 6, 2)), np.ones((3, 2, 2, 4))
        {use}
        print(sorted(name for name in set(sys.modules) - before if name.partition(".")[0] in {HEAVY!r}))
        """,
        ROOT,
    )

    assert printed == "[]\n"


def test_an_automatic_choice_imports_numba():
    printed = run(
        """
        import sys
        import numpy as np
        import fastconv
        fastconv.conv(np.zeros((1, 5, 6, 2)), np.ones((3, 2, 2, 4)))
        print("numba" in sys.modules)
        """,
        ROOT,
    )

    assert printed == "True\n"


LIGHT = ("__future__", "copy", "dataclasses", "importlib", "inspect", "pkgutil", "zipimport")


def test_import_is_light():
    """It brings nothing along but itself and a few modules of Python's that are small or NumPy's too."""
    printed = run(
        """
        import sys
        import numpy
        before = set(sys.modules)
        import fastconv
        print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
        """,
        ROOT,
    )

    assert set(printed.split()) <= {"fastconv", *LIGHT}
