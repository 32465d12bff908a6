"""Writing a file so that it is either absent or whole, also after a crash or a power cut."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from rlsoftmax.errors import StoreError

TEMPORARY = ".tmp"  # what is left when a writer is killed; no reader looks at it
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EISDIR, errno.EPERM, errno.EBADF}


def write_durably(path: Path, data: bytes | memoryview) -> None:
    """Put a file on disk: temporary file, fsync, rename, fsync of the folder.

    Args:
      path: where the bytes will be; missing folders are made. An older file is replaced as a whole.
      data: all of the file.

    Raises:
      StoreError: if the system refuses (disk full, no permission); then nothing is left behind.

    Source: PITFALLS 26; Pillai et al. (2014), the orders that file systems keep.
    """
    try:
        make_folder(path.parent)
        temporary = path.parent / f".{path.name[:40]}.{os.getpid()}-{secrets.token_hex(4)}{TEMPORARY}"
        try:
            _write_and_sync(temporary, data)
            os.replace(temporary, path)
        except BaseException:  # also Ctrl-C: nothing half-written stays
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}.") from error


def _write_and_sync(path: Path, data: bytes | memoryview) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def make_folder(path: Path) -> None:
    """Make a folder and what is missing above it; the new names are durable."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> bool:
    """Make the names in a folder durable; return False where the system cannot (Windows, some network disks).

    There a power cut may lose the last files as a whole; it never leaves a part of one.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        return _impossible(error)
    try:
        os.fsync(descriptor)
        return True
    except OSError as error:
        return _impossible(error)
    finally:
        os.close(descriptor)


def _impossible(error: OSError) -> bool:
    if error.errno not in _NO_FOLDER_SYNC:  # a full disk or a broken one is not "impossible"
        raise error
    return False
