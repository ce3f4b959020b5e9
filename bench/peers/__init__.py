"""The race: every workload by fastconv and by the libraries people use instead, in one run.

    pip install -e '.[peers]'
    python -m bench.peers                                     all of it, about ten minutes
    python -m bench.peers --only resnet50 --rounds 3          some of it
    python -m bench.peers --json bench/results/peers.json     kept, for `python -m bench.report`

Each library runs in a process of its own, since thread pools disturb one another, on the same CPUs and with
as many threads as there are CPUs. For every workload each contender must first give what fastconv gives:
one that does not is an error which names the difference. Then they take turns, round by round: a slow spell
of the machine hits all of them. A turn begins with calls that are not timed, which wake the contender's
threads, and ends when they sleep again: some spin for 0.1 s after a call. Pools are as their libraries set
them up, since one that does not spin is slower. Of a turn counts the quickest of a few stretches of calls,
of a contender the median of its turns; a call of more than a second is timed once.

There are two races. In the *plan* race everything that can be prepared has been: fastconv's plan writes into
``out=``, ONNX Runtime holds weights as initialisers, which it packs, and writes into a bound output, OpenCV,
SciPy and NumPy write where they are told. In the *call* race every call gets raw weights and makes a new
output. PyTorch runs in inference mode with oneDNN, on channels_last and on contiguous tensors, JAX jitted on
resident arrays: they are the same in both races. A library is left out of what it has no function for, and
named where it is not installed.

``libraries`` says how each is called, ``worker`` is a library's process, ``race`` drives them, and ``tables``
shows results.
"""
