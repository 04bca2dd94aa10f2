"""The section of an inspection's page on unknown classes."""

import numpy as np
import pytest

from maxsup.inspection import fact
from maxsup.report.inspection._shared import in_parts
from maxsup.report.inspection.ood import OOD, _pooled

GROUPS = ("baseline", "maxsup")
SCORES = {"msp": "MSP", "mahalanobis": "Mahalanobis"}


def histogram(low, high, at):
    known = [0.0] * 10
    known[at] = 1.0
    return {"low": low, "high": high, "known": known, "other": [0.1] * 10}


def model(group, seed):
    histograms = {name: histogram(seed, 10.0 + seed, at=8) for name in SCORES}
    details = [{"key": "cars", "data": "cars", "samples": 7, "histograms": histograms}]
    return {"method": group, "seed": seed, "details": {"ood": details}}


@pytest.fixture
def inspection():
    measures = [
        fact(f"test_ood_cars_{name}_{what}", f"{label}, {what} (cars)", "what it is", percent=True)
        for name, label in SCORES.items()
        for what in ("auroc", "fpr95")
    ]
    summary = {"mean": 0.875, "std": None, "n": 2, "difference": None, "missing": []}
    return {
        "methods": [{"name": group, "label": f"The {group}"} for group in GROUPS],
        "baseline": "baseline",
        "seeds": [0, 1],
        "models": [model(group, seed) for group in GROUPS for seed in (0, 1)],
        "measures": measures,
        "summary": {m["name"]: dict.fromkeys(GROUPS, summary) for m in measures},
        "intervals": {m["name"]: {} for m in measures},
        "differences": {m["name"]: {} for m in measures},
    }


def test_each_score_and_group_has_a_picture(inspection):
    body = str(OOD.render(inspection).body)
    assert body.count("The maxsup (AUROC 87.5 %)") >= 2  # one for each score
    assert body.count('<svg role="img"') == len(GROUPS) * len(SCORES)
    assert "mean over seeds" in body
    assert "−log₁₀ of the squared distance" in body


def test_a_group_without_a_distribution_has_none(inspection):
    for each in inspection["models"][2:]:
        each["details"]["ood"][0]["histograms"] = dict.fromkeys(SCORES)
    body = str(OOD.render(inspection).body)
    assert body.count('<svg role="img"') == len(SCORES)


def test_models_with_other_ranges_are_pooled_without_loss():
    edges, known, other = _pooled([histogram(0.0, 10.0, 8), histogram(5.0, 6.0, 0)])
    assert (edges[0], edges[-1]) == (0.0, 10.0)
    assert sum(known) == pytest.approx(1)
    assert sum(other) == pytest.approx(1)
    centres = (np.array(edges[1:]) + np.array(edges[:-1])) / 2
    assert float(centres @ np.array(known)) == pytest.approx((8.5 + 5.05) / 2, abs=0.1)


def test_tables_have_about_the_same_width():
    assert [len(part) for part in in_parts(list(range(6)))] == [3, 3]
    assert [len(part) for part in in_parts(list(range(11)))] == [4, 4, 3]
    assert [len(part) for part in in_parts(list(range(5)))] == [5]
    assert in_parts([]) == []
