"""Batches from images that live on the device, augmented there."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from maxsup._seeds import derive_seed
from maxsup.data._images import Split
from maxsup.data._mixing import Mixing, mix
from maxsup.data._normalize import Normalization


@dataclass(frozen=True)
class Augmentation:
    """What is done to training images, at random for each."""

    crop_padding: int = 0
    """Crop to the images' size after padding with so many black pixels on each side."""
    horizontal_flip: bool = False
    """Mirror every other image."""
    cutout: int = 0
    """Blacken a square of this side at a random place, cut off at the border; 0 for none."""


class _Draws(NamedTuple):
    """The random numbers of one batch, on the CPU."""

    order: Tensor  # (B,): which images
    corner: Tensor  # (B, 2): of the crop, from 0 to 2·padding
    flipped: Tensor  # (B,) bool
    centre: Tensor  # (B, 2): of the cutout

    def mine(self, rank: int, processes: int) -> "_Draws":
        return _Draws(*(part.chunk(processes)[rank] for part in self))


class ResidentBatches:
    """Training batches of small images, without work per image.

    Order and augmentation are pure functions of the seed and the place in training. They are drawn
    on the CPU, so they are the same on every device, for every method, for any number of processes
    (each takes its part of every batch), and after resuming. What is left over at the end of an
    epoch is dropped; the order changes, so other images are left over next time.

    Args:
        split: The images.
        batch_size: Images in a batch of all processes together.
        seed: Decides order and augmentation.
        normalization: Applied after augmentation, so black stays the darkest value.
        augmentation: What to do to the images.
        mixing: Mixup and CutMix, after augmentation.
        num_classes: K, for the targets of mixed images.
        device: Where the images live.
        rank: This process's number.
        processes: How many there are.

    Raises:
        ValueError: There are fewer images than a batch takes, the batch cannot be shared evenly,
            or a padding or cutout is negative.

    Example:
        >>> from maxsup.data import DataSettings, load_images
        >>> train = load_images(DataSettings("digits")).train
        >>> batches = ResidentBatches(
        ...     train, batch_size=64, seed=0, normalization=Normalization.of(train)
        ... )
        >>> images, labels = next(iter(batches.epoch(0)))
        >>> batches.steps, tuple(images.shape), tuple(labels.shape)
        (19, (64, 1, 8, 8), (64,))
    """

    def __init__(
        self,
        split: Split,
        *,
        batch_size: int,
        seed: int,
        normalization: Normalization,
        augmentation: Augmentation | None = None,
        mixing: Mixing | None = None,
        num_classes: int = 0,
        device: torch.device | str = "cpu",
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self._augmentation = augmentation or Augmentation()
        self._mixing = mixing or Mixing()
        check_batches(len(split), batch_size, processes, self._mixing)
        if min(self._augmentation.crop_padding, self._augmentation.cutout) < 0:
            raise ValueError(f"Lengths must not be negative; got {self._augmentation}.")
        self.steps = len(split) // batch_size
        self.readers = 0
        """Processes that read beside this one."""
        self._batch_size = batch_size
        self._seed = seed
        self._normalization = normalization
        self._num_classes = num_classes
        self._rank, self._processes = rank, processes
        self._count = len(split)
        self._height, self._width = split.images.shape[-2:]
        self._labels = split.labels.to(device)
        padding = self._augmentation.crop_padding
        padded = pad(split.images, (padding,) * 4).to(device)
        # Every crop of every image as a view: (N, corner y, corner x, C, H, W).
        self._crops = (
            padded.unfold(2, self._height, 1).unfold(3, self._width, 1).permute(0, 2, 3, 1, 4, 5)
        )

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """This process's part of an epoch's batches, from the one numbered ``start``.

        Yields:
            Images (B, C, H, W) float32, normalised, and labels (B,), or probabilities (B, K)
            where images are mixed.
        """
        device = self._labels.device
        for step, draws in enumerate(self._draws(epoch)):
            if step < start:
                continue
            mine = draws.mine(self._rank, self._processes)
            here = _Draws(*(part.to(device, non_blocking=True) for part in mine))
            images = self._normalization(self._augmented(here))
            labels = self._labels[here.order]
            if self._mixing:
                seed = derive_seed(self._seed, "mixing", epoch, step, self._rank)
                yield mix(images, labels, self._mixing, self._num_classes, seed)
            else:
                yield images, labels

    def digest(self, epoch: int) -> str:
        """SHA-256 over the order and the augmentation of an epoch, over all processes.

        The pixels follow from it and the data, so it is quick.
        """
        digest = hashlib.sha256(f"{self._augmentation} {self._mixing}".encode())
        for draws in self._draws(epoch):
            for part in draws:
                digest.update(part.numpy().tobytes())
        return digest.hexdigest()

    def _draws(self, epoch: int) -> Iterator[_Draws]:
        generator = torch.Generator().manual_seed(derive_seed(self._seed, "order", epoch))
        order = torch.randperm(self._count, generator=generator)
        generator.manual_seed(derive_seed(self._seed, "augmentation", epoch))
        shape = (self.steps * self._batch_size,)
        # All at once, whether used or not: no setting shifts the draws of another.
        corner = torch.rand((*shape, 2), generator=generator)
        flipped = torch.rand(shape, generator=generator) < 0.5
        centre = torch.rand((*shape, 2), generator=generator)
        corner = (corner * (2 * self._augmentation.crop_padding + 1)).long()
        centre = (centre * torch.tensor([self._height, self._width])).long()
        parts = (order[: len(flipped)], corner, flipped, centre)
        yield from (
            _Draws(*batch)
            for batch in zip(*(part.split(self._batch_size) for part in parts), strict=True)
        )

    def _augmented(self, draws: _Draws) -> Tensor:
        images = self._crops[draws.order, draws.corner[:, 0], draws.corner[:, 1]]
        if self._augmentation.horizontal_flip:
            images = torch.where(draws.flipped.view(-1, 1, 1, 1), images.flip(3), images)
        if self._augmentation.cutout:
            images = images.masked_fill(self._cut(draws.centre).unsqueeze(1), 0)
        return images

    def _cut(self, centre: Tensor) -> Tensor:
        """(B, H, W) bool: where the cutout lies."""
        side = self._augmentation.cutout
        low = centre - side // 2
        rows = torch.arange(self._height, device=centre.device)
        columns = torch.arange(self._width, device=centre.device)
        in_rows = (rows >= low[:, :1]) & (rows < low[:, :1] + side)
        in_columns = (columns >= low[:, 1:]) & (columns < low[:, 1:] + side)
        return in_rows.unsqueeze(2) & in_columns.unsqueeze(1)


def check_batches(count: int, batch_size: int, processes: int, mixing: Mixing) -> None:
    """See that batches can be made and shared evenly.

    Raises:
        ValueError: They cannot; the message says how to mend it.
    """
    if count < batch_size:
        raise ValueError(
            f"There are {count} training images, fewer than batch_size ({batch_size}). "
            f"Take a batch_size of at most {count}."
        )
    if batch_size % processes:
        raise ValueError(
            f"batch_size ({batch_size}) must be a multiple of the {processes} processes."
        )
    if mixing and batch_size // processes % 2:
        raise ValueError(
            f"Mixing takes an even number of images in each process; got {batch_size} over "
            f"{processes}."
        )
