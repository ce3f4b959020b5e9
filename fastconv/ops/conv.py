"""Convolutions in the words of ``keras.ops``.

``fastconv.problem`` has the rules and every check; ``calls`` is what happens on the way there and back.
"""

from __future__ import annotations

from fastconv.calls import convolve, planned
from fastconv.problem import (
    Words,
    checked_array,
    conv_problem,
    conv_transpose_problem,
    depthwise_problem,
)

CONV = Words("conv")
DEPTHWISE = Words("depthwise_conv")
SEPARABLE = Words("separable_conv", w="depthwise_kernel")
POINTWISE = Words("separable_conv", w="pointwise_kernel")
TRANSPOSE = Words("conv_transpose")
PLAN, PLAN_TRANSPOSE = Words("plan_conv"), Words("plan_conv_transpose")


def conv(
    inputs,
    kernel,
    strides=1,
    padding="valid",
    data_format="channels_last",
    dilation_rate=1,
    *,
    bias=None,
    activation=None,
    backend="auto",
    out=None,
):
    """Convolve N-D inputs with a kernel.

    ``y[n, o, f] = activation(bias[f] + sum_{k, c} x[n, o*s + k*d - before, c] * w[k, c, f])``,
    which is what deep learning calls convolution: the kernel is not flipped. Inputs outside the
    array count as zero.

    Parameters
    ----------
    inputs : array_like, shape (n, *i, c), or (n, c, *i) with ``data_format="channels_first"``
        Any number of spatial axes, also none.
    kernel : array_like, shape (*k, c / groups, f), whatever the data format
        Fewer channels than `inputs` means grouped convolution.
    strides : int or sequence of int, one per spatial axis
    padding : str, int, or sequence with an int or a (before, after) pair per spatial axis
        ``"valid"`` pads nothing; ``"same"`` gives ``ceil(i / s)`` outputs and pads the end more where
        the total is odd, ``"same_lower"`` the beginning; ``"causal"`` (one spatial axis) pads
        ``(k - 1) * d`` before. A negative number crops.
    data_format : {"channels_last", "channels_first"}
    dilation_rate : int or sequence of int, one per spatial axis
        Distance between neighbouring taps of the kernel in the input.
    bias : array_like, shape (f,), optional
    activation : str or callable, optional
        "relu", "relu6", "leaky_relu", "elu", "softplus", "sigmoid", "tanh", "silu", "gelu" (by erf),
        "hard_sigmoid", "hard_silu" or "linear", as in ``keras.activations``; or a function of the
        output array.
    backend : str
        ``"auto"`` takes the kernel predicted to be fastest; ``"fast"`` also one whose errors go by what is
        around a window (Winograd's, of three taps); a name of `backends()`, or a kernel's full name, is
        obeyed or refused.
    out : ndarray, optional
        Where to write the result. It must not overlap the other arrays.

    Returns
    -------
    ndarray, shape (n, *o, f), or (n, f, *o) with ``data_format="channels_first"``
        ``o = (i + before + after - (k - 1) * d - 1) // s + 1``. The dtype is
        ``np.result_type(inputs, kernel)``; integers wrap around in it; float16 is computed in float32
        and rounded once.

    Raises
    ------
    ValueError : shapes or options break a rule; the message names it.
    TypeError : an argument is of a type that cannot be meant.
    NotImplementedError : `backend` was named and cannot compute this; the message lists why.

    See Also
    --------
    plan_conv : the same with everything but the inputs prepared once.
    explain : which kernel a call would use, and why.

    Notes
    -----
    NaN and infinity in `inputs` reach every output whose window holds them, and no other. Whether an
    infinite or NaN *weight* counts where it meets only padding is unspecified.

    Examples
    --------
    >>> fastconv.conv(np.ones((1, 5, 1)), np.ones((3, 1, 1)))[0, :, 0]
    array([3., 3., 3.])
    >>> fastconv.conv(np.ones((1, 5, 1)), np.ones((3, 1, 1)), strides=2, padding="same")[0, :, 0]
    array([2., 3., 2.])
    """
    options = dict(strides=strides, padding=padding, dilation=dilation_rate)
    arrays = inputs, kernel, data_format, options, bias, activation, backend, out
    return convolve(CONV, conv_problem, *arrays)


def depthwise_conv(
    inputs,
    kernel,
    strides=1,
    padding="valid",
    data_format="channels_last",
    dilation_rate=1,
    *,
    bias=None,
    activation=None,
    backend="auto",
    out=None,
):
    """Convolve every channel with filters of its own.

    ``y[n, o, c*m + j] = activation(bias[c*m + j] + sum_k x[n, o*s + k*d - before, c] * w[k, c, j])``

    Parameters
    ----------
    inputs : array_like, shape (n, *i, c), or (n, c, *i) with ``data_format="channels_first"``
    kernel : array_like, shape (*k, c, m)
        `m` filters for each channel.
    strides, padding, data_format, dilation_rate, bias, activation, backend, out
        As in `conv`; `bias` has ``c * m`` numbers.

    Returns
    -------
    ndarray, shape (n, *o, c * m), or (n, c * m, *o) with ``data_format="channels_first"``

    Raises
    ------
    ValueError, TypeError, NotImplementedError : as `conv`.

    Examples
    --------
    >>> x = np.arange(6.0).reshape(1, 3, 2)
    >>> fastconv.depthwise_conv(x, [[[1], [10]], [[1], [10]]])[0]
    array([[ 2., 40.],
           [ 6., 80.]])
    """
    options = dict(strides=strides, padding=padding, dilation=dilation_rate)
    arrays = inputs, kernel, data_format, options, bias, activation, backend, out
    return convolve(DEPTHWISE, depthwise_problem, *arrays)


def separable_conv(
    inputs,
    depthwise_kernel,
    pointwise_kernel,
    strides=1,
    padding="valid",
    data_format="channels_last",
    dilation_rate=1,
    *,
    bias=None,
    activation=None,
    backend="auto",
    out=None,
):
    """Convolve every channel with filters of its own, then mix the channels at each position.

    Parameters
    ----------
    inputs : array_like, shape (n, *i, c), or (n, c, *i) with ``data_format="channels_first"``
    depthwise_kernel : array_like, shape (*k, c, m)
    pointwise_kernel : array_like, shape (*1, c * m, f): ones where `depthwise_kernel` has `k`
    strides, padding, data_format, dilation_rate, bias, activation, backend, out
        As in `conv`. Bias and activation come after the mixing; the rest is of the first step.

    Returns
    -------
    ndarray, shape (n, *o, f), or (n, f, *o) with ``data_format="channels_first"``

    Raises
    ------
    ValueError, TypeError, NotImplementedError : as `conv`.

    Examples
    --------
    >>> x = np.arange(6.0).reshape(1, 3, 2)
    >>> fastconv.separable_conv(x, np.ones((2, 2, 1)), [[[1], [10]]])[0, :, 0]
    array([42., 86.])
    """
    x = checked_array(SEPARABLE, "inputs", inputs)
    w = checked_array(SEPARABLE, "depthwise_kernel", depthwise_kernel)
    mix = checked_array(POINTWISE, "pointwise_kernel", pointwise_kernel)
    if w.ndim != mix.ndim or mix.shape[:-1] != (1,) * (mix.ndim - 2) + (w.shape[-2] * w.shape[-1],):
        raise ValueError(
            "separable_conv: `pointwise_kernel` must be 1 in every spatial size and take every channel "
            f"that `depthwise_kernel` gives; got {mix.shape} (depthwise_kernel {w.shape})"
        )
    options = dict(strides=strides, padding=padding, dilation=dilation_rate)
    first = x, w, data_format, options, None, None, backend, None
    middle = convolve(SEPARABLE, depthwise_problem, *first)
    nothing: dict = {}
    second = middle, mix, data_format, nothing, bias, activation, backend, out
    return convolve(POINTWISE, conv_problem, *second, x, w, depthwise_kernel, pointwise_kernel)


def conv_transpose(
    inputs,
    kernel,
    strides=1,
    padding="valid",
    output_padding=None,
    data_format="channels_last",
    dilation_rate=1,
    *,
    bias=None,
    activation=None,
    backend="auto",
    out=None,
):
    """Transpose a convolution: every input adds a scaled copy of the kernel to the output.

    ``y[n, i*s + k*d - before, f] += x[n, i, c] * w[k, f, c]``, then bias and activation. It is the
    gradient of `conv` with respect to its inputs, used for upsampling.

    Parameters
    ----------
    inputs : array_like, shape (n, *i, c), or (n, c, *i) with ``data_format="channels_first"``
    kernel : array_like, shape (*k, f, c / groups)
        `f` counts the outputs of all groups.
    strides : int or sequence of int, one per spatial axis
    padding : str, int, or sequence with an int or a (before, after) pair per spatial axis
        With ``e = (k - 1) * d + 1``: ``"valid"`` gives ``(i - 1) * s + max(e, s)`` outputs;
        ``"same"`` gives ``i * s``, cropping the end more where the total is odd (``"same_lower"`` the
        beginning); numbers crop what they would pad in `conv`.
    output_padding : int or sequence of int, optional
        Outputs added at the end: ``(i - 1) * s + e + output_padding`` for ``"valid"``,
        ``(i - 1) * s + e % 2 + output_padding`` for ``"same"``,
        ``(i - 1) * s + e - before - after + output_padding`` for numbers.
    data_format, dilation_rate, bias, activation, backend, out
        As in `conv`.

    Returns
    -------
    ndarray, shape (n, *o, f), or (n, f, *o) with ``data_format="channels_first"``

    Raises
    ------
    ValueError, TypeError, NotImplementedError : as `conv`.

    Examples
    --------
    >>> fastconv.conv_transpose([[[1.0], [2.0]]], [[[1.0]], [[10.0]]], strides=2)[0, :, 0]
    array([ 1., 10.,  2., 20.])
    """
    options = dict(strides=strides, padding=padding, output_padding=output_padding, dilation=dilation_rate)
    arrays = inputs, kernel, data_format, options, bias, activation, backend, out
    return convolve(TRANSPOSE, conv_transpose_problem, *arrays)


def plan_conv(
    input_shape,
    kernel,
    strides=1,
    padding="valid",
    data_format="channels_last",
    dilation_rate=1,
    *,
    bias=None,
    activation=None,
    dtype=None,
    backend="auto",
):
    """Prepare a convolution once, to call it on many inputs of one shape.

    Parameters
    ----------
    input_shape : sequence of int
        Shape of the inputs, batch and channels included.
    kernel, strides, padding, data_format, dilation_rate, bias, activation, backend
        As in `conv`.
    dtype : dtype, optional
        Of the inputs; the kernel's if not given.

    Returns
    -------
    Plan
        ``plan(x, out=None)`` gives what `conv` would. It keeps its own copy of the weights and may be
        called from many threads at once.

    Raises
    ------
    ValueError, TypeError, NotImplementedError : as `conv`.

    Examples
    --------
    >>> plan = fastconv.plan_conv((1, 5, 1), np.ones((3, 1, 1)), padding="same")
    >>> plan(np.ones((1, 5, 1)))[0, :, 0]
    array([2., 3., 3., 3., 2.])
    """
    options = dict(strides=strides, padding=padding, dilation=dilation_rate)
    rest = data_format, options, bias, activation, dtype, backend
    return planned(PLAN, conv_problem, input_shape, kernel, *rest)


def plan_conv_transpose(
    input_shape,
    kernel,
    strides=1,
    padding="valid",
    output_padding=None,
    data_format="channels_last",
    dilation_rate=1,
    *,
    bias=None,
    activation=None,
    dtype=None,
    backend="auto",
):
    """Prepare a transposed convolution once, to call it on many inputs of one shape.

    Parameters
    ----------
    input_shape : sequence of int
        Shape of the inputs, batch and channels included.
    kernel, strides, padding, output_padding, data_format, dilation_rate, bias, activation, backend
        As in `conv_transpose`.
    dtype : dtype, optional
        Of the inputs; the kernel's if not given.

    Returns
    -------
    Plan
        ``plan(x, out=None)`` gives what `conv_transpose` would.

    Raises
    ------
    ValueError, TypeError, NotImplementedError : as `conv`.

    Examples
    --------
    >>> plan = fastconv.plan_conv_transpose((1, 2, 1), [[[1.0]], [[10.0]]], strides=2)
    >>> plan([[[1.0], [2.0]]])[0, :, 0]
    array([ 1., 10.,  2., 20.])
    """
    options = dict(strides=strides, padding=padding, output_padding=output_padding, dilation=dilation_rate)
    rest = data_format, options, bias, activation, dtype, backend
    return planned(PLAN_TRANSPOSE, conv_transpose_problem, input_shape, kernel, *rest)
