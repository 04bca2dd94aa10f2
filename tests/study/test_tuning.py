"""Strengths that are chosen before a study, without its test set."""

import dataclasses
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from maxsup import methods
from maxsup.data import DataSettings
from maxsup.evaluation import Found
from maxsup.losses import CrossEntropyLoss
from maxsup.methods import Coefficient, Method, Search, all_methods, get_method
from maxsup.recipes import get_recipe
from maxsup.results import Analysis, Results, analyse_again, read_results
from maxsup.study import StudySettings, TuningSettings, _run, compare, trainings_of
from maxsup.study._call import python_call
from maxsup.study._trials import Trials, at_chosen
from maxsup.study._variants import Variant, check_variants
from maxsup.training import RunResult, RunSettings, _data, _evaluate

from .conftest import TINY

SEED = 1_000_000
"""The first one of trials."""


def study(**changes: Any) -> StudySettings:
    fields: dict[str, Any] = {
        "data": DataSettings("digits", label_noise=0.4, fraction=0.4),
        "recipe": dataclasses.replace(TINY, epochs=1),
        "methods": ("baseline", "label-smoothing", "maxsup"),
        "seeds": (0,),
        "tuning": TuningSettings(2, seeds=1),
    }
    return StudySettings(**(fields | changes))


def run(directory: Path, console: Console | None = None, **changes: Any) -> Results:
    return compare(
        study(**changes),
        directory,
        command="maxsup compare digits",
        console=console or Console(quiet=True),
    )


def comparable(results: Results) -> str:
    return json.dumps({**results, "timings": None})


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, Path]:
    directory = tmp_path_factory.mktemp("tuned")
    return run(directory), directory


# What is tried.


@pytest.mark.parametrize(("strengths", "rates"), [(2, 1), (5, 1), (5, 3), (4, 2), (8, 4)])
def test_every_method_has_as_many_trials_no_two_alike(strengths: int, rates: int) -> None:
    recipe = get_recipe("cifar100-resnet18")
    for method in all_methods():
        names = TuningSettings(strengths, rates).trials(method.name, recipe)
        assert len({*names}) == len(names) == strengths * rates
        check_variants(names, recipe)
        assert {Variant.read(name).method.partition(":")[0] for name in names} == {method.name}
        for each in method.coefficients:
            if each.search is None:
                continue
            values = [Variant.read(name).facts().values()[each.name] for name in names]
            assert {min(values), max(values)} == {each.search.at(0), each.search.at(1)}
            assert len({*values}) == strengths


def test_trials_of_several_learning_rates_cross_them_and_the_baseline_fills_its_budget() -> None:
    recipe = dataclasses.replace(TINY, lr=0.2)
    tuning = TuningSettings(3, 3)
    of_maxsup = [Variant.read(name) for name in tuning.trials("maxsup", recipe)]
    assert {(each.method, each.lr) for each in of_maxsup} == {
        (f"maxsup:alpha={alpha}", lr) for alpha in (0.02, 0.1, 0.5) for lr in (0.0632, None, 0.632)
    }
    of_baseline = [Variant.read(name).lr for name in tuning.trials("baseline", recipe)]
    assert len(of_baseline) == 9
    assert {0.0632, None, 0.632} < {*of_baseline}


def test_trials_come_upon_the_default_itself() -> None:
    assert TuningSettings(5).trials("focal", TINY)[2] == "focal"
    assert "baseline" in TuningSettings(5).trials("baseline", TINY)


def test_search_declares_ends_in_the_range() -> None:
    assert Search(0.1, 0.9, "linear").at(0.5) == 0.5
    for search in (Search(0.5, 0.1), Search(0.0, 0.5), Search(0.5, 2.0)):
        with pytest.raises(ValueError, match="alpha"):
            Coefficient("alpha", 0.1, highest=1.0, search=search)
    with pytest.raises(ValueError, match="learning rate of the training"):
        Method("mine", "Mine", "", build=lambda training, lr: CrossEntropyLoss(),
               coefficients=(Coefficient("lr", 0.1),))  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strengths": 1}, "strengths must be at least 2; got 1"),
        ({"learning_rates": 0}, "learning_rates must be at least 1; got 0"),
        ({"seeds": 0}, "seeds must be at least 1; got 0"),
        ({"by": "luck"}, "by must be one of nll, accuracy; got 'luck'"),
        ({"validation": 1.0}, r"validation must lie in \(0, 1\); got 1.0"),
        ({"strengths": 600, "learning_rates": 2}, "more than 1,000 trials"),
    ],
)
def test_tuning_that_makes_no_sense(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TuningSettings(**changes)


def test_seeds_of_trials_are_none_of_the_study() -> None:
    with pytest.raises(ValueError, match="1000001 is one of those that strengths are chosen with"):
        study(seeds=(0, SEED + 1), tuning=TuningSettings(2, seeds=2))
    assert study(tuning=TuningSettings(2, seeds=1), seeds=(SEED + 1,)).seeds == (SEED + 1,)


# The whole study.


def test_chosen_is_the_best_trial_and_stands_beside_the_default(
    tuned: tuple[Results, Path],
) -> None:
    results, directory = tuned
    tuning = results["tuning"]
    assert tuning is not None
    assert (tuning["by"], tuning["seeds"]) == ("validation_nll_scaled", [SEED])
    expected: list[str] = []
    for each in tuning["methods"]:
        assert [trial["name"] for trial in each["trials"]] == TuningSettings(2).trials(
            each["method"], TINY
        )
        for trial in each["trials"]:
            place = directory / "tuning" / trial["name"].replace(":", "-").replace("=", "-")
            kept = RunResult.load(place / f"seed-{SEED}")
            assert kept is not None
            assert trial["values"] == [kept.values["validation_nll_scaled"]] == [trial["mean"]]
            assert not [name for name in kept.values if name.startswith("test")]
            assert not (place / f"seed-{SEED}" / "outputs-test.safetensors").exists()
        best = min(each["trials"], key=lambda trial: trial["mean"])
        assert each["chosen"] == best["name"]
        assert each["at_edge"] == each["searched"]  # of two trials, each is an end
        expected += dict.fromkeys((each["method"], best["name"]))
    assert [method["name"] for method in results["methods"]] == expected
    for method in results["methods"]:
        is_chosen = method["name"] in {each["chosen"] for each in tuning["methods"]}
        assert method["tuned"] is method["label"].endswith(" (tuned)") is is_chosen
    assert {run["method"]: run["status"] for run in results["runs"]} == dict.fromkeys(
        expected, "finished"
    )
    # The final trainings have all training images, the trials a part of them.
    assert tuning["train"] + tuning["validation"] == results["data"]["train"]
    assert results["data"]["validation"] == 0
    assert read_results(directory / "results.json") == results
    notes = " ".join(results["verdict"]["notes"])
    assert "2 trials of each method with 1 seed of their own, by NLL after temperature" in notes
    assert "is the smallest that was tried" in notes or "is the largest that was tried" in notes
    assert "was tuned on this data" not in notes


def test_what_is_concluded_is_of_methods_at_their_best(tuned: tuple[Results, Path]) -> None:
    results, _ = tuned
    assert results["tuning"] is not None
    best = {each["method"]: each["chosen"] for each in results["tuning"]["methods"]}
    assert results["baseline"] == best["baseline"]
    pairs = [(each["method"], each["against"]) for each in results["contrasts"]]
    assert pairs == [
        (best["label-smoothing"], best["baseline"]),
        (best["maxsup"], best["baseline"]),
        (best["maxsup"], best["label-smoothing"]),
    ]
    again = analyse_again(results, Analysis(results["baseline"], margin=0.1))
    assert [(each["method"], each["against"]) for each in again["contrasts"]] == pairs
    names = [method["name"] for method in results["methods"]]
    plain = analyse_again(results, Analysis("label-smoothing"))
    assert {each["against"] for each in plain["contrasts"]} == {"label-smoothing"}
    assert len(plain["contrasts"]) == len(names) - 1
    named = study(contrasts=(("maxsup", "label-smoothing"),))
    assert at_chosen(named, results["tuning"]).contrasts == (("maxsup", "label-smoothing"),)


def test_trials_differ_from_each_other_in_strength_alone(tuned: tuple[Results, Path]) -> None:
    _, directory = tuned
    found = [
        RunResult.load(path.parent) for path in directory.glob(f"tuning/*/seed-{SEED}/result.json")
    ]
    assert len(found) == 6
    assert len({(run.data, run.initial_weights, run.batches) for run in found if run}) == 1
    settings = RunSettings.load(
        directory / "tuning" / "baseline-lr-0.0316" / f"seed-{SEED}" / "settings.json"
    )
    assert (settings.method, settings.recipe.lr) == ("baseline", 0.0316)
    assert (settings.measured_on, settings.data.validation) == ("validation", 0.2)


def test_test_set_is_not_looked_at_before_everything_is_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tuned: tuple[Results, Path]
) -> None:
    load, measure = _data.load_images, _evaluate.model_outputs
    test_sets: list[Any] = []
    measured: list[str] = []

    def load_with_other_test_labels(*args: Any, **options: Any) -> Any:
        """The same data, but whatever is chosen by its test labels is chosen otherwise."""
        data = load(*args, **options)
        shuffled = data.test.labels.flip(0)
        test = dataclasses.replace(data.test, labels=shuffled, true_labels=shuffled)
        test_sets.append(test)
        return dataclasses.replace(data, test=test)

    def watched(model: Any, images: Any, *args: Any, **options: Any) -> Any:
        measured.append("test" if any(images is test for test in test_sets) else "other")
        return measure(model, images, *args, **options)

    monkeypatch.setattr(_data, "load_images", load_with_other_test_labels)
    monkeypatch.setattr(_evaluate, "model_outputs", watched)
    shown = io.StringIO()
    results = run(tmp_path, Console(file=shown, width=200))
    of_true_labels, _ = tuned
    assert results["tuning"] == of_true_labels["tuning"]
    assert results["summary"]["test_nll"] != of_true_labels["summary"]["test_nll"]
    # Of six trials, two passes each: after the epoch and at the end.
    assert measured[:12] == ["other"] * 12
    assert "test" in measured[12:]
    before, after = shown.getvalue().split("Tuning: baseline")
    assert "test accuracy" not in before
    assert "test accuracy" in after


def test_it_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tuned: tuple[Results, Path]
) -> None:
    whole = _run.train
    trained: list[str] = []

    def train(settings: Any, *args: Any, **options: Any) -> RunResult:
        if trained.count("stopped") < 2 and len(trained) in (3, 9):
            trained.append("stopped")
            raise KeyboardInterrupt
        trained.append(settings.measured_on)
        return whole(settings, *args, **options)

    monkeypatch.setattr(_run, "train", train)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path)
    assert not (tmp_path / "results.json").exists()
    results = run(tmp_path)
    assert comparable(results) == comparable(tuned[0])
    kept = StudySettings.load(tmp_path / "study.json")
    assert kept == study()
    # Of another study there is nothing to go on with: the trials are of this one.
    with pytest.raises(ValueError, match="holds another study"):
        run(tmp_path, data=DataSettings("digits", label_noise=0.2, fraction=0.4))


def test_study_whose_file_is_lost_knows_its_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _run.train

    def train(settings: Any, *args: Any, **options: Any) -> RunResult:
        if settings.method == "maxsup:alpha=0.02":
            raise KeyboardInterrupt
        return whole(settings, *args, **options)

    monkeypatch.setattr(_run, "train", train)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, methods=("baseline", "maxsup"))
    (tmp_path / "study.json").unlink()
    study(methods=("baseline", "maxsup")).check(tmp_path)


def test_own_validation_part_is_used(tmp_path: Path) -> None:
    data = DataSettings("digits", fraction=0.4, validation=0.3)
    results = run(tmp_path, data=data, methods=("maxsup", "focal:gamma=2"))
    tuning = results["tuning"]
    assert tuning is not None
    assert (tuning["held_out"], tuning["fixed"]) == (False, ["focal:gamma=2"])
    assert tuning["train"] == results["data"]["train"]
    assert tuning["validation"] == results["data"]["validation"]
    notes = " ".join(results["verdict"]["notes"])
    assert "of the validation part. The test set was not looked at" in notes
    assert "Focal loss, γ 2 ran at the values that were named, without a search." in notes
    chosen = tuning["methods"][0]["chosen"]
    pairs = [(each["method"], each["against"]) for each in results["contrasts"]]
    assert pairs == [("focal:gamma=2", chosen)]


def test_validation_split_that_is_named_holds_nothing_out() -> None:
    # Known before the data is loaded, when trainings are counted.
    named = study(data=DataSettings("birds", validation_split="val"))
    trials = Trials.of(named)
    assert trials is not None
    assert (trials.held_out, trials.data) == (False, named.data)
    assert trainings_of(named) == (6, 6)


def test_training_on_the_validation_part_needs_one(tmp_path: Path) -> None:
    from maxsup.training import train

    settings = RunSettings(
        "baseline", 0, TINY, DataSettings("digits", fraction=0.4), measured_on="validation"
    )
    with pytest.raises(ValueError, match=r"no validation part to measure on; --validation 0\.2"):
        train(settings, tmp_path)
    assert RunSettings.from_json(settings.to_json()) == settings
    assert settings.fingerprint() != dataclasses.replace(settings, measured_on="test").fingerprint()


@pytest.mark.usefixtures("registry")
def test_trials_that_fail_are_not_chosen(tmp_path: Path) -> None:
    class Fragile(CrossEntropyLoss):
        def __init__(self, breaks: bool) -> None:
            super().__init__()
            self.breaks = breaks

        def forward(self, *args: Any, **options: Any) -> torch.Tensor:
            return super().forward(*args, **options) * (float("nan") if self.breaks else 1.0)

    strength = Coefficient("strength", 1.0, search=Search(0.1, 10.0))
    methods.register(
        Method(
            "fragile",
            "Fragile",
            "breaks where it is weak",
            build=lambda training, strength: Fragile(strength < 1),
            coefficients=(strength,),
        )
    )
    methods.register(
        Method(
            "broken",
            "Broken",
            "breaks wherever it is searched for",
            build=lambda training, strength: Fragile(strength != 1),
            coefficients=(strength,),
        )
    )
    results = run(tmp_path, methods=("baseline", "fragile", "broken"))
    tuning = results["tuning"]
    assert tuning is not None
    fragile, broken = tuning["methods"][1:]
    assert fragile["trials"][0]["values"] == [None]
    assert (fragile["chosen"], len(fragile["expected"])) == ("fragile:strength=10", 1)
    assert (broken["chosen"], broken["expected"], broken["at_edge"]) == (None, [], [])
    names = [method["name"] for method in results["methods"]]
    assert names[-3:] == ["fragile", "fragile:strength=10", "broken"]
    assert "No trial of Broken came to an end, so it ran at its default alone." in " ".join(
        results["verdict"]["notes"]
    )


# What is chosen.


class _Part:
    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size


class _Data:
    train, validation = _Part(80), _Part(20)


def _chosen(by: str, values: dict[str, list[tuple[float, float] | None]]) -> Any:
    """What is chosen for maxsup, given accuracy and NLL of each trial, seed by seed."""
    settings = study(
        methods=("maxsup",),
        tuning=TuningSettings(len(values), seeds=2, by=by),  # type: ignore[arg-type]
    )
    trials = Trials.of(settings)
    assert trials is not None
    names = TuningSettings(len(values)).trials("maxsup", settings.recipe)
    results: dict[tuple[str, int], RunResult | str] = {}
    for name, of_trial in zip(names, values.values(), strict=True):
        for seed, found in zip(trials.tuning.trial_seeds, of_trial, strict=True):
            if found is None:
                results[name, seed] = "TrainingDiverged"
                continue
            measured = dict(
                zip(("validation_accuracy", "validation_nll_scaled"), found, strict=True)
            )
            results[name, seed] = RunResult("", "", "", [], Found(measured, {}))
    tuning = trials.choose(results, _Data())  # type: ignore[arg-type]
    return tuning["methods"][0]


def test_choice_is_by_the_mean_over_seeds() -> None:
    values: dict[str, list[tuple[float, float] | None]] = {
        "0.02": [(0.90, 0.5), (0.70, 0.5)],
        "0.1": [(0.82, 0.1), (0.82, 0.7)],
        "0.5": [(0.99, 0.0), None],
    }
    by_nll, by_accuracy = _chosen("nll", values), _chosen("accuracy", values)
    assert by_nll["chosen"] == by_accuracy["chosen"] == "maxsup:alpha=0.1"
    assert [trial["mean"] for trial in by_nll["trials"]] == pytest.approx([0.5, 0.4, None])
    assert by_nll["at_edge"] == []
    values["0.1"] = [(0.80, 0.5), (0.80, 0.5)]
    tie = _chosen("nll", values)
    assert (tie["chosen"], tie["at_edge"]) == ("maxsup:alpha=0.02", ["alpha"])


def test_learning_rate_at_its_edge_is_told_apart() -> None:
    settings = study(methods=("maxsup",), tuning=TuningSettings(3, 3, seeds=1))
    trials = Trials.of(settings)
    assert trials is not None
    best = "maxsup:alpha=0.1,lr=0.316"
    results: dict[tuple[str, int], RunResult | str] = {
        (name, seed): RunResult(
            "", "", "", [], Found({"validation_nll_scaled": 0.1 if name == best else 0.5}, {})
        )
        for name, seed in trials.plan()
    }
    (found,) = trials.choose(results, _Data())["methods"]  # type: ignore[arg-type]
    assert (found["chosen"], found["at_edge"]) == (best, ["lr"])
    assert found["searched"] == ["alpha", "lr"]


# Learning rates in names.


def test_learning_rate_of_a_name_is_the_recipe_s(tmp_path: Path) -> None:
    recipe = dataclasses.replace(TINY, epochs=1, lr=0.1, warmup_epochs=1, warmup_lr=0.01)
    settings = study(recipe=recipe, methods=("maxsup", "maxsup:lr=0.05"), tuning=None)
    found = settings.run("maxsup:lr=0.05", 3)
    assert (found.method, found.recipe.lr, found.recipe.warmup_lr) == ("maxsup", 0.05, 0.005)
    assert settings.run("maxsup", 3).recipe == recipe
    results = compare(settings, tmp_path, console=Console(quiet=True))
    facts = results["methods"][1]
    assert (facts["label"], facts["coefficients"]) == ("MaxSup, lr 0.05", {"alpha": [0.1, 0.2]})
    assert facts["settings"] == "alpha 0.1 → 0.2 (linear), learning rate 0.05"
    smaller = dataclasses.replace(settings, methods=("maxsup",))
    kept = compare(smaller, tmp_path, console=Console(quiet=True))
    assert [method["name"] for method in kept["methods"]] == ["maxsup", "maxsup:lr=0.05"]
    assert kept["asked"]["left_out"] == []


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("maxsup", "maxsup:lr=0.1"), "maxsup is there twice with the same learning rate"),
        (("maxsup:lr=0", "baseline"), "lr must be a positive number; got 0"),
        (("maxsup:lr=fast", "baseline"), "lr must be a positive number; got fast"),
        (("focal:gamma=3,lr=0.2", "focal:lr=0.2"), "are the same method"),
        (("maxsup:alpha=-1,lr=0.2",), "alpha must be a finite number >= 0; got -1"),
    ],
)
def test_names_with_learning_rates_that_make_no_sense(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        study(recipe=dataclasses.replace(TINY, lr=0.1), methods=names)


def test_variants_without_a_learning_rate_are_methods() -> None:
    assert str(Variant.read("maxsup:alpha=.1")) == "maxsup:alpha=0.1"
    assert Variant.read("focal").facts() == get_method("focal")


def test_settings_are_repeated_by_their_call_and_counted() -> None:
    settings = study(tuning=TuningSettings(3, 2, seeds=2), seeds=(0, 1))
    # Three methods, three strengths at two learning rates with two seeds; then both forms of each.
    assert trainings_of(settings) == (12, 36)
    assert trainings_of(dataclasses.replace(settings, tuning=None)) == (6, 0)
    assert "tuning=TuningSettings(strengths=3, learning_rates=2, seeds=2" in python_call(
        settings, Path("runs/x")
    )


def test_images_of_one_seed_s_test_set_choose_nothing() -> None:
    with pytest.raises(ValueError, match="would choose the strength of another"):
        study(resample_data=True)
