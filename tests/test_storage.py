"""Files that a process leaves for later ones: whole or not there, by nobody else, and not for ever."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from fastconv import storage

ROOT = Path(__file__).parents[1]
DATA = bytes(range(256)) * 8


@pytest.fixture
def place(tmp_path):
    """Name a file that is not there yet, nor is its collection."""
    return storage.collection(tmp_path / "cache", "0123456789abcdef0123") / "name.bin"


def test_what_was_written_is_read(place):
    storage.write(place, "key", DATA)

    assert storage.read(place, "key") == DATA
    assert [each.name for each in place.parent.iterdir()] == ["name.bin"]


def test_what_comes_last_is_read(place):
    storage.write(place, "key", b"first")
    storage.write(place, "key", DATA)

    assert storage.read(place, "key") == DATA


def test_another_key_finds_nothing(place):
    storage.write(place, "key", DATA)

    assert storage.read(place, "other") is None


def test_what_is_not_whole_is_not_read(place):
    storage.write(place, "key", DATA)
    whole = place.read_bytes()
    for length in (0, 1, storage.DIGEST - 1, storage.DIGEST, len(whole) - 1):
        place.write_bytes(whole[:length])
        assert storage.read(place, "key") is None, length
    for at in (0, storage.DIGEST, len(whole) // 2, len(whole) - 1):
        changed = bytearray(whole)
        changed[at] ^= 1
        place.write_bytes(changed)
        assert storage.read(place, "key") is None, at
    place.write_bytes(whole + b"\0")
    assert storage.read(place, "key") is None


def test_a_folder_in_the_place_of_a_file_is_passed_over(place):
    place.mkdir(parents=True)
    storage.write(place, "key", DATA)

    assert storage.read(place, "key") is None
    assert [each.name for each in place.parent.iterdir()] == ["name.bin"]


def test_where_no_folder_can_be_nothing_is_kept(tmp_path):
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "code-0" / "name.bin"
    storage.write(place, "key", DATA)

    assert storage.read(place, "key") is None


@pytest.mark.skipif(os.name == "nt", reason="permissions are others there")
def test_a_folder_that_is_read_only_is_read():
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:  # pytest's own lets no other user pass
        place = Path(folder) / "code-0" / "name.bin"
        os.chmod(folder, 0o755)
        storage.write(place, "key", DATA)
        place.parent.chmod(0o555)
        os.seteuid(user or 65534)  # no permission stops the superuser
        try:
            storage.write(place, "key", b"other")
            storage.write(place.with_name("new.bin"), "key", b"other")
            found = storage.read(place, "key")
        finally:
            os.seteuid(user)
            place.parent.chmod(0o755)

        assert found == DATA
        assert [each.name for each in place.parent.iterdir()] == ["name.bin"]


def child(code, *arguments):
    """Run code in a process of its own."""
    code = f"import os, sys\nfrom pathlib import Path\nfrom fastconv import storage\n{code}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(os.name == "nt", reason="there is no such limit")
def test_a_full_disk_keeps_nothing_of_a_file(place):
    done = child(
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "storage.write(Path(sys.argv[1]), 'key', bytes(100_000))\n"
        "storage.write(Path(sys.argv[2]), 'key', bytes(1000))\n",
        place,
        place.with_name("small.bin"),
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert [each.name for each in place.parent.iterdir()] == ["small.bin"]
    assert storage.read(place.with_name("small.bin"), "key") == bytes(1000)


@pytest.mark.skipif(os.name == "nt", reason="there is no such signal")
def test_a_process_killed_as_it_writes_leaves_nothing_to_read(place):
    killed = child(
        "os.replace = lambda *_: os.kill(os.getpid(), 9)\nstorage.write(Path(sys.argv[1]), 'key', b'data')\n",
        place,
    )
    (left,) = place.parent.iterdir()

    assert killed.returncode == -signal.SIGKILL
    assert left.suffix == ".tmp"
    assert storage.read(place, "key") is None
    storage.write(place, "key", DATA)
    assert storage.read(place, "key") == DATA
    assert left.exists()  # another may still be at it, for all that is known


def aged(path, seconds):
    """Let a file or folder have been used so long ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def test_what_nobody_finishes_is_swept_away(place):
    place.parent.mkdir(parents=True)
    (place.parent / "young.tmp").touch()
    (place.parent / "old.tmp").touch()
    (place.parent / "old.bin").touch()
    aged(place.parent / "old.tmp", storage.UNFINISHED + 60)
    aged(place.parent / "old.bin", storage.UNUSED + 60)
    storage.write(place, "key", DATA)

    assert {each.name for each in place.parent.iterdir()} == {"young.tmp", "old.bin", "name.bin"}


def test_collections_of_no_use_are_swept_away(place):
    folder = place.parent.parent
    for name in ("code-used", "code-unused", "mine", "costs-0"):
        (folder / name).mkdir(parents=True)
        (folder / name / "file.bin").touch()
        aged(folder / name, storage.UNUSED + 60)
    aged(folder / "code-used", storage.UNUSED - 60)
    storage.write(place, "key", DATA)

    assert {each.name for each in folder.iterdir()} == {"code-used", "mine", "costs-0", place.parent.name}


def test_collections_are_bounded_in_number(place):
    folder = place.parent.parent
    for age in range(3 * storage.KEPT):
        (folder / f"code-{age}").mkdir(parents=True)
        aged(folder / f"code-{age}", 60 * age + 60)
    storage.write(place, "key", DATA)

    kept = {f"code-{age}" for age in range(storage.KEPT - 1)}
    assert {each.name for each in folder.iterdir()} == {place.parent.name, *kept}


def test_reading_is_use(place):
    storage.write(place, "key", DATA)
    aged(place.parent, storage.UNUSED + 60)
    storage.read(place, "key")

    assert time.time() - place.parent.stat().st_mtime < 60


OURS, ROOTS, ANOTHERS = 1000, 0, 1001


@pytest.mark.skipif(os.name == "nt", reason="users' folders are their own there")
@pytest.mark.parametrize(
    ("owner", "mode", "reason"),
    [
        (OURS, 0o700, None),
        (OURS, 0o755, None),
        (OURS, 0o775, None),  # shared with a group on purpose
        (OURS, 0o777, "everybody may write"),
        (OURS, 0o1777, "everybody may write"),
        (OURS, 0o702, "everybody may write"),
        (ROOTS, 0o755, None),
        (ROOTS, 0o1777, "everybody may write"),
        (ANOTHERS, 0o700, "belongs to user 1001"),
        (ANOTHERS, 0o755, "belongs to user 1001"),
    ],
)
def test_whose_folders_are_trusted(monkeypatch, owner, mode, reason):
    monkeypatch.setattr(os, "geteuid", lambda: OURS)
    monkeypatch.setattr(Path, "stat", lambda _: SimpleNamespace(st_uid=owner, st_mode=stat.S_IFDIR | mode))
    found = storage.distrust(Path("folder"))

    assert found is None if reason is None else reason in str(found)


@pytest.mark.skipif(os.name == "nt", reason="users' folders are their own there")
@pytest.mark.parametrize("above", [False, True])
def test_what_others_may_have_written_is_not_read(place, above):
    storage.write(place, "key", DATA)
    (place.parent.parent if above else place.parent).chmod(0o777)
    with pytest.warns(RuntimeWarning, match="everybody may write"):
        assert storage.read(place, "key") is None
    with pytest.warns(RuntimeWarning, match="FASTCONV_CACHE_DIR"):
        storage.write(place.with_name("new.bin"), "key", DATA)

    assert [each.name for each in place.parent.iterdir()] == ["name.bin"]


@pytest.mark.skipif(os.name == "nt", reason="permissions are others there")
@pytest.mark.parametrize("mask", [0, 0o002, 0o022])
def test_nobody_else_may_write_what_is_made_here(place, mask):
    before = os.umask(mask)
    try:
        storage.write(place, "key", DATA)
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in (place.parent.parent, place.parent)}

    assert modes == {0o755}  # for others to read: an image's code may be run by another user
    assert place.stat().st_mode & 0o777 == 0o644
