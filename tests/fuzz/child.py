"""One process's cases: it says which it begins, so that whoever waits knows which it died of."""

from __future__ import annotations

import faulthandler
import json
import resource
import signal
import sys
import traceback
import warnings

from . import cases
from .judge import judge
from .rows import Recorder

MEMORY = 6 * 2**30  # bytes of addresses: what asks for more gets a MemoryError
SECONDS = 60  # of work for one case, and ten times as long until it has ended


def main(seed: int, first: int, end: int) -> None:
    """Judge cases and print findings, one line of JSON each."""
    faulthandler.enable()
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    recorder = Recorder()
    for number in range(first, end):
        print(json.dumps({"begins": number}), flush=True)
        signal.alarm(10 * SECONDS)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        call, dice = cases.draw(seed, number)
        try:
            judge(call, dice, recorder)
        except Exception as error:
            print(json.dumps({"case": number, "call": str(call), "error": _told(error)}), flush=True)
        signal.alarm(0)
        signal.setitimer(signal.ITIMER_PROF, 0)
    print(json.dumps({"done": end}), flush=True)


def _told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error, limit=-6))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
