from typing import Any

import pytest

from maxsup.results.schema import DataFacts, MethodFacts, Run
from maxsup.statistics import Summary, holds, summarise
from maxsup.study._verdict import _guessing_notes, _same_note, verdict

DATA = DataFacts(
    name="d",
    classes=["a", "b"],
    image=[1, 8, 8],
    train=1000,
    validation=0,
    test=100,
    label_noise=0.0,
    noisy_labels=0,
    notes=["A note on the data."],
)


def say(
    accuracy: dict[str, list[float | None]], *, train: float = 0.9, **facts: Any
) -> tuple[str, str]:
    """The verdict on accuracies by method, one a seed; the first method is the baseline."""
    names = list(accuracy)
    seeds = list(range(len(accuracy[names[0]])))
    methods = [
        MethodFacts(name=name, label=name.capitalize(), summary="", settings="") for name in names
    ]
    runs: list[Run] = [
        Run(
            method=name,
            seed=seed,
            status="failed" if values[seed] is None else "finished",
            cause=None,
            fingerprint=None,
            values={},
            history=[],
            reliability=None,
        )
        for name, values in accuracy.items()
        for seed in seeds
    ]
    summary: dict[str, dict[str, Summary]] = {
        "test_accuracy": summarise(
            {name: dict(enumerate(values)) for name, values in accuracy.items()}, names[0]
        ),
        "train_accuracy": summarise(
            {name: dict.fromkeys(seeds, train) for name in names}, names[0]
        ),
    }
    data = DATA | facts  # type: ignore[operator]
    found = verdict(data, methods, names[0], seeds, runs, summary)
    return found["sentence"], " ".join(found["notes"])


def test_a_clear_difference_is_named_with_its_evidence() -> None:
    sentence, _ = say(
        {"baseline": [0.70, 0.71, 0.72, 0.73, 0.74], "b": [0.72, 0.731, 0.739, 0.75, 0.761]}
    )
    assert sentence.startswith("More accurate than the baseline: B by +2.02 points (95 % interval")
    assert sentence.endswith("p below 0.001, 5 seeds).")


def test_better_worse_and_undecided_methods_are_told_apart() -> None:
    sentence, _ = say(
        {
            "baseline": [0.70, 0.71, 0.72, 0.73, 0.74],
            "b": [0.72, 0.731, 0.739, 0.75, 0.761],
            "c": [0.68, 0.691, 0.699, 0.71, 0.721],
            "d": [0.71, 0.70, 0.73, 0.72, 0.74],
        }
    )
    better, worse, undecided = sentence.split(". ")
    assert better.startswith("More accurate than the baseline: B by +2.02 points")
    assert "Holm-adjusted p" in better
    assert worse.startswith("Less accurate than the baseline: C by −1.98 points")
    assert undecided == "Not told from chance: D."


def test_chance_is_called_chance() -> None:
    sentence, notes = say({"baseline": [0.70, 0.72, 0.74], "b": [0.72, 0.71, 0.76]})
    assert sentence.startswith("No method differs from the baseline in accuracy by more than")
    assert "the largest difference is that of B, +1.00 points" in sentence
    assert "cannot fall below 0.25 with so few seeds" in notes


def test_a_difference_without_spread_decides_nothing() -> None:
    """Two equal differences: Student's t does not exist, and two seeds prove nothing."""
    sentence, _ = say({"baseline": [0.5, 0.75], "b": [0.75, 1.0]})
    assert sentence.startswith("No method differs")
    assert "p not defined" in sentence


def test_one_seed_proves_nothing() -> None:
    sentence, notes = say({"baseline": [0.7], "b": [0.9], "c": [0.8]})
    assert sentence == (
        "With one seed nothing can be told from chance; B came out +20.00 points against the "
        "baseline in accuracy."
    )
    assert "Intervals" not in notes


def test_another_baseline_is_called_by_its_name() -> None:
    sentence, _ = say({"maxsup": [0.7, 0.72, 0.74], "b": [0.72, 0.71, 0.76]})
    assert "differs from Maxsup in accuracy" in sentence


def test_a_single_method() -> None:
    assert say({"baseline": [0.7, 0.8]})[0].startswith("Baseline reaches an accuracy of 75.00 %")
    assert say({"baseline": [None]})[0] == "Its only run failed."


def test_nothing_to_pair() -> None:
    sentence, notes = say({"baseline": [None, 0.7], "b": [0.7, None]})
    assert sentence.startswith("Nothing can be compared")
    assert "2 of 4 runs failed" in notes


@pytest.mark.parametrize(("train", "said"), [(0.999, True), (0.98, False)])
def test_fitted_training_labels_are_pointed_out(train: float, said: bool) -> None:
    _, notes = say({"baseline": [0.7, 0.8], "b": [0.7, 0.9]}, train=train)
    assert ("fit their training labels almost entirely" in notes) == said


def test_label_noise_and_the_datas_notes_are_passed_on() -> None:
    _, notes = say({"baseline": [0.7], "b": [0.8]}, label_noise=0.4, noisy_labels=400)
    assert "400 of 1,000 training labels were replaced at random" in notes
    assert "A note on the data." in notes


def test_what_holds_is_decided_by_the_adjusted_p() -> None:
    found = summarise(
        {"a": dict(enumerate([0.0, 0.0, 0.0])), "b": dict(enumerate([1.0, 1.2, 1.1]))}, "a"
    )["b"]["difference"]
    assert found is not None
    assert holds(found)
    found["p_t_holm"] = 0.06
    assert not holds(found)
    assert not holds(None)


def test_methods_that_did_what_the_baseline_does_are_named() -> None:
    def run(method: str, seed: int, accuracy: float) -> Run:
        return Run(
            method=method,
            seed=seed,
            status="finished",
            cause=None,
            fingerprint=None,
            values={"test_accuracy": accuracy, "test_nll": 0.1 * seed},
            history=[],
            reliability=None,
        )

    runs = [run("a", 0, 0.9), run("a", 1, 0.8), run("b", 0, 0.9), run("b", 1, 0.8)]
    runs += [run("c", 0, 0.9), run("c", 1, 0.81)]
    labels = {"a": "Base", "b": "Sleeper", "c": "Other"}
    (note,) = _same_note(labels, "a", runs)
    assert note.startswith("Sleeper gave exactly the numbers of Base, seed by seed")
    assert _same_note(labels, "a", runs[:2] + runs[4:]) == []
    failed = run("b", 2, 0.5) | {"values": {}}
    assert len(_same_note(labels, "a", [*runs, failed])) == 1  # type: ignore[list-item]


def test_runs_that_came_to_nothing_are_named() -> None:
    lost = {"test_accuracy": 0.51, "test_nll": 1950.0}
    fine = {"test_accuracy": 0.91, "test_nll": 0.3}
    runs = [
        Run(
            method="maxsup",
            seed=seed,
            status="finished",
            cause=None,
            fingerprint=None,
            values=lost if seed < 5 else fine,
            history=[],
            reliability=None,
        )
        for seed in range(6)
    ]
    notes = _guessing_notes(DATA, runs)
    assert notes[0].startswith("maxsup, seed 0 ended with a test accuracy of 51.00 %, as guessing")
    assert "an NLL of 1,950 where equal probabilities give 0.69: it diverged" in notes[0]
    assert notes[3:] == ["2 more of the 6 runs ended like that."]
    assert _guessing_notes(DATA, runs[5:]) == []
