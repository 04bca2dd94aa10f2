"""Settings that change nothing are refused by name."""

from pathlib import Path
from typing import Any

import pytest

from maxsup.commands import main
from maxsup.data import DataSettings, PhotographSettings, load_images, prepare_shards
from maxsup.recipes import get_recipe

from .folders import image_folder

PHOTOGRAPHS = PhotographSettings(16, workers=0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image_column", "image"),
        ("label_column", "label"),
        ("train_split", "train"),
        ("validation_split", "val"),
        ("test_split", "test"),
        ("test_fraction", 0.5),
        ("streaming", True),
        ("max_corrupt", 3),
        ("max_megapixels", 3),
    ],
)
def test_digits_take_no_setting_of_files(name: str, value: Any) -> None:
    said = f"{name} has no effect here: the digits are embedded.*got {value}"
    with pytest.raises(ValueError, match=said):
        load_images(DataSettings("digits", **{name: value}))


def test_digits_take_the_size_of_the_recipe() -> None:
    data = load_images(DataSettings("digits"), image_size=16)
    plain = load_images(DataSettings("digits"))
    assert data.image_shape == (1, 16, 16)
    means = data.train.images.float().mean(), plain.train.images.float().mean()  # type: ignore[attr-defined]
    assert means[0] == pytest.approx(float(means[1]), rel=0.05)
    assert data.train.ids.equal(plain.train.ids)  # type: ignore[attr-defined]


@pytest.mark.parametrize("photographs", [None, PHOTOGRAPHS])
def test_settings_of_parts_that_are_not_held_out(
    photographs: PhotographSettings | None, tmp_path: Path
) -> None:
    folder = str(image_folder(tmp_path, {"train": 4, "test": 2}))
    with pytest.raises(
        ValueError, match=r"test_fraction has no .*at 0.2 \(--test-fraction\); got 0.5"
    ):
        load_images(DataSettings(folder, test_fraction=0.5), photographs=photographs)
    with pytest.raises(ValueError, match="data_seed has no effect here: nothing is held out"):
        load_images(DataSettings(folder, data_seed=1), photographs=photographs)
    for drawn in ({"validation": 0.5}, {"label_noise": 0.2}, {"imbalance": 2}, {"fraction": 0.5}):
        load_images(DataSettings(folder, data_seed=1, **drawn), photographs=photographs)  # type: ignore[arg-type]


def test_settings_of_labels_that_a_stream_does_not_have(tmp_path: Path) -> None:
    folder = str(image_folder(tmp_path, {"train": 4, "test": 2}))
    for name, value in (("test_fraction", 0.5), ("data_seed", 1)):
        settings = DataSettings(folder, streaming=True, **{name: value})  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=f"{name} has no effect here: no part is held out or"):
            load_images(settings, photographs=PHOTOGRAPHS)


def test_settings_that_photographs_do_not_take(tmp_path: Path) -> None:
    folder = DataSettings(str(image_folder(tmp_path, {"train": 4, "test": 2})))
    with pytest.raises(ValueError, match="image_size has no effect on photographs"):
        load_images(folder, image_size=8, photographs=PHOTOGRAPHS)
    with pytest.raises(ValueError, match="max_megapixels has no effect in PhotographSettings"):
        load_images(folder, photographs=PhotographSettings(16, max_megapixels=3))


@pytest.mark.parametrize(
    ("name", "value"),
    [("validation", 0.1), ("label_noise", 0.1), ("imbalance", 2.0), ("fraction", 0.5),
     ("test_fraction", 0.5), ("data_seed", 1), ("streaming", True)],
)  # fmt: skip
def test_settings_of_a_training_in_a_preparation(name: str, value: Any, tmp_path: Path) -> None:
    folder = image_folder(tmp_path / "in", {"train": 4})
    with pytest.raises(ValueError, match=f"{name} has no effect here"):
        prepare_shards(DataSettings(str(folder), **{name: value}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_options_that_have_no_effect_end_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["compare", "digits", "--dry-run", "--epochs", "1"]
    for option, value, said in (
        ("--workers", "2", "workers is for photographs: it needs random_resized_crop"),
        ("--max-corrupt", "2", "max_corrupt has no effect here"),
        ("--gamma", "0.5", "gamma is for lr_schedule 'step'"),
    ):
        assert main([*words, option, value]) == 2
        assert said in " ".join(capsys.readouterr().err.split())


def test_what_a_recipe_says_for_another_case_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The milestones of a schedule that an option replaces are no fault of the user's."""
    assert get_recipe("cifar100-resnet18").milestones == (60, 120, 160)
    words = ["--recipe", "cifar100-resnet18", "--model", "small-convnet", "--no-small-stem"]
    words += ["--image-size", "8", "--dry-run", "--epochs", "1"]
    others = ["--lr-schedule", "cosine", "--optimizer", "adamw"]
    assert main(["compare", "digits", *words, *others]) == 0, capsys.readouterr().err
    assert main(["compare", "digits", *words, *others, "--milestones", "9"]) == 2
    assert "milestones is for lr_schedule 'step'" in capsys.readouterr().err
