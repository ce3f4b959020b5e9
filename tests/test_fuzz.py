"""Random calls of all public functions, right and wrong, in processes of their own: none may be a finding."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="children are limited and guarded as on Linux"
)


def python(*arguments):
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_random_calls():
    """Half of the cases a process, since what one leaves behind may harm the next."""
    options = ["--cases", "5000", "--seed", "0", "--chunk", "2500", "--workers", "2"]

    done = python("-m", "tests.fuzz", *options)

    assert done.stdout == "5000 cases of seed 0: 0 findings\n", done.stdout[-20_000:] + done.stderr[-20_000:]
    assert done.returncode == 0


def test_a_dead_child_is_a_finding():
    """Else the test above could not fail."""
    done = python("-c", "from tests.fuzz.__main__ import judged; print(judged(0, 0, 2, ['false']))")

    assert done.stdout.endswith("\n1\n"), done.stderr
