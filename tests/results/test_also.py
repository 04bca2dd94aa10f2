"""The second sentence of the verdict, against the rule counted out by hand."""

import copy
import re
from typing import cast

import numpy as np
import pytest
from scipy import stats

from maxsup.results import Results, analyse_again
from maxsup.results._analysis import Analysis
from maxsup.results.schema import MeasureFacts, Run

LOOKED_AT = {
    "test_nll_scaled": "NLL after one temperature",
    "test_ece_scaled": "ECE after one temperature",
    "test_aurc": "the selective risk (AURC)",
}
Values = dict[str, dict[str, list[float | None]]]


def sentence(results: Results, values: Values, *, unpaired: bool = False) -> str:
    """What is said where the methods' measures have these values, seed by seed."""
    facts = results["measures"][0]
    for name in LOOKED_AT:
        results["measures"].append(cast(MeasureFacts, {**facts, "name": name, "better": "lower"}))
    methods = list(next(iter(values.values())))
    results["methods"] = [
        {**results["methods"][0], "name": name, "label": name.title()} for name in methods
    ]
    results["asked"]["methods"] = methods
    seeds = range(len(next(iter(values.values()))["baseline"]))
    results["runs"] = [
        cast(
            Run,
            {
                "method": method,
                "seed": seed,
                "status": "finished",
                "history": [],
                "values": {
                    "test_accuracy": 0.7 + 0.001 * seed,
                    "test_nll": 1.0,
                    **{name: of_method[method][seed] for name, of_method in values.items()},
                },
            },
        )
        for method in methods
        for seed in seeds
    ]
    return analyse_again(results, Analysis("baseline", unpaired=unpaired))["verdict"]["also"]


def expected(values: Values) -> set[tuple[str, str]]:
    """Measures and methods that differ strongly, by the rule as it is written."""
    methods = [name for name in next(iter(values.values())) if name != "baseline"]
    found = set()
    for measure, of_method in values.items():
        for method in methods:
            pairs = [
                (a, b)
                for a, b in zip(of_method[method], of_method["baseline"], strict=True)
                if a is not None and b is not None
            ]
            if len(pairs) < 3:
                continue
            own, base = np.array(pairs).T
            level = 1 - 0.05 / (len(LOOKED_AT) * len(methods))
            interval = stats.ttest_1samp(own - base, 0.0).confidence_interval(level)
            beyond = interval.low > 0 or interval.high < 0
            if beyond and abs((own - base).mean()) >= 0.1 * base.mean():
                found.add((measure, method))
    return found


@pytest.mark.parametrize("seed", range(8))
def test_sentence_names_what_the_rule_finds(results: Results, seed: int) -> None:
    random = np.random.default_rng(seed)
    values: Values = {
        name: {
            method: list(0.5 * (1 + shift * random.normal()) + 0.01 * random.normal(size=6))
            for method, shift in (("baseline", 0.0), ("focal", 0.2), ("poly-1", 0.2))
        }
        for name in LOOKED_AT
    }
    values["test_aurc"]["focal"][2] = None
    said = sentence(results, values)
    found = expected(values)
    assert bool(said) == bool(found)
    parts = {
        name: match[0] if (match := re.search(re.escape(words) + "[^;]*", said)) else ""
        for name, words in LOOKED_AT.items()
    }
    for name in LOOKED_AT:
        for method in ("focal", "poly-1"):
            assert (f"with {method.title()} than" in parts[name]) == ((name, method) in found)


def test_sentence_gives_the_size_and_says_that_it_explores(results: Results) -> None:
    flat: dict[str, list[float | None]] = {"baseline": [0.5, 0.5, 0.5], "focal": [0.5, 0.5, 0.5]}
    values: Values = {name: dict(flat) for name in LOOKED_AT}
    assert sentence(results, values) == ""
    values["test_ece_scaled"] = {"baseline": [0.50, 0.51, 0.49], "focal": [0.40, 0.412, 0.391]}
    said = sentence(results, values)
    assert said.startswith(
        "Beside it, explored and not concluded: ECE after one temperature is 20 %"
    )
    assert "lower with Focal than with the baseline" in said
    assert said.endswith("seen again with new seeds.")
    # Less than a tenth, however sure.
    values["test_ece_scaled"] = {"baseline": [0.50, 0.51, 0.49], "focal": [0.46, 0.471, 0.451]}
    assert sentence(results, values) == ""
    # Two seeds are too few.
    values = {name: {m: of[:2] for m, of in flat.items()} for name in LOOKED_AT}
    values["test_aurc"]["focal"] = [0.1, 0.1001]
    assert sentence(results, values) == ""


def test_nothing_is_paired_where_the_study_pairs_nothing(results: Results) -> None:
    """Seeds that move both methods alike tell them apart in pairs alone."""
    base = [0.2, 0.6, 1.0, 0.4, 0.8]
    lower = [value - 0.1 - 0.001 * number for number, value in enumerate(base)]
    values: Values = {name: {"baseline": [*base], "focal": [*lower]} for name in LOOKED_AT}
    assert "lower with Focal than with the baseline" in sentence(copy.deepcopy(results), values)
    assert sentence(results, values, unpaired=True) == ""
