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
SECONDS = 60  # for one case


def main(seed: int, first: int, end: int) -> None:
    """Judge cases and print findings, one line of JSON each."""
    faulthandler.enable()
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    recorder = Recorder()
    for number in range(first, end):
        print(json.dumps({"begins": number}), flush=True)
        signal.alarm(SECONDS)
        call, dice = cases.draw(seed, number)
        try:
            judge(call, dice, recorder)
        except Exception as error:
            print(json.dumps({"case": number, "call": str(call), "error": _told(error)}), flush=True)
        signal.alarm(0)
    print(json.dumps({"done": end}), flush=True)


def _told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error, limit=-6))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
