"""Photographs that are streamed."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import pytest
import torch

from maxsup.data import (
    BatchSettings,
    DataSettings,
    ImageData,
    LoadedBatches,
    Normalization,
    PhotographAugmentation,
    PhotographSettings,
    StreamedSplit,
    load_images,
)
from maxsup.data.photographs._read_ahead import read_ahead

from .folders import image_folder, picture, web_dataset

KINDS = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])}
SIZES = (13, 9, 15)  # of the files: nothing divides them
COUNT = sum(SIZES)


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """datasets waits for five seconds after each stream of several files has ended."""
    monkeypatch.setattr(datasets.config, "SLEEP_TIME_ON_THREADS_SHUTDOWN", 0.05, raising=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Several Parquet files, as on the Hub."""
    root: Path = tmp_path_factory.mktemp("stream")
    first = 0
    for number, size in enumerate((*SIZES, 8)):
        split = "train" if number < len(SIZES) else "test"
        columns = {
            "image": [picture(first + i, (40, 30)) for i in range(size)],
            "label": [(first + i) % 2 for i in range(size)],
            "other": ["left out"] * size,
        }
        features = datasets.Features(KINDS | {"other": datasets.Value("string")})
        rows = datasets.Dataset.from_dict(columns, features=features)
        rows.to_parquet(root / f"{split}-{number:05d}-of-00004.parquet")
        first += size
    return root


def load(folder: Path | str, workers: int = 0, **settings: Any) -> ImageData:
    return load_images(
        DataSettings(str(folder), streaming=True, **settings),
        photographs=PhotographSettings(size=16, crop=0.875, workers=workers),
    )


def train_split(folder: Path, workers: int = 0, **settings: Any) -> StreamedSplit:
    split = load(folder, workers, **settings).train
    assert isinstance(split, StreamedSplit)
    return split


def batches(
    split: StreamedSplit, rank: int = 0, processes: int = 1, **changes: Any
) -> LoadedBatches:
    options: dict[str, Any] = {
        "batch_size": 8,
        "size": lambda epoch: 16,
        "seed": 0,
        "normalization": Normalization((0.0,) * 3, (1 / 255,) * 3),
        "augmentation": PhotographAugmentation(horizontal_flip=True),
    }
    settings = BatchSettings(**(options | changes))
    return split.training_batches(settings, rank=rank, processes=processes)


def joined(split: StreamedSplit, processes: int) -> list[tuple[torch.Tensor, ...]]:
    parts = [
        list(batches(split, rank=rank, processes=processes).epoch(1)) for rank in range(processes)
    ]
    return [
        tuple(torch.cat(each) for each in zip(*step, strict=True))
        for step in zip(*parts, strict=True)
    ]


@pytest.mark.parametrize(("processes", "workers"), [(1, 2), (2, 0), (2, 2), (4, 1)])
def test_streamed_batches_are_the_same_for_any_processes_and_workers(
    folder: Path, processes: int, workers: int
) -> None:
    expected = joined(train_split(folder), 1)
    found = joined(train_split(folder, workers), processes)
    assert len(found) == COUNT // 8
    for ours, theirs in zip(found, expected, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize(("processes", "workers"), [(1, 0), (2, 2), (3, 2)])
def test_streamed_evaluation_batches_have_every_sample_once(
    folder: Path, processes: int, workers: int
) -> None:
    stored = load_images(
        DataSettings(str(folder)), photographs=PhotographSettings(16, 0.875, workers=0)
    )
    (whole,) = stored.train.evaluation_batches(64)
    expected = Counter(image.contiguous().numpy().tobytes() for image in whole.images)
    assert len(expected) == COUNT
    split = train_split(folder, workers)
    found: Counter[bytes] = Counter()
    for rank in range(processes):
        for part in split.evaluation_batches(5, rank=rank, processes=processes):
            found.update(image.contiguous().numpy().tobytes() for image in part.images)
    assert found == expected


def test_streamed_batches_have_each_image_once_and_another_order_each_epoch(folder: Path) -> None:
    split = train_split(folder)
    plain = PhotographAugmentation(crop_scale=(1.0, 1.0), crop_ratio=(4 / 3, 4 / 3))
    orders = []
    for epoch in range(2):
        images = [
            image.numpy().tobytes()
            for batch, _ in batches(split, augmentation=plain).epoch(epoch)
            for image in batch
        ]
        assert len(set(images)) == len(images) == COUNT // 8 * 8
        orders.append(images)
    assert orders[0] != orders[1]


@pytest.mark.parametrize("workers", [0, 2])
def test_streamed_batches_go_on_in_the_middle_of_an_epoch(folder: Path, workers: int) -> None:
    split = train_split(folder, workers)
    repeated = {"augmentation": PhotographAugmentation(repeats=3)}
    for options in ({}, repeated):
        whole = list(batches(split, **options).epoch(2))
        rest = list(batches(split, **options).epoch(2, start=3))
        assert len(whole) == COUNT // 8
        for ours, theirs in zip(rest, whole[3:], strict=True):
            assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_streamed_split_has_the_labels_of_the_data_at_rest(folder: Path) -> None:
    streamed = load(folder)
    stored = load_images(DataSettings(str(folder)), photographs=PhotographSettings(16))
    assert streamed.classes == stored.classes == ("cat", "dog")
    assert len(streamed.train) == len(stored.train)
    assert len(streamed.test) == len(stored.test)
    read = [row.label for row in train_split(folder).read()]
    assert read == stored.train.labels.tolist()  # type: ignore[union-attr]
    assert streamed.fingerprint == load(folder).fingerprint != stored.fingerprint


def test_streamed_split_of_image_folders_and_tars(tmp_path: Path) -> None:
    make = partial(picture, size=(20, 30))
    image_folder(tmp_path / "folder", {"train": 4, "test": 2}, make=make)
    web_dataset(tmp_path / "tars" / "train-0.tar", [0, 1, 2, 1])
    web_dataset(tmp_path / "tars" / "train-1.tar", [2, 1])
    web_dataset(tmp_path / "tars" / "test-0.tar", [0, 2])
    for name, classes, count in (("folder", ("cat", "dog"), 8), ("tars", ("0", "1", "2"), 6)):
        data = load(tmp_path / name)
        assert data.classes == classes
        assert len(data.train) == count
        labels = torch.cat([part.labels for part in data.train.evaluation_batches(3)])
        assert labels.bincount().tolist() == ([4, 4] if name == "folder" else [1, 3, 2])


def test_streamed_corrupt_photographs_are_left_out_and_noted(tmp_path: Path) -> None:
    make = partial(picture, size=(20, 30))
    image_folder(tmp_path, {"train": 6, "test": 2}, make=make)
    (tmp_path / "train" / "cat" / "3.png").write_bytes(b"not an image")
    split = train_split(tmp_path, max_corrupt=1)
    for _ in range(2):
        assert sum(len(part) for part in split.evaluation_batches(4)) == 11
    (corrupt,) = split.corrupt.listed()
    assert corrupt.row is None
    assert str(corrupt).startswith("split train (")
    assert "cat/3.png" in str(corrupt)
    with pytest.raises(ValueError, match="1 image cannot be read, and --max-corrupt allows 0"):
        list(train_split(tmp_path).evaluation_batches(4))


def test_streamed_split_that_ends_early_is_an_error(folder: Path) -> None:
    import dataclasses

    split = dataclasses.replace(train_split(folder), count=COUNT + 20)
    with pytest.raises(ValueError, match=r"has fewer images than the 57 that its description"):
        list(batches(split).epoch(0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"label_noise": 0.1}, "--label-noise needs all labels before training"),
        ({"validation": 0.1}, "--validation needs all labels"),
        ({"imbalance": 10.0}, "--imbalance needs all labels"),
        ({"train_split": "train[:10]"}, r"train\[:10\] is a part of a split"),
    ],
)
def test_streaming_cannot_give_what_needs_labels(
    folder: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        load(folder, **settings)


def test_streaming_is_not_for_small_images(folder: Path) -> None:
    with pytest.raises(ValueError, match="--streaming is for photographs"):
        load_images(DataSettings(str(folder), streaming=True))


def test_streaming_needs_a_split_to_measure_on(tmp_path: Path) -> None:
    image_folder(tmp_path, {"": 3}, make=partial(picture, size=(20, 30)))
    with pytest.raises(ValueError, match="no split to measure on"):
        load(tmp_path)


def test_read_ahead_brings_errors_through_and_ends() -> None:
    def rows() -> Any:
        yield 1
        raise OSError("the network is gone")

    ahead = read_ahead(rows())
    assert next(ahead) == 1
    with pytest.raises(OSError, match="the network is gone"):
        next(ahead)
    # Left in the middle: the thread ends, though there is more than it may hold.
    endless = read_ahead(iter(range(10**9)))
    assert next(endless) == 0
    endless.close()
