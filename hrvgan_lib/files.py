"""Files that are whole or not there at all, and what they are known by (everything that the book writes)."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_atomic(path: Path | str, content: bytes | str | Callable[[Path], object]) -> Path:
    """Write a file so that after a crash `path` holds the old content or the new one, never a part.

    content: bytes, text, or a function that writes the path it is given (a name with the same ending, which some
    writers go by). A failed write leaves no file behind. Returns the path.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".tmp.{path.stem}.", suffix=path.suffix, dir=path.parent)
    temporary = Path(name)
    try:
        os.close(handle)
        if callable(content):
            content(temporary)
        else:
            temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        temporary.chmod(0o644)  # mkstemp and safetensors write for the owner alone
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)  # the rename itself must reach the disk too
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return path


def to_json(value: object) -> str:
    """Sorted, indented JSON; tuples become lists, anything else unknown its string."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, default=str) + "\n"


def sha256_file(path: Path | str) -> str:
    """The file's sha256, 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def listing_digest(folder: Path) -> str:
    """A cheap identity of a folder's content: sha256 over path, size and time of every file below it."""
    digest = hashlib.sha256()
    for base, folders, files in os.walk(folder, followlinks=True):
        folders.sort()
        for name in sorted(files):
            path = Path(base, name)
            stat = path.stat()
            digest.update(f"{path.relative_to(folder)}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
