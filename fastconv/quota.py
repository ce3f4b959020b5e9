"""How many CPUs a control group lets this process use: what containers are limited by, on Linux.

Version 2 has one tree, and ``cpu.max`` says "quota period" in microseconds, or "max period". Version 1 has a
tree for each controller, and two files, of which a negative quota is none. A group is bound by those above
it too; in a container the path may be the host's, of which only the mounted end is there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def cpus(root: Path = Path("/")) -> int | None:
    """Return the CPUs that the tightest quota allows, rounded up; None without one."""
    found = [quota for group in _groups(root) if (quota := _of(group)) is not None]
    return max(1, math.ceil(min(found))) if found else None


def _groups(root: Path) -> Iterator[Path]:
    """Yield the folders that may limit this process: its group's and those above, of each version."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # only Linux has it
        return
    mounted = root / "sys/fs/cgroup"
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if "cpu" in controllers.split(","):
            tops = [mounted / controllers, mounted / "cpu"]
        elif not controllers:
            tops = [mounted, mounted / "unified"]
        else:
            continue
        inside = PurePosixPath(path).relative_to("/")
        for top in tops:
            yield from (top / part for part in (inside, *inside.parents))


def _of(group: Path) -> float | None:
    """Return a group's own quota, in CPUs."""
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        try:
            quota, period = " ".join((group / name).read_text() for name in names).split()
            if quota != "max" and int(quota) > 0:
                return int(quota) / int(period)
        except (OSError, ValueError):  # not there, or not what the kernel writes
            continue
    return None
