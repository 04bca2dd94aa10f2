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
    assert results["per_class"] is not None
    for name in results["per_class"]["seeds"]:
        results["per_class"]["seeds"][name] = [0]
        del results["per_class"]["right"][name][1:]
    for of_method in results["summary"].values():
        for summary in of_method.values():
            summary["n"], summary["std"] = 1, None
            if summary["difference"] is not None:
                summary["difference"].update(
                    pairs=1,
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
            summary.update(n=0, mean=None, std=None, difference=None)
    results["logits"], results["confused"], results["per_class"] = {}, None, None
    _forget_conclusions(results, 0)
    return results


VARIANTS: dict[str, Callable[[Results], Results]] = {
    "as it comes": lambda results: results,
    "hostile names": with_hostile_names,
    "many methods": with_many_methods,
    "one seed": with_one_seed,
    "nothing finished": with_nothing_finished,
}


@pytest.fixture(scope="session", params=VARIANTS)
def variant(request: Any, _study: Results) -> Results:
    """The results in each of the shapes that the page must cope with; only to be looked at."""
    return VARIANTS[request.param](copy.deepcopy(_study))


@pytest.fixture(scope="session")
def variant_html(variant: Results) -> str:
    """The page of each."""
    return render_report(variant)
