"""Labelled photographs that stay on disk and are read as they are needed."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from maxsup.data._corrupt import CorruptImages
from maxsup.data._entry import UnreadableImageError
from maxsup.data.photographs._as_needed import ReadAsNeeded
from maxsup.data.photographs._files import ImageFiles
from maxsup.data.photographs._settings import PhotographSettings
from maxsup.data.photographs._split import EpochPlan


class FileContents:
    """Files as what tells photographs from each other; a :class:`maxsup.data.Contents`.

    Args:
        files: The files.
        rows: (N,) int64: the row of each photograph.
    """

    def __init__(self, files: ImageFiles, rows: Tensor) -> None:
        self._files, self._rows = files, rows.tolist()
        self.keys = self.bytes_to_read = files.sizes[rows.numpy()]

    def digest(self, index: int) -> bytes | None:
        """A hash of a photograph's file."""
        try:
            content = self._files.read(self._rows[index])
        except UnreadableImageError:
            return None
        return hashlib.blake2b(content, digest_size=16).digest()


@dataclass(frozen=True)
class StoredSplit(ReadAsNeeded):
    """Labelled photographs on disk with labels in memory; an :class:`maxsup.data.ImageSplit`."""

    files: ImageFiles
    ids: Tensor
    """(N,) int64: the row of each sample in ``files``."""
    labels: Tensor
    """(N,) int64: what a model is trained on."""
    true_labels: Tensor
    """(N,) int64: differs from ``labels`` where label noise has replaced them."""
    settings: PhotographSettings
    """How the photographs are read."""
    corrupt: CorruptImages = field(default_factory=CorruptImages)
    """Which images could not be read; shared by the splits of a data set."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def name(self) -> str:
        """The name of the source's split."""
        return self.files.split

    @property
    def labelled(self) -> "StoredSplit":
        """The split itself: its labels are in memory."""
        return self

    def select(self, index: Tensor) -> "StoredSplit":
        """The samples at ``index``, with their ids."""
        return replace(
            self,
            ids=self.ids[index],
            labels=self.labels[index],
            true_labels=self.true_labels[index],
        )

    def with_labels(self, labels: Tensor) -> "StoredSplit":
        """The same photographs, to be trained on with other labels."""
        return replace(self, labels=labels)

    def count_noisy(self) -> int:
        """How many labels were replaced by label noise."""
        return int((self.labels != self.true_labels).sum())

    def add_to(self, digest: "hashlib._Hash") -> None:
        """Put labels, and what tells the files from others, into a hash."""
        digest.update(self.files.digest().encode())
        for tensor in (self.ids, self.labels, self.true_labels):
            digest.update(tensor.contiguous().view(torch.uint8).numpy().data)

    def contents(self) -> "FileContents":
        """The files' contents, as what tells the photographs from each other."""
        return FileContents(self.files, self.ids)

    def order(self, plan: EpochPlan) -> Tensor:
        """The index of each sample of an epoch, over all processes, (steps·batch size,)."""
        generator = torch.Generator().manual_seed(plan.seed)
        order = torch.randperm(len(self), generator=generator)
        return order.repeat_interleave(plan.repeats)[: plan.steps * plan.batch_size]

    def digest_of_order(self, plan: EpochPlan) -> bytes:
        """The order itself."""
        return self.order(plan).numpy().tobytes()

    def training_items(self, plan: EpochPlan) -> Iterator[tuple[Sequence[int], Tensor]]:
        """The rows and labels of each batch of one process."""
        mine = self.order(plan).view(plan.steps, plan.processes, -1)[:, plan.rank]
        for index in mine[plan.start :]:
            yield self.ids[index].tolist(), self.labels[index]

    def evaluation_items(
        self, batch_size: int, rank: int, processes: int
    ) -> Iterator[tuple[Sequence[int], tuple[Tensor, Tensor, Tensor]]]:
        """The rows of one process's stretch, with labels, true labels and ids."""
        mine = torch.arange(len(self)).tensor_split(processes)[rank]
        for index in mine.split(batch_size) if len(mine) else ():
            ids = self.ids[index]
            yield ids.tolist(), (self.labels[index], self.true_labels[index], ids)
