"""The command line as a whole, the command ``info``, and what is said where an extra is missing."""

import re
import subprocess
import sys

import numpy as np
import pytest

import fastconv
from fastconv import dispatch
from fastconv.__main__ import COMMANDS, main
from fastconv.cli import CommandError, info, table

MODULE = [sys.executable, "-m", "fastconv"]


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--help"])
    out = capsys.readouterr().out
    assert all(re.search(rf"^ +{name} +\w", out, re.M) for name in COMMANDS)


@pytest.mark.parametrize("arguments", [[], ["paint"]])
def test_a_missing_or_unknown_command_is_refused(arguments, capsys):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(arguments)
    assert "COMMAND" in capsys.readouterr().err


def test_runs_as_a_module():
    done = subprocess.run([*MODULE, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f"fastconv {fastconv.__version__}\n"


def test_a_reader_may_leave_early():
    with subprocess.Popen([*MODULE, "info"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()  # long before anything is written
        said = process.stderr.read()
        assert process.wait(60) == 0
    assert said == b""


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (CommandError("no"), 2, "fastconv info: no\n"),
        (MemoryError("6 GiB"), 2, "fastconv info: there must be memory enough (6 GiB)\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_stops_a_command_is_no_traceback(error, code, said, monkeypatch, capsys):
    def stop(_args):
        raise error

    monkeypatch.setattr(info, "run", stop)
    assert main(["info"]) == code
    assert capsys.readouterr().err == said


def test_info_lists_versions_threads_and_every_kernel(capsys):
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    assert re.search(rf"^fastconv +{re.escape(fastconv.__version__)}$", out, re.M)
    assert re.search(rf"^numpy +{re.escape(np.__version__)}$", out, re.M)
    assert re.search(rf"^threads +{fastconv.get_num_threads()}$", out, re.M)
    assert re.search(rf"^backends +{', '.join(fastconv.backends())}$", out, re.M)
    for row in dispatch.table():
        kind = row.problem.__name__.removesuffix("Problem").lower()
        exact = "yes" if row.exact else "no"
        assert re.search(rf"^{row.name} +{kind} +{exact} +\w", out, re.M), row.name


def test_info_names_what_is_not_installed():
    code = (
        "import importlib.metadata as m, sys; real = m.version\n"
        "def version(name):\n"
        "    if name == 'llvmlite': raise m.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "m.version = version; sys.modules['numba'] = None\n"
        "from fastconv.__main__ import main; sys.exit(main(['info']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert re.search(r"^llvmlite +not installed$", done.stdout, re.M)
    assert re.search(r"^backends +naive, einsum$", done.stdout, re.M)


def test_tables_align_words_left_and_numbers_right():
    lines = table.lines(("name", "ms"), [("a", "10.5"), ("longer", "3")]).splitlines()
    assert lines == ["name      ms", "------------", "a       10.5", "longer     3"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(1.2345e-6, "0.00123"), (0.0512, "51.2"), (0.5, "500"), (12.3456, "12346")]
)
def test_milliseconds_have_three_digits_that_matter(seconds, text):
    assert table.milliseconds(seconds) == text


def test_an_unknown_backend_is_refused_with_the_names_of_all(capsys):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["demo", "--backend", "cuda"])
    err = capsys.readouterr().err
    assert "argument --backend: invalid choice: 'cuda' (choose from auto, fast, naive, einsum" in err
    assert all(row.name in err for row in dispatch.table())


@pytest.mark.parametrize(
    ("arguments", "package", "extra"),
    [(["demo"], "matplotlib", "demo"), (["onnx", "x.onnx"], "onnx", "onnx")],
)
def test_without_a_package_a_sentence_says_what_to_install(arguments, package, extra):
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        f"from fastconv.__main__ import main; sys.exit(main({arguments}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        f"fastconv {arguments[0]}: {package} must be installed: pip install 'fastconv[{extra}]'\n"
    )


def test_without_rich_progress_is_lines():
    code = (
        "import sys; sys.modules['rich'] = None; sys.stderr.isatty = lambda: True\n"
        "from fastconv.cli.progress import steps\n"
        "with steps(2) as step: step('one'); step('two')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == "[1/2] one\n[2/2] two\n"
