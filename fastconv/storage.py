"""What a process leaves on disk for later ones: files that are whole, and that nobody else has put there.

    folder / collection / file        a collection is what came of the same sources

A file is written aside and renamed, so that processes cannot disturb one another, whenever they end. It
begins with a digest of its key and its content, so that one which a broken disk or a careless hand has
changed is known for what it is. As what is read may be run, no folder is used that everybody may write to,
or that belongs to another user than the superuser. Collections that were of no use for long are swept away,
and so are files that were never finished, when a process first writes.

Nothing fails here for want of a folder, of permission or of room: there is nothing to read then, and what is
written is lost.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import stat
import time
import warnings
from functools import cache
from pathlib import Path

PREFIX = "code-"  # of the names of collections; the folder may hold other things
DIGEST = 32  # bytes
DAY = 86400  # seconds
UNFINISHED = DAY  # after which nobody is at work on a file any more
UNUSED, KEPT = 30 * DAY, 16  # how long a collection is kept after its last use, and how many are at most


def collection(folder: Path, of: str) -> Path:
    """Return the place for all that came of the same sources."""
    return folder / f"{PREFIX}{of[:16]}"


def read(place: Path, key: str) -> bytes | None:
    """Return what was written to a place for this key, if it is there, whole, and by nobody else."""
    try:
        if _is_shunned(place.parent):
            return None
        content = place.read_bytes()
    except OSError:
        return None
    with contextlib.suppress(OSError):  # it may be another's to change, or a read-only medium
        os.utime(place.parent)  # this collection is of use
    data = content[DIGEST:]
    return data if content[:DIGEST] == _digest(key, data) else None


def write(place: Path, key: str, data: bytes) -> None:
    """Write to a place, if that is possible."""
    with contextlib.suppress(OSError):
        for folder in (place.parent.parent, place.parent):
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not _is_shunned(place.parent):
            _write_whole(place, _digest(key, data) + data)
            _sweep(place.parent)


def _write_whole(place: Path, content: bytes) -> None:
    """Write a file aside and rename it; what cannot be finished is taken away again."""
    aside = place.with_name(f"{place.name}.{secrets.token_hex(8)}.tmp")
    try:
        with open(aside, "xb", opener=_new_file) as file:
            file.write(content)
        os.replace(aside, place)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _new_file(path: str, flags: int) -> int:
    """Open a file for us to write and for everybody to read: an image's code may be run by another user."""
    return os.open(path, flags, 0o644)


def _digest(key: str, data: bytes) -> bytes:
    """Tell content apart from any other, and from the same under another key."""
    return hashlib.sha256(hashlib.sha256(key.encode()).digest() + data).digest()


def _is_shunned(place: Path) -> bool:
    """Whether others could have written a collection, of which a warning tells."""
    reason = distrust(place.parent) or distrust(place)
    if reason:
        warnings.warn(
            f"compiled code is not kept in {place}, since {reason}; FASTCONV_CACHE_DIR names another folder",
            RuntimeWarning,
            stacklevel=2,
        )
    return reason is not None


def distrust(folder: Path) -> str | None:
    """Say why what a folder holds must not be run, if it may be anybody's."""
    if not hasattr(os, "geteuid"):  # Windows: users' folders are their own
        return None
    status = folder.stat()
    if status.st_uid not in (0, os.geteuid()):
        return f"{folder} belongs to user {status.st_uid}"
    if status.st_mode & stat.S_IWOTH:
        return f"everybody may write to {folder}"
    return None


@cache
def _sweep(place: Path) -> None:
    """Delete what is of no use any more. Done once a process."""
    now = time.time()
    for file in place.glob("*.tmp"):
        if _age(file, now) > UNFINISHED:
            file.unlink(missing_ok=True)
    others = [each for each in place.parent.glob(f"{PREFIX}*") if each.is_dir() and each != place]
    for rank, each in enumerate(sorted(others, key=lambda other: _age(other, now)), 1):
        if rank >= KEPT or _age(each, now) > UNUSED:
            shutil.rmtree(each, ignore_errors=True)


def _age(path: Path, now: float) -> float:
    """Return the seconds since the last use; what another process has just deleted has been used now."""
    try:
        return now - path.lstat().st_mtime
    except OSError:
        return 0.0
