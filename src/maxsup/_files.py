"""Files that are there as a whole or not at all."""

import contextlib
import io
import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{12}\.tmp")
"""The names that :func:`temporary_name` gives."""


@contextlib.contextmanager
def atomic_write(path: Path, *, former: Path | None = None) -> Iterator[IO[bytes]]:
    """Write a file so that readers, and the next start after a crash, see the old or the new one.

    On this machine the bytes go to a file beside it that takes its place once they are on disk.
    Elsewhere (see :func:`maxsup._places.as_place`) they are collected and sent in one go: an object
    store shows an upload as a whole once it is complete. When anything fails, the old file is left
    as it was.

    Args:
        path: The file.
        former: What its former version is kept as, beside it, on this machine alone; by default
            that is lost. There is a moment in which ``former`` is there and ``path`` is not.

    Raises:
        OSError: The file could not be written; the message says that the former one is intact.
    """
    try:
        with _replace_local(path, former) if isinstance(path, Path) else _upload(path) as file:
            yield file
    except OSError as error:
        kept = "its former version is intact" if path.exists() else "nothing was written"
        reason = error.strerror or error
        raise OSError(error.errno, f"could not be saved ({reason}); {kept}", str(path)) from error


@contextlib.contextmanager
def _replace_local(path: Path, former: Path | None) -> Iterator[IO[bytes]]:
    temporary = temporary_name(path)
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if former is not None and path.exists():
            path.replace(former)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def temporary_name(path: Path) -> Path:
    """A name beside a file that nobody else uses."""
    # By chance, not by process: on a shared disk, two machines may have the same process ids.
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.tmp")


def is_temporary(path: Path) -> bool:
    """Whether a file was being written when its process was killed.

    >>> is_temporary(temporary_name(Path("results.json"))), is_temporary(Path("results.json"))
    (True, False)
    """
    return _TEMPORARY.fullmatch(path.name) is not None


def remove_temporary(directory: Path) -> None:
    """Remove what killed processes have left half-written, where no other process writes."""
    if isinstance(directory, Path):
        for path in directory.glob(".*.tmp"):
            if is_temporary(path):
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def _upload(path: Path) -> Iterator[IO[bytes]]:
    # Not into the store's own file object: closing that after an error uploads what it has so far.
    buffer = io.BytesIO()
    yield buffer
    path.write_bytes(buffer.getbuffer())


def write_text(path: Path, text: str) -> None:
    r"""Write UTF-8 text with :func:`atomic_write`.

    What is no Unicode, as in names of files that are not, is written as ``\udc..``, which is what
    JSON reads back.
    """
    with atomic_write(path) as file:
        file.write(text.encode(errors="backslashreplace"))
