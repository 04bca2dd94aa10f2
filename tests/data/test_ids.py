"""Which sample of its source each image is, whatever was done to the data since."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from maxsup.data import (
    Box,
    DataSettings,
    ImageData,
    ImageSplit,
    LabelledSplit,
    PhotographSettings,
    ResidentSplit,
    decode_crop,
    load_images,
)

from .folders import image_folder, picture

COUNT = 11  # of each of the two classes


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ids")
    return image_folder(root, {"train": COUNT, "test": 4}, make=partial(picture, size=(20, 16)))


def load(folder: Path, kind: str, workers: int = 0, **settings: object) -> ImageData:
    """The same folder in memory, on disk, or streamed."""
    photographs = None if kind == "small" else PhotographSettings(16, workers=workers)
    options = DataSettings(str(folder), streaming=kind == "streamed", **settings)  # type: ignore[arg-type]
    return load_images(options, photographs=photographs)


def measured(split: ImageSplit, batch_size: int, processes: int = 1) -> list[list[int]]:
    """The ids that each process meets."""
    found = []
    for rank in range(processes):
        batches = split.evaluation_batches(batch_size, rank=rank, processes=processes)
        found.append([each for batch in batches for each in batch.ids.tolist()])
    return found


@pytest.mark.parametrize("kind", ["small", "stored", "streamed"])
@pytest.mark.parametrize(("processes", "workers"), [(1, 0), (2, 0), (2, 2), (3, 2)])
def test_ids_of_all_processes_are_each_sample_once(
    folder: Path, kind: str, processes: int, workers: int
) -> None:
    split = load(folder, kind, workers).train
    found = measured(split, 4, processes)
    assert len(found) == processes
    assert all(found)
    assert sorted(each for mine in found for each in mine) == list(range(2 * COUNT))


@pytest.mark.parametrize("kind", ["small", "stored"])
def test_ids_survive_hold_out_long_tail_and_noise(folder: Path, kind: str) -> None:
    whole = load(folder, kind).train.labelled
    assert whole is not None
    assert whole.ids.tolist() == list(range(2 * COUNT))
    changed = load(folder, kind, validation=0.3, imbalance=4.0, label_noise=0.3)
    again = load(folder, kind, validation=0.3, imbalance=4.0, label_noise=0.3)
    parts: list[LabelledSplit] = []
    for split in (changed.train, changed.validation):
        assert split is not None
        assert split.labelled is not None
        parts.append(split.labelled)
    train, validation = parts
    assert set(train.ids.tolist()).isdisjoint(validation.ids.tolist())
    assert 0 < len(train) < 2 * COUNT - len(validation)
    for part in parts:
        assert part.ids.dtype == torch.int64
        assert torch.equal(part.true_labels, whole.labels[part.ids])
    for before, after in ((changed.train, again.train), (changed.validation, again.validation)):
        assert measured(before, 5) == measured(after, 5)  # type: ignore[arg-type]
    assert changed.train.count_noisy() == round(0.3 * len(train)) > 0


def test_ids_tell_which_image_it_is(folder: Path) -> None:
    small = load(folder, "small", validation=0.3)
    for split in (small.train, small.validation):
        assert isinstance(split, ResidentSplit)
        whole = load(folder, "small").train
        assert isinstance(whole, ResidentSplit)
        assert torch.equal(split.images, whole.images[split.ids])
    for kind in ("stored", "streamed"):
        photographs = load(folder, kind).train
        for batch in photographs.evaluation_batches(5):
            for image, number in zip(batch.images, batch.ids.tolist(), strict=True):
                path = folder / "train" / ("cat", "dog")[number // COUNT]
                content = sorted(path.iterdir())[number % COUNT].read_bytes()
                pixels = decode_crop(content, lambda width, height: Box(0, 2, 16, 16), 16)
                assert np.array_equal(image.permute(1, 2, 0).numpy(), pixels)


def test_ids_of_digits_are_scikit_learns_rows() -> None:
    data = load_images(DataSettings("digits", validation=0.1))
    rows = [each for split in (data.train, data.validation, data.test) for each in split.ids]  # type: ignore[union-attr]
    assert sorted(rows) == list(range(1797))
    target = torch.from_numpy(load_digits().target)
    assert torch.equal(target[data.test.ids], data.test.labels)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["stored", "streamed"])
@pytest.mark.parametrize("processes", [1, 2])
def test_ids_of_corrupt_photographs_are_missing(tmp_path: Path, kind: str, processes: int) -> None:
    image_folder(tmp_path, {"train": 5, "test": 2}, make=partial(picture, size=(20, 16)))
    (tmp_path / "train" / "cat" / "3.png").write_bytes(b"not an image")
    (tmp_path / "train" / "dog" / "0.png").write_bytes(b"")
    split = load(tmp_path, kind, max_corrupt=2).train
    found = measured(split, 3, processes)
    assert sorted(each for mine in found for each in mine) == [0, 1, 2, 4, 6, 7, 8, 9]
    assert sorted(each.reason for each in split.corrupt.listed()) == [
        "it is empty",
        "no known image format",
    ]


def test_ids_may_be_given_and_are_kept_by_select() -> None:
    labels = torch.tensor([0, 1, 0])
    images = torch.zeros(3, 1, 2, 2, dtype=torch.uint8)
    split = ResidentSplit(images, labels, labels, ids=torch.tensor([7, 3, 5]))
    picked = split.select(torch.tensor([2, 0]))
    assert picked.ids.tolist() == [5, 7]
    assert picked.with_labels(labels[:2]).ids.tolist() == [5, 7]
    assert split.select(torch.tensor([], dtype=torch.int64)).ids.tolist() == []
