"""The undecoded image files of a split on disk."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import datasets
import numpy as np
import pyarrow.compute as pc

from maxsup.data._corrupt import Corrupt
from maxsup.data._digest import digest_of, edges_of_bytes, edges_of_file, sizes_of_files
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
        self._digest: str | None = None

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
        """SHA-256 over the files' names and sizes, and the contents of some of them.

        See :func:`maxsup.data._digest.digest_of`. Found once, for all parts of the split.
        """
        if self._digest is None:
            self._digest = self._find_digest()
        return self._digest

    def _find_digest(self) -> str:
        names: list[str] = []
        for chunk in self._rows.data.column(self._column).chunks:
            paths = pc.fill_null(pc.struct_field(chunk, "path"), "")
            names += pc.replace_substring_regex(paths, ".*[/\\\\]", "").to_pylist()
        return digest_of(names, self.sizes.tolist(), self._edges)

    @cached_property
    def sizes(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The bytes of each file; −1 where there is none, or it lies on another machine."""
        found: list[int] = []
        for chunk in self._rows.data.column(self._column).chunks:
            lengths = pc.binary_length(pc.struct_field(chunk, "bytes")).to_pylist()
            if None in lengths:
                paths = pc.fill_null(pc.struct_field(chunk, "path"), "")
                on_disk = sizes_of_files(paths.to_pylist())
                lengths = [
                    size if length is None else length
                    for length, size in zip(lengths, on_disk, strict=True)
                ]
            found += lengths
        return np.array(found, dtype=np.int64)

    def _edges(self, row: int) -> Sequence[bytes]:
        entry = self._entry(row) or {}
        content = entry.get("bytes")
        return edges_of_file(entry_path(entry)) if content is None else edges_of_bytes(content)

    def _entry(self, row: int) -> Entry:
        entry: Entry = self._rows[row][self._column][0].as_py()
        return entry
