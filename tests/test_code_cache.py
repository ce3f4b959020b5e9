"""Compiled code that one process leaves on disk: right in another, and never the reason that one fails."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numba
import pytest

from fastconv import machine
from fastconv.backends.numba import cache, grouped, pooling, sweep

ROOT = Path(__file__).parent.parent
CODE = """
import sys
import numpy as np
import fastconv

rng = np.random.default_rng(0)
x = rng.integers(-4, 5, (2, 9, 20, 6)).astype(np.float64)
w = rng.integers(-4, 5, (3, 3, 1, 6)).astype(np.float64)
for stride in sys.argv[1]:
    options = dict(strides=(1, int(stride)))
    y = fastconv.conv(x, w, backend="numba:grouped", **options)
    np.testing.assert_array_equal(y, fastconv.conv(x, w, backend="naive", **options))
for reduction in sys.argv[2].split("-"):
    options = dict(pool_size=2, reduction=reduction, dtype=np.float64)
    y, z = (fastconv.plan_pool(x.shape, backend=backend, **options)(x) for backend in ("numba", "naive"))
    np.testing.assert_array_equal(y, z)
"""


def test_code_on_disk_is_not_taken_for_another(tmp_path):
    """Numba names functions by a counter, which starts anew in the process that reads another's code."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FASTCONV_CACHE_DIR": str(tmp_path)}
    for strides, reductions in (("2", "min"), ("12", "max-min"), ("21", "sum-min-max")):
        command = [sys.executable, "-c", CODE, strides, reductions]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr


def made(function):
    """Yield a compiled function and those that it was made with, if they were made with something."""
    if cells := function.py_func.__closure__:
        yield function.py_func
        for cell in cells:
            if hasattr(cell.cell_contents, "py_func"):
                yield from made(cell.cell_contents)


def swept(reduction):
    """Make a sweep over arrays."""
    return sweep.tasks(reduction, sweep.copy, sweep.writing(reduction), sweep.in_row)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (grouped.strips(8, 1, 3, 1, 1, 1, 1), grouped.strips(8, 1, 3, 2, 1, 1, 1)),
        (grouped.strips(8, 1, 3, 1, 1, 2, 4), grouped.strips(8, 1, 3, 1, 1, 2, 2)),
        (pooling._tasks("max", 0, False), pooling._tasks("min", 0, False)),
        (pooling._tasks("sum", 0, False), pooling._tasks("sum", 0, True)),
        (swept("sum"), swept("prod")),
    ],
)
def test_what_is_made_with_something_else_has_another_name(one, other):
    """The name decides which of two functions of the same place runs, so it says what each was made with."""
    names = [{(f.__module__, f.__qualname__): f for f in made(function)} for function in (one, other)]

    assert one.py_func.__qualname__ != other.py_func.__qualname__
    for name in names[0].keys() & names[1].keys():
        values = [[v for v in cache._captured(group[name]) if not callable(v)] for group in names]
        assert values[0] == values[1], name


# A call whose result is known, and what it took: functions compiled, and files written.
CALL = """
import json, os, sys
written = []

def watch(event, arguments):
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        written.append(str(arguments[0]))

sys.addaudithook(watch)
import numpy as np
import fastconv
from numba.core import event

with event.install_recorder("numba:compile") as compiled:
    y = fastconv.max_pool(np.arange(8.0).reshape(1, 4, 2, 1), 2, backend="numba:pool")
np.testing.assert_array_equal(y.ravel(), [3, 7])
heavy = [name for name in ("scipy.linalg", "numba.np.arraymath") if name in sys.modules]
json.dump({"compiled": len(compiled.buffer), "written": written, "heavy": heavy}, sys.stdout)
"""


def start(folder, before="", **variables):
    """Start a process that makes the call, with compiled code in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {**environment, "FASTCONV_CACHE_DIR": str(folder), **variables}
    environment = {name: value for name, value in environment.items() if value is not None}
    command = [sys.executable, "-c", before + CALL]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, cwd=folder, stdout=pipe, stderr=pipe, text=True)


def told(process):
    """Return what a process tells of its call."""
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return SimpleNamespace(**json.loads(out))


@pytest.fixture(scope="module")
def warmed(tmp_path_factory):
    """Return a folder that a process has left its code in."""
    folder = tmp_path_factory.mktemp("warmed")
    cold = told(start(folder))
    assert cold.compiled > 0
    assert {os.path.dirname(each) for each in cold.written} == {str(folder / code(folder).name)}
    return folder


@pytest.fixture
def folder(warmed, tmp_path):
    """Return such a folder that a test may spoil."""
    return shutil.copytree(warmed, tmp_path / "folder")


def code(folder):
    """Return the collection in a folder that has only one."""
    (collection,) = folder.glob("code-*")
    return collection


def test_the_next_process_compiles_and_writes_nothing_and_imports_little(folder):
    warm = told(start(folder))

    assert (warm.compiled, warm.written, warm.heavy) == (0, [], [])


def test_code_that_is_not_whole_is_compiled_anew(folder):
    files = sorted(code(folder).glob("*.bin"))
    assert files
    for file in files:
        changed = bytearray(file.read_bytes())
        changed[len(changed) // 2] ^= 0x40  # a bit, as disks lose them, in the machine code
        file.write_bytes(changed)

    assert told(start(folder)).compiled > 0
    assert told(start(folder)).compiled == 0


def test_settings_of_threads_need_no_other_code(folder):
    settings = {name: "1" for name in cache.ELSEWHERE if name.endswith("THREADS")}

    assert told(start(folder, NUMBA_THREADING_LAYER="workqueue", **settings)).compiled == 0


def test_another_processor_gets_code_of_its_own(folder):
    """Such as one that shares the home: what is there is of no use to it, and stays as it is."""
    before = {path: path.read_bytes() for path in folder.rglob("*.bin")}
    other = dict(NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")

    assert told(start(folder, **other)).compiled > 0
    assert told(start(folder, **other)).compiled == 0
    after = {path: path.read_bytes() for path in folder.rglob("*.bin")}
    assert before.items() < after.items()


@pytest.mark.skipif(os.name == "nt", reason="there is no such signal")
def test_processes_that_compile_at_once_and_after_one_was_killed(tmp_path):
    killing = "import os\nos.replace = lambda *_: os.kill(os.getpid(), 9)\n"
    killed = start(tmp_path, killing)
    killed.communicate(timeout=300)
    left = list(tmp_path.rglob("*.tmp"))

    both = [told(process) for process in (start(tmp_path), start(tmp_path))]

    assert killed.returncode == -signal.SIGKILL
    assert len(left) == 1
    assert all(each.compiled > 0 for each in both)
    assert list(tmp_path.rglob("*.tmp")) == left
    assert told(start(tmp_path)).compiled == 0


def test_without_a_home_nothing_is_kept(tmp_path):
    """Of a user that the system does not know, as containers run programs."""
    nobody = "import pwd\ndef unknown(uid): raise KeyError(uid)\npwd.getpwuid = unknown\n"
    homeless = dict(HOME=None, XDG_CACHE_HOME=None, FASTCONV_CACHE_DIR=None)
    done = told(start(tmp_path, "" if os.name == "nt" else nobody, **homeless))

    assert done.compiled > 0
    assert done.written == []


def test_where_the_cache_folder_is(monkeypatch):
    for name in ("FASTCONV_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    assert machine.cache_folder() == Path.home() / ".cache" / "fastconv"
    monkeypatch.setenv("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME", "caches")
    assert machine.cache_folder() == Path("caches") / "fastconv"
    monkeypatch.setenv("FASTCONV_CACHE_DIR", "chosen")
    assert machine.cache_folder() == Path("chosen")
    monkeypatch.setenv("FASTCONV_CACHE_DIR", "")
    assert machine.cache_folder() is None


@pytest.fixture
def fresh():
    """Let the fingerprint be taken anew."""
    cache.fingerprint.cache_clear()
    yield cache.fingerprint
    cache.fingerprint.cache_clear()


def test_code_of_other_versions_settings_and_sources_has_another_place(fresh, monkeypatch, tmp_path):
    found = [fresh()]
    for change in (
        lambda: monkeypatch.setattr(numba, "__version__", "0.0"),
        lambda: monkeypatch.setattr(cache.llvmlite, "__version__", "0.0"),
        lambda: monkeypatch.setattr(sys, "version", "3.0"),
        lambda: monkeypatch.setenv("NUMBA_OPT", "1"),
        lambda: monkeypatch.setattr(cache, "__file__", str(copied(tmp_path) / "cache.py")),
    ):
        change()
        fresh.cache_clear()
        found.append(fresh())
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    fresh.cache_clear()

    assert len(set(found)) == len(found)
    assert fresh() == found[-1]


def copied(folder):
    """Copy the sources of the kernels, one of them a little changed."""
    sources = shutil.copytree(Path(cache.__file__).parent, folder / "numba")
    (sources / "tiles.py").write_text((sources / "tiles.py").read_text() + "\n")
    return sources


def test_code_for_another_processor_or_signature_has_another_file(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTCONV_CACHE_DIR", str(tmp_path))

    def place(function, signature, *processor):
        context = SimpleNamespace(codegen=lambda: SimpleNamespace(magic_tuple=lambda: processor))
        return cache.DiskCache(function.py_func)._place(signature, context)

    one, other = (pooling._tasks(reduction, 0, False) for reduction in ("max", "min"))
    places = [
        place(one, "(int64,)", "x86_64", "znver4", "+avx512f"),
        place(one, "(int64,)", "x86_64", "znver4", "-avx512f"),
        place(one, "(int64,)", "x86_64", "znver3", "+avx512f"),
        place(one, "(int32,)", "x86_64", "znver4", "+avx512f"),
        place(other, "(int64,)", "x86_64", "znver4", "+avx512f"),
    ]

    assert len({file for file, _ in places}) == len({key for _, key in places}) == len(places)
    assert place(one, "(int64,)", "x86_64", "znver4", "+avx512f") == places[0]
