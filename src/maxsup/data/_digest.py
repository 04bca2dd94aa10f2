"""What tells image files from others without reading all of them."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath

import numpy as np

SAMPLED = 512
"""Files of which the contents count."""
EDGE = 32 * 1024
"""Bytes at the beginning and at the end of a sampled file that count."""
_AT_ONCE = 1024
_THREADS = 16  # that ask a file system for sizes, which may be far away


def digest_of(
    names: Sequence[str], sizes: Sequence[int], edges: Callable[[int], Sequence[bytes]]
) -> str:
    """SHA-256 over files' names and sizes, and what begins and ends some hundreds of them.

    All files count by name and size, and contents by as many as are read in a second, evenly spaced
    over all. To read every photograph of a large data set would take an hour. Times of change do
    not count: a copy on another machine, or one that was unpacked or checked out anew, has others,
    and is the same data.

    Args:
        names: The files' names, without the folders they lie in.
        sizes: Their bytes, −1 where that is not known.
        edges: Gives the first and the last bytes of the file at an index.

    Example:
        >>> contents = [b"cat", b"dog"]
        >>> before = digest_of(["0", "1"], [3, 3], lambda index: [contents[index]])
        >>> contents[1] = b"emu"
        >>> before == digest_of(["0", "1"], [3, 3], lambda index: [contents[index]])
        False
    """
    digest = hashlib.sha256()
    digest.update(np.asarray(sizes, dtype=np.int64).tobytes())
    digest.update("\n".join(names).encode())
    count = len(names)
    for index in sorted({number * count // SAMPLED for number in range(SAMPLED)} if count else ()):
        for part in edges(index):
            digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def digest_of_files(paths: Sequence[str]) -> str:
    """The same of files on this machine."""
    names = [PurePath(path).name for path in paths]
    return digest_of(names, sizes_of_files(paths), lambda index: edges_of_file(paths[index]))


def sizes_of_files(paths: Sequence[str]) -> list[int]:
    """The bytes of each file; −1 where there is none, or it lies elsewhere."""
    parts = [paths[start : start + _AT_ONCE] for start in range(0, len(paths), _AT_ONCE)]
    with ThreadPoolExecutor(_THREADS) as pool:
        return [size for sizes in pool.map(_sizes, parts) for size in sizes]


def edges_of_file(path: str) -> Sequence[bytes]:
    """The first and the last bytes of a file; nothing where it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            first = file.read(EDGE)
            file.seek(max(EDGE, os.fstat(file.fileno()).st_size - EDGE))
            return first, file.read(EDGE)
    except OSError:
        return ()


def edges_of_bytes(content: bytes) -> Sequence[bytes]:
    """The first and the last bytes of a file that has been read."""
    return content[:EDGE], content[max(EDGE, len(content) - EDGE) :]


def _sizes(paths: Sequence[str]) -> list[int]:
    found = []
    for path in paths:
        try:
            found.append(os.stat(path).st_size)  # noqa: PTH116 - a million times
        except (OSError, ValueError):
            found.append(-1)
    return found
