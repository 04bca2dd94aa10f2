"""Labelled photographs that stay on disk and are read as they are needed."""

import hashlib
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow.compute as pc
import torch
from torch import Tensor

from maxsup.data._corrupt import CorruptImages
from maxsup.data._crop import centre_box
from maxsup.data._jpeg import Interpolation, Pixels, decode_crop

_MOST_WORKERS = 16


@dataclass(frozen=True)
class Photographs:
    """How photographs are read, and how they are seen when a model is measured.

    Raises:
        ValueError: A number is out of range.
    """

    size: int
    """Side in pixels that the central part is resized to."""
    crop: float = 1.0
    """Share of the shorter side that the central part has."""
    interpolation: Interpolation = "bilinear"
    """How to resize."""
    workers: int | None = None
    """Processes that read beside this one; by default one for each core that it may use."""

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size must be at least 1 pixel; got {self.size}.")
        if not 0 < self.crop <= 1:
            raise ValueError(f"crop must lie in (0, 1]; got {self.crop}.")
        if self.workers is not None and self.workers < 0:
            raise ValueError(f"workers must not be negative; got {self.workers}.")

    def count_workers(self) -> int:
        """The processes to read with: the cores, shared by the trainings on this machine."""
        if self.workers is not None:
            return self.workers
        sharing = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        return max(1, min(_count_cores() // sharing, _MOST_WORKERS))

    def central(self, content: bytes) -> Pixels:
        """The central part of an image file, (size, size, 3) uint8."""
        return decode_crop(
            content,
            lambda width, height: centre_box(width, height, self.crop),
            self.size,
            interpolation=self.interpolation,
        )


def _count_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux: those that this process may use
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
            ValueError: There is none.
            OSError: It cannot be read.
        """
        entry = self._rows[row][self._column][0].as_py()
        if entry is None or (entry["bytes"] is None and entry["path"] is None):
            raise ValueError("there is no image.")
        if entry["bytes"] is not None:
            content: bytes = entry["bytes"]
            return content
        return Path(entry["path"]).read_bytes()

    def path(self, row: int) -> str:
        """The name of a file, as far as it has one."""
        entry = self._rows[row][self._column][0].as_py()
        return (entry or {}).get("path") or ""

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


@dataclass(frozen=True)
class StoredSplit:
    """Labelled photographs on disk; their labels are in memory."""

    files: ImageFiles
    rows: Tensor
    """(N,) int64: the row of each sample in ``files``."""
    labels: Tensor
    """(N,) int64: what a model is trained on."""
    true_labels: Tensor
    """(N,) int64: differs from ``labels`` where label noise has replaced them."""
    photographs: Photographs
    corrupt: CorruptImages = field(default_factory=CorruptImages)
    """Which images could not be read; shared by the splits of a data set."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def name(self) -> str:
        """The name of the split."""
        return self.files.split

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the images when a model is measured."""
        return 3, self.photographs.size, self.photographs.size

    def select(self, index: Tensor) -> "StoredSplit":
        """The samples at ``index``."""
        return replace(
            self,
            rows=self.rows[index],
            labels=self.labels[index],
            true_labels=self.true_labels[index],
        )

    def add_to(self, digest: "hashlib._Hash") -> None:
        """Put labels, and lengths and names of the files, into a hash."""
        digest.update(self.files.digest().encode())
        for tensor in (self.rows, self.labels, self.true_labels):
            digest.update(tensor.contiguous().view(torch.uint8).numpy().data)
