"""Files that are there as a whole or not at all."""

import contextlib
import io
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Write a file so that readers, and the next start after a crash, see the old or the new one.

    On this machine the bytes go to a file beside it that takes its place once they are on disk.
    Elsewhere (see :func:`maxsup._places.as_place`) they are collected and sent in one go: an object
    store shows an upload as a whole once it is complete. When anything fails, the old file is left
    as it was.

    Raises:
        OSError: The file could not be written; the message says that the former one is intact.
    """
    write = _replace_local if isinstance(path, Path) else _upload
    try:
        with write(path) as file:
            yield file
    except OSError as error:
        kept = "its former version is intact" if path.exists() else "nothing was written"
        reason = error.strerror or error
        raise OSError(error.errno, f"could not be saved ({reason}); {kept}", str(path)) from error


@contextlib.contextmanager
def _replace_local(path: Path) -> Iterator[IO[bytes]]:
    # By chance, not by process: on a shared disk, two machines may have the same process ids.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
