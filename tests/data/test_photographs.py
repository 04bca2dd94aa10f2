"""Photographs that are read as they are needed."""

import gc
import random
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch

from maxsup._seeds import derive_seed
from maxsup.data import (
    BatchSettings,
    DataSettings,
    ImageData,
    LoadedBatches,
    Mixing,
    Normalization,
    PhotographAugmentation,
    PhotographSettings,
    StoredSplit,
    centre_box,
    decode_crop,
    load_images,
    random_crop_box,
)

from .folders import image_folder, picture

COUNT = 23  # of each class: divides by nothing
AS_IT_IS = Normalization((0.0,) * 3, (1 / 255,) * 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photographs")
    splits = {"train": COUNT, "test": 7}
    return image_folder(root, splits, make=partial(picture, size=(40, 30)))


def load(folder: Path, workers: int = 0, **settings: Any) -> ImageData:
    photographs = PhotographSettings(size=16, crop=0.875, workers=workers)
    return load_images(DataSettings(str(folder), **settings), photographs=photographs)


def train_split(folder: Path, workers: int = 0, **settings: Any) -> StoredSplit:
    split = load(folder, workers, **settings).train
    assert isinstance(split, StoredSplit)
    return split


def batches(split: StoredSplit, rank: int = 0, processes: int = 1, **changes: Any) -> LoadedBatches:
    options: dict[str, Any] = {
        "batch_size": 8,
        "size": lambda epoch: 16,
        "seed": 0,
        "normalization": AS_IT_IS,
    }
    settings = BatchSettings(**(options | changes))
    return split.training_batches(settings, rank=rank, processes=processes)


def joined(split: StoredSplit, processes: int, **changes: Any) -> list[tuple[torch.Tensor, ...]]:
    """An epoch's batches, put together from those of all processes."""
    parts = [
        list(batches(split, rank=rank, processes=processes, **changes).epoch(1))
        for rank in range(processes)
    ]
    return [
        tuple(torch.cat(each) for each in zip(*step, strict=True))
        for step in zip(*parts, strict=True)
    ]


def test_loaded_batches_hold_the_crops_of_their_samples(folder: Path) -> None:
    split = train_split(folder)
    made = batches(split, augmentation=PhotographAugmentation(horizontal_flip=True))
    generator = torch.Generator().manual_seed(derive_seed(0, "order", 1))
    order = torch.randperm(2 * COUNT, generator=generator)
    generator.manual_seed(derive_seed(0, "augmentation", 1))
    flipped = torch.rand(40, generator=generator) < 0.5
    assert 0 < flipped.sum() < 40
    place = 0
    for images, labels in made.epoch(1):
        assert images.dtype == torch.float32
        for image, label in zip(images, labels, strict=True):
            row = int(order[place])
            choose = partial(random_crop_box, draws=derive_seed(0, "crop", 1, place))
            expected = torch.from_numpy(decode_crop(split.files.read(row), choose, 16))
            if flipped[place]:
                expected = expected.flip(1)
            assert torch.allclose(image, expected.permute(2, 0, 1).float(), atol=1e-3)
            assert label == split.labels[row]
            place += 1
    assert place == made.steps * 8 == 40


@pytest.mark.parametrize("processes", [1, 2, 4])
@pytest.mark.parametrize("workers", [0, 2])
def test_loaded_batches_are_the_same_for_any_processes_and_workers(
    folder: Path, processes: int, workers: int
) -> None:
    augmentation = PhotographAugmentation(horizontal_flip=True, rand_augment="rand-m9-mstd0.5-inc1")
    expected = joined(train_split(folder), 1, augmentation=augmentation)
    found = joined(train_split(folder, workers), processes, augmentation=augmentation)
    assert len(found) == 5
    for ours, theirs in zip(found, expected, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("batch_size", [1, 4, 46, 50])
@pytest.mark.parametrize(("processes", "workers"), [(1, 0), (2, 2), (3, 2)])
def test_evaluation_batches_have_every_photograph_once(
    folder: Path, processes: int, workers: int, batch_size: int
) -> None:
    """Over processes and workers, also where they do not divide the samples."""
    split = train_split(folder, workers)
    seen: dict[bytes, int] = {}
    for rank in range(processes):
        for part in split.evaluation_batches(batch_size, rank=rank, processes=processes):
            for image, label in zip(part.images, part.labels, strict=True):
                key = image.contiguous().numpy().tobytes()
                assert key not in seen
                seen[key] = int(label)
    expected = {}
    for row in range(len(split)):
        pixels = decode_crop(split.files.read(row), lambda w, h: centre_box(w, h, 0.875), 16)
        key = np.ascontiguousarray(pixels.transpose(2, 0, 1)).tobytes()
        expected[key] = int(split.labels[row])
    assert seen == expected
    assert len(seen) == 2 * COUNT


def test_loaded_batches_have_as_many_different_samples_as_fit(folder: Path) -> None:
    split = train_split(folder)
    # No crop and no resizing, so that pixels tell which photograph it is.
    whole = PhotographAugmentation(crop_scale=(1.0, 1.0), crop_ratio=(4 / 3, 4 / 3))
    for epoch in range(2):
        seen = [
            image.numpy().tobytes()
            for images, _ in batches(split, augmentation=whole).epoch(epoch)
            for image in images
        ]
        assert len(seen) == len(set(seen)) == 40


@pytest.mark.parametrize("workers", [0, 2])
def test_loaded_batches_go_on_in_the_middle_of_an_epoch(folder: Path, workers: int) -> None:
    augmentation = PhotographAugmentation(horizontal_flip=True, erasing=0.5)
    options: dict[str, Any] = {
        "augmentation": augmentation,
        "mixing": Mixing(mixup=0.2),
        "num_classes": 2,
    }
    split = train_split(folder, workers)
    whole = list(batches(split, **options).epoch(3))
    rest = list(batches(split, **options).epoch(3, start=2))
    assert len(whole) == 5
    for ours, theirs in zip(rest, whole[2:], strict=True):
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_loaded_batches_keep_workers_from_epoch_to_epoch(folder: Path) -> None:
    made = batches(train_split(folder, workers=1))
    first, second = (torch.cat([images for images, _ in made.epoch(epoch)]) for epoch in (0, 1))
    assert not torch.equal(first, second)
    fresh = batches(train_split(folder))
    again = torch.cat([images for images, _ in fresh.epoch(1)])
    assert torch.equal(second, again)


def test_loaded_batches_are_the_same_without_shared_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container, where /dev/shm has 64 MB; the readers are forked with what is set here."""
    from maxsup.data.photographs import _shared_memory

    def none_left(shape: tuple[int, ...]) -> torch.Tensor:
        raise RuntimeError("unable to allocate shared memory(shm) for file </torch_1>: No space")

    expected = [images for images, _ in batches(train_split(folder, 0)).epoch(0)]
    monkeypatch.setattr(_shared_memory, "empty_shared", none_left)
    with pytest.warns(UserWarning, match="no shared memory left .*fewer --workers"):
        found = [images for images, _ in batches(train_split(folder, 2)).epoch(0)]
    assert all(map(torch.equal, found, expected))
    assert len(found) == len(expected)


def test_loaded_batches_end_with_their_workers(folder: Path) -> None:
    before = set(psutil.Process().children())
    made = batches(train_split(folder, workers=2))
    list(made.epoch(0))
    workers = set(psutil.Process().children()) - before
    assert len(workers) == 2
    gc.disable()  # it is not to be what ends them
    try:
        del made
        assert not any(worker.is_running() for worker in workers)
    finally:
        gc.enable()


def test_loaded_batches_repeat_fewer_images_more_often(folder: Path) -> None:
    split = train_split(folder)
    augmentation = PhotographAugmentation(repeats=3)
    made = batches(split, augmentation=augmentation)
    assert made.steps == 5
    order = split.order(made._plan(0))
    assert len(order) == 40
    assert order[:39].view(13, 3).unique(dim=1).shape == (13, 1)
    assert len(order.unique()) == 14
    # Another view each time.
    images = torch.cat([images for images, _ in made.epoch(0)])
    assert not torch.equal(images[0], images[1])


def test_loaded_batches_erase_and_augment_and_change_no_generator(folder: Path) -> None:
    split = train_split(folder)
    plain = torch.cat([images for images, _ in batches(split).epoch(0)])
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    erasing = batches(split, augmentation=PhotographAugmentation(erasing=0.5))
    erased = torch.cat([images for images, _ in erasing.epoch(0)])
    changed = (erased != plain).flatten(1).any(dim=1)
    assert 8 < changed.sum() < 32
    augmenting = batches(split, augmentation=PhotographAugmentation(rand_augment="rand-m9-n2"))
    augmented = torch.cat([images for images, _ in augmenting.epoch(0)])
    assert (augmented != plain).flatten(1).any(dim=1).sum() > 20
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]
    assert torch.equal(torch.get_rng_state(), states[2])


def test_rand_augment_can_do_every_strength(folder: Path) -> None:
    """Pillow 13 refuses what the strongest posterizing of timm asks for."""
    from PIL import Image

    from maxsup.data.photographs._rand_augment import rand_augment

    change = rand_augment("rand-m10-inc1", 16, "bilinear")
    image = picture(0, (16, 16))
    for operation in change.ops:  # type: ignore[attr-defined]
        operation.prob = 1.0
        changed = operation(image)
        assert changed.size == (16, 16)
        if operation.name == "PosterizeIncreasing":
            assert changed.tobytes() == Image.new("RGB", (16, 16)).tobytes()


def test_rand_augment_that_timm_does_not_know(folder: Path) -> None:
    augmentation = PhotographAugmentation(rand_augment="rand-q9")
    with pytest.raises(ValueError, match="timm does not understand the RandAugment 'rand-q9'"):
        batches(train_split(folder), augmentation=augmentation)


def test_loaded_batches_have_the_size_of_the_epoch(folder: Path) -> None:
    made = batches(train_split(folder), size=[16, 24].__getitem__)
    assert [next(made.epoch(epoch))[0].shape for epoch in (0, 1)] == [
        (8, 3, 16, 16),
        (8, 3, 24, 24),
    ]
    assert made.digest(0) != made.digest(1)


def test_loaded_batches_digest_tells_augmentations_and_seeds_apart(folder: Path) -> None:
    split = train_split(folder)
    plain = batches(split).digest(0)
    assert batches(split).digest(0) == plain
    assert batches(split, seed=1).digest(0) != plain
    assert batches(split, augmentation=PhotographAugmentation(erasing=0.1)).digest(0) != plain


@pytest.fixture
def broken(folder: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "broken"
    shutil.copytree(folder, copy)
    (copy / "train" / "cat" / "3.png").write_bytes(b"")
    (copy / "train" / "dog" / "4.png").write_bytes(b"not an image")
    return copy


@pytest.mark.parametrize("workers", [0, 2])
def test_corrupt_photographs_are_left_out_and_noted(broken: Path, workers: int) -> None:
    split = train_split(broken, workers, max_corrupt=2)
    sizes, labels = [], []
    whole = PhotographAugmentation(crop_scale=(1.0, 1.0))
    for epoch in range(3):
        for images, target in batches(split, augmentation=whole).epoch(epoch):
            sizes.append(len(images))
            labels.append(len(target))
    assert sizes == labels
    assert sum(sizes) < 3 * 40
    found = split.corrupt.listed()
    assert [each.path.rpartition("train/")[2] for each in found] == ["cat/3.png", "dog/4.png"]
    assert [split.labels[each.row] for each in found] == [0, 1]
    assert "it is empty" in found[0].reason
    measured = sum(len(part) for part in split.evaluation_batches(8))
    assert measured == 2 * COUNT - 2


def test_corrupt_photographs_stop_with_their_list_if_too_many(broken: Path) -> None:
    split = train_split(broken, max_corrupt=1)
    with pytest.raises(ValueError, match=r"2 images cannot be read, and --max-corrupt") as caught:
        list(split.evaluation_batches(64))
    assert "cat/3.png" in str(caught.value)
    assert "dog/4.png" in str(caught.value)


def test_corrupt_photographs_leave_no_empty_batch(broken: Path) -> None:
    split = train_split(broken, max_corrupt=2)
    sizes = [len(part) for part in split.evaluation_batches(1)]
    assert sizes == [1] * (2 * COUNT - 2)


def test_corrupt_photographs_are_missing_files_too(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "missing"
    shutil.copytree(folder, copy)
    split = train_split(copy, max_corrupt=1)
    (copy / "train" / "cat" / "3.png").unlink()
    assert sum(len(part) for part in split.evaluation_batches(8)) == 2 * COUNT - 1
    assert "No such file" in split.corrupt.listed()[0].reason


def test_corrupt_photographs_leave_an_even_number_to_mix(broken: Path) -> None:
    split = train_split(broken, max_corrupt=2)
    made = batches(split, mixing=Mixing(mixup=1.0), num_classes=2)
    for images, target in made.epoch(0):
        assert len(images) == len(target)
        assert len(images) % 2 == 0


def test_stored_split_has_the_parts_and_noise_of_a_resident_one(folder: Path) -> None:
    stored = load(folder, label_noise=0.25, validation=0.2)
    resident = load_images(
        DataSettings(str(folder), label_noise=0.25, validation=0.2), image_size=16
    )
    for name in ("train", "validation", "test"):
        ours, theirs = getattr(stored, name), getattr(resident, name)
        assert torch.equal(ours.labels, theirs.labels)
        assert torch.equal(ours.true_labels, theirs.true_labels)
    assert stored.image_shape == (3, 16, 16)
    assert Normalization.of(stored.train).mean == (0.485, 0.456, 0.406)


def test_stored_split_fingerprint_is_of_labels_names_and_lengths(
    folder: Path, tmp_path: Path
) -> None:
    fingerprint = load(folder).fingerprint
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)
    assert load(moved).fingerprint == fingerprint
    assert load(folder, label_noise=0.1).fingerprint != fingerprint
    (moved / "train" / "cat" / "3.png").rename(moved / "train" / "cat" / "x.png")
    assert load(moved).fingerprint != fingerprint


def test_stored_split_of_embedded_images(tmp_path: Path) -> None:
    import datasets

    from .folders import parquet

    columns = {
        "image": [picture(number, (40, 30)) for number in range(8)],
        "label": [number % 2 for number in range(8)],
    }
    kinds = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])}
    for name in ("train", "test"):
        parquet(tmp_path / f"{name}.parquet", columns, kinds)
    split = train_split(tmp_path)
    (part,) = split.evaluation_batches(64)
    assert part.images.shape == (8, 3, 16, 16)
    assert load(tmp_path).fingerprint != load(tmp_path, train_split="train[:6]").fingerprint


def test_photograph_settings_are_not_for_digits() -> None:
    with pytest.raises(ValueError, match="The digits are no photographs"):
        load_images(DataSettings("digits"), photographs=PhotographSettings(size=16))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 0}, "size must be at least 1 pixel; got 0"),
        ({"crop": 1.5}, r"crop must lie in \(0, 1\]; got 1.5"),
        ({"workers": -1}, "workers must not be negative; got -1"),
    ],
)
def test_photograph_settings_out_of_range(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PhotographSettings(**({"size": 16} | changes))


def test_photograph_settings_share_cores_between_the_trainings_of_a_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(12)))
    assert PhotographSettings(size=16).count_workers() == 12
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert PhotographSettings(size=16).count_workers() == 3
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "64")
    assert PhotographSettings(size=16).count_workers() == 1
    assert PhotographSettings(size=16, workers=0).count_workers() == 0
