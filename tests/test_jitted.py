"""`pool(fn=...)` with functions that the caller compiled with Numba, and what memory general pools take."""

import gc
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import functions
import numpy as np
import pytest
from refusal import refuses

import fastconv

ROW = "numba:jitted"
OPTIONS = dict(strides=(2, 1), padding=((1, 0), (0, 3)))
X = np.random.default_rng(0).integers(-8, 9, (2, 7, 9, 3)).astype(np.float32)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "bool", "complex64"])
def test_they_are_compiled_into_the_loops_by_choice(dtype):
    x = X.astype(dtype)

    y = fastconv.pool(x, (3, 2), fn=functions.weighted, **OPTIONS)

    np.testing.assert_array_equal(
        y, fastconv.pool(x, (3, 2), fn=functions.weighted.py_func, backend="naive", **OPTIONS)
    )
    np.testing.assert_array_equal(
        y, fastconv.pool(x, (3, 2), fn=functions.weighted, backend=ROW, **OPTIONS), strict=True
    )


@pytest.mark.parametrize("backend", ["naive", ROW])
def test_results_have_the_dtype_that_the_function_has_in_compiled_code(backend):
    single = fastconv.pool(X, 2, fn=functions.largest, backend=backend)
    double = fastconv.pool(X, 2, fn=functions.median, backend=backend)

    np.testing.assert_array_equal(single, fastconv.max_pool(X, 2), strict=True)
    np.testing.assert_array_equal(double, fastconv.pool(X, 2, fn=np.median).astype(np.float64), strict=True)


def test_other_layouts_and_channels_first():
    x = np.flip(np.moveaxis(X, -1, 1))

    y = fastconv.pool(x, 2, data_format="channels_first", fn=functions.weighted)

    expected = fastconv.pool(x, 2, data_format="channels_first", fn=functions.weighted, backend="naive")
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("size", [7, 60])
def test_exceptions_come_through(size):
    """From a call's own thread, and from others, where they have no way out."""
    x = np.zeros((1, size, size, 8))
    x[0, size // 2, 3, 5] = 6

    with pytest.raises(ValueError, match="too much"):
        fastconv.pool(x, 2, 1, fn=functions.refusing)

    np.testing.assert_array_equal(fastconv.pool(0 * x, 2, 1, fn=functions.refusing), 0)


REFUSED = {
    functions.unsound: "be what Numba can compile for a 1-D array of numbers; got unsound...float32: ...",
    functions.no_number: "return one number for a 1-D array; got array(float32, 1d, C)",
    functions.of_doubles: "have a signature for one 1-D array of the dtype of `inputs`; "
    "got of_doubles and an array of float32, and signatures for array(float64, 1d, A)",
}


@pytest.mark.parametrize("fn", REFUSED, ids=lambda fn: fn.__name__)
def test_functions_that_are_not_for_windows(fn):
    refuses(TypeError, f"`fn` must {REFUSED[fn]}", "pool", X, 2, fn=fn)


def test_signatures_are_kept_to():
    np.testing.assert_array_equal(
        fastconv.pool(X.astype(float), 2, fn=functions.of_doubles),
        fastconv.pool(X.astype(float), 2, fn=np.sum),
    )


def test_no_other_row_takes_them_but_the_definition():
    with pytest.raises(NotImplementedError, match="only binary ufuncs"):
        fastconv.pool(X, 2, fn=functions.weighted, backend="einsum")
    with pytest.raises(NotImplementedError, match=r"numba:jitted +reduction <lambda>, only jitted functions"):
        fastconv.pool(X, 2, fn=lambda window: window[0], backend="numba")


@pytest.mark.parametrize("fn", ["np.max", "np.median", "np.add"])
def test_functions_of_others_do_not_ask_for_numba(fn):
    """Nothing is imported to find out that a function is not of it."""
    code = f"""
import sys
import numpy as np
import fastconv
fastconv.pool(np.ones((1, 4, 4, 1)), 2, fn={fn}, backend="naive")
print("numba" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


def test_code_of_others_is_not_kept_on_disk(tmp_path):
    """What it was compiled from may change without our seeing it."""
    code = """
import functions
import numpy as np
import fastconv
print(fastconv.pool(np.ones((1, 9, 9, 1)), 2, fn=functions.weighted)[0, 0, 0, 0])
"""
    env = {**os.environ, "FASTCONV_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "14.0\n"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("jitted")]


def peak(run):
    """Most bytes of NumPy's that a call has at a time beyond those before it."""
    run()
    gc.collect()
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("backend", "fn"),
    [
        ("einsum:ufunc", np.fmax),
        ("einsum:ufunc", np.logaddexp),
        ("einsum:separable", np.add),
        (ROW, functions.weighted),
    ],
)
def test_memory_does_not_grow_with_the_window(backend, fn):
    """It is a few arrays as large as the input, never the elements of all windows."""
    x = np.ones((1, 200, 300, 2), np.float32)

    small, large = (peak(lambda k=k: fastconv.pool(x, k, 1, fn=fn, backend=backend)) for k in (3, 15))

    assert large < 1.1 * small < 4 * x.nbytes


@pytest.mark.parametrize("held", ["itself", "a ufunc"])
def test_a_function_may_hold_what_has_no_name_or_no_end(held):
    """What it was made with is not looked into: that would not end, or not be found."""
    fn = functions.holding(held)

    y = fastconv.pool(X, 2, fn=fn, backend=ROW)

    np.testing.assert_array_equal(y, fastconv.pool(X, 2, fn=np.sum, backend="naive"))
