import math
from pathlib import Path

import numpy as np
import pytest
import torch

from maxsup.inspection import Inspection, InspectionSettings, inspect
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


def test_logits_of_classes_that_are_not_available_are_left_out(tmp_path: Path) -> None:
    labels = np.arange(20) % 2
    logits = torch.randn(20, 3, generator=torch.Generator().manual_seed(0)).numpy()
    logits[:, 2] = -np.inf
    record(tmp_path / "mine", "mine", 0, logits, labels)
    with pytest.raises(ValueError, match="no finite numbers"):
        inspect([str(tmp_path / "mine")], InspectionSettings(resamples=0))
