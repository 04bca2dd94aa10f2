"""Images to run a model over, whose labels nobody asks for."""

import io
from pathlib import Path

import datasets
import numpy as np
import pytest
from PIL import Image

from maxsup.data import DataSettings, ImageData, PhotographSettings, load_unlabelled


def write(place: Path, count: int, first: int = 0) -> None:
    place.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        Image.new("RGB", (10, 10), (number, 7, 7)).save(place / f"{number}.png")


def load(place: Path, column: str | None = None, *, photographs: bool = False) -> ImageData:
    return load_unlabelled(
        DataSettings(str(place), label_column=column),
        photographs=PhotographSettings(8, workers=0) if photographs else None,
        image_size=None if photographs else 8,
    )


@pytest.mark.parametrize("photographs", [False, True])
@pytest.mark.parametrize(
    ("folders", "images", "classes"),
    [
        (["."], 3, 1),
        (["test", "train"], 3, 1),  # those of the split to measure on
        (["cat", "dog", "."], 9, 3),  # those beside the classes too
        (["train/cat", "train/dog", "val"], 3, 1),
        (["test/cat", "test/dog"], 6, 2),
        (["test", "stripes"], 6, 2),  # a class of that name
        (["a/b/c"], 3, 1),
    ],
)
def test_images_are_taken_wherever_they_lie(
    tmp_path: Path, folders: list[str], images: int, classes: int, photographs: bool
) -> None:
    for number, folder in enumerate(folders):
        write(tmp_path / "all" / folder, 3, 10 * number)
    data = load(tmp_path / "all", photographs=photographs)
    assert (len(data.train), len(data.test), len(data.classes)) == (0, images, classes)
    (batch,) = data.test.evaluation_batches(99)
    assert len(batch.images) == images
    assert not batch.labels.any()
    other = load(tmp_path / "all", photographs=photographs)
    assert other.fingerprint == data.fingerprint
    (tmp_path / "all" / folders[-1] / f"{10 * len(folders) - 10}.png").unlink()
    if folders[0] != "test" or folders[-1] != "train":
        assert load(tmp_path / "all", photographs=photographs).fingerprint != data.fingerprint


def png(number: int) -> dict[str, bytes]:
    buffer = io.BytesIO()
    Image.fromarray(np.full((8, 8), number, np.uint8)).save(buffer, "PNG")
    return {"bytes": buffer.getvalue()}


def parquet(place: Path, **columns: object) -> Path:
    place.mkdir()
    features = datasets.Features({"image": datasets.Image(), **{
        name: datasets.ClassLabel(names=["a", "b"]) for name in columns
    }})  # fmt: skip
    rows = {"image": [png(3), png(9)], **columns}
    datasets.Dataset.from_dict(rows, features=features).to_parquet(place / "test.parquet")
    return place


def test_labels_that_are_missing_hidden_or_several_are_not_asked_for(tmp_path: Path) -> None:
    assert len(load(parquet(tmp_path / "none")).test) == 2
    assert load(tmp_path / "none").classes == ()
    assert len(load(parquet(tmp_path / "hidden", label=[-1, -1])).test) == 2
    two = parquet(tmp_path / "two", coarse=[0, 1], fine=[1, 0])
    assert load(two).classes == ()
    assert load(two, "fine").classes == ("a", "b")
    with pytest.raises(ValueError, match="label_column: there is no column called 'other'"):
        load(two, "other")
    write(tmp_path / "listed", 2)
    (tmp_path / "listed" / "metadata.csv").write_text("file_name\n0.png\n1.png\n")
    assert len(load(tmp_path / "listed").test) == 2


def test_what_cannot_be_told_says_what_to_name(tmp_path: Path) -> None:
    for folder in ("test/cat", "test/dog", "extra"):
        write(tmp_path / folder, 1)
    with pytest.raises(ValueError, match=r"Name the folder that is meant instead, as .*/test\."):
        load(tmp_path)
    assert len(load(tmp_path / "test").test) == 2


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    write(tmp_path, 2)
    (tmp_path / "5.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"5\.png"):
        load(tmp_path)
