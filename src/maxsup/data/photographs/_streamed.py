"""Labelled photographs that are read over the network as they are needed, never kept."""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from maxsup.data._corrupt import Corrupt, CorruptImages
from maxsup.data._entry import UnreadableImageError, entry_path, read_entry
from maxsup.data.photographs._as_needed import ReadAsNeeded
from maxsup.data.photographs._read_ahead import read_ahead
from maxsup.data.photographs._settings import PhotographSettings
from maxsup.data.photographs._split import EpochPlan
from maxsup.data.sources._labels import LabelReader

_SHUFFLED_AT_ONCE = 4096  # photographs


class StreamedRow(NamedTuple):
    """An image file with its label."""

    content: bytes
    path: str
    label: int
    problem: str | None = None
    """Why the file could not be read."""


class StreamedFiles:
    """Takes the content of photographs from what came of a stream.

    Args:
        split: The split's name.
    """

    def __init__(self, split: str) -> None:
        self._split = split

    def read(self, row: StreamedRow) -> bytes:
        """The content of a photograph's file.

        Raises:
            UnreadableImageError: It could not be read.
        """
        if row.problem is not None:
            raise UnreadableImageError(row.problem)
        return row.content

    def describe(self, row: StreamedRow, reason: str) -> Corrupt:
        """What is known of a photograph that cannot be read."""
        # A shuffled stream has no rows to count: the content tells one image from another.
        path = row.path or f"content {hashlib.sha256(row.content).hexdigest()[:12]}"
        return Corrupt(self._split, None, path, reason)


@dataclass(frozen=True)
class StreamedSplit(ReadAsNeeded):
    """Labelled photographs of a stream; an :class:`maxsup.data.ImageSplit`.

    Nothing of them is in memory, labels neither. Every process reads the whole stream and decodes
    its part of it, so that the batches are the same for any number of processes.
    """

    stream: Any
    """A ``datasets.IterableDataset`` with undecoded images."""
    image_column: str
    label_column: str
    name: str
    """The name of the source's split."""
    count: int
    """How many photographs there are."""
    label_reader: LabelReader
    """From a label as it stands in the stream to the class."""
    settings: PhotographSettings
    """How the photographs are read."""
    identity: str
    """What tells this data from other: its name and version."""
    corrupt: CorruptImages = field(default_factory=CorruptImages)
    """Which images could not be read; shared by the splits of a data set."""

    def __len__(self) -> int:
        return self.count

    @property
    def files(self) -> StreamedFiles:
        """Where the content of the photographs comes from."""
        return StreamedFiles(self.name)

    @property
    def labelled(self) -> None:
        """None: no samples can be picked out of a stream."""

    def count_noisy(self) -> int:
        """0: labels of a stream are never replaced."""
        return 0

    def add_to(self, digest: "hashlib._Hash") -> None:
        """Put what is known of the stream before reading it into a hash."""
        digest.update(f"{self.identity} {self.name} {self.count}".encode())

    def digest_of_order(self, plan: EpochPlan) -> bytes:
        """The seed of the order, which is not known before the stream is read."""
        return str(plan.seed).encode()

    def training_items(self, plan: EpochPlan) -> Iterator[tuple[Sequence[StreamedRow], Tensor]]:
        """The photographs and labels of each batch of one process.

        Raises:
            ValueError: The stream ends early, or a label is none of the classes.
        """
        repeated = (row for row in self.read(plan.seed) for _ in range(plan.repeats))
        # What was done before the start is read once more, and not decoded.
        ahead = read_ahead(itertools.islice(repeated, plan.start * plan.batch_size, None))
        each = plan.batch_size // plan.processes
        for _ in range(plan.start, plan.steps):
            batch = list(itertools.islice(ahead, plan.batch_size))
            if len(batch) < plan.batch_size:
                raise ValueError(
                    f"Split {self.name} has fewer images than the {len(self):,} that its "
                    "description promises."
                )
            mine = batch[plan.rank * each : (plan.rank + 1) * each]
            yield mine, torch.tensor([row.label for row in mine])

    def evaluation_items(
        self, batch_size: int, rank: int, processes: int
    ) -> Iterator[tuple[Sequence[StreamedRow], tuple[Tensor, Tensor, Tensor]]]:
        """Every so many photographs, with labels twice and ids."""
        mine = read_ahead(itertools.islice(enumerate(self.read()), rank, None, processes))
        while part := list(itertools.islice(mine, batch_size)):
            labels = torch.tensor([row.label for _, row in part])
            ids = torch.tensor([position for position, _ in part])
            yield [row for _, row in part], (labels, labels, ids)

    def read(self, seed: int | None = None) -> Iterator[StreamedRow]:
        """All images, in the stream's order, or shuffled.

        Files (shards) are shuffled, and images within some thousands at a time.

        Raises:
            ValueError: A label is none of the classes.
        """
        stream = self.stream
        if seed is not None:
            stream = stream.shuffle(seed=seed, buffer_size=_SHUFFLED_AT_ONCE)
        for row in stream:
            entry = row[self.image_column]
            try:
                index = self.label_reader.index(row[self.label_column])
            except ValueError as error:
                which = entry_path(entry) or "without a file name"
                raise ValueError(f"An image of split {self.name} ({which}) {error}.") from error
            try:
                yield StreamedRow(read_entry(entry), entry_path(entry), index)
            except UnreadableImageError as error:
                yield StreamedRow(b"", entry_path(entry), index, error.reason)
