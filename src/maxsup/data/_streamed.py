"""Labelled photographs that are read over the network as they are needed, never kept."""

import contextlib
import hashlib
import queue
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import fsspec

from maxsup.data._corrupt import CorruptImages
from maxsup.data._stored import Photographs

_T = TypeVar("_T")

_SHUFFLED_AT_ONCE = 4096
_READ_AHEAD = 512


class StreamedRow(NamedTuple):
    """An image file with its label."""

    content: bytes
    path: str
    label: int


@dataclass(frozen=True)
class StreamedSplit:
    """Labelled photographs of a stream; nothing of them is in memory, labels neither.

    Every process reads the whole stream and decodes its part of it, so that the batches are the
    same for any number of processes.
    """

    stream: Any
    """A ``datasets.IterableDataset`` with undecoded images."""
    image_column: str
    label_column: str
    name: str
    """Of the split."""
    count: int
    """How many there are."""
    places: Mapping[Any, int]
    """From a label as it stands in the stream to the class."""
    photographs: Photographs
    identity: str
    """What tells this data from other: its name and version."""
    corrupt: CorruptImages = field(default_factory=CorruptImages)
    """Which images could not be read; shared by the splits of a data set."""

    def __len__(self) -> int:
        return self.count

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the images when a model is measured."""
        return 3, self.photographs.size, self.photographs.size

    def add_to(self, digest: "hashlib._Hash") -> None:
        """Put what is known of the stream before reading it into a hash."""
        digest.update(f"{self.identity} {self.name} {self.count}".encode())

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
            label = row[self.label_column]
            if label not in self.places:
                raise ValueError(
                    f"Split {self.name} has the label {label!r}, which is none of the "
                    f"{len(self.places)} classes."
                )
            image = row[self.image_column] or {}
            content, path = image.get("bytes"), image.get("path") or ""
            if content is None and path:
                # Unreadable is what cannot be opened, as much as what cannot be decoded.
                with contextlib.suppress(OSError), fsspec.open(path, "rb") as file:
                    content = file.read()
            yield StreamedRow(content or b"", path, self.places[label])


def read_ahead(rows: Iterator[_T]) -> Iterator[_T]:
    """The same rows, read in a thread before they are asked for.

    Example:
        >>> list(read_ahead(iter(range(3))))
        [0, 1, 2]
    """
    waiting: queue.Queue[tuple[bool, Any]] = queue.Queue(maxsize=_READ_AHEAD)
    wanted = threading.Event()
    wanted.set()

    def offer(is_row: bool, value: Any) -> None:
        while wanted.is_set():
            with contextlib.suppress(queue.Full):
                waiting.put((is_row, value), timeout=0.2)
                return

    def read() -> None:
        try:
            for row in rows:
                offer(True, row)
                if not wanted.is_set():
                    return
            offer(False, None)
        except Exception as error:  # for the one who asks, whatever it is
            offer(False, error)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        while True:
            is_row, value = waiting.get()
            if is_row:
                yield value
            elif value is None:
                return
            else:
                raise value
    finally:
        wanted.clear()
        reader.join()
