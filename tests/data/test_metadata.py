"""Labels that stand in a file beside the images."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from maxsup.data import DataSettings, ImageData, PhotographSettings, load_images

from .folders import picture


def load(name: Path, **settings: Any) -> ImageData:
    return load_images(DataSettings(str(name), **settings), image_size=8)


def images(root: Path, names: list[str]) -> Path:
    for seed, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        picture(seed).save(root / name)
    return root


def table(root: Path, labels: list[Any], header: str = "file_name,label") -> Path:
    """A metadata.csv with a line for each label, and its images."""
    names = [f"{number}.png" for number in range(len(labels))]
    images(root, names)
    lines = [header, *(f"{name},{label}" for name, label in zip(names, labels, strict=True))]
    (root / "metadata.csv").write_text("\n".join(lines) + "\n")
    return root


def labels_of(data: ImageData) -> list[str]:
    """The name of the class of each sample, in the order of rows."""
    found = {}
    for split in (data.train, data.test):
        labelled = split.labelled
        assert labelled is not None
        for row, label in zip(labelled.ids.tolist(), labelled.labels.tolist(), strict=True):
            found[row] = data.classes[label]
    return [found[row] for row in sorted(found)]


@pytest.mark.parametrize(
    ("written", "classes"),
    [
        (["01", "1", "2", "02", "10"], ("01", "1", "02", "2", "10")),
        (["None", "NA", "nan", "scratch"], ("NA", "None", "nan", "scratch")),
        (["true", "True", "FALSE"], ("FALSE", "True", "true")),
        (["1.0", "2.0", "10.0"], ("1", "2", "10")),
        (["1e3", "cat"], ("1e3", "cat")),
        (['"a, b"', '"say ""hi"""'], ("a, b", 'say "hi"')),
    ],
)
def test_labels_of_a_csv_are_what_is_written(
    tmp_path: Path, written: list[str], classes: tuple[str, ...]
) -> None:
    data = load(table(tmp_path, written * 5))
    assert set(data.classes) == set(classes)
    assert len(data.classes) == len(written)
    if '"' not in written[0] and ".0" not in written[0]:
        assert labels_of(data) == written * 5
    if classes[0].isdigit():
        assert data.classes == classes


def test_rows_without_a_label_are_named(tmp_path: Path) -> None:
    table(tmp_path, ["0", "1", "", "2", ""] * 2)
    with pytest.raises(ValueError, match=r"4 images have no label.*line 4 \(2\.png\), .* line 11"):
        load(tmp_path, train_split="train[:2]")


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["01", "1"], ("01", "1")),
        ([1, 0], ("0", "1")),
        (["b", 7], ("7", "b")),
    ],
)
def test_labels_of_json_lines(tmp_path: Path, values: list[Any], classes: tuple[str, ...]) -> None:
    images(tmp_path, [f"{number}.png" for number in range(10)])
    rows = [{"file_name": f"{number}.png", "label": values[number % 2]} for number in range(10)]
    (tmp_path / "metadata.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    data = load(tmp_path)
    assert data.classes == classes
    assert labels_of(data) == [str(value) for value in values] * 5
    with (tmp_path / "metadata.jsonl").open("a") as file:
        file.write('\n{"file_name": "0.png", "label": null}')
    with pytest.raises(ValueError, match=r"1 image has no label.*line 11 \(0\.png\)"):
        load(tmp_path)


def test_labels_of_a_parquet_file_beside_the_images(tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(10)]
    columns = {"file_name": names, "label": ["01", "1"] * 5, "weight": [0.5] * 10}
    pq.write_table(pa.table(columns), images(tmp_path, names) / "metadata.parquet")
    assert labels_of(load(tmp_path)) == ["01", "1"] * 5


def test_measured_numbers_are_no_labels_and_folders_may_be(tmp_path: Path) -> None:
    names = [f"{folder}/{number}.png" for folder in ("cat", "dog") for number in range(5)]
    lines = [f"{name};0.{number}" for number, name in enumerate(names)]
    images(tmp_path, names)
    (tmp_path / "Metadata.csv").write_text("\ufefffile_name;weight\n" + "\n".join(lines))
    data = load(tmp_path)
    assert labels_of(data) == ["cat"] * 5 + ["dog"] * 5
    assert "Labels are those of the column folder." in data.notes


def test_splits_of_a_metadata_file(tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(12)]
    images(tmp_path / "column", names)
    splits = ["train", "Test", "val"]
    lines = [f"{n},{'ab'[i % 2]},{splits[i % 3]}" for i, n in enumerate(names)]
    (tmp_path / "column" / "metadata.csv").write_text("file_name,kind,split\n" + "\n".join(lines))
    data = load(tmp_path / "column")
    assert data.validation is not None
    assert (len(data.train), len(data.validation), len(data.test)) == (4, 4, 4)
    assert "Splits are those of the column split: Test as test and val as validation." in data.notes

    by_folder = [f"birds/{split}/{name}" for split in ("Train", "test") for name in names]
    images(tmp_path / "folders", by_folder)
    lines = [f"{name},{'ab'[i % 2]}" for i, name in enumerate(by_folder)]
    (tmp_path / "folders" / "metadata.csv").write_text("file_name,kind\n" + "\n".join(lines))
    data = load(tmp_path / "folders")
    assert (len(data.train), len(data.test)) == (12, 12)
    for split in ("train", "test"):
        table(tmp_path / "each" / split, ["a", "b"] * 3)
    assert len(load(tmp_path / "each").test) == 6

    images(tmp_path / "folders", [f"birds/other/{name}" for name in names])
    lines += [f"birds/other/{name},a" for name in names]
    (tmp_path / "folders" / "metadata.csv").write_text("file_name,kind\n" + "\n".join(lines))
    with pytest.raises(ValueError, match=r"the splits train and test, and others not \(other\)"):
        load(tmp_path / "folders")


def test_images_that_are_not_listed_and_listed_ones_that_are_not_there(tmp_path: Path) -> None:
    table(tmp_path, ["a", "b"] * 5)
    images(tmp_path, ["extra.png"])
    assert any("1 image that no metadata file lists: extra.png" in n for n in load(tmp_path).notes)
    (tmp_path / "3.png").unlink()
    with pytest.raises(ValueError, match=r"1 image that .* is not there: .*line 5 \(3\.png\)"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,label\n0.png,a\n", "has no column file_name.* it has name and label"),
        ("file_name,label\n0.png,a,b\n", "line 2, has 3 fields, and its header 2"),
        ("file_name,label\n,a\n", "line 2: file_name is empty"),
        ("file_name,label\n", "list no images"),
        ("file_name,x,x\n", "columns of the same name"),
        ("file_name,image\n0.png,a\n", "have a column image"),
        ('file_name,label\n"0.png,a\n', "cannot be read as CSV"),
    ],
)
def test_metadata_files_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    table(tmp_path, ["a", "b"])
    (tmp_path / "metadata.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        load(tmp_path)


def test_metadata_files_in_other_encodings_and_side_by_side(tmp_path: Path) -> None:
    table(tmp_path, ["a", "b"])
    (tmp_path / "metadata.csv").write_bytes("file_name,label\n0.png,é\n".encode("latin-1"))
    with pytest.raises(ValueError, match="cannot be read as CSV in UTF-8"):
        load(tmp_path)
    (tmp_path / "metadata.jsonl").write_text("")
    with pytest.raises(ValueError, match=r"metadata\.csv and metadata\.jsonl lie side by side"):
        load(tmp_path)


def test_metadata_is_streamed_with_the_same_labels(tmp_path: Path) -> None:
    for split in ("train", "test"):
        table(tmp_path / split, ["01", "1", "2"] * 2)
    photographs = PhotographSettings(8, workers=0)
    streamed = load_images(DataSettings(str(tmp_path), streaming=True), photographs=photographs)
    assert streamed.classes == ("01", "1", "2")
    (batch,) = streamed.train.evaluation_batches(6)
    assert batch.labels.tolist() == [0, 1, 2] * 2
