"""What every split of a data set can do, wherever its images are kept.

Images in memory (``small/``), photographs on disk and streamed photographs (``photographs/``) are
used by training, evaluation and studies through these protocols alone.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import torch
from torch import Tensor

from maxsup.data._batch_settings import BatchSettings
from maxsup.data._corrupt import CorruptImages
from maxsup.data._normalization import ChannelStatistics


@dataclass(frozen=True)
class EvaluationBatch:
    """A batch of the samples that a model is measured on."""

    images: Tensor
    """(B, C, H, W) uint8, on the device."""
    labels: Tensor
    """(B,) int64, on the device: what a model is trained on."""
    true_labels: Tensor
    """(B,) int64, on the device: differs from ``labels`` where label noise has replaced them."""
    ids: Tensor
    """(B,) int64, on the CPU: which samples of the split these are; see :class:`ImageSplit`."""

    def __len__(self) -> int:
        return len(self.labels)


class Contents(Protocol):
    """What tells the images of a split from each other, whatever their names and labels."""

    @property
    def keys(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """(N,): images with the same content have the same key, others may have it too."""

    @property
    def bytes_to_read(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """(N,): the size of the file that a digest is of; 0 in memory, −1 where there is none."""

    def digest(self, index: int) -> bytes | None:
        """A hash of an image's content; ``None`` where it cannot be read."""


class TrainingBatches(Protocol):
    """The batches of each epoch of a training, for one process."""

    @property
    def steps(self) -> int:
        """Batches in an epoch."""

    @property
    def readers(self) -> int:
        """Processes that read beside this one."""

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """This process's part of an epoch's batches, from the one numbered ``start``.

        Yields:
            Images (B, C, H, W) float32, normalised, and labels (B,) int64, or probabilities (B, K)
            float32 where images are mixed; on the device.
        """

    def digest(self, epoch: int) -> str:
        """SHA-256 over the order and the augmentation of an epoch, over all processes."""


class MeasuredImages(Protocol):
    """Images with labels that a model can be measured on, as far as a pass asks for."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the images when a model is measured."""

    def evaluation_batches(
        self,
        batch_size: int,
        *,
        device: torch.device | str = "cpu",
        rank: int = 0,
        processes: int = 1,
    ) -> Iterator[EvaluationBatch]:
        """All samples, each once over all processes; of photographs the central parts.

        A photograph that cannot be read is left out, and noted in ``corrupt``.

        Yields:
            Batches of at most ``batch_size`` samples.

        Raises:
            ValueError: More photographs cannot be read than may be; the message lists them.
        """


class ImageSplit(MeasuredImages, Protocol):
    """Images with labels to train or to measure on.

    Each sample has an id: its row in the source's split that it comes from (its position in the
    unshuffled stream, where it is streamed). Ids stay the same from run to run, and with the parts
    that are held out or thinned, so they tell which sample a prediction is of.
    """

    @property
    def name(self) -> str:
        """The name of the source's split."""

    @property
    def corrupt(self) -> CorruptImages:
        """Which images could not be read so far; shared by the splits of a data set."""

    @property
    def labelled(self) -> "LabelledSplit | None":
        """The split itself, if its labels are in memory so that samples can be picked out."""

    def __len__(self) -> int:
        """How many samples there are; unreadable ones among them, where they are read as needed."""

    def count_noisy(self) -> int:
        """How many labels were replaced by label noise."""

    def channel_statistics(self) -> ChannelStatistics:
        """What images are normalised by: the pixels' own statistics, or ImageNet's."""

    def add_to(self, digest: "hashlib._Hash") -> None:
        """Put what tells these samples from others into a hash."""

    def training_batches(
        self,
        settings: BatchSettings,
        *,
        device: torch.device | str = "cpu",
        rank: int = 0,
        processes: int = 1,
    ) -> TrainingBatches:
        """The batches of a training.

        Args:
            settings: What the batches are made of.
            device: Where batches are brought.
            rank: This process's number.
            processes: How many there are.

        Raises:
            ValueError: There are fewer images than a batch takes, it cannot be shared evenly, or
                images that are kept so cannot be augmented so.
        """


class LabelledSplit(ImageSplit, Protocol):
    """A split whose labels are in memory, so that parts can be taken of it."""

    @property
    def labels(self) -> Tensor:
        """(N,) int64: what a model is trained on."""

    @property
    def true_labels(self) -> Tensor:
        """(N,) int64: differs from ``labels`` where label noise has replaced them."""

    @property
    def ids(self) -> Tensor:
        """(N,) int64: the row of each sample in the source's split."""

    def contents(self) -> Contents:
        """What tells the images from each other."""

    def select(self, index: Tensor) -> Self:
        """The samples at ``index``, with their ids."""

    def with_labels(self, labels: Tensor) -> Self:
        """The same images, to be trained on with other labels."""
