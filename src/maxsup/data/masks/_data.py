"""A data set of images with masks, divided into the parts to train and to measure on."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from maxsup.data.masks._palette import safe_palette
from maxsup.data.masks._split import MaskSplit


@dataclass(frozen=True)
class MaskData:
    """Images with masks, ready to train on.

    Each mask holds classes from 0 to K − 1, and 255 for void: pixels that nothing is learnt from,
    nor measured on.
    """

    name: str
    classes: tuple[str, ...]
    train: MaskSplit
    validation: MaskSplit | None
    test: MaskSplit
    notes: tuple[str, ...] = ()
    """What was chosen for the user and what was passed over, in sentences."""
    test_is_drawn: bool = False
    """Whether the test set was held out of the data by ``data_seed``, as it had none."""

    @property
    def palette(self) -> list[tuple[int, int, int]]:
        """Red, green and blue of each class, told apart by colour-blind people too; void is black.

        The colours that masks have in their files are made for other eyes.
        """
        return list(safe_palette(len(self.classes)))

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Three channels, and the height and width that most of the training images have."""
        return (self.train if len(self.train) else self.test).image_shape

    @property
    def class_pixels(self) -> Tensor:
        """(K,) int64: how many pixels of all training masks are of each class."""
        return self.train.class_pixels

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over class names, masks and images.

        All pixels of all masks count. Images count by their names and sizes, and some hundreds of
        them by their contents.
        """
        digest = hashlib.sha256(repr(self.classes).encode())
        for split in (self.train, self.validation, self.test):
            if split is not None:
                split.add_to(digest)
        return digest.hexdigest()
