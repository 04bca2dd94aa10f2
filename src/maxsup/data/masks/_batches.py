"""Training batches of images with masks, augmented together on the device."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from maxsup._seeds import derive_seed
from maxsup.data._batch_settings import check_batch_size
from maxsup.data._corrupt import Corrupt, CorruptImages
from maxsup.data._entry import Pixels, UnreadableImageError
from maxsup.data.masks._batch_settings import MaskBatchSettings
from maxsup.data.masks._distortion import DRAWS as DISTORTION_DRAWS
from maxsup.data.masks._distortion import distort
from maxsup.data.masks._files import MaskFiles
from maxsup.data.masks._geometry import TRIES, Axis, axis, resized_to
from maxsup.data.masks._label_map import Labels
from maxsup.data.masks._settings import VOID
from maxsup.data.photographs._readers import Readers
from maxsup.data.photographs._settings import count_workers
from maxsup.data.photographs._shared_memory import as_tensor, batch_memory

_PLACES = slice(2, 2 + 2 * TRIES)
_DISTORTION = slice(_PLACES.stop, _PLACES.stop + DISTORTION_DRAWS)
_DRAWS = _DISTORTION.stop
"""Random numbers for an image: a factor, mirrored or not, places of the crop, colours."""


_NOTHING = Axis(*(np.empty(0) for _ in Axis._fields))


class FilesOfSplit(Protocol):
    """What batches need of images with masks."""

    @property
    def files(self) -> MaskFiles:
        """Where they are read."""

    @property
    def ids(self) -> Tensor:
        """(N,) int64: the row of each sample in the files."""

    @property
    def corrupt(self) -> CorruptImages:
        """Which could not be read so far."""

    def __len__(self) -> int:
        """How many samples there are."""


class _Job(NamedTuple):
    """What one process reads for one batch."""

    rows: Sequence[int]
    draws: Tensor
    """(B, _DRAWS) float32."""


class _Cut(NamedTuple):
    """What a batch takes of stored images, before anything is interpolated."""

    images: Tensor | Pixels
    """(B', H, W, 3) uint8: the parts that crops are of, each in the upper left corner."""
    masks: Tensor | Pixels
    """(B', H, W) uint8."""
    rows: Axis
    """The rows of each crop, (B', h), counted from the first that is taken."""
    columns: Axis
    """The columns of each, (B', w)."""
    kept: list[int]
    """The indices in the batch of those that could be read."""
    corrupt: list[Corrupt]


class _Lines(NamedTuple):
    """The rows or columns of a batch of crops, on the device; as :class:`Axis` has them."""

    low: Tensor
    weight: Tensor
    nearest: Tensor
    inside: Tensor


class MaskBatches:
    """Training batches of random crops of images with masks; a :class:`TrainingBatches`.

    Which images a batch has, their factors, places and colours are pure functions of the seed, the
    epoch and the place in it: the same for every method, on every device, for any number of
    processes (each takes its part of every batch) and of readers, and after resuming. What is left
    over at the end of an epoch is dropped; the order changes, so other images are left over next
    time.

    Images are interpolated bilinearly. A mask's pixel is always the label of one pixel of the
    stored mask, so that no label arises that was not there. What a crop has beyond an image is
    void in the mask, and 0, the mean, in the normalised image, below and to the right of it.

    Images that fit into memory are decoded once. Otherwise other processes read them. A sample that
    cannot be read is left out of its batch, which then has one less, and noted in ``corrupt``.

    Args:
        split: The images with masks.
        settings: What the batches are made of.
        device: Where batches are brought, and augmented.
        rank: This process's number.
        processes: How many there are.

    Raises:
        ValueError: There are fewer images than a batch takes, or it cannot be shared evenly.
    """

    def __init__(
        self,
        split: FilesOfSplit,
        settings: MaskBatchSettings,
        *,
        device: torch.device | str = "cpu",
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        check_batch_size(settings.batch_size, len(split), processes)
        self.steps = settings.steps or len(split) // settings.batch_size
        self.readers = 0 if split.files.keep else count_workers(settings.workers)
        """Processes that read beside this one."""
        self._split, self._settings = split, settings
        self._device = torch.device(device)
        self._rank, self._processes = rank, processes
        self._reader: Readers[_Job, _Cut] = Readers(
            _Cutter(split.files, settings), self.readers, self._device
        )

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """This process's part of an epoch's batches, from the one numbered ``start``.

        Yields:
            Images (B, 3, h, w) float32, normalised, and labels (B, h, w) int64, 255 for void.

        Raises:
            ValueError: More images cannot be read than may be; the message lists them.
        """
        for cut, draws in self._reader.read(self._planned(epoch, start)):
            self._split.corrupt.add(cut.corrupt)
            if not cut.kept:
                raise ValueError(
                    f"Not one image of a batch can be read; the first: {cut.corrupt[0]}"
                )
            yield self._finished(cut, draws[cut.kept])

    def digest(self, epoch: int) -> str:
        """SHA-256 over the order and the augmentation of an epoch, over all processes.

        The pixels follow from it and the data, so it is quick.
        """
        s = self._settings
        augmentation = (
            s.crop, s.scale, s.resize, s.flip, s.photometric_distortion, s.cat_max_ratio
        )  # fmt: skip
        digest = hashlib.sha256(repr(augmentation).encode())
        for part in self._draws(epoch):
            digest.update(part.numpy().tobytes())
        return digest.hexdigest()

    def _draws(self, epoch: int) -> tuple[Tensor, Tensor]:
        """The order of an epoch, (steps·batch size,), and the random numbers of each place."""
        count = self.steps * self._settings.batch_size
        generator = torch.Generator()
        if self._settings.steps is None:
            order = self._pass(epoch)[:count]
        else:
            # What is left of one pass over the images comes at the beginning of the next epoch.
            images = len(self._split)
            first, last = epoch * count // images, ((epoch + 1) * count - 1) // images
            passes = [self._pass(number) for number in range(first, last + 1)]
            order = torch.cat(passes)[epoch * count - first * images :][:count]
        generator.manual_seed(derive_seed(self._settings.seed, "augmentation", epoch))
        # All at once, whether used or not: no setting shifts the draws of another.
        return order, torch.rand(count, _DRAWS, generator=generator)

    def _pass(self, number: int) -> Tensor:
        """All images in a random order."""
        seed = derive_seed(self._settings.seed, "order", number)
        return torch.randperm(len(self._split), generator=torch.Generator().manual_seed(seed))

    def _planned(self, epoch: int, start: int) -> Iterator[tuple[_Job, Tensor]]:
        """This process's batches, in order, and what they draw."""
        order, draws = (
            part.view(self.steps, self._processes, -1, *part.shape[1:])[:, self._rank]
            for part in self._draws(epoch)
        )
        for step in range(start, self.steps):
            rows = self._split.ids[order[step]].tolist()
            yield _Job(rows, draws[step]), draws[step]

    def _finished(self, cut: _Cut, draws: Tensor) -> tuple[Tensor, Tensor]:
        settings = self._settings
        images, masks = (self._here(as_tensor(part)) for part in (cut.images, cut.masks))
        rows, columns = (
            _Lines(*(self._here(torch.from_numpy(part)) for part in lines))
            for lines in (cut.rows, cut.columns)
        )
        outside = ~(rows.inside.unsqueeze(2) & columns.inside.unsqueeze(1))
        crops = _interpolated(images, rows, columns)
        if settings.photometric_distortion:
            crops = distort(crops, draws[:, _DISTORTION])
        crops = settings.normalization(crops).masked_fill(outside.unsqueeze(1), 0)
        labels = _across(_rows_of(masks, rows.nearest), columns.nearest)
        return crops, labels.long().masked_fill(outside, VOID)

    def _here(self, part: Tensor) -> Tensor:
        return part.to(self._device, non_blocking=True)


def _interpolated(images: Tensor, rows: _Lines, columns: _Lines) -> Tensor:
    """Crops (B, 3, h, w) float32 of parts (B, H, W, 3) uint8, from 0 to 255."""
    # What lies beyond the end of what is there has weight 0.
    below = (rows.low + 1).clamp(max=images.shape[1] - 1)
    before, after = (_rows_of(images, lines).float() for lines in (rows.low, below))
    images = torch.lerp(before, after, rows.weight[:, :, None, None])
    images = images.permute(0, 3, 1, 2).contiguous()
    right = (columns.low + 1).clamp(max=images.shape[3] - 1)
    before, after = (_across(images, lines) for lines in (columns.low, right))
    return torch.lerp(before, after, columns.weight[:, None, None])


def _rows_of(images: Tensor, rows: Tensor) -> Tensor:
    """Of each image (B, H, ...) its own rows (B, h); they are copied as a whole."""
    first = torch.arange(len(images), device=images.device).unsqueeze(1) * images.shape[1]
    found = images.flatten(0, 1).index_select(0, (first + rows).flatten())
    return found.view(*rows.shape, *images.shape[2:])


def _across(images: Tensor, columns: Tensor) -> Tensor:
    """Of each image (B, ..., W) its own columns (B, w)."""
    lines = columns.view(len(images), *[1] * (images.dim() - 2), -1)
    return images.gather(-1, lines.expand(*images.shape[:-1], -1))


class _Cutter:
    """Reads the images and masks of a batch, and what crops need of them; sent to the readers."""

    def __init__(self, files: MaskFiles, settings: MaskBatchSettings) -> None:
        self._files, self._settings = files, settings

    def __call__(self, job: _Job) -> _Cut:
        parts: list[tuple[Pixels, Labels, Axis, Axis]] = []
        kept: list[int] = []
        corrupt: list[Corrupt] = []
        for index, row in enumerate(job.rows):
            try:
                pixels, labels = self._files.read(row)
            except UnreadableImageError as error:
                corrupt.append(self._files.describe(row, error.reason))
                continue
            rows, columns = self._place(labels, job.draws[index].tolist())
            part = slice(rows.start, rows.stop), slice(columns.start, columns.stop)
            parts.append((pixels[part], labels[part], _within(rows), _within(columns)))
            kept.append(index)
        sides = [labels.shape for _, labels, *_ in parts]
        height, width = (max((side[dim] for side in sides), default=1) for dim in (0, 1))
        images = batch_memory((len(parts), height, width, 3))
        masks = batch_memory((len(parts), height, width))
        for number, (pixels, labels, *_) in enumerate(parts):
            tall, wide = labels.shape
            np.asarray(images)[number, :tall, :wide] = pixels
            np.asarray(masks)[number, :tall, :wide] = labels
        rows, columns = (_stacked([part[which] for part in parts]) for which in (2, 3))
        return _Cut(images, masks, rows, columns, kept, corrupt)

    def _place(self, labels: Labels, draws: list[float]) -> tuple[Axis, Axis]:
        """The rows and columns of a crop, as they lie in the stored image."""
        settings = self._settings
        least, most = settings.scale
        height, width = labels.shape
        resized = resized_to(height, width, least + (most - least) * draws[0], settings.resize)
        places = draws[_PLACES]
        for down, across in zip(places[::2], places[1::2], strict=True):
            rows = axis(height, resized[0], settings.crop[0], down)
            columns = axis(width, resized[1], settings.crop[1], across)
            if settings.cat_max_ratio == 1 or _is_varied(
                labels, rows, columns, settings.cat_max_ratio
            ):
                break
        if settings.flip and draws[1] < 0.5:
            # Mirrored with all that stands beyond the image, which is beyond it on the left then.
            columns = Axis(*(part[::-1] for part in columns))
        return rows, columns


def _is_varied(labels: Labels, rows: Axis, columns: Axis, most: float) -> bool:
    """Whether no class has more than this fraction of the labelled pixels, and there are two."""
    crop = labels[np.ix_(rows.nearest[rows.inside], columns.nearest[columns.inside])]
    counts = np.bincount(crop.ravel(), minlength=256)[:VOID]
    return bool(np.count_nonzero(counts) > 1 and counts.max() < most * counts.sum())


def _within(whole: Axis) -> Axis:
    """The same, counted from the first pixel that is taken."""
    return whole._replace(low=whole.low - whole.start, nearest=whole.nearest - whole.start)


def _stacked(lines: list[Any]) -> Axis:
    return Axis(*(np.stack(each) for each in zip(*lines, strict=True))) if lines else _NOTHING
