import dataclasses
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch
from PIL import Image

from maxsup.data import DataSettings
from maxsup.evaluation import PROBE_FACTS, Execution, join_outputs, measure_facts, model_outputs
from maxsup.measures import linear_transfer
from maxsup.models import load_run
from maxsup.recipes import get_recipe
from maxsup.training import RunSettings, load_data, train

FOUR = ("left", "right", "up", "down")


def write_images(path: Path, samples: int, seed: int) -> None:
    """Images with one bright half; which side is the fine class, which axis the coarse one."""
    generator = np.random.default_rng(seed)
    fine = [number % 4 for number in range(samples)]
    images = []
    for label in fine:
        pixels = generator.integers(0, 140, (8, 8), dtype=np.uint8)
        half = [np.s_[:, :4], np.s_[:, 4:], np.s_[:4], np.s_[4:]][label]
        pixels[half] += 70
        images.append(Image.fromarray(pixels))
    columns = {"image": images, "axis": [label // 2 for label in fine], "side": fine}
    kinds = {
        "image": datasets.Image(),
        "axis": datasets.ClassLabel(names=["horizontal", "vertical"]),
        "side": datasets.ClassLabel(names=list(FOUR)),
    }
    datasets.Dataset.from_dict(columns, datasets.Features(kinds)).to_parquet(path)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("sides")
    write_images(directory / "train.parquet", 160, seed=0)
    write_images(directory / "test.parquet", 80, seed=1)
    return directory


def settings(place: Path, probe_label: str | None = "side", **changes: Any) -> RunSettings:
    recipe = dataclasses.replace(get_recipe("digits"), epochs=2, batch_size=32, **changes)
    data = DataSettings(str(place), label_column="axis", probe_label=probe_label)
    return RunSettings("maxsup", 0, recipe, data)


def test_a_run_probes_the_labels_that_it_was_not_trained_on(place: Path, tmp_path: Path) -> None:
    asked = settings(place)
    result = train(asked, tmp_path)
    found = {each["name"]: result.values[each["name"]] for each in PROBE_FACTS}
    # Four sides are more than the two axes tell, by which a half would be right.
    assert found["test_probe_accuracy"] > 0.6
    assert found["test_probe_neighbours"] > 0.5

    # The same from the saved model, by hand.
    data, run = load_data(asked.data, asked.recipe), load_run(tmp_path)
    inputs = []
    for split in (data.train, data.test):
        execution = Execution(torch.device("cpu"))
        outputs = join_outputs(model_outputs(run.model, split, run.normalization, execution))
        # Sides follow each other by turns, whatever their order here.
        inputs += [outputs.features, outputs.ids % 4]
    again = linear_transfer(*inputs)
    assert again.chosen.test_accuracy == found["test_probe_accuracy"]
    assert again.narrow.test_accuracy == found["test_probe_accuracy_narrow"]

    # A run that is there is not measured again, and one without the probe is another.
    assert train(asked, tmp_path).values == result.values
    with pytest.raises(ValueError, match="probe_label"):
        train(settings(place, probe_label=None), tmp_path)


def test_without_the_probe_nothing_is_different(place: Path, tmp_path: Path) -> None:
    probed = train(settings(place), tmp_path / "probed")
    plain = train(settings(place, probe_label=None), tmp_path / "plain")
    names = {each["name"] for each in PROBE_FACTS}
    assert names.isdisjoint(plain.values)
    assert {k: v for k, v in probed.values.items() if k not in names} == plain.values
    assert probed.initial_weights == plain.initial_weights
    assert probed.data == plain.data
    assert settings(place).fingerprint() != settings(place, probe_label=None).fingerprint()


def test_what_is_chosen_on_the_validation_part_is_not_probed(place: Path, tmp_path: Path) -> None:
    asked = settings(place)
    data = dataclasses.replace(asked.data, validation=0.2)
    result = train(dataclasses.replace(asked, data=data, measured_on="validation"), tmp_path)
    assert not any("probe" in name for name in result.values)


def test_its_numbers_stand_in_results_where_it_was_asked_for() -> None:
    plain, probed = measure_facts(), measure_facts(probe=True)
    assert probed == [*plain, *PROBE_FACTS]
    assert all(each["split"] == "test" for each in PROBE_FACTS)


def test_a_study_pairs_them_over_seeds(place: Path, tmp_path: Path) -> None:
    from rich.console import Console

    from maxsup.report import write_report
    from maxsup.study import StudySettings, compare

    asked = settings(place)
    recipe = dataclasses.replace(asked.recipe, epochs=1)
    study = StudySettings(asked.data, recipe, methods=("baseline", "maxsup"), seeds=(0, 1))
    results = compare(study, tmp_path, console=Console(quiet=True))
    of_method = results["summary"]["test_probe_accuracy"]["maxsup"]
    assert of_method["n"] == 2
    assert results["measures"][0]["name"] == "test_accuracy"  # the probe decides nothing
    assert {"test_probe_accuracy"} <= {each["name"] for each in results["measures"]}
    write_report(results, tmp_path / "page.html")
    assert "Probe" in (tmp_path / "page.html").read_text(encoding="utf-8")
