import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from maxsup.data import DataSettings
from maxsup.recipes import get_recipe
from maxsup.report import render_report
from maxsup.results import Results
from maxsup.results.schema import Trial, TunedMethod, Tuning
from maxsup.study import StudySettings, compare

HOSTILE = "<script>alert('1')</script> & \"quotes\" ]]> $x^2$ 漢字 " + "long" * 20


@pytest.fixture(scope="session")
def _study(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return compare(
        StudySettings(
            data=DataSettings("digits", label_noise=0.4),
            recipe=dataclasses.replace(get_recipe("digits"), epochs=3, batch_size=256),
            methods=("baseline", "label-smoothing", "maxsup"),
            seeds=(0, 1, 2),
            baseline="baseline",
        ),
        tmp_path_factory.mktemp("report"),
        command="maxsup compare digits --label-noise 0.4",
        console=Console(quiet=True),
    )


@pytest.fixture
def results(_study: Results) -> Results:
    """The results of a small study, to be changed at will."""
    return copy.deepcopy(_study)


def with_hostile_names(results: Results) -> Results:
    """Names from outside that would break a page which does not escape them."""
    results["data"]["name"] = HOSTILE
    results["data"]["classes"] = [f"{HOSTILE} {k}" for k in range(10)]
    results["data"]["notes"] = [HOSTILE]
    results["asked"]["left_out"] = [HOSTILE]
    results["verdict"]["notes"].append(HOSTILE)
    results["command"] = HOSTILE
    for method in results["methods"]:
        method["label"] = f"{method['name']} {HOSTILE}"
    results["runs"][-1].update(
        status="failed",
        cause=HOSTILE,
        fingerprint=None,
        values={},
        history=[],
        reliability=None,
        risk_coverage=None,
    )
    return results


def with_many_methods(results: Results, count: int = 16) -> Results:
    """The last method again under other names."""
    last = results["methods"][-1]["name"]
    for number in range(count - len(results["methods"])):
        name = f"method-{number}"
        results["methods"].append(
            {
                "name": name,
                "label": f"Method {number}",
                "tuned": False,
                "summary": "",
                "settings": "",
                "coefficients": {},
            }
        )
        for of_method in (*results["summary"].values(), results["timings"]["seconds_per_epoch"]):
            of_method[name] = of_method[last]
        results["contrasts"].append({**results["contrasts"][-1], "method": name})
        results["contrasts"][-1]["against"] = results["baseline"]
        results["logits"][name] = results["logits"][last]
        assert results["confused"] is not None
        results["confused"]["projections"][name] = results["confused"]["projections"][last]
        results["runs"] += [
            {**run, "method": name} for run in results["runs"] if run["method"] == last
        ]
    return results


def _forget_conclusions(results: Results, pairs: int) -> None:
    for contrast in results["contrasts"]:
        contrast.update(
            seeds=contrast["seeds"][:pairs],
            mean=contrast["mean"] if pairs else None,
            low=None,
            high=None,
            p=None,
            conclusion="undecided",
            seeds_to_decide=None,
            apart=None,
            skewed=False,
        )


def with_one_seed(results: Results) -> Results:
    """What a study with one seed has to show."""
    results["seeds"] = [0]
    results["runs"] = [run for run in results["runs"] if run["seed"] == 0]
    _forget_conclusions(results, 1)
    assert results["images"] is not None
    for each in results["images"]["contrasts"]:
        each.update(seeds=[0], low=None, high=None, only_method=12, only_against=7, p_mcnemar=0.36)
    assert results["per_class"] is not None
    for name in results["per_class"]["seeds"]:
        results["per_class"]["seeds"][name] = [0]
        del results["per_class"]["right"][name][1:]
    for of_method in results["summary"].values():
        for summary in of_method.values():
            summary.update(n=1, seeds=[0], std=None)
            if summary["difference"] is not None:
                summary["difference"].update(
                    pairs=1,
                    seeds=[0],
                    low=None,
                    high=None,
                    p_t=None,
                    p_sign_flip=None,
                    p_sign_flip_smallest=None,
                )
    return results


def with_nothing_finished(results: Results) -> Results:
    """All runs failed."""
    for run in results["runs"]:
        run.update(
            status="failed",
            cause="TrainingDiverged: no",
            fingerprint=None,
            values={},
            history=[],
            reliability=None,
            risk_coverage=None,
        )
    for of_method in (*results["summary"].values(), results["timings"]["seconds_per_epoch"]):
        for summary in of_method.values():
            summary.update(n=0, seeds=[], mean=None, std=None, difference=None)
    results["logits"], results["confused"], results["images"] = {}, None, None
    results["per_class"] = None
    _forget_conclusions(results, 0)
    return results


def _trial(name: str, coefficients: dict[str, float], *values: float | None) -> Trial:
    there = [value for value in values if value is not None]
    mean = sum(there) / len(there) if len(there) == len(values) else None
    return Trial(name=name, coefficients=coefficients, values=list(values), mean=mean)


def with_tuning(results: Results) -> Results:
    """Strengths that were chosen: one inside its range, one at its edge, and none."""
    results["methods"][2].update(label="MaxSup, α 0.1 (tuned)", tuned=True)
    results["tuning"] = Tuning(
        by="validation_nll_scaled",
        seeds=[1_000_000, 1_000_001],
        train=1000,
        validation=257,
        held_out=True,
        fixed=[],
        methods=[
            TunedMethod(
                method="baseline",
                searched=["lr"],
                trials=[
                    _trial("baseline:lr=0.0316", {"lr": 0.0316}, 0.9, 0.8),
                    _trial("baseline", {"lr": 0.1}, 0.7, 0.6),
                ],
                chosen="baseline",
                at_edge=["lr"],
                expected=[0.75, 0.7],
            ),
            TunedMethod(
                method="label-smoothing",
                searched=["alpha", "lr"],
                trials=[
                    _trial(f"label-smoothing:alpha={alpha}", {"alpha": alpha, "lr": 0.1}, 0.5, None)
                    for alpha in (0.02, 0.1, 0.5)
                ],
                chosen=None,
                at_edge=[],
                expected=[],
            ),
            TunedMethod(
                method="maxsup",
                searched=["alpha", "lr"],
                trials=[
                    _trial(f"maxsup:alpha={alpha},lr={lr}", {"alpha": alpha, "lr": lr}, value, 0.6)
                    for value, alpha in ((0.7, 0.02), (0.5, 0.1), (0.9, 0.5))
                    for lr in (0.05, 0.2)
                ],
                chosen="maxsup:alpha=0.1,lr=0.05",
                at_edge=["lr"],
                expected=[0.65, 0.6, 0.58, 0.57, 0.56, 0.555],
            ),
        ],
    )
    return results


VARIANTS: dict[str, Callable[[Results], Results]] = {
    "as it comes": lambda results: results,
    "hostile names": with_hostile_names,
    "many methods": with_many_methods,
    "one seed": with_one_seed,
    "nothing finished": with_nothing_finished,
    "tuned": with_tuning,
}


@pytest.fixture(scope="session", params=VARIANTS)
def variant(request: Any, _study: Results) -> Results:
    """The results in each of the shapes that the page must cope with; only to be looked at."""
    return VARIANTS[request.param](copy.deepcopy(_study))


@pytest.fixture(scope="session")
def variant_html(variant: Results) -> str:
    """The page of each."""
    return render_report(variant)
