import math
from pathlib import Path

import numpy as np
import pytest

from maxsup.inspection import Inspection, InspectionSettings, inspect, write_inspection
from maxsup.study import record


def recorded(tmp_path: Path, *, order: np.ndarray | None = None, scale: float = 1.0) -> Path:
    """Predictions of random logits with features, in some order of the samples."""
    generator = np.random.default_rng(3)
    labels = np.arange(60) % 4
    logits = scale * generator.normal(size=(60, 4))
    logits[np.arange(60), labels] += scale
    features = generator.normal(size=(60, 5)) + labels[:, None]
    order = np.arange(60) if order is None else order
    place = tmp_path / f"predictions-{len(list(tmp_path.iterdir()))}"
    record(
        place,
        "mine",
        0,
        logits[order],
        labels[order],
        ids=np.arange(60)[order],
        features=features[order],
    )
    return place


def values_of(place: Path) -> dict[str, float | None]:
    return inspect([str(place)], InspectionSettings(resamples=0))["models"][0]["values"]


def test_terms_of_corollary_3_4_are_those_of_loops(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    labels = np.arange(60) % 4
    logits = generator.normal(size=(60, 4))
    logits[np.arange(60), labels] += 1
    regularization, enhancement, gaps = [], [], []
    for row, label in zip(logits, labels, strict=True):
        regularization.append(sum(row[label] - z for z in row if z < row[label]) / 4)
        enhancement.append(sum(row[label] - z for z in row if z > row[label]) / 4)
        if row.argmax() != label:
            gaps.append(row.max() - row[label])
    found = values_of(recorded(tmp_path))
    assert found["test_regularization"] == pytest.approx(np.mean(regularization))
    assert found["test_error_enhancement"] == pytest.approx(np.mean(enhancement))
    assert found["test_logit_gap_wrong"] == pytest.approx(np.mean(gaps))
    penalty = float(np.mean(logits[np.arange(60), labels] - logits.mean(axis=1)))
    assert math.isclose(np.mean(regularization) + np.mean(enhancement), penalty)


def test_logit_spread_is_that_of_all_of_the_true_and_of_the_top(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    labels = np.arange(60) % 4
    logits = generator.normal(size=(60, 4))
    logits[np.arange(60), labels] += 1
    found = values_of(recorded(tmp_path))
    assert found["test_logit_all_std"] == pytest.approx(logits.std(ddof=1))
    assert found["test_logit_true_mean"] == pytest.approx(logits[np.arange(60), labels].mean())
    assert found["test_logit_top_range"] == pytest.approx(np.ptp(logits.max(axis=1)))


def test_order_of_the_samples_changes_nothing(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(60)
    first = inspect([str(recorded(tmp_path))], InspectionSettings(resamples=4))
    second = inspect([str(recorded(tmp_path, order=order))], InspectionSettings(resamples=4))
    assert second["intervals"] == first["intervals"]
    assert second["models"][0]["details"] == first["models"][0]["details"]


def test_projection_shows_the_same_samples_of_every_model(
    inspected: tuple[Inspection, Path],
) -> None:
    models = inspected[0]["models"]
    of = [model["details"]["projection"] for model in models]
    assert len({tuple(each["classes"]) for each in of}) == 1
    for part in ("train", "test"):
        for plane in ("templates", "centroids"):
            sizes = {tuple(map(len, each["planes"][part][plane]["points"])) for each in of}
            assert len(sizes) == 1
            (counts,) = sizes
            assert max(counts) <= 80
    assert {tuple(map(len, each["planes"]["train"]["templates"]["points"])) for each in of} == {
        (80, 80, 80)
    }


def test_confidence_histograms_hold_every_answer_once(inspected: tuple[Inspection, Path]) -> None:
    for model in inspected[0]["models"]:
        of = model["details"]["confidence"]["test"]
        assert sum(of["right"]) == pytest.approx(1, abs=1e-4)
        assert sum(of["wrong"]) == pytest.approx(1, abs=1e-4)
        accuracy = model["values"]["test_accuracy"]
        assert accuracy == pytest.approx(1 - of["mistakes"] / of["samples"])


def unavailable(true_class: bool) -> tuple[np.ndarray, np.ndarray]:
    """Logits of four classes, of which the last is never available, and labels."""
    labels = np.arange(24) % 3
    logits = np.random.default_rng(0).normal(size=(24, 4)) + 2 * np.eye(4)[labels]
    logits[:, 3] = -np.inf
    if true_class:
        logits[5, labels[5]] = -np.inf
    return logits, labels


def test_classes_that_are_not_available_are_left_out(tmp_path: Path) -> None:
    logits, labels = unavailable(true_class=False)
    record(tmp_path / "all", "mine", 0, logits, labels, train_logits=logits, train_labels=labels)
    found = values_of(tmp_path / "all")
    record(tmp_path / "three", "mine", 0, logits[:, :3], labels)
    without = values_of(tmp_path / "three")
    for name in ("test_accuracy", "test_nll", "test_error_enhancement", "test_logit_all_std"):
        assert found[name] == pytest.approx(without[name]), name
    assert found["train_accuracy"] == found["test_accuracy"]


def test_true_class_that_is_not_available_is_said(tmp_path: Path) -> None:
    logits, labels = unavailable(true_class=True)
    record(tmp_path / "mine", "mine", 0, logits, labels)
    found = inspect([str(tmp_path / "mine")], InspectionSettings(resamples=4), tmp_path / "out")
    write_inspection(found, tmp_path / "out")  # as JSON has numbers
    assert found["models"][0]["values"]["test_logit_gap_wrong"] is None
    assert any("1 of 24 test samples are of a class whose logit is −∞" in n for n in found["notes"])


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("part", ["test", "train", "validation"])
def test_logits_that_are_no_numbers_name_model_part_and_count(
    tmp_path: Path, part: str, value: float
) -> None:
    logits, labels = unavailable(true_class=False)
    arrays = {"test": logits.copy(), "train": logits.copy(), "validation": logits.copy()}
    arrays[part][[3, 7], 1] = value
    record(
        tmp_path,
        "mine",
        0,
        arrays["test"],
        labels,
        train_logits=arrays["train"],
        train_labels=labels,
        validation_logits=arrays["validation"],
        validation_labels=labels,
    )
    words = {"train": "training"}.get(part, part)
    with pytest.raises(ValueError, match=rf"mine/seed-0.*2 of 24 {words} samples .*rows 3, 7"):
        inspect([str(tmp_path)], InspectionSettings(resamples=0))
