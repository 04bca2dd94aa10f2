"""Files that are there as a whole or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Write a file so that readers, and the next start after a crash, see the old or the new one.

    The bytes go to a file beside it that takes its place once they are on disk. When anything
    fails, the old file is left as it was and the new one removed.

    Raises:
        OSError: The file could not be written; the message says that the former one is intact.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        kept = "its former version is intact" if path.exists() else "nothing was written"
        raise OSError(
            error.errno, f"could not be saved ({error.strerror}); {kept}", str(path)
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with :func:`atomic_write`."""
    with atomic_write(path) as file:
        file.write(text.encode())
