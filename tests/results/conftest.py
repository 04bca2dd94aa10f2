from typing import Literal

import pytest

from maxsup.results import Results
from maxsup.results.schema import FORMAT, MeasureFacts
from maxsup.statistics import judge, summarise


def _facts(
    name: str, label: str, better: Literal["higher", "lower"], *, percent: bool, headline: bool
) -> MeasureFacts:
    return MeasureFacts(
        name=name,
        label=label,
        help=f"{label} of a model",
        better=better,
        percent=percent,
        digits=2,
        split="test",
        headline=headline,
        detail=False,
        bounds=[0.0, 1.0] if percent else [0.0, None],
    )


_VALUES: dict[str, dict[str, dict[int, float | None]]] = {
    "test_accuracy": {
        "baseline": {0: 0.70, 1: 0.71, 2: 0.72},
        "maxsup": {0: 0.75, 1: 0.76, 2: 0.775},
    },
    "test_brier": {"baseline": {0: 0.5, 1: 0.5, 2: 0.5}, "maxsup": {0: 0.4, 1: 0.4, 2: 0.4}},
    "test_nll": {"baseline": {0: 1.0, 1: 1.1, 2: 1.2}, "maxsup": {0: 0.9, 1: 0.9, 2: 0.9}},
}


@pytest.fixture
def results() -> Results:
    """Results of two methods with three seeds, without what only the page's pictures need."""
    return Results(
        format=FORMAT,
        data={
            "name": "pets & <friends>",
            "classes": ["cat", "dog"],
            "image": [3, 8, 8],
            "train": 10,
            "validation": 0,
            "test": 4,
            "label_noise": 0.0,
            "noisy_labels": 0,
            "redrawn": [],
            "notes": [],
        },
        recipe={"name": "digits", "epochs": 1},
        methods=[
            {
                "name": "baseline",
                "label": "Cross <entropy>",
                "summary": "",
                "settings": "",
                "coefficients": {},
                "tuned": False,
            },
            {
                "name": "maxsup",
                "label": "MaxSup",
                "summary": "",
                "settings": "",
                "coefficients": {},
                "tuned": False,
            },
        ],
        baseline="baseline",
        seeds=[0, 1, 2],
        command="maxsup compare pets",
        asked={"methods": ["baseline", "maxsup"], "seeds": [0, 1, 2], "left_out": []},
        versions={},
        measures=[
            _facts("test_accuracy", "Accuracy", "higher", percent=True, headline=True),
            _facts("test_brier", "Brier score", "lower", percent=False, headline=False),
            _facts("test_nll", "NLL", "lower", percent=False, headline=True),
        ],
        runs=[],
        summary={name: summarise(values, "baseline") for name, values in _VALUES.items()},
        margin=0.005,
        contrasts=judge(_VALUES["test_accuracy"], [("maxsup", "baseline")], margin=0.005),
        images=None,
        tuning=None,
        logits={},
        confused=None,
        verdict={"sentence": "MaxSup & co are better.", "notes": []},
        timings={"finished": "", "runs": [], "seconds_per_epoch": {}, "training_seconds": 0.0},
    )
