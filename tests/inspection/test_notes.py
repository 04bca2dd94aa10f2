"""What is said of the data that models are looked at on."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maxsup.data import DataSettings
from maxsup.inspection import ANALYSES, InspectionSettings, inspect
from maxsup.recipes import get_recipe
from maxsup.report import render_inspection
from maxsup.training import RunSettings, train


def only(*names: str) -> tuple[str, ...]:
    return tuple(each.name for each in ANALYSES if each.name not in names)


def write(place: Path, *splits: str, each: int = 15) -> str:
    generator = np.random.default_rng(0)
    for split in splits:
        for name, level in (("cat", 60), ("dog", 120)):
            folder = place / split / name
            folder.mkdir(parents=True)
            for number in range(each):
                pixels = generator.integers(0, level, (8, 8), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return str(place)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A run on data of one split, whose test set was held out by a seed; and that data."""
    place = tmp_path_factory.mktemp("own")
    data = write(place / "data", ".")
    recipe = dataclasses.replace(get_recipe("digits"), epochs=1, batch_size=8)
    settings = DataSettings(data, data_seed=5, test_fraction=0.4)
    train(RunSettings("maxsup", 0, recipe, settings), place / "seed-0")
    return str(place / "seed-0"), data


def test_notes_on_a_runs_own_data_are_shown(run: tuple[str, str]) -> None:
    found = inspect([run[0]], InspectionSettings(resamples=0, skip=only()))
    (note,) = (each for each in found["notes"] if "no test split" in each)
    assert "40 % of each class were held out" in note
    assert note in found["models"][0]["notes"]
    assert note in render_inspection(found)


def test_a_runs_own_data_by_its_name_is_measured_on_what_was_held_out(
    run: tuple[str, str],
) -> None:
    named = InspectionSettings(data=run[1] + "/../data", resamples=0, skip=only())
    first = inspect([run[0]], InspectionSettings(resamples=0, skip=only()))["models"][0]
    second = inspect([run[0]], named)["models"][0]
    assert (second["test"], second["samples"]) == (12, first["samples"])


def test_one_split_of_other_data_is_measured_whole_and_said(
    run: tuple[str, str], tmp_path: Path
) -> None:
    other = write(tmp_path / "other", ".")
    settings = InspectionSettings(data=other, resamples=0, skip=only())
    found = inspect([run[0]], settings)
    assert (found["models"][0]["test"], found["models"][0]["train"]) == (30, 0)
    assert any("has one split, train: all of it is measured on" in n for n in found["notes"])


def test_notes_on_the_data_of_other_options_name_it(run: tuple[str, str], tmp_path: Path) -> None:
    other = write(tmp_path / "other", ".")
    settings = InspectionSettings(
        ood_data=(other,), transfer_data=(other,), resamples=0, skip=only("ood", "transfer")
    )
    found = inspect([run[0]], settings)
    assert found["models"][0]["details"]["ood"][0]["samples"] == 30  # labels are not looked at
    assert any(n == "other: All 30 images are measured on." for n in found["notes"])
    assert any(n.startswith("other: The data has no test split: 20 %") for n in found["notes"])
