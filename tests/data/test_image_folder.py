"""What lies in a folder against what is loaded: splits, classes and images."""

import os
import shutil
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from maxsup.data import DataSettings, ImageData, PhotographSettings, load_images
from maxsup.data.sources._walk import walk

from .folders import image_folder, picture


def load(name: Path | str, **settings: Any) -> ImageData:
    return load_images(DataSettings(str(name), **settings), image_size=8)


def files(root: Path, names: Iterable[str], count: int = 4) -> Path:
    """So many images at the start of each name, which may have a number in it."""
    seed = 0
    for name in names:
        for number in range(count):
            path = root / name.format(number)
            path.parent.mkdir(parents=True, exist_ok=True)
            picture(seed).save(path, "PNG")
            seed += 1
    return root


def sizes(data: ImageData) -> tuple[int, int, int]:
    return len(data.train), len(data.validation or ()), len(data.test)


def test_words_in_the_names_of_files_are_no_splits(tmp_path: Path) -> None:
    names = ["cat/{}.png", "cat/train_station_{}.png", "cat/train-ride_{}.png", "dog/img{}.png"]
    names += ["dog/val_thorens_{}.png", "dog/dev board {}.png", "dog/test_{}.png"]
    data = load(files(tmp_path, names, 5))
    assert (data.classes, sizes(data)) == (("cat", "dog"), (28, 0, 7))


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("Train", "Valid", "Test"),
        ("TRAINING", "dev", "testing"),
        ("train_set", "val-set", "test_set"),
        ("trainData", "validation data", "eval"),
    ],
)
def test_folders_at_the_top_are_splits_however_they_are_spelt(
    tmp_path: Path, train: str, validation: str, test: str
) -> None:
    image_folder(tmp_path, {train: 4, validation: 2, test: 3})
    data = load(tmp_path)
    assert sizes(data) == (8, 4, 6)
    assert data.validation is not None
    assert [data.train.name, data.validation.name, data.test.name] == [
        "train",
        "validation",
        "test",
    ]
    assert any(f"{train}/ as train" in note for note in data.notes)
    assert "The validation set is the split validation." in data.notes
    # As options they are called either way.
    assert sizes(load(tmp_path, train_split=test, test_split="train[:6]")) == (6, 4, 6)


def test_the_words_below_the_top_are_classes(tmp_path: Path) -> None:
    data = load(image_folder(tmp_path, {"train": 4, "test": 2}, ["test", "bus"]))
    assert (data.classes, sizes(data)) == (("bus", "test"), (8, 0, 4))


def test_a_class_called_train_among_others_is_a_class(tmp_path: Path) -> None:
    data = load(image_folder(tmp_path, {"": 5}, ["bus", "car", "train", "valid"]))
    assert data.classes == ("bus", "car", "train", "valid")
    assert sizes(data) == (16, 0, 4)
    (note,) = (note for note in data.notes if "taken for classes" in note)
    assert note.startswith("train/ and valid/ are")


def test_a_folder_that_may_be_a_split_or_a_class_is_asked_for(tmp_path: Path) -> None:
    image_folder(tmp_path, {"train": 5, "extra": 3})
    with pytest.raises(
        ValueError, match=r"whether train/ .* is a split or classes.*extra/.*--train"
    ):
        load(tmp_path)
    assert sizes(load(tmp_path, train_split="train")) == (8, 0, 2)
    assert sizes(load(tmp_path, train_split="train", test_split="extra")) == (10, 0, 6)
    # Two that hold the same classes are splits, whatever else there is.
    image_folder(tmp_path, {"test": 2})
    files(tmp_path, ["unlabelled/{}.png"])
    data = load(tmp_path)
    assert sizes(data) == (10, 0, 4)
    assert "Passed over unlabelled/: its 4 images lie in no class sub-folders." in data.notes


def test_two_folders_for_one_split_are_refused(tmp_path: Path) -> None:
    image_folder(tmp_path, {"train": 4, "val": 2, "valid": 2})
    with pytest.raises(ValueError, match=r"val/ and valid/ .* would both be the split validation"):
        load(tmp_path)
    assert sizes(load(tmp_path, test_split="val")) == (8, 4, 4)


def test_folders_that_are_named_are_splits_whatever_they_are_called(tmp_path: Path) -> None:
    image_folder(tmp_path, {"fold 1": 4, "fold 2": 2})
    assert sizes(load(tmp_path, train_split="fold 1", test_split="fold 2")) == (8, 0, 4)
    assert any("fold 1/cat/ and fold 2/cat/ are one class" in note for note in load(tmp_path).notes)


def test_a_test_folder_without_classes_has_no_labels(tmp_path: Path) -> None:
    image_folder(tmp_path, {"train": 5})
    files(tmp_path, ["test/{}.png"])
    data = load(tmp_path)
    assert sizes(data) == (8, 0, 2)
    assert "Passed over test/: its 4 images lie in no class sub-folders." in data.notes
    shutil.rmtree(tmp_path / "train")
    with pytest.raises(ValueError, match=r"images in test/ lie in no class sub-folders.*metadata"):
        load(tmp_path)


def test_a_validation_split_takes_the_place_of_a_missing_test_split(tmp_path: Path) -> None:
    data = load(image_folder(tmp_path, {"train": 4, "val": 2}))
    assert sizes(data) == (8, 0, 4)
    assert "The data has no test split: the split validation takes its place." in data.notes


def test_a_validation_split_or_a_part_held_out(tmp_path: Path) -> None:
    image_folder(tmp_path, {"train": 4, "val": 2, "test": 3})
    held_out = load(tmp_path, validation=0.25)
    assert sizes(held_out) == (6, 2, 6)
    assert any("validation is not used: --validation holds" in note for note in held_out.notes)
    assert sizes(load(tmp_path, test_split="val")) == (8, 0, 4)
    assert sizes(load(tmp_path, validation_split="test", test_split="val[:3]")) == (8, 6, 3)
    with pytest.raises(ValueError, match=r"got 0\.1 and 'val'. Give one"):
        DataSettings("x", validation=0.1, validation_split="val")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"test_split": "train"}, "train_split train and test_split train have 20 rows in common"),
        (
            {"train_split": "train[:50%]", "test_split": "train[40%:]"},
            r"train\[:50%\] and test_split train\[40%:\] have 2 rows in common",
        ),
        ({"train_split": "train+test[:2]"}, "and test_split test have 2 rows in common"),
        ({"train_split": "test", "test_split": "Test"}, "there is no split called 'Test'"),
        ({"validation_split": "test[:1]"}, "validation_split .* and test_split test have 1 row in"),
        ({"train_split": "train[90:]"}, "holds no rows; train has 20"),
        ({"train_split": "train[5%%]"}, r"is no part of a split; write train\[:1000\]"),
    ],
)
def test_parts_must_not_overlap(tmp_path: Path, settings: dict[str, str], message: str) -> None:
    image_folder(tmp_path, {"train": 10, "test": 3})
    with pytest.raises(ValueError, match=message):
        load(tmp_path, **settings)


def test_parts_of_splits_that_lie_apart(tmp_path: Path) -> None:
    image_folder(tmp_path, {"train": 10, "test": 3})
    both = "train[:5]+train[10:15]"
    assert sizes(load(tmp_path, train_split=both, test_split="train[5:10]+test")) == (10, 0, 11)


def test_a_part_that_holds_some_classes_alone(tmp_path: Path) -> None:
    image_folder(tmp_path, {"train": 10, "test": 3})
    with pytest.raises(ValueError, match=r"no training sample: dog.*sorted by class.*--fraction 0"):
        load(tmp_path, train_split="train[:10]")


def test_files_that_are_no_images_are_counted_and_named(tmp_path: Path) -> None:
    image_folder(tmp_path, {"": 5}, ["cat", "dog", "emu"])
    for number in range(3):
        (tmp_path / "cat" / f"{number}.HEIC").write_bytes(b"?")
        (tmp_path / "dog" / f"film{number}.mp4").write_bytes(b"?")
    (tmp_path / "emu" / "1.heic").write_bytes(b"?")
    (tmp_path / "emu" / "5").write_bytes(b"?")
    (tmp_path / "README.txt").write_text("…")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "how.txt").write_text("…")
    picture(0).save(tmp_path / "overview.png")
    data = load(tmp_path)
    assert (len(data.classes), sizes(data)) == (3, (12, 0, 3))
    assert (
        "Passed over 10 files that cannot be read as images: 4 .heic in cat/ and 1 other folder, "
        "3 .mp4 in dog/, 2 .txt in the folder itself and 1 other folder, 1 without extension in "
        "emu/."
    ) in data.notes
    assert "Passed over 1 image outside of the class folders: overview.png." in data.notes


def test_a_class_of_which_no_image_can_be_read_stops_it(tmp_path: Path) -> None:
    image_folder(tmp_path, {"train": 5, "test": 2})
    (tmp_path / "test" / "emu").mkdir()
    for number in range(3):
        (tmp_path / "test" / "emu" / f"{number}.heic").write_bytes(b"?")
    (tmp_path / "test" / "emu" / "4.png").symlink_to(tmp_path / "gone.png")
    message = "class folder test/emu/ holds no image that can be read, but 3 .heic, 1 links that"
    with pytest.raises(ValueError, match=message):
        load(tmp_path)


def test_all_suffixes_of_images_in_capitals_or_not(tmp_path: Path) -> None:
    kinds = {"JPG": "JPEG", "jfif": "JPEG", "Png": "PNG", "BMP": "BMP", "webp": "WEBP"}
    kinds |= {"tif": "TIFF", "avif": "AVIF"}
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for suffix, kind in kinds.items():
            picture(0).save(tmp_path / name / f"0.{suffix}", kind)
    assert sum(sizes(load(tmp_path))) == 2 * len(kinds)


def test_what_systems_leave_behind_is_passed_over_in_silence(tmp_path: Path) -> None:
    image_folder(tmp_path, {"": 5})
    plain = load(tmp_path).notes
    for name in ("cat", "dog"):
        for junk in (".DS_Store", "Thumbs.db", "desktop.ini", "._0.png"):
            (tmp_path / name / junk).write_bytes(b"\0")
        (tmp_path / "__MACOSX" / name).mkdir(parents=True)
        (tmp_path / "__MACOSX" / name / "0.png").write_bytes(b"\0")
        (tmp_path / name / ".ipynb_checkpoints").mkdir()
        picture(0).save(tmp_path / name / ".ipynb_checkpoints" / "0-checkpoint.png")
    data = load(tmp_path)
    assert (sizes(data), data.notes) == ((8, 0, 2), plain)
    (tmp_path / "emu").mkdir()
    assert "Empty folders are no classes: emu/." in load(tmp_path).notes


def test_folders_of_one_name_are_one_class_and_it_is_said(tmp_path: Path) -> None:
    names = [
        f"{colour}/{fruit}/{{}}.png" for colour in ("red", "green") for fruit in ("apple", "pear")
    ]
    data = load(files(tmp_path, names, 5))
    assert (data.classes, sizes(data)) == (("apple", "pear"), (16, 0, 4))
    assert any("green/apple/ and red/apple/ are one class, apple" in note for note in data.notes)


def test_folders_below_a_class_are_of_that_class(tmp_path: Path) -> None:
    data = load(files(tmp_path, ["cat/{}.png", "cat/more/{}.png", "dog/{}.png"], 5))
    assert (data.classes, sizes(data)) == (("cat", "dog"), (12, 0, 3))
    assert "What lies below a class folder is of its class: cat/more/." in data.notes


def test_one_folder_around_all_is_looked_through(tmp_path: Path) -> None:
    image_folder(tmp_path / "archive" / "birds", {"Train": 4, "Test": 2})
    data = load(tmp_path)
    assert sizes(data) == (8, 0, 4)
    assert "All images lie in archive/birds/." in data.notes


def test_links_are_followed_and_loops_are_left(tmp_path: Path) -> None:
    store, folder = tmp_path / "store", tmp_path / "folder"
    image_folder(store, {"": 5}, ["cat", "dog", "emu"])
    folder.mkdir()
    for name in ("cat", "dog"):
        (folder / name).symlink_to(store / name, target_is_directory=True)
    (folder / "emu").mkdir()
    for number in range(5):
        (folder / "emu" / f"{number}.png").symlink_to(store / "emu" / f"{number}.png")
    (folder / "emu" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "emu" / "self").symlink_to(folder / "emu" / "self")
    (store / "dog" / "away.png").symlink_to(store / "nowhere.png")
    data = load(folder)
    assert (data.classes, sizes(data)) == (("cat", "dog", "emu"), (12, 0, 3))
    (note,) = (note for note in data.notes if "links that lead nowhere" in note)
    assert "3 links" in note
    assert "dog/away.png" in note


def test_folders_that_all_link_to_each_other_come_to_an_end(tmp_path: Path) -> None:
    names = [f"class{number}" for number in range(9)]
    image_folder(tmp_path, {"": 1}, names)
    for name in names:
        for other in set(names) - {name}:
            (tmp_path / name / other).symlink_to(tmp_path / other, target_is_directory=True)
    found = walk(tmp_path)
    assert [folder.name for folder in found.folders] == names
    assert found.image_count == 9 + 9 * 8 + 9 * 8 * 7  # and not 9!


def test_names_of_all_kinds(tmp_path: Path) -> None:
    names = ["<script>", "$x_1$", "{{ 7 }}{% x %}", "dog 🐶", "猫", "كلب", "_nolegend_", "x" * 200]
    names += ['it\'s "q", 100%', "a\nb", "*?[a]", "-rf"]
    data = load(image_folder(tmp_path / "[2024] birds*", {"": 5}, names))
    assert set(data.classes) == set(names)
    assert sizes(data) == (48, 0, 12)
    assert data.name == "[2024] birds*"
    photographs = PhotographSettings(8, workers=0)
    again = load_images(DataSettings(str(tmp_path / "[2024] birds*")), photographs=photographs)
    assert sum(len(part) for part in again.train.evaluation_batches(48)) == 48


def test_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(image_folder(tmp_path / "pets", {"": 5}))
    data = load(".")
    assert (data.name, sizes(data)) == ("pets", (8, 0, 2))


def test_the_same_name_in_two_forms_of_unicode(tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    image_folder(tmp_path, {"train": 3}, [composed, "bar"])
    image_folder(tmp_path, {"test": 2}, [apart, "bar"])
    assert load(tmp_path).classes == ("bar", composed)


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    image_folder(tmp_path, {"": 5})
    try:
        os.mkdir(os.fsencode(tmp_path) + b"/caf\xe9")  # noqa: PTH102
    except OSError:
        pytest.skip("this file system has names of text alone")
    with pytest.raises(ValueError, match=r"Names in the folder cannot be read as text.*caf"):
        load(tmp_path)


def test_numbered_classes_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    def make(seed: int) -> Image.Image:
        return Image.new("L", (8, 8), seed // 5)

    image_folder(tmp_path, {"": 5}, [str(number) for number in range(12)], make)
    data = load(tmp_path)
    assert data.classes == tuple(str(number) for number in range(12))
    train = data.train.labelled
    assert train is not None
    assert train.images[:, 0, 0, 0].tolist() == train.labels.tolist()  # type: ignore[attr-defined]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    image_folder(tmp_path, {"": 5})
    os.mkfifo(tmp_path / "cat" / "live.png")
    assert sizes(load(tmp_path)) == (8, 0, 2)


def test_folders_without_what_can_be_loaded(tmp_path: Path) -> None:
    files(tmp_path / "flat", ["{}.png"])
    with pytest.raises(ValueError, match=r"has images and no class sub-folders.*metadata\.csv"):
        load(tmp_path / "flat")
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "labels.csv").write_text("a,b\n")
    with pytest.raises(ValueError, match=r"no image that can be read lies in it.*but 1 \.csv"):
        load(tmp_path / "table")
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed" / "birds.zip").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"no images but archives: birds\.zip\. Unpack"):
        load(tmp_path / "packed")
    with pytest.raises(ValueError, match=r"file of unknown kind.*Unpack it"):
        load(tmp_path / "packed" / "birds.zip")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_may_not_be_read(tmp_path: Path) -> None:
    image_folder(tmp_path, {"": 5})
    (tmp_path / "dog").chmod(0)
    with pytest.raises(ValueError, match=r"folder dog/ cannot be read \(Permission denied\)"):
        load(tmp_path)


def test_rare_classes_are_named_where_a_part_is_held_out(tmp_path: Path) -> None:
    image_folder(tmp_path, {"": 10})
    image_folder(tmp_path, {"": 1}, ["emu"])
    with pytest.raises(
        ValueError, match=r"a class has 1 image.*: emu\. Add.*leave it.*--test-split"
    ):
        load(tmp_path)
    image_folder(tmp_path / "own", {"train": 10, "test": 2})
    assert sizes(load(tmp_path / "own", validation=0.2)) == (16, 4, 4)
    with pytest.raises(ValueError, match=r"leaves 1 in it and 19 to train on.* --validation"):
        load(tmp_path / "own", validation=0.05)


def test_splits_with_more_words_in_their_names_if_they_hold_the_same_classes(
    tmp_path: Path,
) -> None:
    image_folder(tmp_path, {"seg_train/seg_train": 4, "seg_test/seg_test": 2})
    files(tmp_path, ["seg_pred/{}.png"])
    data = load(tmp_path)
    assert (data.classes, sizes(data)) == (("cat", "dog"), (8, 0, 4))
    assert any("seg_train/ as train and seg_test/ as test" in note for note in data.notes)


def test_class_folders_that_hold_a_folder_of_images(tmp_path: Path) -> None:
    names = ["train/n01/images/{}.png", "train/n02/images/{}.png", "val/images/{}.png"]
    files(tmp_path, names, 5)
    (tmp_path / "train" / "n01" / "n01_boxes.txt").write_text("0 0 8 8")
    data = load(tmp_path)
    assert (data.classes, sizes(data)) == (("n01", "n02"), (8, 0, 2))
    assert "Passed over val/: its 5 images lie in no class sub-folders." in data.notes


def test_splits_below_classes_are_refused(tmp_path: Path) -> None:
    files(tmp_path, ["cat/train/{}.png", "cat/test/{}.png", "dog/train/{}.png", "dog/test/{}.png"])
    with pytest.raises(ValueError, match=r"called like splits.*cat/test/.* as test/cat/"):
        load(tmp_path)


def test_classes_that_differ_in_capitals_alone_are_named(tmp_path: Path) -> None:
    data = load(image_folder(tmp_path, {"": 5}, ["Cat", "cat", "dog"]))
    assert any("Cat and cat are different classes" in note for note in data.notes)
