"""The undecoded image files of a split on disk."""

import hashlib
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow.compute as pc

from maxsup.data._corrupt import Corrupt
from maxsup.data._entry import Entry, entry_path, read_entry


class ImageFiles:
    """The undecoded image files of a split, by row.

    Args:
        dataset: A ``datasets.Dataset``, memory-mapped: what is not asked for is not read.
        column: Its column of images.
        split: Its name.
    """

    def __init__(self, dataset: Any, column: str, split: str) -> None:
        rows = dataset.select_columns([column]).cast_column(column, datasets.Image(decode=False))
        self.split = split
        self._column = column
        self._rows = rows.with_format("arrow")

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, row: int) -> bytes:
        """The content of a file.

        Raises:
            UnreadableImageError: There is none, or it cannot be read.
        """
        return read_entry(self._entry(row))

    def describe(self, row: int, reason: str) -> Corrupt:
        """What is known of an image that cannot be read."""
        return Corrupt(self.split, row, entry_path(self._entry(row)), reason)

    def digest(self) -> str:
        """SHA-256 over the files' lengths and names.

        The contents themselves are left unread: for a million photographs that takes seconds, and
        not the hour of reading them all.
        """
        digest = hashlib.sha256()
        for chunk in self._rows.data.column(self._column).chunks:
            lengths = pc.fill_null(pc.binary_length(pc.struct_field(chunk, "bytes")), -1)
            digest.update(np.asarray(lengths, dtype=np.int64).tobytes())
            paths = pc.struct_field(chunk, "path")
            names = pc.replace_substring_regex(pc.fill_null(paths, ""), ".*[/\\\\]", "")
            digest.update("\n".join(names.to_pylist()).encode())
        return digest.hexdigest()

    def sizes(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The bytes of each file; −1 where there is none, or it lies on another machine."""
        found: list[int] = []
        for chunk in self._rows.data.column(self._column).chunks:
            lengths = pc.binary_length(pc.struct_field(chunk, "bytes")).to_pylist()
            paths = pc.struct_field(chunk, "path").to_pylist()
            found += [
                _size(path) if length is None else length
                for length, path in zip(lengths, paths, strict=True)
            ]
        return np.array(found, dtype=np.int64)

    def _entry(self, row: int) -> Entry:
        entry: Entry = self._rows[row][self._column][0].as_py()
        return entry


def _size(path: str | None) -> int:
    try:
        return Path(path).stat().st_size if path else -1
    except (OSError, ValueError):
        return -1
