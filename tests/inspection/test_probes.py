import dataclasses
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch
from PIL import Image

from maxsup.data import DataSettings
from maxsup.inspection import ANALYSES, InspectionSettings, inspect
from maxsup.inspection._other_data import label_of, settings_of
from maxsup.measures import linear_transfer, nearest_neighbours
from maxsup.recipes import get_recipe
from maxsup.report import write_inspection_page
from maxsup.study import record
from maxsup.training import RunSettings, train

OTHERS = tuple(each.name for each in ANALYSES if each.name not in ("probe", "finer", "transfer"))
"""Analyses that are not looked at here."""


def features_of(samples: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Features of three classes that overlap, the same classes for every seed."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(samples) % 3
    centres = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    return centres[labels] + 0.6 * torch.randn(samples, 3, generator=generator), labels


@pytest.fixture(scope="module")
def predictions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those of two methods, whose features are alike but for their noise."""
    directory = tmp_path_factory.mktemp("predictions")
    for number, method in enumerate(("baseline", "maxsup")):
        train_features, train_labels = features_of(150, seed=10 + number)
        test_features, test_labels = features_of(90, seed=20 + number)
        record(
            directory,
            method,
            0,
            test_features.numpy(),
            test_labels.numpy(),
            features=test_features.numpy(),
            train_logits=train_features.numpy(),
            train_labels=train_labels.numpy(),
            train_features=train_features.numpy(),
        )
    return directory


def test_a_long_path_says_how_far_it_is(predictions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    settings = InspectionSettings(skip=OTHERS, resamples=0)
    inspect([str(predictions)], settings, announce=said.append)
    assert not any("l2 values tried" in each for each in said)  # it took no ten seconds
    monkeypatch.setattr("maxsup.training._slow_steps._EVERY", 0.0)
    inspect([str(predictions)], settings, announce=said.append)
    told = [each for each in said if "probe of its own classes, l2 values tried: " in each]
    assert len(told) == 2 * 44
    assert (
        "baseline, seed 0: probe of its own classes, l2 values tried: 12 of 45, after " in told[11]
    )


def write_images(path: Path, samples: int, seed: int, mode: str = "L") -> None:
    """Images with one bright half; which side is the fine class, which axis the coarse one."""
    generator = np.random.default_rng(seed)
    fine = [number % 4 for number in range(samples)]
    images = []
    for label in fine:
        pixels = generator.integers(0, 140, (8, 8), dtype=np.uint8)
        half = [np.s_[:, :4], np.s_[:, 4:], np.s_[:4], np.s_[4:]][label]
        pixels[half] += 70
        images.append(Image.fromarray(pixels).convert(mode))
    columns = {"image": images, "axis": [label // 2 for label in fine], "side": fine}
    kinds = {
        "image": datasets.Image(),
        "axis": datasets.ClassLabel(names=["horizontal", "vertical"]),
        "side": datasets.ClassLabel(names=["left", "right", "up", "down"]),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    datasets.Dataset.from_dict(columns, datasets.Features(kinds)).to_parquet(path)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tiny run on the coarse classes, and its data."""
    place = tmp_path_factory.mktemp("sides")
    write_images(place / "train.parquet", 120, seed=0)
    write_images(place / "test.parquet", 60, seed=1)
    recipe = dataclasses.replace(get_recipe("digits"), epochs=1, batch_size=40)
    directory = tmp_path_factory.mktemp("run") / "maxsup" / "seed-0"
    train(
        RunSettings("maxsup", 0, recipe, DataSettings(str(place), label_column="axis")), directory
    )
    return directory, place


def look(place: Path, directory: Path | None = None, **changes: Any):  # type: ignore[no-untyped-def]
    settings = InspectionSettings(**{"skip": OTHERS, "resamples": 0} | changes)
    return inspect([str(place)], settings, directory)


def test_stored_predictions_are_probed_for_their_own_classes(
    predictions: Path, tmp_path: Path
) -> None:
    found = look(predictions, resamples=8)
    inputs = (*features_of(150, seed=11), *features_of(90, seed=21))
    linear, neighbours = linear_transfer(*inputs), nearest_neighbours(*inputs)
    (model,) = (each for each in found["models"] if each["method"] == "maxsup")
    values = model["values"]
    assert values["test_own_probe"] == linear.chosen.test_accuracy
    assert values["test_own_probe_narrow"] == linear.narrow.test_accuracy
    assert [values[f"test_own_neighbours_{k}"] for k in (10, 20, 100, 200)] == [
        each.accuracy for each in neighbours
    ]
    # All 150 are asked where 200 are, and that is said.
    assert sum("150 training samples" in note for note in found["notes"]) == 1
    interval = found["intervals"]["test_own_probe"]["maxsup"]
    assert interval["over"] == "samples"
    assert interval["low"] < values["test_own_probe"] < interval["high"]
    (details,) = model["details"]["probe"]
    assert details["validation"] == linear.validation_accuracy.tolist()
    assert details["chosen"]["l2"] == linear.chosen.l2
    assert not any(
        "finer" in each["name"] or "transfer" in each["name"] for each in found["measures"]
    )

    write_inspection_page(found, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "What the features hold for other classes" in page
    assert "The l2 that were chosen" in page


def test_a_run_is_probed_for_finer_labels_and_other_data(
    run: tuple[Path, Path], tmp_path: Path
) -> None:
    directory, place = run
    transfer = ("digits", f"{place}@side")
    found = look(directory, tmp_path, probe_label="side", transfer_data=transfer)
    values = found["models"][0]["values"]
    name = f"{place.name}_side"
    # The labels of a column of the same images, and the same images as other data.
    for key in ("probe", "probe_narrow", "neighbours_20"):
        assert values[f"test_finer_{key}"] == values[f"test_transfer_{name}_{key}"]
    # Four sides are more than the two axes tell; ten digits are more than guessing.
    assert values["test_finer_probe"] > 0.5
    assert values["test_transfer_digits_probe"] > 0.3
    labels = {each["name"]: each["label"] for each in found["measures"]}
    assert labels["test_transfer_digits_probe"] == "Linear probe (digits)"
    details = found["models"][0]["details"]
    assert [each["classes"] for each in (*details["finer"], *details["transfer"])] == [4, 10, 4]

    # What was found is there; another question is answered without it.
    fewer = look(directory, tmp_path, probe_label="side", transfer_data=("digits",))
    assert "transfer" in fewer["models"][0]["details"]
    assert f"test_transfer_{name}_probe" not in fewer["models"][0]["values"]
    assert look(directory, tmp_path)["models"][0]["details"].keys() == {"probe"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"probe_label": "colour"}, "no column called 'colour'"),
        ({"probe_label": "axis"}, "'axis' is the column that is trained on"),
        ({"transfer_data": ("digits", "digits")}, "two data sets that are both called digits"),
        ({"transfer_data": ("nowhere/at/all",)}, "nowhere/at/all"),
    ],
)
def test_what_cannot_be_probed_is_refused(
    run: tuple[Path, Path], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        look(run[0], **changes)


@pytest.mark.parametrize("changes", [{"probe_label": "side"}, {"transfer_data": ("digits",)}])
def test_stored_predictions_have_neither_other_labels_nor_a_model(
    predictions: Path, changes: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(changes))} has no effect.*Name the model"):
        look(predictions, **changes)


def test_a_column_of_labels_stands_behind_an_at() -> None:
    assert settings_of("hf:owner/birds@species").label_column == "species"
    assert settings_of("hf:owner/birds@species").name == "hf:owner/birds"
    assert settings_of("my@home/birds").label_column is None
    assert label_of("hf:owner/birds@species") == "owner/birds, species"
