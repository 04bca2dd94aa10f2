"""Images with masks, to train or to measure on."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from maxsup.data._corrupt import CorruptImages
from maxsup.data._entry import UnreadableImageError
from maxsup.data._normalization import IMAGENET_MEAN, IMAGENET_STD, ChannelStatistics
from maxsup.data._splits import TrainingBatches
from maxsup.data.masks._batch_settings import MaskBatchSettings
from maxsup.data.masks._batches import MaskBatches
from maxsup.data.masks._files import MaskFiles
from maxsup.data.photographs._read_ahead import read_ahead
from maxsup.data.photographs._stored import FileContents

_AHEAD = 8  # images that are read before they are asked for


@dataclass(frozen=True)
class MaskSplit:
    """Images with masks, to train or to measure on.

    Each sample has an id, its row in the source's split, as :class:`maxsup.data.ImageSplit` has it.
    """

    name: str
    """The name of the source's split."""
    files: MaskFiles
    ids: Tensor
    """(N,) int64: the row of each sample in ``files``."""
    sizes: Tensor
    """(N, 2) int64: height and width of each."""
    pixels: Tensor
    """(N, K) int64: how many pixels of each are of each class."""
    digests: Tensor
    """(N,) int64: a hash of each mask."""
    corrupt: CorruptImages = field(default_factory=CorruptImages)
    """Which images could not be read so far; shared by the splits of a data set."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def class_pixels(self) -> Tensor:
        """(K,) int64: how many pixels of all samples are of each class."""
        return self.pixels.sum(dim=0)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Three channels, and the height and width that most of the images have."""
        sizes, counts = self.sizes.unique(dim=0, return_counts=True)
        height, width = sizes[counts.argmax()].tolist()
        return 3, height, width

    @property
    def is_one_size(self) -> bool:
        """Whether all images have the same height and width."""
        return bool((self.sizes == self.sizes[:1]).all())

    @property
    def labels(self) -> Tensor:
        """(N,) int64: equal where masks are, which is what tells copies with other masks."""
        return self.digests

    @property
    def true_labels(self) -> Tensor:
        """The same."""
        return self.digests

    def item(self, index: int) -> tuple[Tensor, Tensor]:
        """An image, (3, H, W) uint8, and its mask, (H, W) uint8, as large as they are stored.

        Raises:
            UnreadableImageError: One of them cannot be read.
        """
        pixels, labels = self.files.read(int(self.ids[index]))
        return torch.from_numpy(pixels.transpose(2, 0, 1).copy()), torch.from_numpy(labels.copy())

    def items(self, rank: int = 0, processes: int = 1) -> Iterator[tuple[int, Tensor, Tensor]]:
        """One process's share of all samples, with their indices, read before they are asked for.

        The shares are stretches, one after the other, as evaluation passes have them. A sample
        that cannot be read is left out, and noted in ``corrupt``.

        Yields:
            Index, image (3, H, W) uint8 and mask (H, W) uint8.

        Raises:
            ValueError: More cannot be read than may be; the message lists them.
        """
        each = -(-len(self) // processes)
        yield from read_ahead(
            self._readable(range(rank * each, min((rank + 1) * each, len(self)))), _AHEAD
        )

    def _readable(self, indices: range) -> Iterator[tuple[int, Tensor, Tensor]]:
        for index in indices:
            try:
                yield index, *self.item(index)
            except UnreadableImageError as error:
                found = self.files.describe(int(self.ids[index]), error.reason)
                self.corrupt.add([found])

    def select(self, index: Tensor) -> "MaskSplit":
        """The samples at ``index``, with their ids."""
        return replace(
            self,
            ids=self.ids[index],
            sizes=self.sizes[index],
            pixels=self.pixels[index],
            digests=self.digests[index],
        )

    def channel_statistics(self) -> ChannelStatistics:
        """ImageNet's mean and standard deviation: images are not read for their own."""
        return ChannelStatistics(IMAGENET_MEAN, IMAGENET_STD)

    def add_to(self, digest: "hashlib._Hash") -> None:
        """Put all masks, and what tells the images' files from others, into a hash."""
        digest.update(self.files.images.digest().encode())
        for tensor in (self.ids, self.sizes, self.pixels, self.digests):
            digest.update(tensor.contiguous().view(torch.uint8).numpy().data)

    def contents(self) -> FileContents:
        """The images' files, as what tells them from each other."""
        return FileContents(self.files.images, self.ids)

    def training_batches(
        self,
        settings: MaskBatchSettings,
        *,
        device: torch.device | str = "cpu",
        rank: int = 0,
        processes: int = 1,
    ) -> TrainingBatches:
        """Batches of random crops; see :class:`MaskBatches`.

        Raises:
            ValueError: There are fewer images than a batch takes, or it cannot be shared evenly.
        """
        return MaskBatches(self, settings, device=device, rank=rank, processes=processes)
