"""Labelled images, and the parts that a data set has of them."""

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from maxsup.data._stored import StoredSplit
from maxsup.data._streamed import StreamedSplit


@dataclass(frozen=True)
class Split:
    """Images in memory with their labels."""

    images: Tensor
    """(N, C, H, W) uint8."""
    labels: Tensor
    """(N,) int64: what a model is trained on."""
    true_labels: Tensor
    """(N,) int64: differs from ``labels`` where label noise has replaced them."""
    ids: Tensor = field(default_factory=lambda: torch.empty(0))
    """(N,) int64: the row of each sample in the split that it comes from."""

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.labels):
            object.__setattr__(self, "ids", torch.arange(len(self.labels)))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def select(self, index: Tensor) -> "Split":
        """The samples at ``index``."""
        return Split(
            self.images[index], self.labels[index], self.true_labels[index], self.ids[index]
        )

    def add_to(self, digest: "hashlib._Hash") -> None:
        """Put all pixels and labels into a hash."""
        for tensor in (self.images, self.labels, self.true_labels):
            digest.update(str(tuple(tensor.shape)).encode())
            digest.update(tensor.contiguous().view(torch.uint8).numpy().data)


AnySplit = Split | StoredSplit | StreamedSplit
LabelledSplit = Split | StoredSplit
"""Whose labels are in memory, so that parts can be taken of it."""


def with_labels(split: LabelledSplit, labels: Tensor) -> LabelledSplit:
    """The same images, to be trained on with other labels."""
    return replace(split, labels=labels)


@dataclass(frozen=True)
class ImageData:
    """A data set, ready to train on."""

    name: str
    classes: tuple[str, ...]
    train: AnySplit
    validation: AnySplit | None
    test: AnySplit
    notes: tuple[str, ...] = ()
    """What was chosen for the user, in sentences."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the images when a model is measured."""
        return self.train.image_shape

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over class names, labels and images.

        Of photographs on disk it takes lengths and names, not contents.
        """
        digest = hashlib.sha256(repr(self.classes).encode())
        for split in (self.train, self.validation, self.test):
            if split is not None:
                split.add_to(digest)
        return digest.hexdigest()
