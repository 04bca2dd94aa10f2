import dataclasses
import io
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch
from PIL import Image

from maxsup.data import DataSettings, load_images

from .folders import image_folder, parquet, picture, web_dataset


def load(  # type: ignore[no-untyped-def]
    name: Path | str,
    prefer_label: str | None = None,
    image_size: int | None = None,
    **options: Any,
):
    return load_images(
        DataSettings(str(name), **options), image_size=image_size, prefer_label=prefer_label
    )


def labelled(count: int, classes: int = 2) -> dict[str, list[Any]]:
    return {
        "image": [picture(number) for number in range(count)],
        "label": [number % classes for number in range(count)],
    }


KINDS = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])}


def test_load_images_digits_are_scikit_learns_pixel_for_pixel() -> None:
    from sklearn.datasets import load_digits

    data = load("digits")
    images = torch.cat([data.train.images, data.test.images]).flatten(1)
    labels = torch.cat([data.train.labels, data.test.labels])
    bunch = load_digits()
    expected = np.rint(bunch.data * 255 / 16).astype(np.uint8)
    ours = sorted(
        (*row, label) for row, label in zip(images.tolist(), labels.tolist(), strict=True)
    )
    theirs = sorted(
        (*row, label) for row, label in zip(expected.tolist(), bunch.target.tolist(), strict=True)
    )
    assert ours == theirs
    assert data.train.images.dtype == torch.uint8
    assert data.classes == tuple("0123456789")


def test_hold_out_parts_are_stratified_disjoint_and_repeatable() -> None:
    data = load("digits", validation=0.2)
    assert data.validation is not None
    assert len(data.train) + len(data.validation) + len(data.test) == 1797
    for part, fraction in ((data.test, 0.3), (data.validation, 0.14)):
        whole = torch.bincount(
            torch.cat([data.train.labels, data.validation.labels, data.test.labels])
        )
        assert (torch.bincount(part.labels) - fraction * whole).abs().max() <= 1.5
    again = load("digits", validation=0.2)
    assert data.fingerprint == again.fingerprint
    assert load("digits", validation=0.2, data_seed=1).fingerprint != data.fingerprint


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.4, 0.9])
def test_label_noise_changes_exactly_its_fraction_of_the_training_labels(fraction: float) -> None:
    clean, noisy = (
        load("digits", validation=0.1),
        load("digits", validation=0.1, label_noise=fraction),
    )
    changed = noisy.train.labels != noisy.train.true_labels
    assert int(changed.sum()) == round(fraction * len(noisy.train))
    assert torch.equal(noisy.train.true_labels, clean.train.labels)
    assert torch.equal(noisy.train.images, clean.train.images)
    for part in (noisy.validation, noisy.test):
        assert part is not None
        assert torch.equal(part.labels, part.true_labels)


def test_label_noise_is_symmetric() -> None:
    train = load("digits", label_noise=0.9).train
    shift = (train.labels - train.true_labels)[train.labels != train.true_labels] % 10
    counts = torch.bincount(shift, minlength=10)
    assert counts[0] == 0
    # 1,131 draws from nine classes: 125.7 each, standard deviation 10.6.
    assert counts[1:].min() > 126 - 5 * 10.6
    assert counts[1:].max() < 126 + 5 * 10.6


def test_load_images_from_a_folder_with_splits(tmp_path: Path) -> None:
    image_folder(tmp_path, {"train": 6, "test": 3})
    data = load(tmp_path)
    assert data.classes == ("cat", "dog")
    assert (len(data.train), len(data.test)) == (12, 6)
    # Whatever the order of files, each image keeps its label.
    cats = {picture(seed).tobytes() for seed in range(6)}
    for image, label in zip(data.train.images, data.train.labels, strict=True):
        is_cat = image.permute(1, 2, 0).numpy().tobytes() in cats
        assert is_cat == (data.classes[label] == "cat")


def test_load_images_divides_a_folder_without_splits_and_says_so(tmp_path: Path) -> None:
    data = load(image_folder(tmp_path, {"": 10}), test_fraction=0.3)
    assert (len(data.train), len(data.test)) == (14, 6)
    assert torch.bincount(data.test.labels).tolist() == [3, 3]
    assert any("30 % of each class were held out" in note for note in data.notes)


def test_load_images_takes_a_validation_split_as_test_set(tmp_path: Path) -> None:
    data = load(image_folder(tmp_path, {"train": 4, "validation": 2}))
    assert len(data.test) == 4
    assert "The test set is the split validation." in data.notes


def test_load_images_from_parquet_files_and_a_single_file(tmp_path: Path) -> None:
    file = parquet(tmp_path / "a" / "train.parquet", labelled(10), KINDS)
    parquet(tmp_path / "a" / "test.parquet", labelled(4), KINDS)
    data = load(tmp_path / "a")
    assert (len(data.train), len(data.test), data.classes) == (10, 4, ("cat", "dog"))
    expected = torch.from_numpy(np.array(picture(3))).permute(2, 0, 1)
    assert torch.equal(data.train.images[3], expected)
    alone = load(file, test_fraction=0.4)
    assert (len(alone.train), len(alone.test)) == (6, 4)


def test_load_images_from_web_dataset_tars(tmp_path: Path) -> None:
    web_dataset(tmp_path / "train-0000.tar", [0, 1, 2] * 4)
    web_dataset(tmp_path / "test-0000.tar", [0, 1, 2])
    data = load(tmp_path)
    assert (len(data.train), len(data.test)) == (12, 3)
    assert data.train.labels.tolist() == [0, 1, 2] * 4


def test_load_images_of_a_part_of_a_split(tmp_path: Path) -> None:
    parquet(tmp_path / "train.parquet", labelled(10), KINDS)
    parquet(tmp_path / "test.parquet", labelled(4), KINDS)
    data = load(tmp_path, train_split="train[:6]", test_split="test[50%:]")
    assert (len(data.train), len(data.test)) == (6, 2)


def test_load_images_reads_a_changed_file_anew(tmp_path: Path) -> None:
    file = tmp_path / "train.parquet"
    parquet(file, labelled(10), KINDS)
    before = load(file).fingerprint
    parquet(file, {**labelled(10), "image": [picture(n + 100) for n in range(10)]}, KINDS)
    assert load(file).fingerprint != before


def test_labels_that_are_strings_are_sorted_classes(tmp_path: Path) -> None:
    columns = {"image": labelled(6)["image"], "label": ["b", "a", "c"] * 2}
    data = load(
        parquet(
            tmp_path / "train.parquet",
            columns,
            {"image": datasets.Image(), "label": datasets.Value("string")},
        ),
        test_fraction=0.5,
    )
    assert data.classes == ("a", "b", "c")


def two_labels(tmp_path: Path) -> Path:
    columns = labelled(8) | {"coarse": [0, 0, 1, 1] * 2}
    kinds = KINDS | {"coarse": datasets.ClassLabel(names=["x", "y"])}
    return parquet(tmp_path / "train.parquet", columns, kinds)


def test_label_column_must_be_named_where_it_is_ambiguous(tmp_path: Path) -> None:
    file = two_labels(tmp_path)
    with pytest.raises(ValueError, match=r"--label-column; .*label \(class names\), coarse"):
        load(file)
    assert load(file, label_column="coarse", test_fraction=0.5).classes == ("x", "y")
    assert load(file, prefer_label="coarse", test_fraction=0.5).classes == ("x", "y")


def test_a_column_of_images_is_no_label(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"column image \(images\); labels must be names or whole"):
        load(two_labels(tmp_path), label_column="image")


def test_label_column_that_is_preferred_and_not_there_is_no_error(tmp_path: Path) -> None:
    file = parquet(tmp_path / "train.parquet", labelled(8), KINDS)
    assert load(file, prefer_label="fine_label", test_fraction=0.5).classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_column": "nope"}, "label_column: there is no column called 'nope'"),
        ({"image_column": "label"}, "image_column: 'label' is no column of images"),
        ({"train_split": "nope"}, "train_split: there is no split called 'nope'; there are train"),
        ({"test_split": "nope[:5]"}, r"test_split: there is no split called 'nope\[:5\]'"),
    ],
)
def test_load_images_from_columns_and_splits_that_are_not_there(
    tmp_path: Path, options: dict[str, str], message: str
) -> None:
    file = parquet(tmp_path / "train.parquet", labelled(8), KINDS)
    with pytest.raises(ValueError, match=message):
        load(file, **options)


def test_image_column_must_be_named_where_there_are_two(tmp_path: Path) -> None:
    columns = labelled(8) | {"mask": [picture(n + 50) for n in range(8)]}
    file = parquet(tmp_path / "train.parquet", columns, KINDS | {"mask": datasets.Image()})
    with pytest.raises(ValueError, match=r"2 columns of images, so one must be named with --image"):
        load(file)
    data = load(file, image_column="mask", test_fraction=0.5)
    assert len(data.train) == 4


def test_image_size_resizes_and_crops(tmp_path: Path) -> None:
    def make(seed: int) -> Image.Image:
        return picture(seed, size=(20, 12))

    data = load(image_folder(tmp_path, {"": 4}, make=make), image_size=6, test_fraction=0.5)
    assert data.train.images.shape == (4, 3, 6, 6)
    found = {image.permute(1, 2, 0).numpy().tobytes() for image in data.train.images}
    expected = set()
    for seed in range(8):
        resized = picture(seed, size=(20, 12)).resize((10, 6), Image.Resampling.BICUBIC)
        expected.add(resized.crop((2, 0, 8, 6)).tobytes())
    assert found <= expected


def test_image_size_is_needed_for_images_of_different_sizes(tmp_path: Path) -> None:
    def make(seed: int) -> Image.Image:
        return picture(seed, size=(8 + seed, 8))

    folder = image_folder(tmp_path, {"": 4}, make=make)
    with pytest.raises(ValueError, match=r"differ in size: row \d has .* --image-size"):
        load(folder)
    assert load(folder, image_size=8, test_fraction=0.5).train.images.shape[2:] == (8, 8)


def test_load_images_keeps_one_channel_of_grey_images(tmp_path: Path) -> None:
    def make(seed: int) -> Image.Image:
        return picture(seed, mode="L")

    grey = load(image_folder(tmp_path / "grey", {"": 4}, make=make), test_fraction=0.5)
    assert grey.train.images.shape[1] == 1


def test_load_images_of_grey_training_and_coloured_test_images(tmp_path: Path) -> None:
    image_folder(tmp_path, {"train": 3}, make=lambda seed: picture(seed, mode="L"))
    image_folder(tmp_path, {"test": 2})
    data = load(tmp_path)
    assert data.train.images.shape[1] == data.test.images.shape[1] == 3
    assert torch.equal(data.train.images[:, 0], data.train.images[:, 2])


def test_load_images_names_a_corrupt_image(tmp_path: Path) -> None:
    columns = labelled(6)
    raw = []
    for image in columns["image"]:
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        raw.append({"bytes": buffer.getvalue(), "path": None})
    raw[4] = {"bytes": raw[4]["bytes"][:40], "path": "four.png"}
    file = parquet(tmp_path / "train.parquet", columns | {"image": raw}, KINDS)
    with pytest.raises(
        ValueError, match=r"1 image cannot be read, and .*\n  row 4 of split train \(four.png\): "
    ):
        load(file)


def test_load_images_names_a_missing_image(tmp_path: Path) -> None:
    columns = labelled(6)
    columns["image"][2] = None
    with pytest.raises(
        ValueError, match=r"1 image cannot be read.*\n  row 2 of split train .*: there is no image"
    ):
        load(parquet(tmp_path / "train.parquet", columns, KINDS))


def test_load_images_that_do_not_fit_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psutil

    class Little:
        available = 1000

    monkeypatch.setattr(psutil, "virtual_memory", Little)
    with pytest.raises(ValueError, match=r"GiB of memory are free. Take a smaller --image-size"):
        load(parquet(tmp_path / "train.parquet", labelled(8), KINDS))


def test_labels_of_the_test_set_that_are_hidden(tmp_path: Path) -> None:
    parquet(tmp_path / "train.parquet", labelled(6), KINDS)
    parquet(tmp_path / "test.parquet", labelled(2) | {"label": [-1, -1]}, KINDS)
    with pytest.raises(ValueError, match=r"has the label -1.*not public.*--test-split"):
        load(tmp_path)


def test_labels_that_no_training_sample_has(tmp_path: Path) -> None:
    kinds = {"image": datasets.Image(), "label": datasets.Value("int64")}
    parquet(tmp_path / "train.parquet", labelled(6), kinds)
    parquet(tmp_path / "test.parquet", labelled(2) | {"label": [0, 7]}, kinds)
    with pytest.raises(ValueError, match=r"'7' \(1 image, the first in row 1\)"):
        load(tmp_path)


def test_classes_without_samples_are_named(tmp_path: Path) -> None:
    kinds = KINDS | {"label": datasets.ClassLabel(names=["cat", "dog", "emu"])}
    with pytest.raises(ValueError, match="1 of 3 classes have no training sample: emu"):
        load(parquet(tmp_path / "train.parquet", labelled(6), kinds))


def test_where_nothing_is_trained_one_split_is_measured_on_and_classes_may_lack(
    tmp_path: Path,
) -> None:
    kinds = KINDS | {"label": datasets.ClassLabel(names=["cat", "dog", "emu"])}
    settings = DataSettings(str(parquet(tmp_path / "validation.parquet", labelled(6), kinds)))
    data = load_images(settings, measure_only=True)
    assert (len(data.train), len(data.test), data.test_is_drawn) == (0, 6, False)
    assert data.test.ids.tolist() == [0, 1, 2, 3, 4, 5]  # type: ignore[attr-defined]
    assert data.classes == ("cat", "dog", "emu")
    assert any("all of it is measured on" in note for note in data.notes)


def test_classes_are_two_at_least(tmp_path: Path) -> None:
    kinds = KINDS | {"label": datasets.ClassLabel(names=["cat"])}
    columns = labelled(4) | {"label": [0] * 4}
    with pytest.raises(ValueError, match="The data has one class, 'cat'"):
        load(parquet(tmp_path / "train.parquet", columns, kinds))
    with pytest.raises(ValueError, match="The data has one class, 'cat'"):
        load(image_folder(tmp_path / "folder", {"": 4}, classes=["cat"]))


def test_hold_out_of_a_class_too_small_to_be_in_both_parts(tmp_path: Path) -> None:
    folder = image_folder(tmp_path, {"": 5})
    (folder / "emu").mkdir()
    picture(99).save(folder / "emu" / "0.png")
    with pytest.raises(ValueError, match=r"which cannot be in both parts: emu\..*--test-split"):
        load(folder)


def test_load_images_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"There is no data called .*hf:owner/name"):
        load(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("…")
    with pytest.raises(ValueError, match="is a file of unknown kind"):
        load(tmp_path / "notes.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="cannot be loaded as a data set"):
        load(tmp_path / "empty")


def test_load_images_from_a_hub_that_cannot_be_reached() -> None:
    with pytest.raises(ValueError, match="hf:nobody/nothing cannot be loaded as a data set"):
        load("hf:nobody/nothing")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("label_noise", 1.0),
        ("label_noise", -0.1),
        ("validation", 1.0),
        ("test_fraction", 0.0),
        ("label_noise", float("nan")),
    ],
)
def test_data_settings_out_of_range(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        dataclasses.replace(DataSettings("digits"), **{field: value})


def test_image_size_out_of_range() -> None:
    with pytest.raises(ValueError, match="image_size must be at least 1; got 0"):
        load("digits", image_size=0)
