"""Networks of ``keras.applications`` in one process, which has one backend.

``python -m bench.keras_worker NAME``: NAME is ``fastconv``, ``jax``, or ``numpy``, which is Keras' NumPy
backend as it comes: that calls JAX. With ``--outputs FILE`` it saves what each network makes of two images.
Else it reads names of networks from its input: the first time it builds and warms one, and each time it
answers with the seconds that one image takes.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time

import numpy as np

# Input sizes: those networks are published for, and small ones that they allow, which are not square. Then
# what layers multiply the spread of their input by: enough for images not to look alike in the end, and so
# little that the last bit of an image does not decide about the output.
NETWORKS = {
    "MobileNetV2": ((224, 224), (96, 80), 1.1),
    "EfficientNetB0": ((224, 224), (64, 80), 1.55),
    "ConvNeXtTiny": ((224, 224), (64, 80), 1.7),
    "Xception": ((299, 299), (96, 80), 1.7),
    "ResNet50": ((224, 224), (64, 80), 1.7),
    "InceptionV3": ((299, 299), (96, 80), 1.7),
}
DEPTHWISE = ("MobileNetV2", "EfficientNetB0", "ConvNeXtTiny", "Xception")


def network(keras, name: str, size: tuple[int, int]):
    """Build a network with weights and statistics that are the same in every process."""
    build = getattr(keras.applications, name)
    model = build(weights=None, input_shape=(*size, 3), classifier_activation=None)
    rng, (_, _, gain) = np.random.default_rng(0), NETWORKS[name]
    for variable in model.weights:
        if np.issubdtype(np.dtype(variable.dtype), np.floating):
            variable.assign(_values(variable.path.rpartition("/")[2], tuple(variable.shape), gain, rng))
    return model


def _values(name: str, shape: tuple[int, ...], gain: float, rng: np.random.Generator) -> np.ndarray:
    """Draw a variable: kernels that keep the size of what they get, and statistics near those of noise."""
    if "kernel" in name:
        depthwise = len(shape) == 4 and shape[-1] == 1
        over = tuple(range(len(shape) - (2 if depthwise else 1)))
        w = rng.standard_normal(shape, np.float32) * np.float32(
            gain / math.sqrt(math.prod(shape[a] for a in over))
        )
        return (
            w if depthwise else w - w.mean(over, keepdims=True)
        )  # or all images look alike after some layers
    if "variance" in name or "gamma" in name:
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    return rng.standard_normal(shape, np.float32) * np.float32(0.1)


def images(size: tuple[int, int], count: int) -> np.ndarray:
    """Make images, of waves of different lengths and directions, from 0 to 255."""
    h, w = np.meshgrid(*(np.linspace(0, 1, n) for n in size), indexing="ij")
    waves = [
        np.sin(2 * np.pi * ((1 + 3 * n) * h + (2 + c) * w + c / 3)) for n in range(count) for c in range(3)
    ]
    return np.moveaxis(127.5 + 127.5 * np.reshape(waves, (count, 3, *size)), 1, -1).astype(np.float32)


def _serve(keras) -> None:
    """Answer each name with the seconds that a network takes."""
    ready = {}
    for line in sys.stdin:
        name = line.strip()
        if name not in ready:
            size, _, _ = NETWORKS[name]
            ready[name] = network(keras, name, size), images(size, 1)
            for _ in range(2):
                ready[name][0].predict_on_batch(ready[name][1])
        model, x = ready[name]
        start = time.perf_counter()
        model.predict_on_batch(x)
        print(time.perf_counter() - start, flush=True)


def main() -> None:
    """Import Keras on a backend, and do what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backend", choices=["fastconv", "jax", "numpy"])
    parser.add_argument("--outputs")
    args = parser.parse_args()
    os.environ["KERAS_BACKEND"] = "jax" if args.backend == "jax" else "numpy"
    if args.backend == "fastconv":
        from fastconv.integrations import keras as plugin

        plugin.install()
    import keras

    if not args.outputs:
        return _serve(keras)
    outputs = {}
    for name, (_, size, _) in NETWORKS.items():
        outputs[name] = network(keras, name, size).predict_on_batch(images(size, 2))
    np.savez(args.outputs, **outputs)
    return None


if __name__ == "__main__":
    main()
