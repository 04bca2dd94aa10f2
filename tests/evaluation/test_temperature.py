"""How the temperature reaches the measures of the test set."""

import dataclasses
from pathlib import Path

import pytest
import torch
from tests.evaluation.test_measures import random_outputs

from maxsup.data import DataSettings
from maxsup.evaluation import TEMPERATURE, load_outputs, measure_outputs, measures_on, records_on
from maxsup.measures import fit_temperature
from maxsup.recipes import get_recipe
from maxsup.training import RunResult, RunSettings, train


def run(
    directory: Path, *, validation: float, epochs: int = 1, keep_outputs: bool = True
) -> RunResult:
    recipe = dataclasses.replace(
        get_recipe("digits"), epochs=epochs, batch_size=128, keep_outputs=keep_outputs
    )
    data = DataSettings("digits", validation=validation, label_noise=0.4)
    return train(RunSettings("maxsup", 0, recipe, data), directory)


def test_temperature_is_fitted_on_the_validation_part(tmp_path: Path) -> None:
    """Also from the kept outputs, with the same numbers, and where none are kept."""
    result = run(tmp_path / "kept", validation=0.2)
    kept = load_outputs(tmp_path / "kept" / "outputs-validation.safetensors")
    temperature = float(fit_temperature(kept.logits, kept.true_labels))
    assert result.values["test_temperature"] == pytest.approx(temperature, rel=1e-12)
    assert float(result.records[TEMPERATURE.name]) == pytest.approx(temperature, rel=1e-12)
    test = load_outputs(tmp_path / "kept" / "outputs-test.safetensors")
    again = measure_outputs([test], "test", measures_on("test"), temperature=temperature).values
    for name, value in again.items():
        assert value == pytest.approx(result.values[name], rel=1e-9), name
    expected = torch.nn.functional.cross_entropy(
        test.logits.double() / temperature, test.true_labels
    )
    assert result.values["test_nll_scaled"] == pytest.approx(float(expected), rel=1e-9)
    assert run(tmp_path / "bare", validation=0.2, keep_outputs=False).values == result.values


def test_temperature_is_cross_fitted_where_there_is_no_validation_part(tmp_path: Path) -> None:
    # Enough of them to be better than chance, below which uniform probabilities are best.
    result = run(tmp_path, validation=0.0, epochs=4)
    assert TEMPERATURE.name not in result.records
    test = load_outputs(tmp_path / "outputs-test.safetensors")
    whole = float(fit_temperature(test.logits, test.true_labels))
    assert result.values["test_temperature"] == pytest.approx(whole, rel=0.3)
    assert result.values["test_temperature"] != pytest.approx(whole, rel=1e-6)


def test_temperature_of_a_split_is_its_record() -> None:
    outputs = random_outputs()
    found = measure_outputs([outputs], "validation", [], records_on("validation")).records
    expected = fit_temperature(outputs.logits, outputs.true_labels)
    assert float(found["temperature"]) == pytest.approx(float(expected), rel=1e-12)


def test_scaled_measures_change_with_the_temperature_and_others_do_not() -> None:
    outputs = random_outputs()
    given, other = (
        measure_outputs([outputs], "test", measures_on("test"), temperature=temperature).values
        for temperature in (1.0, 3.0)
    )
    changed = {name for name in given if given[name] != other[name]}
    assert changed <= {name for name in given if name.endswith(("_scaled", "_temperature"))}
    assert {"test_nll_scaled", "test_ece_scaled", "test_temperature"} <= changed
    for name in ("nll", "brier", "ece", "ece_smooth", "ece_classwise", "ece_equal_mass"):
        assert given[f"test_{name}_scaled"] == pytest.approx(given[f"test_{name}"], rel=1e-9)
