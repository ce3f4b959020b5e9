"""Installing and uninstalling: in what order, how often, and what is refused."""

import importlib.util

import pytest

HAS_JAX = importlib.util.find_spec("jax") is not None
INSTALL = "from fastconv.integrations import keras as plugin; plugin.install()\n"
# What Keras calls: every function of the modules in which some are replaced.
SNAPSHOT = """
import importlib
def functions():
    places = [importlib.import_module(f"keras.src.backend.numpy.{name}") for name in ("nn", "numpy")]
    return {(place.__name__, name): value for place in places for name, value in vars(place).items()}
"""
POOL = (
    "import numpy as np, keras; assert keras.ops.max_pool(np.ones((1, 4, 4, 1)), 2).shape == (1, 2, 2, 1)\n"
)


def test_before_keras_is_imported(python):
    assert python("-c", INSTALL + POOL + "print(keras.config.backend())") == ["numpy"]


def test_after_keras_is_imported_or_could_not_be(python):
    tried = "try:\n    import keras\nexcept ModuleNotFoundError as error:\n    print(error.name)\n"
    said = python("-c", tried + INSTALL + POOL, KERAS_BACKEND="numpy")
    assert said == ([] if HAS_JAX else ["jax"])


def test_twice_is_once_and_uninstalling_puts_everything_back(python):
    code = f"""{INSTALL + SNAPSHOT}
import os
plugin.uninstall()
assert "KERAS_BACKEND" not in os.environ
own = functions()
plugin.install()
installed = functions()
changed = {{name for (_, name), function in installed.items() if own[_, name] is not function}}
plugin.install()
assert functions() == installed
plugin.uninstall()
assert functions() == own
plugin.uninstall()
assert functions() == own
print(*sorted(changed))
"""
    assert python("-c", code)[0].split() == [
        *("adaptive_average_pool", "adaptive_max_pool", "add", "average_pool", "batch_normalization", "conv"),
        *(
            "conv_transpose",
            "depthwise_conv",
            "fold",
            "gelu",
            "matmul",
            "max_pool",
            "multiply",
            "relu",
            "relu6",
        ),
        *("separable_conv", "sigmoid", "silu", "subtract", "unfold"),
    ]


def test_the_environment_stays_as_somebody_set_it(python):
    code = INSTALL + "import os; plugin.uninstall(); print(os.environ['KERAS_BACKEND'])"
    assert python("-c", code, KERAS_BACKEND="numpy") == ["numpy"]


@pytest.mark.skipif(HAS_JAX, reason="JAX is installed: nothing stands in for it")
def test_nobody_takes_a_stand_in_for_jax(python):
    code = f"""{INSTALL}
import sys
assert not [name for name in sys.modules if name.startswith(("jax", "keras.src.backend.jax"))]
import keras, numpy as np
try:
    import jax
except ModuleNotFoundError as error:
    print(error)
plugin.uninstall()
try:
    keras.ops.conv(np.ones((1, 4, 1), "float32"), np.ones((2, 1, 1), "float32"))
except ModuleNotFoundError as error:
    print(error)
"""
    first, second = python("-c", code)
    assert first == "No module named 'jax'"
    assert second.startswith("jax.lax.ConvDimensionNumbers must be there for this; JAX is not installed")


def test_fourier_transforms_are_there_without_jax(python):
    code = f"""{INSTALL}
import keras, numpy as np
x = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype("float32")
for ours, exact in ((keras.ops.fft, np.fft.fft), (keras.ops.fft2, np.fft.fft2)):
    real, imag = ours((x[0], x[1]))
    np.testing.assert_allclose(real + 1j * imag, exact(x[0].astype("float64") + 1j * x[1]), rtol=0, atol=1e-5)
    print(real.dtype, imag.dtype)
    try:
        ours((x[0], x[1, :2]))
    except ValueError as error:
        print(str(error)[-64:])
"""
    refused = "Received: x[0].shape = (3, 4, 5), x[1].shape = (2, 4, 5)"
    types, first, again, second = python("-c", code)
    assert (types, again) == ("float32 float32",) * 2
    assert first.endswith(refused)
    assert second.endswith(refused)


def _refusal(python, error, code, **environment):
    attempt = f"try:\n    plugin.install()\nexcept {error} as error:\n    print(error)\n"
    return python("-c", code + attempt, **environment)


def test_another_backend_in_the_environment_is_refused(python):
    code = "import sys; from fastconv.integrations import keras as plugin\n"
    attempt = (
        "try:\n    plugin.install()\nexcept RuntimeError as error:\n    print(error, 'keras' in sys.modules)"
    )
    said = python("-c", code + attempt, KERAS_BACKEND="torch")
    assert said == ["install: KERAS_BACKEND must be numpy, or not be set; got 'torch' False"]


@pytest.mark.parametrize("package", ["keras", "scipy"])
def test_a_missing_package_is_named(package, python):
    code = f"""
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == {package!r} else find(name, *rest)
from fastconv.integrations import keras as plugin
"""
    (said,) = _refusal(python, "ModuleNotFoundError", code)
    assert said.startswith(f"install: {package} must be installed: ")
    assert said.endswith("the extra `keras` brings it")


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (
            "del nn.fold",
            "keras.src.backend.numpy.nn must have fold(x, output_size, kernel_size, dilation=1, padding=0, "
            "stride=1); it has nothing of that name",
        ),
        (
            "nn.conv = lambda inputs, filters: None",
            "keras.src.backend.numpy.nn must have conv(inputs, kernel, strides=1, padding='valid', "
            "data_format=None, dilation_rate=1); it has conv(inputs, filters)",
        ),
        ("del numpy.add", "keras.src.backend.numpy.numpy must have add(x1, x2); it has nothing of that name"),
        (
            "del utils.check_conv_input_channels; del sys.modules['fastconv.integrations.keras.windows']",
            "cannot import name 'check_conv_input_channels' from 'keras.src.backend.common.backend_utils' ",
        ),
    ],
)
def test_an_unknown_version_is_refused_and_left_as_it_was(change, difference, python):
    code = f"""{INSTALL + SNAPSHOT}
import sys, keras
plugin.uninstall()
nn, numpy = (importlib.import_module(f"keras.src.backend.numpy.{{name}}") for name in ("nn", "numpy"))
utils = importlib.import_module("keras.src.backend.common.backend_utils")
keras.__version__ = "9.9"
{change}
own = functions()
"""
    after = "\nassert functions() == own\n"
    (said,) = _refusal(python, "RuntimeError", code, PYTHONINSPECT="")
    assert said.startswith(f"install: Keras must be of a version that is known, not 9.9: {difference}")
    attempt = "try:\n    plugin.install()\nexcept RuntimeError:\n    pass\n"
    assert python("-c", code + attempt + after) == []
