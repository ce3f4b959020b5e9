"""``python -m fastconv keras SCRIPT`` runs a script as it is; and the README's example runs."""

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
SCRIPT = """
import sys
import helper
import keras
import numpy as np
print(__name__, sys.argv[1:], keras.config.backend(), helper.NAME)
print(keras.ops.average_pool(np.arange(6.0).reshape(1, 6, 1), 2).ravel())
sys.exit(int(sys.argv[2]))
"""


def test_a_script_runs_as_it_is(python, tmp_path):
    (tmp_path / "apart").mkdir()
    (tmp_path / "apart" / "helper.py").write_text("NAME = 'beside it'\n")
    (tmp_path / "apart" / "script.py").write_text(SCRIPT)
    said = python("-m", "fastconv", "keras", "apart/script.py", "--size", "0")
    assert said == ["__main__ ['--size', '0'] numpy beside it", "[0.5 2.5 4.5]"]
    python("-m", "fastconv", "keras", "apart/script.py", "--size", "3", code=3)


def test_what_cannot_run_is_refused(python, tmp_path):
    (tmp_path / "script.py").write_text("")
    (said,) = python("-m", "fastconv", "keras", "lost.py", code=2)
    assert said == "fastconv keras: SCRIPT must be a file; got 'lost.py'"
    (said,) = python("-m", "fastconv", "keras", "script.py", code=2, KERAS_BACKEND="jax")
    assert said == "fastconv keras: install: KERAS_BACKEND must be numpy, or not be set; got 'jax'"


def test_the_readme_example_runs(python):
    section = README.read_text().partition("## Keras without JAX")[2].partition("\n## ")[0]
    (example,) = re.findall(r"```python\n(.*?)```", section, re.S)
    assert len(example.splitlines()) <= 9
    assert python("-c", example) == ["(2, 1000)"]
