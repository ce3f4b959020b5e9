"""Run cases in child processes, and list what is wrong."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from . import cases


def main() -> int:
    """Parse arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=1000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, help="child processes at a time")
    parser.add_argument("--chunk", type=int, default=1000, help="cases a child process")
    parser.add_argument("--under", default="", help="a command to run children under")
    parser.add_argument("--case", type=int, help="one case, in this process")
    options = parser.parse_args()
    if options.case is not None:
        from .child import main as child

        print(cases.draw(options.seed, options.case)[0])
        child(options.seed, options.case, options.case + 1)
        return 0
    end = options.first + options.cases
    chunks = [(n, min(n + options.chunk, end)) for n in range(options.first, end, options.chunk)]
    with ThreadPoolExecutor(options.workers) as pool:
        done = list(pool.map(lambda chunk: judged(options.seed, *chunk, options.under.split()), chunks))
    findings = sum(done)
    print(f"{options.cases} cases of seed {options.seed}: {findings} findings", flush=True)
    return int(findings > 0)


def judged(seed: int, first: int, end: int, under: list[str]) -> int:
    """Judge a chunk of cases, whatever number of processes that takes; return how many are wrong."""
    findings = 0
    while first < end:
        command = [*under, sys.executable, "-m", f"{__package__}.child", *map(str, (seed, first, end))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
            output, errors = child.communicate()
        lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
        for line in lines:
            if "case" in line:
                findings += 1
                print(f"seed {seed} case {line['case']}: {line['call']}\n{line['error']}", flush=True)
        if lines and "done" in lines[-1]:
            break
        begun = [line["begins"] for line in lines if "begins" in line]
        if not begun:
            print(f"no child: {errors}", flush=True)
            return findings + 1
        findings += 1
        call, _ = cases.draw(seed, begun[-1])
        print(
            f"seed {seed} case {begun[-1]}: {call}\nended by {child.returncode}: {errors[-3000:]}", flush=True
        )
        first = begun[-1] + 1
    return findings


if __name__ == "__main__":
    sys.exit(main())
