"""How many CPUs a process may use, by the files that Linux would have for it, and by its environment."""

import multiprocessing
import os

import pytest

import fastconv
from fastconv import quota, threads


def tree(root, cgroup, files):
    """Write what stands in the process's list of groups, and in the groups' files."""
    for name, text in {"proc/self/cgroup": cgroup, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


V1 = "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/system.slice\n"


@pytest.mark.parametrize(
    ("cgroup", "files", "cpus"),
    [
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "150000 100000\n"}, 2),
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ("0::/\n", {}, None),
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "10000 100000\n"}, 1),
        # The tightest of a group and those above it.
        (
            "0::/a/b\n",
            {"sys/fs/cgroup/a/b/cpu.max": "400000 100000", "sys/fs/cgroup/a/cpu.max": "250000 100000"},
            3,
        ),
        ("0::/a\n", {"sys/fs/cgroup/a/cpu.max": "max 100000", "sys/fs/cgroup/b/cpu.max": "1 1"}, None),
        ("0::/a:b\n", {"sys/fs/cgroup/a:b/cpu.max": "500000 100000"}, 5),
        # Version 1, in a container: the path is the host's, and only its end is mounted.
        (
            V1,
            {
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "350000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "50000\n",
            },
            7,
        ),
        (
            V1,
            {
                "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us": "200000\n",
                "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us": "100000\n",
            },
            2,
        ),
        (
            V1,
            {
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            None,
        ),
        # Both at once: version 2 is mounted beside the controllers of version 1.
        (V1, {"sys/fs/cgroup/unified/system.slice/cpu.max": "300000 100000"}, 3),
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "what is this\n"}, None),
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "100000 0x\n"}, None),
    ],
)
def test_quota(tmp_path, cgroup, files, cpus):
    assert quota.cpus(tree(tmp_path, cgroup, files)) == cpus


def test_no_groups(tmp_path):
    assert quota.cpus(tmp_path) is None


@pytest.fixture
def machine(monkeypatch):
    """Eight CPUs, a quota of six, nothing in the environment, and nothing asked yet."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(quota, "cpus", lambda: 6)
    monkeypatch.setattr(threads, "_chosen", None)
    threads.usual.cache_clear()
    yield monkeypatch
    threads.usual.cache_clear()


@pytest.mark.parametrize(
    ("environment", "number"),
    [
        ({}, 6),
        ({"OMP_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "3,2"}, 3),
        ({"OMP_NUM_THREADS": "many"}, 6),
        ({"OMP_NUM_THREADS": "7"}, 6),
        ({"OMP_NUM_THREADS": "0"}, 1),
        ({"FASTCONV_NUM_THREADS": "9"}, 9),
        ({"FASTCONV_NUM_THREADS": "2", "OMP_NUM_THREADS": "3"}, 2),
        ({"FASTCONV_NUM_THREADS": "-1"}, 6),
    ],
)
def test_environment(machine, environment, number):
    for name, value in environment.items():
        machine.setenv(name, value)

    assert fastconv.get_num_threads() == number


@pytest.mark.parametrize(("cpus", "quotas", "number"), [(4, None, 4), (4, 6, 4), (4, 2, 2)])
def test_fewer_of_cpus_and_quota(machine, cpus, quotas, number):
    machine.setattr(os, "sched_getaffinity", lambda _: set(range(cpus)), raising=False)
    machine.setattr(quota, "cpus", lambda: quotas)

    assert threads.available() == number


def test_worker(machine):
    """What a pool's process would see: all CPUs are busy with its like."""
    machine.setattr(type(multiprocessing.current_process()), "daemon", True)

    assert fastconv.get_num_threads() == 1
    machine.setenv("FASTCONV_NUM_THREADS", "3")
    threads.usual.cache_clear()
    assert fastconv.get_num_threads() == 3
