"""Batches of photographs to train on."""

import hashlib
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from PIL import Image
from timm.data.random_erasing import RandomErasing
from torch import Tensor

from maxsup._seeds import derive_seed
from maxsup.data._batch_settings import BatchSettings
from maxsup.data._entry import Pixels
from maxsup.data._mixing import mix
from maxsup.data.photographs._augmentation import PhotographAugmentation
from maxsup.data.photographs._crop import random_crop_box
from maxsup.data.photographs._generators import seeded_python_and_numpy, seeded_python_and_torch
from maxsup.data.photographs._jpeg import decode_crop
from maxsup.data.photographs._rand_augment import rand_augment
from maxsup.data.photographs._reading import Job, PhotographReader, PlannedBatch
from maxsup.data.photographs._settings import PhotographSettings
from maxsup.data.photographs._split import EpochPlan, PhotographSplit


class LoadedBatches:
    """Training batches of photographs, random parts of them resized.

    Which photographs a batch has, and which part of each, are pure functions of the seed, the epoch
    and the step: the same for every method, for any number of processes (each takes its part of
    every batch) and of workers, and after resuming in the middle of an epoch. What is left over at
    the end of an epoch is dropped; the order changes, so other images are left over next time.

    Photographs are decoded and cropped in worker processes, in uint8; everything after it is done
    on the device, for a batch at a time. Mirroring comes after RandAugment, not before: its
    operations are as likely to one side as to the other, so that changes nothing.

    A photograph that cannot be read is left out of its batch, which then has one less, and noted
    in ``split.corrupt``.

    Args:
        split: The photographs.
        settings: What the batches are made of.
        device: Where batches are brought.
        rank: This process's number.
        processes: How many there are.

    Raises:
        ValueError: There are fewer images than a batch takes, it cannot be shared evenly, the
            augmentation is for images in memory, or timm does not understand the RandAugment.
    """

    def __init__(
        self,
        split: PhotographSplit,
        settings: BatchSettings,
        *,
        device: torch.device | str = "cpu",
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        augmentation = settings.augmentation or PhotographAugmentation()
        if not isinstance(augmentation, PhotographAugmentation):
            raise ValueError(
                "Photographs cannot be augmented as images in memory are; give a "
                f"PhotographAugmentation in place of {augmentation}."
            )
        settings.check(len(split), processes)
        self.steps = len(split) // settings.batch_size
        self.readers = split.settings.count_workers()
        """Processes that read beside this one."""
        self._split, self._settings, self._augmentation = split, settings, augmentation
        self._device = torch.device(device)
        self._rank, self._processes = rank, processes
        interpolation = split.settings.interpolation
        if augmentation.rand_augment is not None:
            rand_augment(augmentation.rand_augment, self._size(0), interpolation)
        decode = _RandomPart(settings.seed, augmentation, split.settings)
        self._reader = PhotographReader(split.files, decode, self.readers, self._device)
        self._erase = RandomErasing(
            probability=augmentation.erasing, mode="pixel", device=self._device
        )

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """This process's part of an epoch's batches, from the one numbered ``start``.

        Yields:
            Images (B, 3, H, W) float32, normalised, and labels (B,), or probabilities (B, K)
            where images are mixed.

        Raises:
            ValueError: More images cannot be read than may be; the message lists them.
        """
        batches = self._reader.read(self._planned(epoch, start))
        for step, (read, (labels, flipped)) in enumerate(batches, start):
            self._split.corrupt.add(read.corrupt)
            if not read.kept:
                raise ValueError(
                    f"Not one image of a batch can be read; the first: {read.corrupt[0]}"
                )
            yield self._finished(epoch, step, read.images, labels, flipped)

    def digest(self, epoch: int) -> str:
        """SHA-256 over the order and the augmentation of an epoch, over all processes.

        The crops follow from it and the data, so it is quick. The order of a stream is not known
        before it is read: its seed stands for it.
        """
        settings = f"{self._augmentation} {self._settings.mixing} {self._size(epoch)}"
        digest = hashlib.sha256(settings.encode())
        digest.update(self._split.digest_of_order(self._plan(epoch)))
        digest.update(self._flipped(epoch).numpy().tobytes())
        return digest.hexdigest()

    def _size(self, epoch: int) -> int:
        return (
            self._split.settings.size if self._settings.size is None else self._settings.size(epoch)
        )

    def _plan(self, epoch: int, start: int = 0) -> EpochPlan:
        return EpochPlan(
            seed=derive_seed(self._settings.seed, "order", epoch),
            steps=self.steps,
            start=start,
            batch_size=self._settings.batch_size,
            repeats=self._augmentation.repeats,
            rank=self._rank,
            processes=self._processes,
        )

    def _planned(self, epoch: int, start: int) -> Iterator[PlannedBatch]:
        """This process's batches, in order."""
        size, batch_size = self._size(epoch), self._settings.batch_size
        flipped = self._flipped(epoch).view(self.steps, self._processes, -1)[:, self._rank]
        batches = self._split.training_items(self._plan(epoch, start))
        for step, (items, labels) in enumerate(batches, start):
            first = step * batch_size + self._rank * (batch_size // self._processes)
            yield PlannedBatch(Job(items, size, epoch, first), (labels, flipped[step]))

    def _flipped(self, epoch: int) -> Tensor:
        """Which images of an epoch are mirrored, over all processes, (steps·batch size,)."""
        seed = derive_seed(self._settings.seed, "augmentation", epoch)
        generator = torch.Generator().manual_seed(seed)
        return torch.rand(self.steps * self._settings.batch_size, generator=generator) < 0.5

    def _finished(
        self, epoch: int, step: int, images: Tensor, labels: Tensor, flipped: Tensor
    ) -> tuple[Tensor, Tensor]:
        settings = self._settings
        images, labels, flipped = (
            part.to(self._device, non_blocking=True) for part in (images, labels, flipped)
        )
        images = images.permute(0, 3, 1, 2)
        if self._augmentation.horizontal_flip:
            images = torch.where(flipped.view(-1, 1, 1, 1), images.flip(3), images)
        images = settings.normalization(images)
        if self._augmentation.erasing:
            seed = derive_seed(settings.seed, "erasing", epoch, step, self._rank)
            with seeded_python_and_torch(seed, self._device):
                images = self._erase(images)
        if not settings.mixing:
            return images, labels
        even = len(images) - len(images) % 2
        seed = derive_seed(settings.seed, "mixing", epoch, step, self._rank)
        return mix(images[:even], labels[:even], settings.mixing, settings.num_classes, seed)


class _RandomPart:
    """Decodes a random part of each photograph; sent to the worker processes."""

    def __init__(
        self, seed: int, augmentation: PhotographAugmentation, settings: PhotographSettings
    ) -> None:
        self._seed = seed
        self._augmentation = augmentation
        self._settings = settings

    def __call__(self, content: bytes, job: Job, index: int) -> Pixels:
        augmentation, drawn_for = self._augmentation, (job.epoch, job.first + index)
        interpolation = self._settings.interpolation
        choose = partial(
            random_crop_box,
            draws=derive_seed(self._seed, "crop", *drawn_for),
            scale=augmentation.crop_scale,
            ratio=augmentation.crop_ratio,
        )
        pixels = decode_crop(
            content,
            choose,
            job.size,
            interpolation=interpolation,
            max_megapixels=self._settings.max_megapixels,
        )
        if augmentation.rand_augment is None:
            return pixels
        change = rand_augment(augmentation.rand_augment, job.size, interpolation)
        with seeded_python_and_numpy(derive_seed(self._seed, "rand-augment", *drawn_for)):
            return np.array(change(Image.fromarray(pixels)))
