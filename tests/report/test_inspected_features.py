"""The sections of an inspection's page on class separation and collapse."""

import copy

import pytest
from tests.report.conftest import HOSTILE

from maxsup import figures
from maxsup.inspection import fact
from maxsup.report.inspection.collapse import COLLAPSE
from maxsup.report.inspection.separation import SEPARATION

GROUPS = ("baseline", "maxsup")


def sample(number, predicted=0):
    url = f"data:image/png;base64,{number}"
    return {"id": number, "cosine": 0.5, "predicted": predicted, "picture": url}


def shown(label):
    return {"class": label, "nearest": [sample(1)], "farthest": [sample(2, predicted=1)]}


def model(group, seed):
    spectrum = [4.0, 2.0, 0.5 + seed, 0.0]
    return {
        "method": group,
        "seed": seed,
        "classes": ["cat", "dog", "owl"],
        "details": {
            "separation": {
                "test": {"within": [0.2, 0.1, None], "samples": [5, 5, 0]},
                "shown": {"collapsed": [shown(1)], "spread": [shown(0)]},
            },
            "collapse": {"train": spectrum, "test": spectrum, "layer": spectrum},
        },
    }


def summary(value):
    return {"mean": value, "std": None, "n": 1, "difference": None, "missing": []}


@pytest.fixture
def inspection():
    measures = [
        *(fact(f"test_{name}", name, f"what {name} is") for name in ("d_within", "d_total", "r2")),
        *(fact(f"test_{name}", name, f"what {name} is") for name in ("nc1", "vci", "rank")),
        fact("layer_rank", "layer", "what it is"),
    ]
    return {
        "methods": [{"name": group, "label": f"The {group}"} for group in GROUPS],
        "seeds": [0, 1],
        "models": [model(group, seed) for group in GROUPS for seed in (0, 1)],
        "measures": measures,
        "summary": {m["name"]: {g: summary(0.125) for g in GROUPS} for m in measures},
        "intervals": {m["name"]: {} for m in measures},
        "differences": {m["name"]: {} for m in measures},
    }


def test_separation_has_its_numbers_classes_and_images(inspection):
    body = str(SEPARATION.render(inspection).body)
    rows = [line for line in body.splitlines() if line.startswith('<tr><th scope="row">')]
    # The most collapsed class first; one without test samples is not listed.
    assert ["dog" in rows[0], "cat" in rows[1], len(rows)] == [True, True, 2]
    assert "0.100" in rows[0]
    assert body.count('<img src="data:image/png;base64,') == 2 * 2 * 2
    assert "farthest, cosine 0.50, taken for dog" in body
    assert "nearest, cosine 0.50</span>" in body


def test_of_many_classes_both_ends_are_listed(inspection):
    for each in inspection["models"]:
        each["classes"] = [f"class {k}" for k in range(100)]
        each["details"]["separation"]["test"] = {
            "within": [k / 100 for k in range(100)],
            "samples": [9] * 100,
        }
    body = str(SEPARATION.render(inspection).body)
    assert "without 60 classes between" in body
    assert "class 19<" in body
    assert "class 50<" not in body


def test_collapse_has_its_tables_and_spectra_on_one_scale(inspection):
    body = str(COLLAPSE.render(inspection).body)
    assert "Training samples" not in body.split("Rank and condition")[0]
    assert body.count("<svg") == 3 + len(GROUPS)
    assert body.count(">0.125<") >= 3 * len(GROUPS)
    assert "geometric mean over seeds" in body


def test_names_from_outside_are_escaped(inspection):
    hostile = copy.deepcopy(inspection)
    for each in hostile["models"]:
        each["classes"] = [f"{HOSTILE} {k}" for k in range(3)]
    for group in hostile["methods"]:
        group["label"] = HOSTILE
    for section in (SEPARATION, COLLAPSE):
        assert "<script>alert" not in str(section.render(hostile).body)


def test_predictions_without_features_leave_both_out(inspection):
    inspection["measures"] = []
    for each in inspection["models"]:
        each["details"] = {}
    assert SEPARATION.render(inspection) is None
    assert COLLAPSE.render(inspection) is None


def test_spectra_of_several_seeds_are_one_line():
    svg = figures.spectrum_figure(
        "s", "features", {"a": [[4.0, 1.0, 0.0], [1.0, 1.0, 1.0]]}, {"a": "A"}, lowest=0.1
    )
    # Geometric mean of 1/4 and 1 at the second; the third is 0 in one of them.
    assert "Above a tenth of the largest: A 2." in svg
    assert figures.lowest_of_spectra({"a": [[0.0]]}) == 0.1
    assert figures.lowest_of_spectra({"a": [[1.0, 1e-9]]}) == 1e-6


def test_classes_of_models_on_other_data_are_matched_by_name(inspection):
    for each in inspection["models"][2:]:
        each["classes"] = ["owl", "cat", "fox"]
        each["details"]["separation"]["test"] = {
            "within": [0.6, 0.7, 0.8],
            "samples": [8, 9, 10],
        }
    body = str(SEPARATION.render(inspection).body)
    rows = {
        name: line
        for line in body.splitlines()
        for name in ("cat", "dog", "owl", "fox")
        if line.startswith(f'<tr><th scope="row">{name}<')
    }
    assert set(rows) == {"cat", "dog", "owl", "fox"}
    assert "0.200" in rows["cat"] and "0.700" in rows["cat"]  # noqa: PT018
    assert ">5 / 9<" in rows["cat"]
    assert "0.600" in rows["owl"]
    assert "0.800" in rows["fox"] and "–" in rows["fox"]  # noqa: PT018
