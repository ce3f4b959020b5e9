"""The command line, ``python -m fastconv``: one module a command, each with `add_arguments` and `run`.

``demo``     filters on a photograph, timed, and a picture of them: ``photo`` reads it, ``model`` has the
             filters, ``measure`` times and compares, ``picture`` draws, ``progress`` says how far it is
``article``  the check this library grew from, against Keras and JAX: ``peers`` asks those
``info``     versions, threads, kernels
``explain``  which kernel a problem would go to: ``shapes`` reads problems, ``timing`` measures kernels
``onnx``     runs a model, node by node
``tune``     fits predictions to this machine: on the problems of ``samples``, by ``fitting``
``keras``    runs a script whose Keras computes with fastconv
``warmup``   compiles ahead: what ``usual`` problems need
"""


class CommandError(Exception):
    """What a command says instead of going on; the exit code is then 2."""
