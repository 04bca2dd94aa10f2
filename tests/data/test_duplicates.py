"""Images that stand in the training and the test set, or in several classes."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from maxsup.data import DataSettings, ImageData, PhotographSettings, ResidentSplit, load_images
from maxsup.data import _duplicates as duplicates
from maxsup.data._duplicates import notes_on_duplicates

from .folders import image_folder, parquet, picture

PHOTOGRAPHS = PhotographSettings(16, workers=0)
KINDS = pytest.mark.parametrize("photographs", [None, PHOTOGRAPHS])


def load(folder: Path, photographs: PhotographSettings | None, **settings: Any) -> ImageData:
    return load_images(DataSettings(str(folder), **settings), photographs=photographs)


def said(data: ImageData) -> list[str]:
    return [note for note in data.notes if "cop" in note or "content" in note]


@KINDS
def test_images_in_both_train_and_test_are_counted(
    photographs: PhotographSettings | None, tmp_path: Path
) -> None:
    folder = image_folder(tmp_path / "clean", {"train": 6, "test": 5})
    assert said(load(folder, photographs)) == []
    for name, copied in (("0", "cat/1"), ("1", "dog/4"), ("2", "cat/1")):
        shutil.copy(folder / "train" / f"{copied}.png", folder / "test" / "cat" / f"{name}.png")
    (note,) = said(load(folder, photographs))
    assert note.startswith(
        "3 of 10 test images (30.0 %) are in the training set too, with the same"
    )
    # Of the three copies, all cats among the test images, one is a dog in training.
    assert note.endswith(
        "trained on. 1 of them has another label there, so that one of the two is wrong."
    )


@pytest.mark.parametrize(("labels", "said"), [([0, 1], ""), ([1, 0], "2 of them have another ")])
def test_copies_with_another_label_are_told_from_those_with_the_same(
    labels: list[int], said: str
) -> None:
    pixels = torch.arange(2).byte().view(2, 1, 1, 1)
    train = ResidentSplit(pixels, torch.tensor([0, 1]), torch.tensor([0, 1]))
    test = ResidentSplit(pixels, torch.tensor(labels), torch.tensor(labels))
    (note,) = notes_on_duplicates(train, {"test": test})
    assert note.partition("was trained on.")[2].strip().startswith(said)
    assert ("another label" in note) == bool(said)
    (alone,) = notes_on_duplicates(train, {"test": test.select(torch.tensor([0]))})
    assert ("It has another label there" in alone) == bool(said)


@KINDS
def test_images_on_both_sides_of_a_part_held_out_are_counted(
    photographs: PhotographSettings | None, tmp_path: Path
) -> None:
    folder = image_folder(tmp_path / "twins", {"": 10}, make=lambda seed: picture(seed // 2))
    data = load(folder, photographs, test_fraction=0.2, validation=0.25)
    notes = said(data)
    splits = {"validation": data.validation, "test": data.test}
    for what, split in splits.items():
        assert split is not None
        twins = {
            (row ^ 1)  # rows are in the order of the files
            for row in split.ids.tolist()  # type: ignore[attr-defined]
        }
        copied = len(twins & set(data.train.ids.tolist()))  # type: ignore[attr-defined]
        assert copied
        assert any(note.startswith(f"{copied} of 4 {what} image") for note in notes), notes


@KINDS
def test_copies_in_several_classes_are_counted_and_others_are_not(
    photographs: PhotographSettings | None, tmp_path: Path
) -> None:
    folder = image_folder(tmp_path / "mixed", {"train": 6, "test": 2})
    shutil.copy(folder / "train" / "cat" / "0.png", folder / "train" / "cat" / "copy.png")
    assert said(load(folder, photographs)) == []
    shutil.copy(folder / "train" / "cat" / "0.png", folder / "train" / "dog" / "copy.png")
    (note,) = said(load(folder, photographs))
    assert note == (
        "3 of 14 training images (21.4 %) are copies of each other with different labels."
    )
    # Wrong labels that are asked for are no fault of the data.
    assert said(load(folder, photographs, label_noise=0.4)) == [note]


def test_files_in_parquet_are_compared_too(tmp_path: Path) -> None:
    for name, start in (("train", 0), ("test", 7)):
        columns = {
            "image": [picture(start + number) for number in range(8)],
            "label": [number % 2 for number in range(8)],
        }
        parquet(tmp_path / f"{name}.parquet", columns, FEATURES)
    (note,) = said(load(tmp_path, PHOTOGRAPHS))
    assert note.startswith("1 of 8 test images (12.5 %) is in the training set too")


def features() -> dict[str, Any]:
    import datasets

    return {"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])}


FEATURES = features()


def test_only_files_of_the_same_size_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = image_folder(tmp_path / "sizes", {"train": 3, "test": 3}, make=grown)
    shutil.copy(folder / "train" / "dog" / "1.png", folder / "test" / "dog" / "1.png")
    data = load(folder, PHOTOGRAPHS)
    assert len(said(data)) == 1
    read = []
    files = type(data.train.files)  # type: ignore[attr-defined]
    original = files.read
    monkeypatch.setattr(files, "read", lambda self, row: read.append(row) or original(self, row))
    notes = notes_on_duplicates(data.train, {"test": data.test})  # type: ignore[arg-type]
    assert notes == said(data)
    assert len(read) == 2


def grown(seed: int) -> Any:
    return picture(seed, (8 + seed, 8))


def test_large_data_is_looked_at_in_part_and_the_note_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = image_folder(tmp_path / "many", {"train": 12, "test": 12}, make=grown)
    for path in (folder / "train").rglob("*.png"):
        shutil.copy(path, folder / "test" / path.parent.name / path.name)
    (note,) = said(load(folder, PHOTOGRAPHS))
    assert note.startswith("24 of 24 test images (100.0 %)")
    monkeypatch.setattr(duplicates, "_MOST_FILES", 10)
    copies, sample = said(load(folder, PHOTOGRAPHS))
    assert copies.startswith("5 of 5 test images (100.0 %)")
    assert sample.startswith("For copies, 10 of 48 images were looked at")
    monkeypatch.setattr(duplicates, "_MOST_BYTES", 1)
    (sample,) = said(load(folder, PHOTOGRAPHS))
    assert sample.startswith("For copies, 0 of 48 images")


def test_missing_files_are_no_copies(tmp_path: Path) -> None:
    folder = image_folder(tmp_path / "missing", {"train": 4, "test": 4})
    data = load(folder, PHOTOGRAPHS)
    for path in folder.rglob("0.png"):
        path.unlink()
    assert notes_on_duplicates(data.train, {"test": data.test}) == []  # type: ignore[arg-type]


def test_pixels_are_compared_as_a_whole() -> None:
    images = torch.zeros(3, 1, 2, 2, dtype=torch.uint8)
    images[1, 0, 1, 1] = 1
    images[2, 0, 0, 0] = 1
    labels = torch.tensor([0, 1, 1])
    train = ResidentSplit(images, labels, labels)
    assert notes_on_duplicates(train, {}) == []
    other = train.select(torch.tensor([2, 1]))
    (note,) = notes_on_duplicates(train, {"test": other})
    assert note.startswith("2 of 2 test images (100.0 %) are")


def test_few_among_many_are_not_said_to_be_none() -> None:
    images = torch.arange(40_000).view(-1, 1).view(torch.uint8).view(-1, 1, 2, 4)
    labels = torch.zeros(len(images), dtype=torch.int64)
    train = ResidentSplit(images[:20_010], labels[:20_010], labels[:20_010])
    test = ResidentSplit(images[20_000:], labels[20_000:], labels[20_000:])
    (note,) = notes_on_duplicates(train, {"test": test})
    assert note.startswith("10 of 20,000 test images (0.050 %) are")
