"""Labelled images in memory."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from maxsup.data._batch_settings import BatchSettings
from maxsup.data._corrupt import CorruptImages
from maxsup.data._normalization import ChannelStatistics
from maxsup.data._splits import EvaluationBatch
from maxsup.data.small._batches import ResidentBatches

_AT_ONCE = 4096  # images


class PixelContents:
    """Pixels as what tells images from each other; a :class:`maxsup.data.Contents`.

    Args:
        images: (N, C, H, W) uint8.
    """

    def __init__(self, images: Tensor) -> None:
        self._images = images.numpy()
        digests = b"".join(self.digest(index)[:8] for index in range(len(images)))
        self.keys = np.frombuffer(digests, dtype=np.int64)
        self.bytes_to_read = np.zeros(len(images), dtype=np.int64)

    def digest(self, index: int) -> bytes:
        """A hash of an image's pixels."""
        return hashlib.blake2b(self._images[index].tobytes(), digest_size=16).digest()


@dataclass(frozen=True)
class ResidentSplit:
    """Images in memory with their labels; an :class:`maxsup.data.ImageSplit`.

    Example:
        >>> labels = torch.tensor([0, 1, 1])
        >>> split = ResidentSplit(torch.zeros(3, 1, 8, 8, dtype=torch.uint8), labels, labels)
        >>> split.ids.tolist(), split.select(torch.tensor([2])).ids.tolist()
        ([0, 1, 2], [2])
    """

    images: Tensor
    """(N, C, H, W) uint8."""
    labels: Tensor
    """(N,) int64: what a model is trained on."""
    true_labels: Tensor
    """(N,) int64: differs from ``labels`` where label noise has replaced them."""
    ids: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.int64))
    """(N,) int64: the row of each sample in the source's split; by default 0 to N − 1."""
    name: str = "images"
    """The name of the source's split."""
    corrupt: CorruptImages = field(default_factory=CorruptImages)
    """Which images could not be read, and are not among these; shared by a data set's splits."""

    def __post_init__(self) -> None:
        if len(self.ids) == 0:
            object.__setattr__(self, "ids", torch.arange(len(self.labels)))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    @property
    def labelled(self) -> "ResidentSplit":
        """The split itself: its labels are in memory."""
        return self

    def select(self, index: Tensor) -> "ResidentSplit":
        """The samples at ``index``, with their ids."""
        return replace(
            self,
            images=self.images[index],
            labels=self.labels[index],
            true_labels=self.true_labels[index],
            ids=self.ids[index],
        )

    def with_labels(self, labels: Tensor) -> "ResidentSplit":
        """The same images, to be trained on with other labels."""
        return replace(self, labels=labels)

    def with_colours(self) -> "ResidentSplit":
        """Grey images with their channel three times."""
        return replace(self, images=self.images.expand(-1, 3, -1, -1).contiguous())

    def count_noisy(self) -> int:
        """How many labels were replaced by label noise."""
        return int((self.labels != self.true_labels).sum())

    def channel_statistics(self) -> ChannelStatistics:
        """The exact mean and standard deviation of the pixels; 1 for a channel without contrast."""
        channels = self.images.shape[1]
        counts = torch.zeros(channels, 256, dtype=torch.int64)
        for images in self.images.split(_AT_ONCE):
            for channel in range(channels):
                counts[channel] += torch.bincount(images[:, channel].flatten(), minlength=256)
        levels = torch.arange(256, dtype=torch.float64) / 255
        fraction = counts.double() / counts.sum(dim=1, keepdim=True)
        mean = fraction @ levels
        variance = (fraction * (levels - mean.unsqueeze(1)).square()).sum(dim=1)
        std = torch.where(variance > 0, variance.sqrt(), 1.0)
        return ChannelStatistics(tuple(mean.tolist()), tuple(std.tolist()))

    def add_to(self, digest: "hashlib._Hash") -> None:
        """Put all pixels and labels into a hash."""
        for tensor in (self.images, self.labels, self.true_labels):
            digest.update(str(tuple(tensor.shape)).encode())
            digest.update(tensor.contiguous().view(torch.uint8).numpy().data)

    def contents(self) -> "PixelContents":
        """The pixels, as what tells the images from each other."""
        return PixelContents(self.images)

    def training_batches(
        self,
        settings: BatchSettings,
        *,
        device: torch.device | str = "cpu",
        rank: int = 0,
        processes: int = 1,
    ) -> ResidentBatches:
        """Batches of all images; see :meth:`maxsup.data.ImageSplit.training_batches`.

        Raises:
            ValueError: The batches cannot be made; the message says how to mend it.
        """
        return ResidentBatches(
            self.images, self.labels, settings, device=device, rank=rank, processes=processes
        )

    def evaluation_batches(
        self,
        batch_size: int,
        *,
        device: torch.device | str = "cpu",
        rank: int = 0,
        processes: int = 1,
    ) -> Iterator[EvaluationBatch]:
        """The images in order, each once over all processes, a stretch for each process.

        Yields:
            Batches of at most ``batch_size`` samples.

        Example:
            >>> from maxsup.data import DataSettings, load_images
            >>> test = load_images(DataSettings("digits")).test
            >>> [len(batch) for batch in test.evaluation_batches(256)]
            [256, 256, 28]
        """
        each = -(-len(self) // processes)
        mine = range(rank * each, min((rank + 1) * each, len(self)))
        for start in range(mine.start, mine.stop, batch_size):
            part = slice(start, min(start + batch_size, mine.stop))
            yield EvaluationBatch(
                self.images[part].to(device, non_blocking=True),
                self.labels[part].to(device, non_blocking=True),
                self.true_labels[part].to(device, non_blocking=True),
                self.ids[part],
            )
