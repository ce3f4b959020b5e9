"""Drives the workers: agreement first, then turns, round by round."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import machine
from bench.peers.libraries import CALL, FAST, LIMIT, PEERS, PLAN
from bench.workloads import PROBLEMS
from fastconv.machine import processor

OURS, LIMITS = "fastconv", "limits"

TURN = 0.02  # seconds of a contender's turn
SLOW = 1.0  # seconds of a call that is timed once, when it is checked
PATIENCE = 2.0  # seconds for all turns of one contender
CLOSE = 1e-4  # of the largest output: how far apart float32 results of integers may be


class Disagreement(Exception):  # noqa: N818 (it names the contender that is wrong)
    """What a contender computes is not what fastconv computes."""


class Process:
    """A worker."""

    def __init__(self, library: str, threads: int):
        variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "FASTCONV_NUM_THREADS")
        environment = os.environ | {name: str(threads) for name in variables} | {"JAX_PLATFORMS": "cpu"}
        self.library, self.cpu = library, 0.0
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.peers.worker", library, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=Path(__file__).parents[2],
        )

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def tell(self, **command: Any) -> None:
        """Give a command."""
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict:
        """Wait for the answer to the last command."""
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process of {self.library} has ended with code {self.process.wait()}")
        answer = json.loads(line)
        self.cpu = answer.get("cpu", self.cpu)
        return answer

    def ask(self, **command: Any) -> dict:
        """Give a command and wait for its answer."""
        self.tell(**command)
        return self.answer()


class Race:
    """Workers of all libraries that are installed, ours first."""

    def __init__(self, stack: ExitStack, threads: int, libraries: Iterable[str] = PEERS):
        every = {name: stack.enter_context(Process(name, threads)) for name in (OURS, *libraries, LIMITS)}
        first = {name: process.answer() for name, process in every.items()}
        self.missing = {name: answer["missing"] for name, answer in first.items() if "missing" in answer}
        self.versions: dict[str, str] = {}
        for answer in first.values():
            self.versions |= answer.get("versions", {})
        self.processes = {name: each for name, each in every.items() if name not in self.missing}
        self.folder = Path(stack.enter_context(TemporaryDirectory()))

    @property
    def cpu(self) -> float:
        """Seconds of CPU that the workers have taken."""
        return sum(process.cpu for process in self.processes.values())

    def run(self, workload: str, rounds: int) -> dict:
        """Time one workload; return its row of the results."""
        since, own = machine.clocks(), self.cpu
        once, failed = self._checked(workload)
        seconds = {key: [value] for key, value in once.items() if value > SLOW}
        turns = {
            key: min(rounds, max(2, int(PATIENCE / value))) for key, value in once.items() if value <= SLOW
        }
        idle = dict.fromkeys(self.processes, 0.0)
        for number in range(rounds):
            for library, name in (key for key, count in turns.items() if number < count):
                answer = self.processes[library].ask(time=name, turn=TURN)
                seconds.setdefault((library, name), []).append(answer["seconds"])
                idle[library] = max(idle[library], answer["idle"])
        medians = {key: statistics.median(values) for key, values in seconds.items()}
        return {
            "workload": workload,
            "problem": str(PROBLEMS[workload]),
            "seconds": dict(_named(medians)),
            "failed": failed,
            "idle": round(max(idle.values()), 4),  # CPU seconds that a pool went on spinning in others' turns
            "others": _rounded(machine.others(since, self.cpu - own)),  # share of the CPUs that was not ours
        }

    def _checked(self, workload: str) -> tuple[dict[tuple[str, str], float], dict[str, str]]:
        """Load a workload everywhere and compare outputs; return seconds of one call, and what failed."""
        for process in self.processes.values():
            process.tell(load=workload)
        loaded = {name: process.answer() for name, process in self.processes.items()}
        failed = {name: answer["error"] for name, answer in loaded.items() if "error" in answer}
        keys = {name: answer.get("contenders", ()) for name, answer in loaded.items()}
        once: dict[tuple[str, str], float] = {}
        file = str(self.folder / "right.npy")
        for library, names in keys.items():
            for name in names:
                is_right = library == OURS and name.startswith(PLAN)
                way = dict(save=name, to=file) if is_right else dict(check=name, against=file)
                if name.startswith(LIMIT):
                    way = dict(time=name, turn=TURN)
                answer = self.processes[library].ask(**way)
                if "error" in answer:
                    failed[f"{library}:{name}"] = answer["error"]
                    continue
                if not answer.get("apart", 0) <= CLOSE * answer.get("of", 1):  # NaN neither
                    raise Disagreement(
                        f"{workload}: {library}:{name} is {answer['apart']:.3g} apart from fastconv, whose "
                        f"largest output is {answer['of']:.3g}: {PROBLEMS[workload]}"
                    )
                once[library, name] = answer["seconds"]
        if any(name.startswith(OURS) for name in failed):
            raise RuntimeError(f"{workload}: {failed}")
        return once, failed


def _rounded(share: float | None) -> float | None:
    """Keep three decimals."""
    return None if share is None else round(share, 3)


def _named(medians: dict[tuple[str, str], float]) -> Iterator[tuple[str, dict[str, float]]]:
    """Sort times by race: "plan", "call", "fast" and "limit", in each by "library:name"."""
    for race in (PLAN, CALL, FAST, LIMIT):
        yield (
            race,
            {
                f"{library}:{key.rpartition('/')[2]}": float(f"{value:.4g}")
                for (library, key), value in medians.items()
                if race in key.split("/")[:-1]
            },
        )


def races(
    workloads: Iterable[str], rounds: int, threads: int, libraries: Iterable[str], tell: Callable[[str], None]
) -> dict:
    """Run some workloads; return results as they are kept."""
    with ExitStack() as stack:
        race = Race(stack, threads, libraries)
        rows = []
        for workload in workloads:
            tell(workload)
            rows.append(race.run(workload, rounds))
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cpu": processor(),
        "python": platform.python_version(),
        "threads": threads,
        "versions": race.versions,
        "missing": race.missing,
        "rows": rows,
    }
