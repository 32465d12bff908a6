"""Compiled loops on disk: one file per kernel, named by its fingerprint.

numba keeps an index that all kernels of a file share; two processes that compile at once can swap kernels in it. Here
there is no index: a file is written whole under a temporary name, renamed, and believed only if the fingerprint and the
checksum inside it are right. A folder that cannot be written is no error: the kernel is compiled in memory.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import sys
import uuid
from pathlib import Path
from typing import Any

from numba.core import compiler
from numba.core.caching import _Cache
from numba.core.runtime import rtsys
from numba.core.serialize import dumps

log = logging.getLogger("rlsoftmax")
FOLDER = "RLSOFTMAX_CACHE"  # environment variable: where kernels are kept
CHECK = hashlib.sha256().digest_size


def folder() -> Path:
    """Return where kernels are kept: $RLSOFTMAX_CACHE, else rlsoftmax below the user's cache folder."""
    if chosen := os.environ.get(FOLDER):
        return Path(chosen)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "rlsoftmax" / f"py{sys.version_info.major}{sys.version_info.minor}"


def writable() -> bool:
    """Return whether kernels can be kept."""
    place = folder()
    existing = next(parent for parent in (place, *place.parents) if parent.exists())
    return os.access(existing, os.W_OK)


class KernelCache(_Cache):  # type: ignore[misc]
    """What numba asks of a cache: load and save the machine code of one function for one signature."""

    noted = False  # one note per process is enough

    def __init__(self, digest: str) -> None:
        self.digest = digest

    @property
    def cache_path(self) -> str:
        """Return the folder, as numba wants it."""
        return str(folder())

    @property
    def kept(self) -> bool:
        """Whether the function is there for some signature."""
        return any(folder().glob(f"{self.digest[:16]}-*.kernel"))

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled function, or None when it is not there or not intact.

        Machine code needs numba's memory runtime, not what numba knows of NumPy: a third of a second of imports, which
        numba makes when it compiles.
        """
        rtsys.initialize(target_context)
        key = self._key(sig, target_context.codegen())
        try:
            content = self._path(key).read_bytes()
        except OSError:
            return None
        check, name, payload = content[:CHECK], content[CHECK : 2 * CHECK], content[2 * CHECK :]
        if name.hex() != key or hashlib.sha256(name + payload).digest() != check:
            log.warning("a kept kernel was damaged and is compiled again")
            return None
        try:
            return compiler.CompileResult._rebuild(target_context, *pickle.loads(payload))  # noqa: S301 - numba's format
        except ImportError:  # the file that the rule came from has another name now
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write the compiled function; a folder that cannot be written is noted once."""
        if any(not lifted.can_cache for lifted in data.lifted) or data.library.has_dynamic_globals:
            return
        key = self._key(sig, data.codegen)
        payload = dumps(data._reduce())
        name = bytes.fromhex(key)
        try:
            _write(self._path(key), hashlib.sha256(name + payload).digest() + name + payload)
        except OSError as error:
            if not KernelCache.noted:
                log.warning("compiled loops are not kept (%s); set %s to a folder that can be written", error, FOLDER)
            KernelCache.noted = True

    def enable(self) -> None:
        """Do nothing: the cache is always on."""

    def disable(self) -> None:
        """Do nothing: the cache is always on."""

    def flush(self) -> None:
        """Do nothing: a file is never changed once written."""

    def _key(self, sig: Any, codegen: Any) -> str:
        return hashlib.sha256(f"{self.digest} {sig} {codegen.magic_tuple()}".encode()).hexdigest()

    def _path(self, key: str) -> Path:
        return folder() / f"{self.digest[:16]}-{key}.kernel"


def _write(path: Path, content: bytes) -> None:
    """Write the whole file under another name, then rename: a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{uuid.uuid4().hex}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
