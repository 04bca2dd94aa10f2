from pathlib import Path
from typing import Any

import datasets
import pytest
import torch

from maxsup.data import DataSettings, PhotographSettings, load_images

from .folders import parquet, picture

FINE = ["bee", "ant", "cat", "dog"]
KINDS = {
    "image": datasets.Image(),
    "coarse": datasets.ClassLabel(names=["insect", "mammal"]),
    "fine": datasets.ClassLabel(names=FINE),
    "name": datasets.Value("string"),
}


def columns(fine: list[int], seed: int = 0) -> dict[str, list[Any]]:
    return {
        "image": [picture(seed + number) for number in range(len(fine))],
        "coarse": [label // 2 for label in fine],
        "fine": fine,
        "name": [f"n{number}" for number in range(len(fine))],
    }


def load(place: Path, **options: Any):  # type: ignore[no-untyped-def]
    options = {"label_column": "coarse", "probe_label": "fine"} | options
    return load_images(DataSettings(str(place), **options))


def two_splits(place: Path, train: list[int], test: list[int]) -> Path:
    parquet(place / "train.parquet", columns(train), KINDS)
    parquet(place / "test.parquet", columns(test, seed=500), KINDS)
    return place


def test_they_are_of_the_same_images_however_these_are_divided(tmp_path: Path) -> None:
    fine = torch.randperm(80, generator=torch.Generator().manual_seed(0)) % 4
    place = parquet(tmp_path / "train.parquet", columns(fine.tolist()), KINDS)
    data = load(
        place, test_fraction=0.25, validation=0.2, fraction=0.9, label_noise=0.3, imbalance=1.5
    )
    assert data.classes == ("insect", "mammal")
    labels = data.probe_labels
    assert labels is not None
    assert (labels.column, labels.classes, labels.test) == ("fine", tuple(FINE), None)
    for part, split in (("train", data.train), ("test", data.test)):
        found = labels.of(part, split.ids)
        assert torch.equal(found, fine[split.ids])
        assert torch.equal(found // 2, split.true_labels)


def test_a_test_split_has_its_own(tmp_path: Path) -> None:
    place = two_splits(tmp_path, [0, 1, 2, 3] * 4, [3, 2, 1, 0])
    for photographs in (None, PhotographSettings(size=8)):
        data = load_images(
            DataSettings(str(place), label_column="coarse", probe_label="fine"),
            photographs=photographs,
        )
        assert data.probe_labels is not None
        assert data.probe_labels.of("test", torch.tensor([0, 3])).tolist() == [3, 0]
        assert data.probe_labels.of("train", torch.tensor([0, 3])).tolist() == [0, 3]
    plain = load(place, probe_label=None)
    assert plain.probe_labels is None
    assert plain.fingerprint == load(place).fingerprint


def test_strings_are_labels_too(tmp_path: Path) -> None:
    place = parquet(
        tmp_path / "train.parquet",
        {**columns([0, 1, 2, 3] * 4), "name": ["b", "a", "c", "a"] * 4},
        KINDS,
    )
    data = load(place, probe_label="name", test_fraction=0.5)
    assert data.probe_labels is not None
    assert data.probe_labels.classes == ("a", "b", "c")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"probe_label": "finer"}, r"no column called 'finer'; .*fine \(class names\)\."),
        ({"probe_label": "coarse"}, "'coarse' is the column that is trained on"),
        ({"probe_label": "image"}, "labels must be names or whole numbers"),
        ({"train_split": "train[:6]"}, "1 class of the column fine .* no training image.*: dog"),
        ({"train_split": "train[:3]", "test_split": "train[3:6]"}, "two images of one|no training"),
    ],
)
def test_a_column_that_cannot_be_probed_is_refused(
    tmp_path: Path, changes: dict[str, str], message: str
) -> None:
    train = [0, 1, 2, 0, 1, 2, *([0, 1, 2, 3] * 4)]
    place = two_splits(tmp_path, train, [3, 2, 1, 0])
    with pytest.raises(ValueError, match=message):
        load(place, **changes)


def test_a_test_split_without_the_column_is_said(tmp_path: Path) -> None:
    parquet(tmp_path / "train.parquet", columns([0, 1, 2, 3] * 4), KINDS)
    test = columns([0, 1, 2, 3])
    del test["fine"]
    parquet(tmp_path / "test.parquet", test, {k: v for k, v in KINDS.items() if k != "fine"})
    with pytest.raises(ValueError, match="fine"):
        load(tmp_path)


def test_the_digits_have_none() -> None:
    with pytest.raises(ValueError, match="probe_label has no effect here: the digits"):
        load_images(DataSettings("digits", probe_label="fine"))
