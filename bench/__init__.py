"""How fast every kernel of the table is on layers of real networks.

    pytest --benchmark-only                                   all of it, a few minutes
    pytest --benchmark-only -m smoke                          small layers only, under a minute
    pytest --benchmark-only -k resnet50                       one network
    pytest --benchmark-only --benchmark-json=bench.json && python -m bench.report bench.json
                                                              README tables, plots and results
    python -m bench.peers                                     the race against other libraries
    python -m bench.first_call                                how long a process waits for its first result
    python -m bench.fit_costs                                 constants of predictions, fitted

A kernel is checked before it is timed. ``workloads`` names the layers, ``layers`` makes arrays for
them, ``naive`` times the plain loops that everything is measured against, ``clock`` and ``machine``
time contenders in turn and the machine itself, ``bench_backends`` and ``bench_dispatch`` are what
pytest runs, ``summary`` prints and ``report`` and ``plot`` publish.
"""
