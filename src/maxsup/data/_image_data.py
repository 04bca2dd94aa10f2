"""A data set, divided into the parts to train and to measure on."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from maxsup.data._probe_labels import ProbeLabels
from maxsup.data._splits import ImageSplit


@dataclass(frozen=True)
class ImageData:
    """A data set, ready to train on."""

    name: str
    classes: tuple[str, ...]
    train: ImageSplit
    validation: ImageSplit | None
    test: ImageSplit
    notes: tuple[str, ...] = ()
    """What was chosen for the user and what was passed over, in sentences.

    They are said when a training or a study starts, kept in ``results.json``, and stand on the
    page.
    """
    test_is_drawn: bool = False
    """Whether the test set was held out of the data by ``data_seed``, as it had none."""
    probe_labels: ProbeLabels | None = None
    """Other labels of the same images, for a probe, where they were asked for."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the images when a model is measured."""
        return self.train.image_shape

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over class names, labels and images.

        Photographs on disk count by their names and sizes, and some hundreds of them by their
        contents.
        """
        digest = hashlib.sha256(repr(self.classes).encode())
        for split in (self.train, self.validation, self.test):
            if split is not None:
                split.add_to(digest)
        return digest.hexdigest()
