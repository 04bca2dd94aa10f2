"""Labelled images in memory."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class Split:
    """Images with their labels, on the CPU."""

    images: Tensor
    """(N, C, H, W) uint8."""
    labels: Tensor
    """(N,) int64: what a model is trained on."""
    true_labels: Tensor
    """(N,) int64: differs from ``labels`` where label noise has replaced them."""

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, index: Tensor) -> "Split":
        """The samples at ``index``."""
        return Split(self.images[index], self.labels[index], self.true_labels[index])


@dataclass(frozen=True)
class ImageData:
    """A data set, ready to train on."""

    name: str
    classes: tuple[str, ...]
    train: Split
    validation: Split | None
    test: Split
    notes: tuple[str, ...] = ()
    """What was chosen for the user, in sentences."""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over all pixels, labels and class names."""
        digest = hashlib.sha256(repr(self.classes).encode())
        for split in (self.train, self.validation, self.test):
            for tensor in (split.images, split.labels, split.true_labels) if split else ():
                digest.update(str(tuple(tensor.shape)).encode())
                digest.update(tensor.contiguous().view(torch.uint8).numpy().data)
        return digest.hexdigest()
