"""One library's process: reads commands, a line of JSON each, and answers each with a line.

    {"load": workload}                  -> {"contenders": {name of race and function: races}}
    {"save": key, "to": file}           -> {"seconds": of that one call}
    {"check": key, "against": file}     -> {"seconds": ..., "apart": largest difference, "of": largest value}
    {"time": key, "turn": seconds}      -> {"seconds": of a call, "idle": CPU seconds since the last answer}

Every answer holds ``cpu``, the seconds of CPU this process has taken; what fails is answered with ``error``.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import sys
import time
from typing import Any

from bench import clock
from fastconv.cli import timing

HOPELESS = 8.0  # seconds of a first call, in which something may have compiled, that is not repeated
STRETCHES = 5  # of calls in a turn, of which the quickest counts


class Worker:
    """A library that has been imported, and the contenders of the layer it has loaded."""

    def __init__(self, library: Any):
        self.library = library
        self.contenders: dict[str, Any] = {}
        self.done = time.process_time()  # at the last answer

    def answer(self, command: dict) -> dict:
        """Do what a command says."""
        idle = time.process_time() - self.done
        (word, value), *others = command.items()
        answer = getattr(self, f"_{word}")(value, *(argument for _, argument in others))
        self.done = time.process_time()
        return {**answer, "idle": idle, "cpu": self.done}

    def _load(self, workload: str) -> dict:
        from bench.layers import layer

        self.contenders = {}
        found = self.library.contenders(layer(workload))
        self.contenders = {"/".join((*each.races, each.name)): each for each in found}
        return {"contenders": {key: each.races for key, each in self.contenders.items()}}

    def _once(self, key: str) -> tuple[Any, float]:
        """Return a contender's output and the seconds that took, once it has compiled what it compiles."""
        contender, begin = self.contenders[key], time.perf_counter()
        y = contender.run()
        seconds = time.perf_counter() - begin
        if seconds < HOPELESS:
            seconds = clock.once(contender.run)
        timing.settle()
        return contender.result(y), seconds

    def _save(self, key: str, path: str) -> dict:
        import numpy as np

        y, seconds = self._once(key)
        np.save(path, y)
        return {"seconds": seconds}

    def _check(self, key: str, path: str) -> dict:
        import numpy as np

        y, seconds = self._once(key)
        right = np.load(path)
        if y.size != right.size:
            raise ValueError(f"an output of shape {y.shape}, not {right.shape}")
        apart = np.abs(y.reshape(right.shape) - right).max()
        return {"seconds": seconds, "apart": float(apart), "of": float(np.abs(right).max())}

    def _time(self, key: str, turn: float) -> dict:
        run, now = self.contenders[key].run, time.perf_counter
        begin, warm = now(), 0
        while now() - begin < turn / 4:
            run()  # wakes threads and fills caches again
            warm += 1
        seconds = (now() - begin) / warm
        loops, best = max(1, round(turn / STRETCHES / seconds)), float("inf")
        for _ in range(max(1, min(STRETCHES, round(turn / seconds)))):
            best = min(best, clock.once(run, loops))
        timing.settle()
        return {"seconds": best}


def serve(name: str, threads: int) -> None:
    """Import a library on as many CPUs as it shall have threads, and answer while there are commands."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])

    def say(answer: dict) -> None:
        print(json.dumps(answer), file=answers, flush=True)

    try:
        library = importlib.import_module(f"bench.peers.libraries.{name}")
        versions = {package: importlib.metadata.version(package) for package in library.PACKAGES}
    except (ImportError, importlib.metadata.PackageNotFoundError) as error:
        say({"missing": f"{error}"})
        return
    library.limit(threads)
    worker = Worker(library)
    say({"versions": versions})
    for line in sys.stdin:
        try:
            say(worker.answer(json.loads(line)))
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}", "cpu": time.process_time()})


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
