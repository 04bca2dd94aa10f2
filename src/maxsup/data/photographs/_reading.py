"""Photographs read and cropped by processes beside the training's.

The training's process plans batches; a job for each goes to a worker process, which brings its
images back; what else is known of the batch waits here for them.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from maxsup.data._corrupt import Corrupt
from maxsup.data._entry import Pixels, UnreadableImageError
from maxsup.data.photographs._readers import Readers
from maxsup.data.photographs._shared_memory import as_tensor, batch_memory
from maxsup.data.photographs._split import Item, PhotographFiles


class Job(NamedTuple):
    """What one process reads for one batch."""

    items: Sequence[Item]
    size: int
    """Side of the images in pixels."""
    epoch: int = 0
    first: int = 0
    """The index of the first image in the epoch."""


class PlannedBatch(NamedTuple):
    """A batch before its images are read."""

    job: Job
    known: tuple[Tensor, ...]
    """What is known of each image beside its pixels, (B,) each."""


class ReadBatch(NamedTuple):
    """A batch as it comes from the process that read it."""

    images: Tensor
    """(B', H, W, 3) uint8: those that could be read."""
    kept: list[int]
    """Their indices in the batch."""
    corrupt: list[Corrupt]


class Decoder(Protocol):
    """From a photograph's file to what a batch takes of it."""

    def __call__(self, content: bytes, job: Job, index: int) -> Pixels:
        """The image, (size, size, 3) uint8.

        Args:
            content: The file.
            job: What it is for.
            index: The photograph's index in the job.

        Raises:
            UnreadableImageError: It cannot be decoded.
        """


class PhotographReader:
    """Has batches read by other processes, and brings them back in order.

    Args:
        files: Where the photographs' content comes from.
        decode: What a batch takes of it.
        workers: How many processes; with none it is this one.
        device: Where the images will go.
        persistent: Keep the processes from one reading to the next.
    """

    def __init__(
        self,
        files: PhotographFiles,
        decode: Decoder,
        workers: int,
        device: torch.device,
        *,
        persistent: bool = True,
    ) -> None:
        self._readers: Readers[Job, _Sent] = Readers(
            _Worker(files, decode), workers, device, persistent=persistent
        )

    def read(
        self, planned: Iterator[PlannedBatch]
    ) -> Iterator[tuple[ReadBatch, tuple[Tensor, ...]]]:
        """The batches' images, and what is known of those that could be read."""
        for sent, known in self._readers.read((batch.job, batch.known) for batch in planned):
            read = ReadBatch(as_tensor(sent.images), sent.kept, sent.corrupt)
            kept = torch.tensor(read.kept, dtype=torch.int64)
            yield read, tuple(each[kept] for each in known)


class _Sent(NamedTuple):
    """A batch on its way from the process that read it."""

    images: Tensor | Pixels
    """In shared memory; where there is none left, an array, which goes through a pipe."""
    kept: list[int]
    corrupt: list[Corrupt]


class _Worker:
    """Reads the photographs of one batch at a time."""

    def __init__(self, files: PhotographFiles, decode: Decoder) -> None:
        self._files = files
        self._decode = decode

    def __call__(self, job: Job) -> _Sent:
        memory = batch_memory((len(job.items), job.size, job.size, 3))
        images = memory if isinstance(memory, np.ndarray) else memory.numpy()
        kept: list[int] = []
        corrupt: list[Corrupt] = []
        for index, item in enumerate(job.items):
            try:
                images[len(kept)] = self._decode(self._files.read(item), job, index)
            except UnreadableImageError as error:
                corrupt.append(self._files.describe(item, error.reason))
                continue
            kept.append(index)
        return _Sent(memory[: len(kept)], kept, corrupt)
