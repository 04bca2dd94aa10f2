"""Batches from images that live on the device, augmented there."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from maxsup._seeds import derive_seed
from maxsup.data._batch_settings import BatchSettings
from maxsup.data._mixing import mix
from maxsup.data.small._augmentation import Augmentation


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

    Order and augmentation are pure functions of the seed, the epoch and the step. They are drawn
    on the CPU, so they are the same on every device, for every method, for any number of processes
    (each takes its part of every batch), and after resuming. What is left over at the end of an
    epoch is dropped; the order changes, so other images are left over next time.

    Args:
        images: (N, C, H, W) uint8.
        labels: (N,) int64.
        settings: What the batches are made of.
        device: Where the images live.
        rank: This process's number.
        processes: How many there are.

    Raises:
        ValueError: There are fewer images than a batch takes, the batch cannot be shared evenly,
            or the augmentation is for photographs.

    Example:
        >>> from maxsup.data import BatchSettings, DataSettings, Normalization, load_images
        >>> train = load_images(DataSettings("digits")).train
        >>> settings = BatchSettings(batch_size=64, seed=0, normalization=Normalization.of(train))
        >>> batches = train.training_batches(settings)
        >>> images, labels = next(iter(batches.epoch(0)))
        >>> batches.steps, tuple(images.shape), tuple(labels.shape)
        (19, (64, 1, 8, 8), (64,))
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        settings: BatchSettings,
        *,
        device: torch.device | str = "cpu",
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        augmentation = settings.augmentation or Augmentation()
        if not isinstance(augmentation, Augmentation):
            raise ValueError(
                "Images in memory cannot be augmented as photographs are; give an Augmentation in "
                f"place of {augmentation}."
            )
        settings.check(len(labels), processes)
        self.steps = len(labels) // settings.batch_size
        self.readers = 0
        """Processes that read beside this one."""
        self._settings, self._augmentation = settings, augmentation
        self._rank, self._processes = rank, processes
        self._height, self._width = images.shape[-2:]
        self._labels = labels.to(device)
        padded = pad(images, (augmentation.crop_padding,) * 4).to(device)
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
        device, settings = self._labels.device, self._settings
        for step, draws in enumerate(self._draws(epoch)):
            if step < start:
                continue
            mine = draws.mine(self._rank, self._processes)
            here = _Draws(*(part.to(device, non_blocking=True) for part in mine))
            images = settings.normalization(self._augmented(here))
            labels = self._labels[here.order]
            if settings.mixing:
                seed = derive_seed(settings.seed, "mixing", epoch, step, self._rank)
                yield mix(images, labels, settings.mixing, settings.num_classes, seed)
            else:
                yield images, labels

    def digest(self, epoch: int) -> str:
        """SHA-256 over the order and the augmentation of an epoch, over all processes.

        The pixels follow from it and the data, so it is quick.
        """
        digest = hashlib.sha256(f"{self._augmentation} {self._settings.mixing}".encode())
        for draws in self._draws(epoch):
            for part in draws:
                digest.update(part.numpy().tobytes())
        return digest.hexdigest()

    def _draws(self, epoch: int) -> Iterator[_Draws]:
        seed, batch_size = self._settings.seed, self._settings.batch_size
        generator = torch.Generator().manual_seed(derive_seed(seed, "order", epoch))
        order = torch.randperm(len(self._labels), generator=generator)
        generator.manual_seed(derive_seed(seed, "augmentation", epoch))
        shape = (self.steps * batch_size,)
        # All at once, whether used or not: no setting shifts the draws of another.
        corner = torch.rand((*shape, 2), generator=generator)
        flipped = torch.rand(shape, generator=generator) < 0.5
        centre = torch.rand((*shape, 2), generator=generator)
        corner = (corner * (2 * self._augmentation.crop_padding + 1)).long()
        centre = (centre * torch.tensor([self._height, self._width])).long()
        parts = (order[: len(flipped)], corner, flipped, centre)
        yield from (
            _Draws(*batch)
            for batch in zip(*(part.split(batch_size) for part in parts), strict=True)
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
