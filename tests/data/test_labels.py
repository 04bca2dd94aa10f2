"""Columns of labels of every kind, and columns of images that are not marked as such."""

import io
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from maxsup.data import DataSettings, ImageData, PhotographSettings, load_images, prepare_shards

from .folders import image_folder, parquet, picture

READERS = pytest.mark.parametrize("photographs", [None, PhotographSettings(16, workers=0)])


def content(seed: int) -> bytes:
    file = io.BytesIO()
    picture(seed).save(file, "PNG")
    return file.getvalue()


def of_labels(folder: Path, labels: list[Any], kind: Any, name: str = "label") -> Path:
    columns = {"image": [picture(seed) for seed in range(len(labels))], name: labels}
    return parquet(folder / "train.parquet", columns, {"image": datasets.Image(), name: kind})


def load(place: Path, photographs: PhotographSettings | None = None, **settings: Any) -> ImageData:
    settings = {"test_fraction": 0.5} | settings
    return load_images(DataSettings(str(place), **settings), photographs=photographs)


def classes_by_row(data: ImageData) -> list[str]:
    """The class of each row of the only split."""
    found = {
        row: data.classes[label]
        for split in (data.train, data.test)
        for row, label in zip(split.ids.tolist(), split.labels.tolist(), strict=True)  # type: ignore[attr-defined]
    }
    return [found[row] for row in sorted(found)]


@READERS
@pytest.mark.parametrize(
    ("labels", "kind", "names"),
    [
        ([True, False] * 3, datasets.Value("bool"), ["True", "False"] * 3),
        ([2.0, 10.0] * 3, datasets.Value("float64"), ["2", "10"] * 3),
        ([1.0, 0.0] * 3, datasets.Value("float32"), ["1", "0"] * 3),
        (["10", "9"] * 3, datasets.Value("string"), ["10", "9"] * 3),
        (["01", "1"] * 3, datasets.Value("large_string"), ["01", "1"] * 3),
        (["NA", "None"] * 3, datasets.Value("string"), ["NA", "None"] * 3),
        ([200, 7] * 3, datasets.Value("uint8"), ["200", "7"] * 3),
        ([[0, 1, 0], [1, 0, 0]] * 3, datasets.List(datasets.Value("int64")), ["1", "0"] * 3),
        ([[0, 1.0], [1.0, 0]] * 3, datasets.List(datasets.Value("float32"), 2), ["1", "0"] * 3),
        ([1, 0] * 3, datasets.ClassLabel(names=["dog", "cat"]), ["cat", "dog"] * 3),
    ],
)
def test_labels_of_every_kind_name_classes(
    photographs: PhotographSettings | None,
    labels: list[Any],
    kind: Any,
    names: list[str],
    tmp_path: Path,
) -> None:
    data = load(of_labels(tmp_path, labels, kind), photographs)
    assert classes_by_row(data) == names


def test_numbers_in_names_sort_as_numbers(tmp_path: Path) -> None:
    names = [str(number) for number in range(12)]
    place = of_labels(tmp_path / "whole", names * 2, datasets.Value("string"))
    assert load(place).classes == tuple(names)
    within = [f"level {number}" for number in (9, 10, 100)]
    place = of_labels(tmp_path / "within", within * 2, datasets.Value("string"))
    assert load(place).classes == tuple(within)


def test_one_hot_lists_are_said(tmp_path: Path) -> None:
    place = of_labels(tmp_path, [[0, 1], [1, 0]] * 3, datasets.List(datasets.Value("int64")))
    note = "Labels are those of the column label: of each list, the index of its single 1."
    assert note in load(place).notes


@READERS
@pytest.mark.parametrize(
    ("labels", "kind", "said"),
    [
        (["a", None, "b", None], datasets.Value("string"), r"Row 1 .*\(string\).* for 1 row after"),
        (["a", "b", "", "a"], datasets.Value("string"), "Row 2 of split train has no label"),
        ([1.0, 2.0, float("nan"), 1.0], datasets.Value("float64"), r"Row 2 .*no label.*\(float64"),
        ([0, None, 1, 0], datasets.ClassLabel(names=["a", "b"]), r"Row 1 .*no label.*\(class n"),
        ([True, None, False, True], datasets.Value("bool"), r"Row 1 .*no label.*\(bool\)"),
        ([1.0, 2.5, 1.0, 2.0], datasets.Value("float32"), r"Row 1 .* label 2.5 .*\(float32\)"),
        ([0, 1, 7, 0], datasets.Value("timestamp[s]"), r"timestamp.*\); labels must be names"),
        (
            [[0], [0, 1], [1], [0]],
            datasets.List(datasets.Value("int64")),
            r"Row 0 .*\[0\].*\(list of int64\), and one label per image is needed",
        ),
        (
            [[0, 1, 0], [1, 1, 0], [1, 0, 0], [0, 0, 1]],
            datasets.List(datasets.Value("float32")),
            r"Row 1 .*\[1.0, 1.0, 0.0\].*\(list of float32\), and one label per image is needed",
        ),
        (
            [[0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1]],
            datasets.List(datasets.Value("int8")),
            "Row 1 .*and one label per image is needed",
        ),
        (
            [["a", "b"], ["a"], ["b"], ["a"]],
            datasets.List(datasets.Value("string")),
            r"Row 0 .*\['a', 'b'\].*\(list of string\), and one label per image is needed",
        ),
        (
            [[0, 1], None, [1, 0], [0, 1]],
            datasets.List(datasets.Value("int64")),
            "Row 1 .*has None .*and one label per image is needed",
        ),
    ],
)  # fmt: skip
def test_labels_that_are_none_are_named_by_row_and_kind(
    photographs: PhotographSettings | None, labels: list[Any], kind: Any, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=said):
        load(of_labels(tmp_path, labels, kind), photographs, label_column="label")


def test_columns_that_cannot_be_labels_are_listed_with_their_kinds(tmp_path: Path) -> None:
    columns = {"image": [picture(0)], "weight": [0.5], "tags": [["a"]], "box": [{"x": 1}]}
    kinds = {
        "image": datasets.Image(),
        "weight": datasets.Value("float32"),
        "tags": datasets.List(datasets.Value("string")),
        "box": {"x": datasets.Value("int64")},
    }
    place = parquet(tmp_path / "train.parquet", columns, kinds)
    said = r"weight \(float32\), tags \(list of string\), box \(struct of x\)"
    with pytest.raises(ValueError, match=said):
        load(place)


def numbered(path: Path, names: list[str], labels: list[str]) -> Path:
    """A Parquet file that numbers its classes in the order of the names."""
    columns = {
        "image": [picture(["cat", "dog", "fox"].index(label)) for label in labels],
        "label": [names.index(label) for label in labels],
    }
    kinds = {"image": datasets.Image(), "label": datasets.ClassLabel(names=names)}
    return parquet(path, columns, kinds)


def test_classes_are_mapped_by_name_where_files_number_them_differently(tmp_path: Path) -> None:
    rows = ["cat", "dog", "fox"] * 2
    numbered(tmp_path / "train.parquet", ["cat", "dog", "fox"], rows)
    numbered(tmp_path / "test.parquet", ["fox", "dog", "cat"], rows)
    data = load_images(DataSettings(str(tmp_path)))
    assert data.classes == ("cat", "dog", "fox")
    for split in (data.train, data.test):
        for image, label in zip(split.images, split.labels, strict=True):  # type: ignore[attr-defined]
            assert image.permute(1, 2, 0).numpy().tobytes() == picture(int(label)).tobytes()
    photographs = PhotographSettings(16, workers=0)
    for settings in (DataSettings(str(tmp_path)), DataSettings(str(tmp_path), streaming=True)):
        read = load_images(settings, photographs=photographs)
        (batch,) = read.test.evaluation_batches(8)
        assert batch.labels.tolist() == [0, 1, 2] * 2
    prepare_shards(DataSettings(str(tmp_path)), tmp_path / "out")
    prepared = load_images(DataSettings(str(tmp_path / "out")))
    assert prepared.test.labels.tolist() == [0, 1, 2] * 2  # type: ignore[attr-defined]


def test_files_of_one_split_that_number_classes_differently_are_refused(tmp_path: Path) -> None:
    numbered(tmp_path / "train-0.parquet", ["cat", "dog"], ["cat", "dog"])
    numbered(tmp_path / "train-1.parquet", ["dog", "cat"], ["cat", "dog"])
    said = "train-0.parquet has cat, dog, and train-1.parquet has dog, cat. Write them anew"
    with pytest.raises(ValueError, match=said):
        load(tmp_path)


def test_numbers_without_names_are_those_of_the_training_part(tmp_path: Path) -> None:
    numbered(tmp_path / "train.parquet", ["cat", "dog"], ["cat", "dog"] * 2)
    columns = {"image": [picture(0), picture(1)], "label": [1, 0]}
    kinds = {"image": datasets.Image(), "label": datasets.Value("int64")}
    parquet(tmp_path / "test.parquet", columns, kinds)
    assert load_images(DataSettings(str(tmp_path))).test.labels.tolist() == [1, 0]  # type: ignore[attr-defined]


@READERS
def test_classes_that_only_the_test_split_has_are_named_with_it(
    photographs: PhotographSettings | None, tmp_path: Path
) -> None:
    folder = image_folder(tmp_path / "folder", {"train": 4}, classes=("cat", "dog"))
    image_folder(folder, {"test": 3}, classes=("cat", "owl"))
    with pytest.raises(ValueError, match=r"no training sample: owl \(3 in split test\)"):
        load_images(DataSettings(str(folder)), photographs=photographs)
    for split, labels in (("train", ["cat", "dog"] * 2), ("test", ["cat", "owl", "owl", "emu"])):
        columns = {"image": [picture(seed) for seed in range(4)], "label": labels}
        kinds = {"image": datasets.Image(), "label": datasets.Value("string")}
        parquet(tmp_path / "rows" / f"{split}.parquet", columns, kinds)
    said = (
        r"Split test has 2 classes that no training.*'owl' \(2 images, the first in row 1\), 'emu"
    )
    with pytest.raises(ValueError, match=said):
        load_images(DataSettings(str(tmp_path / "rows")), photographs=photographs)


def test_classes_that_the_test_set_lacks_are_said(tmp_path: Path) -> None:
    image_folder(tmp_path, {"train": 4}, classes=("cat", "dog", "emu"))
    image_folder(tmp_path, {"test": 3}, classes=("cat", "emu"))
    data = load_images(DataSettings(str(tmp_path)))
    assert "The test set has no image of 1 class: dog." in data.notes


def test_classes_that_differ_in_capitals_alone_are_said(tmp_path: Path) -> None:
    place = of_labels(tmp_path, ["cat", "Cat ", "dog"] * 2, datasets.Value("string"))
    (note,) = [note for note in load(place).notes if "capitals" in note]
    assert "'Cat ' and 'cat'" in note


@READERS
@pytest.mark.parametrize("form", ["binary", "large_binary", "struct", "bytes alone"])
def test_files_in_plain_columns_are_images(
    photographs: PhotographSettings | None, form: str, tmp_path: Path
) -> None:
    contents = [content(seed) for seed in range(6)]
    images: Any = pa.array(contents, pa.large_binary() if "large" in form else pa.binary())
    if form == "struct":
        images = [{"bytes": each, "path": f"{row}.png"} for row, each in enumerate(contents)]
    elif form == "bytes alone":
        images = [{"bytes": each} for each in contents]
    pq.write_table(pa.table({"image": images, "label": [0, 1] * 3}), tmp_path / "train.parquet")
    data = load(tmp_path, photographs)
    assert sum(len(batch) for batch in data.test.evaluation_batches(8)) == 3
    if photographs is None:
        for image, row in zip(data.test.images, data.test.ids, strict=True):  # type: ignore[attr-defined]
            assert image.permute(1, 2, 0).numpy().tobytes() == picture(int(row)).tobytes()
    if form == "struct":
        assert prepare_shards(DataSettings(str(tmp_path)), tmp_path / "out").images == 6


def test_column_of_bytes_is_chosen_by_its_name_or_named(tmp_path: Path) -> None:
    contents = [content(seed) for seed in range(4)]
    labels = [0, 1] * 2
    table = {"thumb": [b"-"] * 4, "img": contents, "label": labels}
    pq.write_table(pa.table(table), tmp_path / "train.parquet")
    assert load(tmp_path).image_shape == (3, 8, 8)
    other = tmp_path / "other"
    other.mkdir()
    table = {"first": contents, "second": contents, "label": labels}
    pq.write_table(pa.table(table), other / "train.parquet")
    with pytest.raises(ValueError, match=r"first \(binary\), second \(binary\)"):
        load(other)
    assert load(other, image_column="second").image_shape == (3, 8, 8)


def test_arrays_of_pixels_are_no_images_and_the_message_says_what_is(tmp_path: Path) -> None:
    table = {"pixels": [[0, 1, 2]] * 4, "label": [0, 1] * 2}
    pq.write_table(pa.table(table), tmp_path / "train.parquet")
    said = (
        r"no column of images; there are the columns pixels \(list of int64\), .* must be written"
    )
    with pytest.raises(ValueError, match=said):
        load(tmp_path)
