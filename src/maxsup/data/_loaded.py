"""Batches of photographs, read and cropped by processes beside the training's."""

import contextlib
import hashlib
import itertools
import math
import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from timm.data.random_erasing import RandomErasing
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from maxsup._seeds import derive_seed
from maxsup.data._batches import check_batches
from maxsup.data._corrupt import Corrupt
from maxsup.data._crop import random_crop_box
from maxsup.data._images import Split
from maxsup.data._jpeg import Pixels, decode_crop
from maxsup.data._mixing import Mixing, mix
from maxsup.data._normalize import Normalization
from maxsup.data._rand_augment import rand_augment
from maxsup.data._stored import StoredSplit
from maxsup.data._streamed import StreamedRow, StreamedSplit, read_ahead


@dataclass(frozen=True)
class PhotographAugmentation:
    """What is done to training photographs, at random for each."""

    crop_scale: tuple[float, float] = (0.08, 1.0)
    """Least and most share of the area that is cropped."""
    crop_ratio: tuple[float, float] = (3 / 4, 4 / 3)
    """Least and most width by height of the crop."""
    horizontal_flip: bool = False
    """Mirror every other image."""
    rand_augment: str | None = None
    """timm's description of a RandAugment, ``rand-m9-mstd0.5-inc1`` for example."""
    erasing: float = 0.0
    """Share of the images in which a rectangle is replaced by noise."""
    repeats: int = 1
    """Each image so many times in a row, in an epoch of that many fewer images (Hoffer 2020)."""


Item = int | StreamedRow
"""A photograph: the row of a file, or what has come of a stream."""


class _Job(NamedTuple):
    """What one process reads for one batch."""

    items: Sequence[Item]
    size: int
    epoch: int
    place: int
    """The first image's in the epoch."""


class _Batch(NamedTuple):
    """A batch before its images are read."""

    job: _Job
    known: tuple[Tensor, Tensor]
    """What is known of each image beside its pixels, (B,) each."""


class _Read(NamedTuple):
    """A batch as it comes from the process that read it."""

    images: Tensor
    """(B', H, W, 3) uint8: those that could be read."""
    kept: list[int]
    """Their places in the batch."""
    corrupt: list[Corrupt]


class LoadedBatches:
    """Training batches of photographs, random parts of them resized.

    Which photographs a batch has, and which part of each, are pure functions of the seed and the
    place in training: the same for every method, for any number of processes (each takes its part
    of every batch) and of workers, and after resuming in the middle of an epoch. What is left over
    at the end of an epoch is dropped; the order changes, so other images are left over next time.

    Photographs are decoded and cropped in worker processes, in uint8; everything after it is done
    on the device, for a batch at a time. Mirroring comes after RandAugment, not before: its
    operations are as likely to one side as to the other, so that changes nothing.

    A photograph that cannot be read is left out of its batch, which then has one less, and noted
    in ``split.corrupt``.

    Args:
        split: The photographs.
        batch_size: Images in a batch of all processes together.
        size: From the epoch, counted from 0, to the side of its images.
        seed: Decides order and augmentation.
        normalization: From uint8 to what the model is given.
        augmentation: What to do to the images.
        mixing: Mixup and CutMix, after augmentation.
        num_classes: K, for the targets of mixed images.
        device: Where batches are brought.
        rank: This process's number.
        processes: How many there are.

    Raises:
        ValueError: There are fewer images than a batch takes, it cannot be shared evenly, or timm
            does not understand the RandAugment.
    """

    def __init__(
        self,
        split: StoredSplit | StreamedSplit,
        *,
        batch_size: int,
        size: Callable[[int], int],
        seed: int,
        normalization: Normalization,
        augmentation: PhotographAugmentation | None = None,
        mixing: Mixing | None = None,
        num_classes: int = 0,
        device: torch.device | str = "cpu",
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self._augmentation = augmentation or PhotographAugmentation()
        self._mixing = mixing or Mixing()
        check_batches(len(split), batch_size, processes, self._mixing)
        self.steps = len(split) // batch_size
        self.readers = split.photographs.count_workers()
        """Processes that read beside this one."""
        self._split = split
        self._batch_size = batch_size
        self._size = size
        self._seed = seed
        self._normalization = normalization
        self._num_classes = num_classes
        self._device = torch.device(device)
        self._rank, self._processes = rank, processes
        if self._augmentation.rand_augment is not None:
            rand_augment(self._augmentation.rand_augment, size(0), split.photographs.interpolation)
        self._loader = _Loader(
            _TrainingReader(split, seed, self._augmentation),
            self.readers,
            self._device,
        )
        self._erase = RandomErasing(
            probability=self._augmentation.erasing, mode="pixel", device=self._device
        )

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """This process's part of an epoch's batches, from the one numbered ``start``.

        Yields:
            Images (B, 3, H, W) float32, normalised, and labels (B,), or probabilities (B, K)
            where images are mixed.

        Raises:
            ValueError: More images cannot be read than may be; the message lists them.
        """
        batches = self._loader.read(self._planned(epoch, start))
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
        settings = f"{self._augmentation} {self._mixing} {self._size(epoch)}"
        digest = hashlib.sha256(settings.encode())
        if isinstance(self._split, StoredSplit):
            digest.update(self._order(epoch).numpy().tobytes())
        else:
            digest.update(str(derive_seed(self._seed, "order", epoch)).encode())
        digest.update(self._flipped(epoch).numpy().tobytes())
        return digest.hexdigest()

    def _planned(self, epoch: int, start: int) -> Iterator[_Batch]:
        """This process's batches, in order."""
        size, share = self._size(epoch), self._batch_size // self._processes
        flipped = self._mine(self._flipped(epoch))
        if isinstance(self._split, StoredSplit):
            batches = self._stored(self._split, epoch, start)
        else:
            batches = self._streamed(self._split, epoch, start)
        for step, (items, labels) in enumerate(batches, start):
            place = step * self._batch_size + self._rank * share
            yield _Batch(_Job(items, size, epoch, place), (labels, flipped[step]))

    def _stored(
        self, split: StoredSplit, epoch: int, start: int
    ) -> Iterator[tuple[Sequence[Item], Tensor]]:
        for order in self._mine(self._order(epoch))[start:]:
            yield split.rows[order].tolist(), split.labels[order]

    def _streamed(
        self, split: StreamedSplit, epoch: int, start: int
    ) -> Iterator[tuple[Sequence[Item], Tensor]]:
        rows = split.read(derive_seed(self._seed, "order", epoch))
        repeated = (row for row in rows for _ in range(self._augmentation.repeats))
        # What was done before the start is read once more, and not decoded.
        ahead = read_ahead(itertools.islice(repeated, start * self._batch_size, None))
        share = self._batch_size // self._processes
        for _ in range(start, self.steps):
            batch = list(itertools.islice(ahead, self._batch_size))
            if len(batch) < self._batch_size:
                raise ValueError(
                    f"Split {split.name} has fewer images than the {len(split):,} that its "
                    "description promises."
                )
            mine = batch[self._rank * share : (self._rank + 1) * share]
            yield mine, torch.tensor([row.label for row in mine])

    def _order(self, epoch: int) -> Tensor:
        """Which samples the batches have, (steps·batch size,)."""
        generator = torch.Generator().manual_seed(derive_seed(self._seed, "order", epoch))
        order = torch.randperm(len(self._split), generator=generator)
        return order.repeat_interleave(self._augmentation.repeats)[: self.steps * self._batch_size]

    def _flipped(self, epoch: int) -> Tensor:
        """Which of them are mirrored."""
        generator = torch.Generator().manual_seed(derive_seed(self._seed, "augmentation", epoch))
        return torch.rand(self.steps * self._batch_size, generator=generator) < 0.5

    def _mine(self, of_all: Tensor) -> Tensor:
        """This process's part: (steps, B)."""
        return of_all.view(self.steps, self._processes, -1)[:, self._rank]

    def _finished(
        self, epoch: int, step: int, images: Tensor, labels: Tensor, flipped: Tensor
    ) -> tuple[Tensor, Tensor]:
        images, labels, flipped = (
            part.to(self._device, non_blocking=True) for part in (images, labels, flipped)
        )
        images = images.permute(0, 3, 1, 2)
        if self._augmentation.horizontal_flip:
            images = torch.where(flipped.view(-1, 1, 1, 1), images.flip(3), images)
        images = self._normalization(images)
        if self._augmentation.erasing:
            with _seeded(derive_seed(self._seed, "erasing", epoch, step, self._rank), self._device):
                images = self._erase(images)
        if not self._mixing:
            return images, labels
        even = len(images) - len(images) % 2
        seed = derive_seed(self._seed, "mixing", epoch, step, self._rank)
        return mix(images[:even], labels[:even], self._mixing, self._num_classes, seed)


def photograph_evaluation_batches(
    split: StoredSplit | StreamedSplit,
    batch_size: int,
    *,
    device: torch.device | str,
    rank: int,
    processes: int,
) -> Iterator[Split]:
    """The central parts of photographs, each once over all processes.

    Yields:
        Parts of at most ``batch_size`` samples, on the device, as uint8. Those that cannot be read
        are left out, and noted in ``split.corrupt``.

    Raises:
        ValueError: More images cannot be read than may be; the message lists them.
    """
    device = torch.device(device)
    if isinstance(split, StoredSplit):
        planned = _stored_to_measure(split, batch_size, rank, processes)
    else:
        planned = _streamed_to_measure(split, batch_size, rank, processes)
    parts = -(-len(split) // (processes * batch_size))
    workers = min(split.photographs.count_workers(), parts)
    loader = _Loader(_Reader(split), workers, device, persistent=False)
    for read, known in loader.read(planned):
        split.corrupt.add(read.corrupt)
        if not read.kept:
            continue
        labels, true_labels = (each.to(device, non_blocking=True) for each in known)
        images = read.images.to(device, non_blocking=True).permute(0, 3, 1, 2)
        yield Split(images, labels, true_labels)


def _stored_to_measure(
    split: StoredSplit, batch_size: int, rank: int, processes: int
) -> Iterator[_Batch]:
    mine = torch.arange(len(split)).tensor_split(processes)[rank]
    for part in mine.split(batch_size) if len(mine) else ():
        job = _Job(split.rows[part].tolist(), split.photographs.size, 0, 0)
        yield _Batch(job, (split.labels[part], split.true_labels[part]))


def _streamed_to_measure(
    split: StreamedSplit, batch_size: int, rank: int, processes: int
) -> Iterator[_Batch]:
    rows = read_ahead(itertools.islice(split.read(), rank, None, processes))
    while part := list(itertools.islice(rows, batch_size)):
        labels = torch.tensor([row.label for row in part])
        yield _Batch(_Job(part, split.photographs.size, 0, 0), (labels, labels))


class _Loader:
    """Has batches read by other processes, and brings them back in order.

    Args:
        reader: What reads.
        workers: How many processes; with none it is this one.
        device: Where the images will go.
        persistent: Keep the processes from one reading to the next.
    """

    def __init__(
        self, reader: "_Reader", workers: int, device: torch.device, *, persistent: bool = True
    ) -> None:
        self._plan = _Plan()
        self._loader = DataLoader(
            reader,
            sampler=self._plan,
            batch_size=None,
            num_workers=workers,
            collate_fn=_as_it_is,
            pin_memory=device.type == "cuda",
            persistent_workers=persistent and workers > 0,
            # Or it draws from the global one, for workers that draw nothing.
            generator=torch.Generator(),
        )

    def read(self, planned: Iterator[_Batch]) -> Iterator[tuple[_Read, tuple[Tensor, Tensor]]]:
        """The batches' images, and what is known of those that could be read."""
        self._plan.start(planned)
        for read in self._loader:
            kept = torch.tensor(read.kept, dtype=torch.int64)
            first, second = self._plan.known.popleft()
            yield read, (first[kept], second[kept])


class _Plan:
    """The batches of one reading.

    Apart from the loader, which it would hold in a cycle otherwise: its processes would end when
    the garbage collector comes by, and take seconds for it.
    """

    def __init__(self) -> None:
        self._batches: Iterator[_Batch] = iter(())
        self.known: deque[tuple[Tensor, Tensor]] = deque()
        """What is known of the batches that are being read, in order."""

    def start(self, batches: Iterator[_Batch]) -> None:
        self._batches = batches
        self.known.clear()

    def __iter__(self) -> Iterator[_Job]:
        """The jobs, asked for as the processes become free."""
        for batch in self._batches:
            self.known.append(batch.known)
            yield batch.job


class _Reader(Dataset[_Read]):
    """Reads the part of each photograph that is measured."""

    def __init__(self, split: StoredSplit | StreamedSplit) -> None:
        self._photographs = split.photographs
        self._name = split.name
        self._files = split.files if isinstance(split, StoredSplit) else None

    def __getitem__(self, job: _Job) -> _Read:
        shape = (len(job.items), job.size, job.size, 3)
        in_worker = torch.utils.data.get_worker_info() is not None
        # In memory that the training's process sees, so that no batch is copied to it.
        images = empty_shared(shape) if in_worker else torch.empty(shape, dtype=torch.uint8)
        kept: list[int] = []
        corrupt: list[Corrupt] = []
        for number, item in enumerate(job.items):
            try:
                pixels = self._decode(self._content(item), job, number)
            except (OSError, ValueError) as error:
                corrupt.append(self._described(item, str(error).strip().splitlines()[0]))
                continue
            images[len(kept)] = torch.from_numpy(self._change(pixels, job, number))
            kept.append(number)
        return _Read(images[: len(kept)], kept, corrupt)

    def _content(self, item: Item) -> bytes:
        if isinstance(item, StreamedRow):
            return item.content
        assert self._files is not None
        return self._files.read(item)

    def _described(self, item: Item, reason: str) -> Corrupt:
        if isinstance(item, StreamedRow):
            # A stream has no rows to count: the content tells one image from another.
            path = item.path or f"content {hashlib.sha256(item.content).hexdigest()[:12]}"
            return Corrupt(self._name, None, path, reason)
        assert self._files is not None
        return Corrupt(self._name, item, self._files.path(item), reason)

    def _decode(self, content: bytes, job: _Job, number: int) -> Pixels:
        return self._photographs.central(content)

    def _change(self, pixels: Pixels, job: _Job, number: int) -> Pixels:
        return pixels


class _TrainingReader(_Reader):
    """Reads a random part of each photograph."""

    def __init__(
        self, split: StoredSplit | StreamedSplit, seed: int, augmentation: PhotographAugmentation
    ) -> None:
        super().__init__(split)
        self._seed = seed
        self._augmentation = augmentation

    def _decode(self, content: bytes, job: _Job, number: int) -> Pixels:
        choose = partial(
            random_crop_box,
            draws=derive_seed(self._seed, "crop", job.epoch, job.place + number),
            scale=self._augmentation.crop_scale,
            ratio=self._augmentation.crop_ratio,
        )
        return decode_crop(content, choose, job.size, interpolation=self._photographs.interpolation)

    def _change(self, pixels: Pixels, job: _Job, number: int) -> Pixels:
        if self._augmentation.rand_augment is None:
            return pixels
        change = rand_augment(
            self._augmentation.rand_augment, job.size, self._photographs.interpolation
        )
        seed = derive_seed(self._seed, "rand-augment", job.epoch, job.place + number)
        with _seeded(seed, None):
            return np.array(change(Image.fromarray(pixels)))


def empty_shared(shape: tuple[int, ...]) -> Tensor:
    """Uninitialised uint8 in shared memory.

    Made there, as torch's own collating does: ``share_memory_`` would copy what is not there yet.
    """
    storage = torch.UntypedStorage._new_shared(math.prod(shape))
    return torch.empty(0, dtype=torch.uint8).set_(storage).view(shape)


@contextlib.contextmanager
def _seeded(seed: int, device: torch.device | None) -> Iterator[None]:
    """Timm draws from the global generators: give them a state of our own, and the old one back.

    With a device, that device's and Python's; without, Python's and numpy's.
    """
    python = random.getstate()
    random.seed(seed)
    if device is None:
        numpy = np.random.get_state()
        np.random.seed(seed)
    try:
        if device is None:
            yield
        else:
            kind = device.type
            devices = [device] if kind != "cpu" else []
            with torch.random.fork_rng(devices, device_type=kind if devices else "cuda"):
                torch.manual_seed(seed)
                yield
    finally:
        random.setstate(python)
        if device is None:
            np.random.set_state(numpy)


def _as_it_is(read: Any) -> Any:
    return read
