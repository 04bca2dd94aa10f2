"""What the name of a data set means, and which of its files are which split."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import datasets
import pytest

from maxsup.data import DataSettings, ImageData, PhotographSettings, load_images
from maxsup.data.sources import _open

from .folders import image_folder, parquet, picture, web_dataset

KINDS = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])}


def load(name: Path | str, **settings: Any) -> ImageData:
    return load_images(DataSettings(str(name), **settings), image_size=8)


def rows(path: Path, count: int) -> Path:
    columns = {
        "image": [picture(n) for n in range(count)],
        "label": [n % 2 for n in range(count)],
    }
    return parquet(path, columns, KINDS)


def sizes(data: ImageData) -> tuple[int, int, int]:
    return len(data.train), len(data.validation or ()), len(data.test)


def test_what_is_left_of_a_split_is_not_validated_on(tmp_path: Path) -> None:
    rows(tmp_path / "validation.parquet", 12)
    data = load(tmp_path, train_split="validation[:8]", test_split="validation[8:]")
    assert sizes(data) == (8, 0, 4)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("Train/0.parquet", "test/0.parquet"),
        ("data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"),
        ("birds/train-0000.PARQUET", "birds/testing-0000.PARQUET"),
        ("default/TRAIN/part.0.parquet", "default/Eval/part.0.parquet"),
        ("[2024] birds/my-train.parquet", "[2024] birds/my-test.parquet"),
    ],
)
def test_parquet_files_are_of_the_split_that_they_or_their_folders_are_called(
    tmp_path: Path, train: str, test: str, streaming: bool
) -> None:
    rows(tmp_path / train, 10)
    rows(tmp_path / test, 4)
    photographs = PhotographSettings(8, workers=0)
    settings = DataSettings(str(tmp_path), streaming=streaming)
    assert sizes(load_images(settings, photographs=photographs)) == (10, 0, 4)


def test_parquet_files_whose_names_say_nothing(tmp_path: Path) -> None:
    rows(tmp_path / "a.parquet", 10)
    assert sizes(load(tmp_path)) == (8, 0, 2)
    rows(tmp_path / "b.parquet", 10)
    assert sizes(load(tmp_path)) == (16, 0, 4)
    rows(tmp_path / "train.parquet", 20)
    rows(tmp_path / "holdout-00000-of-00001.parquet", 4)
    data = load(tmp_path, test_split="holdout")
    assert sizes(data) == (20, 0, 4)
    assert any("2 files whose names say no split" in n and "a.parquet" in n for n in data.notes)


def test_parquet_files_that_say_two_things(tmp_path: Path) -> None:
    rows(tmp_path / "train" / "test-0.parquet", 4)
    with pytest.raises(
        ValueError, match=r"train/test-0\.parquet is of the split train by its fold"
    ):
        load(tmp_path)


def test_web_dataset_tars_in_folders_of_splits(tmp_path: Path) -> None:
    web_dataset(tmp_path / "Train" / "0.tar", [0, 1, 2] * 2)
    web_dataset(tmp_path / "Val" / "0.tar", [0, 1, 2])
    web_dataset(tmp_path / "Test" / "0.tar", [0, 1, 2] * 3)
    assert sizes(load(tmp_path)) == (6, 3, 9)


def test_images_beside_tables_and_tables_beside_images(tmp_path: Path) -> None:
    rows(tmp_path / "hub" / "data" / "train-00000-of-00001.parquet", 10)
    for name in ("assets/a.png", "docs/b.png"):
        (tmp_path / "hub" / name).parent.mkdir()
        picture(0).save(tmp_path / "hub" / name)
    data = load(tmp_path / "hub")
    assert sizes(data) == (8, 0, 2)
    assert "Passed over 2 images beside the .parquet files." in data.notes
    folder = image_folder(tmp_path / "folder", {"": 5})
    datasets.Dataset.from_dict({"x": [1]}).to_parquet(folder / "features.parquet")
    assert sizes(load(folder)) == (8, 0, 2)
    web_dataset(tmp_path / "hub" / "0.tar", [0])
    with pytest.raises(ValueError, match=r"holds 1 \.tar file and 1 \.parquet file: it cannot"):
        load(tmp_path / "hub")


def test_a_card_that_names_the_splits_is_believed(tmp_path: Path) -> None:
    rows(tmp_path / "x.parquet", 10)
    rows(tmp_path / "y.parquet", 4)
    (tmp_path / "README.md").write_text(
        "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n"
        "    path: x.parquet\n  - split: test\n    path: y.parquet\n---\nBirds.\n"
    )
    data = load(tmp_path)
    assert sizes(data) == (10, 0, 4)
    assert "Splits are those that the folder's README.md names." in data.notes


def test_what_datasets_has_saved(tmp_path: Path) -> None:
    image_folder(tmp_path / "folder", {"train": 5, "test": 2})
    datasets.load_dataset("imagefolder", data_dir=tmp_path / "folder").save_to_disk(tmp_path / "s")
    assert sizes(load(tmp_path / "s")) == (10, 0, 4)
    assert sizes(load(tmp_path / "s" / "train")) == (8, 0, 2)


def test_hub_data_never_comes_from_a_folder_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_folder(tmp_path / "own" / "birds", {"train": 5, "test": 2})
    monkeypatch.chdir(tmp_path)
    asked: list[str] = []

    def load_dataset(path: str, **options: Any) -> Mapping[str, Any]:
        asked.append(path)
        raise ConnectionError("The Hub cannot be reached")

    with pytest.raises(ValueError, match="hf:own/birds cannot be loaded"):
        load("hf:own/birds")  # no Hub here
    monkeypatch.setattr(_open.datasets, "load_dataset", load_dataset)
    for name in ("hf:own/birds", "hf:parquet", "hf:else/where"):
        with pytest.raises(ValueError, match="The Hub cannot be reached"):
            load(name)
    # The first two would be something on this machine without what stands before them.
    assert asked == ["hf://datasets/own/birds", "hf://datasets/parquet", "else/where"]
    assert sizes(load("own/birds")) == (10, 0, 4)


@pytest.mark.parametrize("name", ["hf:", "hf:/etc", "hf:../birds", "hf:own/birds/data", "hf:."])
def test_names_that_no_hub_data_has(name: str) -> None:
    with pytest.raises(ValueError, match="names no data set of the Hub"):
        load(name)


@pytest.mark.parametrize("name", ["", " "])
def test_no_name_is_not_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(image_folder(tmp_path, {"": 5}))
    with pytest.raises(ValueError, match="The data has no name"):
        load(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("s3://bucket/birds", "is no path: data is read from this machine.*Copy it"),
        ("s3:bucket", "is no path"),
        ("https://hub.example/datasets/own/birds", "named hf:own/birds"),
        ("~nobody-here/birds", "Write the whole path"),
        ("nowhere/birds", "There is no data called 'nowhere/birds'"),
    ],
)
def test_names_that_are_no_folders(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load(name)


def test_the_home_directory_and_file_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image_folder(tmp_path / "pets", {"": 5})
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("~/pets", f"file://{tmp_path}/pets"):
        data = load(name)
        assert (data.name, sizes(data)) == ("pets", (8, 0, 2))
    shutil.move(tmp_path / "pets", tmp_path / "s3:")
    monkeypatch.chdir(tmp_path)
    assert sizes(load("s3:")) == (8, 0, 2)  # there is such a folder


def test_validation_splits_are_streamed_too(tmp_path: Path) -> None:
    image_folder(tmp_path, {"train": 4, "val": 2, "test": 3})
    photographs = PhotographSettings(8, workers=0)
    data = load_images(DataSettings(str(tmp_path), streaming=True), photographs=photographs)
    assert sizes(data) == (8, 4, 6)
    with pytest.raises(ValueError, match="have all rows in common"):
        load_images(
            DataSettings(str(tmp_path), streaming=True, test_split="train"),
            photographs=photographs,
        )
