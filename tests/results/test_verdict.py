from typing import Any

import pytest

from maxsup.methods import get_method
from maxsup.results import Analysis, analyse, analyse_again
from maxsup.results._notes import guessing_notes as _guessing_notes
from maxsup.results._notes import same_note as _same_note
from maxsup.results._verdict import verdict
from maxsup.results.schema import (
    Asked,
    DataFacts,
    ImageContrast,
    ImageEvidence,
    MeasureFacts,
    MethodFacts,
    Results,
    Run,
)

DATA = DataFacts(
    name="d",
    classes=["a", "b"],
    image=[1, 8, 8],
    train=1000,
    validation=0,
    test=100,
    label_noise=0.0,
    noisy_labels=0,
    redrawn=[],
    notes=["A note on the data."],
)
MEASURES = [
    MeasureFacts(
        name=name,
        label=label,
        help="",
        better="higher" if percent else "lower",
        percent=percent,
        digits=2,
        split="train" if name.startswith("train") else "test",
        headline=True,
        detail=False,
        bounds=[0.0, 1.0] if percent else [0.0, None],
    )
    for name, label, percent in (
        ("test_accuracy", "Accuracy", True),
        ("test_nll", "NLL", False),
        ("train_accuracy", "Training accuracy", True),
    )
]


def say(
    accuracy: dict[str, list[float | None]],
    *,
    train: float = 0.9,
    nll: dict[str, list[float]] | None = None,
    curves: dict[str, list[list[float]]] | None = None,
    rows: dict[str, list[list[dict[str, float | None]]]] | None = None,
    primary: str = "accuracy",
    margin: float | None = None,
    images: ImageEvidence | None = None,
    **facts: Any,
) -> tuple[str, str]:
    """The verdict on accuracies by method, one a seed; the first method is the baseline."""
    names = list(accuracy)
    seeds = list(range(len(accuracy[names[0]])))
    methods = [
        MethodFacts(
            name=name,
            label=name.replace("-", " ").capitalize(),
            summary="",
            settings="",
            coefficients={},
        )
        for name in names
    ]
    runs: list[Run] = []
    for name, values in accuracy.items():
        for seed in seeds:
            value = values[seed]
            runs.append(
                Run(
                    method=name,
                    seed=seed,
                    status="failed" if value is None else "finished",
                    cause=None,
                    fingerprint=None,
                    values={}
                    if value is None
                    else {
                        "test_accuracy": value,
                        "test_nll": nll[name][seed] if nll else 10 * ord(name[-1]) + seed,
                        "train_accuracy": train,
                    },
                    history=[{"test_accuracy": each} for each in curves[name][seed]]
                    if curves
                    else rows[name][seed]
                    if rows
                    else [],
                    reliability=None,
                    risk_coverage=None,
                )
            )
    analysed = analyse(runs, MEASURES, names, Analysis(names[0], primary, margin))
    data = DATA | facts  # type: ignore[operator]
    found = verdict(
        data,
        methods,
        names[0],
        {"methods": names, "seeds": seeds, "left_out": []},
        seeds,
        runs,
        analysed,
        images=images,
    )
    return found["sentence"], " ".join(found["notes"])


FIVE = [0.70, 0.71, 0.72, 0.73, 0.74]
GAINS = [0.1, -0.1, 0.1, -0.1, 0.0125]
"""Their mean is half the margin, and they spread far."""
CLEAR = [0.72, 0.731, 0.739, 0.75, 0.761]
OPEN = [0.71, 0.70, 0.73, 0.72, 0.74]
MANY: dict[str, list[float | None]] = {
    "baseline": [*FIVE],
    "label-smoothing:alpha=0.1": [0.701, 0.709, 0.721, 0.729, 0.74],
    "maxsup:alpha=0.1": [*CLEAR],
    "label-smoothing:alpha=0.2": [*OPEN],
    "maxsup:alpha=0.2": [*OPEN[::-1]],
    "focal": [each - 0.03 for each in CLEAR],
}
"""More comparisons than have each its interval in the sentence."""


def test_a_clear_difference_is_named_with_its_evidence() -> None:
    sentence, notes = say({"baseline": FIVE, "b": [0.72, 0.731, 0.739, 0.75, 0.761]})
    assert sentence == (
        "Better than the baseline in accuracy: B, by +2.02 points (+1.92 to +2.12, 5 seeds)."
    )
    assert "The interval that lies beyond 0 decides, and one within ±0.5 points" in notes


def test_each_of_the_four_conclusions_has_its_sentence() -> None:
    sentence, notes = say(
        {
            "baseline": FIVE,
            "b": [0.72, 0.731, 0.739, 0.75, 0.761],
            "c": [0.68, 0.691, 0.699, 0.71, 0.721],
            "d": [0.71, 0.70, 0.73, 0.72, 0.74],
            "e": [0.701, 0.709, 0.721, 0.729, 0.74],
        }
    )
    better, worse, same, undecided = sentence.split(". ")
    assert better.startswith("Better than the baseline in accuracy: B, by +2.02 points")
    assert worse.startswith("Worse than the baseline in accuracy: C, by −1.98 points")
    assert same.startswith("The same as the baseline to within 0.5 points: E, by +0.00 points")
    assert undecided.startswith("Undecided against the baseline: D, +0.00 points (−")
    assert "is possible after 5 seeds; about" in undecided
    assert "The 4 intervals hold the truth all together" in notes


def test_maxsup_is_held_against_label_smoothing() -> None:
    accuracy: dict[str, list[float | None]] = {
        "baseline": [0.70, 0.72, 0.71],
        "label-smoothing": [0.71, 0.70, 0.72],
        "maxsup": [0.76, 0.751, 0.772],
    }
    sentence, _ = say(accuracy)
    assert sentence.split(". ")[-1].startswith(
        "Maxsup is better than Label smoothing: by +5.10 points ("
    )
    swapped = {name: accuracy[name] for name in ("label-smoothing", "maxsup")}
    assert say(swapped)[0].startswith("Better than Label smoothing in accuracy: Maxsup, by +5.10")


def test_of_many_comparisons_the_sentence_names_the_differences_alone() -> None:
    """Whose intervals the table has: with each of them it would be a page of numbers."""
    sentence, notes = say(MANY)
    assert sentence == (
        "Better than the baseline in accuracy: Maxsup:alpha=0.1, +2.02 points. "
        "Worse than the baseline in accuracy: Focal, −0.98 points. "
        "The same as the baseline to within 0.5 points: "
        "Label smoothing:alpha=0.1, +0.00 points. "
        "Undecided against the baseline (about 34 to 265 seeds would decide): "
        "Label smoothing:alpha=0.2, +0.00 points; Maxsup:alpha=0.2, +0.00 points. "
        "Better in accuracy: Maxsup:alpha=0.1 than Label smoothing:alpha=0.1, +2.02 points. "
        "Undecided (about 193 seeds would decide): "
        "Maxsup:alpha=0.2 against Label smoothing:alpha=0.2, +0.00 points."
    )
    assert "The 7 intervals, which the table has, hold the truth all together" in notes
    # Without one of the methods there are few enough for all that is known of each.
    few = {name: values for name, values in MANY.items() if name != "focal"}
    assert "+2.02 points (+" in say(few)[0]


def test_of_many_open_comparisons_the_sentence_says_how_many_seeds_would_decide() -> None:
    wild: list[float | None] = [each + gain for each, gain in zip(FIVE, GAINS, strict=True)]
    all_wild = {name: [*FIVE] if name == "baseline" else wild for name in MANY}
    assert "the baseline (more than 1,000 seeds would decide): " in say(all_wild)[0]
    one_wild = {**MANY, "maxsup:alpha=0.2": wild}
    assert "the baseline (about 34 to more than 1,000 seeds would decide): " in say(one_wild)[0]


def test_what_makes_a_difference_count_for_less_is_said_of_many_too() -> None:
    near: list[float | None] = [each + 0.002 + k * 1e-5 for k, each in enumerate(FIVE)]
    two_only = [0.9, 0.9, None, None, None]
    limited = say({**MANY, "maxsup:alpha=0.1": near, "focal": two_only})[0]
    assert "Maxsup:alpha=0.1, +0.20 points (less than the margin)" in limited
    assert " in 2 seeds, too few to conclude" in limited
    without = say({**MANY, "focal": [*CLEAR[:4], None]})[0]
    assert "Focal, +2.00 points (4 seeds, without seed 4)" in without


def test_a_certain_difference_that_is_too_small_to_matter() -> None:
    sentence, notes = say({"baseline": FIVE, "b": [0.7021, 0.712, 0.7221, 0.732, 0.742]}, test=400)
    assert "by +0.20 points" in sentence
    assert sentence.endswith("5 seeds, less than the margin).")
    assert "difference of B and the baseline is smaller than one of the 400 test images" in notes


@pytest.mark.parametrize(("seeds", "opening"), [(1, "One seed concludes"), (2, "Two seeds")])
def test_fewer_than_three_seeds_conclude_nothing(seeds: int, opening: str) -> None:
    sentence, notes = say({"baseline": [0.7, 0.7][:seeds], "b": [0.9, 0.9001][:seeds]})
    assert sentence.startswith(opening)
    assert "B came out +20.0" in sentence
    assert "etter" not in sentence
    assert "decides" not in notes


def test_equal_differences_are_judged_by_their_signs() -> None:
    five, notes = say({"baseline": FIVE, "b": [each + 0.03125 for each in FIVE]})
    assert five.startswith("Undecided against the baseline: B, by +3.12 points in each of 5 seeds")
    assert "the same in 6 seeds would decide" in five
    assert "chance explains" not in five
    assert "differ by the same amount in every seed" in notes
    six = [*FIVE, 0.5]
    assert say({"baseline": six, "b": [each + 0.03125 for each in six]})[0].startswith(
        "Better than the baseline in accuracy: B, by +3.12 points in each of 6 seeds."
    )


def test_no_difference_at_all_is_the_same() -> None:
    sentence, notes = say({"baseline": FIVE, "b": FIVE}, nll={"baseline": FIVE, "b": FIVE})
    assert sentence.startswith("The same as the baseline to within 0.5 points: B, by +0.00 points")
    assert "B gave exactly the numbers of the baseline, seed by seed" in notes


def test_another_primary_measure_in_its_own_unit() -> None:
    sentence, notes = say(
        {"baseline": FIVE, "b": FIVE},
        nll={"baseline": [1.0, 1.1, 1.2, 1.1, 1.0], "b": [0.8, 0.91, 1.0, 0.9, 0.79]},
        primary="nll",
        margin=0.05,
    )
    assert sentence.startswith("Better than the baseline in NLL: B, by −0.20 (")
    assert "within ±0.05 says" in notes
    assert "smaller than one" not in notes


def test_a_seed_that_lies_apart_and_skewed_differences_are_said() -> None:
    rival = [0.7101, 0.7202, 0.7299, 0.7401, 0.55, 0.7101, 0.7202, 0.7299]
    _, notes = say({"baseline": [*FIVE, *FIVE[:3]], "b": rival})
    assert "Seed 4 lies far from the others in the difference of B and the baseline" in notes
    assert "The differences of B and the baseline lean to one side" in notes


@pytest.mark.parametrize(("gain", "said"), [(0.05, True), (0.001, False)])
def test_training_that_had_not_finished_is_said(gain: float, said: bool) -> None:
    values: list[float | None] = [0.7, 0.71, 0.705]
    curves = [[0.4] * 9 + [value - gain, value] for value in (0.7, 0.71, 0.705)]
    _, notes = say({"a": values, "b": values}, curves={"a": curves, "b": curves})
    assert ("Training had not finished" in notes) == said


def test_another_baseline_is_called_by_its_name() -> None:
    sentence, _ = say({"maxsup": [0.7, 0.72, 0.74], "b": [0.72, 0.71, 0.76]})
    assert sentence.startswith("Undecided against Maxsup: B, +1.00 points")


def test_a_single_method() -> None:
    assert say({"baseline": [0.7, 0.8]})[0].startswith("Baseline: accuracy 75.00 %; there is")
    assert say({"baseline": [None]})[0] == "Its only run failed."


def test_nothing_to_pair() -> None:
    sentence, notes = say({"baseline": [None, 0.7], "b": [0.7, None]})
    assert sentence.startswith("Nothing can be compared")
    assert "2 of 4 runs failed: Baseline 1 of 2 (seed 0); B 1 of 2 (seed 1)" in notes


def test_failures_count_and_the_seeds_that_are_left_are_named() -> None:
    better = [0.72, 0.731, None, 0.75, 0.761]
    sentence, notes = say({"baseline": [*FIVE], "b": better})
    assert sentence.endswith("by +2.05 points (+1.96 to +2.14, 4 seeds, without seed 2).")
    assert "1 of 10 runs failed: B 1 of 5 (seed 2)" in notes
    assert "not better for its survivors" in notes
    assert "B came out better and failed more often." in notes
    # Which is no matter of who is compared with whom, and none where the better one fails less.
    assert "B came out better and failed more" in say({"b": better, "baseline": [*FIVE]})[1]
    worse = [0.68, 0.691, None, 0.71, 0.721]
    assert "failed more often" not in say({"baseline": [*FIVE], "b": worse})[1]


@pytest.mark.parametrize(
    ("rival", "wrong", "said"),
    [
        ("maxsup", [0.5, 0.001], "In the last epoch Maxsup got 0.1 % of the training images wrong"),
        ("label-smoothing:alpha=0.2", [0.5, 0.0], "Label smoothing:alpha=0.2 got 0 % of the"),
        ("maxsup", [0.001, 0.02], None),
        ("focal", [0.5, 0.001], None),
    ],
)
def test_fitted_training_labels_are_pointed_out(
    rival: str, wrong: list[float], said: str | None
) -> None:
    """By what was wrong in training, and only to those whom it concerns."""
    values: list[float | None] = [0.7, 0.8]
    fitted = [[{"train_wrong": each} for each in wrong]] * 2
    _, notes = say(
        {"baseline": values, rival: values}, train=0.999, rows={"baseline": fitted, rival: fitted}
    )
    assert ("nearly the same objective" in notes) == (said is not None)
    assert said is None or said in notes


def images_of(**values: Any) -> ImageEvidence:
    contrast = ImageContrast(
        method="b",
        against="baseline",
        seeds=[0, 1, 2, 3, 4],
        images=400,
        mean=0.02,
        low=None,
        high=None,
        only_method=None,
        only_against=None,
        p_mcnemar=None,
    )
    contrasts = [contrast | values]  # type: ignore[operator]
    return ImageEvidence(measure="test_accuracy", contrasts=contrasts, reasons=[])


@pytest.mark.parametrize(("low", "said"), [(-0.003, True), (0.002, False)])
def test_other_test_images_are_said_apart(low: float, said: bool) -> None:
    """They change nothing of what is concluded, and it is named where they might."""
    accuracy: dict[str, list[float | None]] = {
        "baseline": [*FIVE],
        "b": [0.72, 0.731, 0.739, 0.75, 0.761],
    }
    sentence, notes = say(accuracy, images=images_of(low=low, high=0.043))
    assert sentence == say(accuracy)[0]
    assert "not these 400 alone, these differences are possible: B and the baseline" in notes
    assert ("−0.30 to +4.30" in notes) == said
    assert ("of B and the baseline holds on these images; on others of the kind" in notes) == said


def test_one_seeds_models_are_told_from_the_methods() -> None:
    found = images_of(seeds=[0], only_method=34, only_against=21, p_mcnemar=0.1047)
    _, notes = say({"baseline": [0.7], "b": [0.72]}, images=found)
    assert "B alone is right on 34, the baseline alone on 21 (p = 0.105)" in notes
    assert "It speaks of these trained models, not of the methods" in notes
    assert "decides" not in notes


def test_label_noise_and_the_datas_notes_are_passed_on() -> None:
    _, notes = say({"baseline": [0.7], "b": [0.8]}, label_noise=0.4, noisy_labels=400)
    assert "400 of 1,000 training labels were replaced at random" in notes
    assert "A note on the data." in notes


def test_another_question_to_the_same_numbers(results: Results) -> None:
    results["runs"] = [
        Run(
            method=method,
            seed=seed,
            status="finished",
            cause=None,
            fingerprint=None,
            values={"test_accuracy": 0.7 + shift + seed / 1000, "test_brier": 0.3, "test_nll": nll},
            history=[],
            reliability=None,
            risk_coverage=None,
        )
        for method, shift, nll in (("baseline", 0.0, 1.0), ("maxsup", 0.05, 1.2))
        for seed in range(6)
    ]
    again = analyse_again(results, Analysis("maxsup", "nll", 0.3))
    assert again["measures"][0]["name"] == "test_nll"
    assert (again["baseline"], again["margin"]) == ("maxsup", 0.3)
    assert [(each["method"], each["conclusion"]) for each in again["contrasts"]] == [
        ("baseline", "better")
    ]
    assert "Better than MaxSup in NLL: Cross <entropy>" in again["verdict"]["sentence"]
    assert results["measures"][0]["name"] == "test_accuracy"
    with pytest.raises(ValueError, match="'r2' cannot be what methods are judged by; there are"):
        analyse_again(results, Analysis("maxsup", "r2"))


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
            risk_coverage=None,
        )

    runs = [run("a", 0, 0.9), run("a", 1, 0.8), run("b", 0, 0.9), run("b", 1, 0.8)]
    runs += [run("c", 0, 0.9), run("c", 1, 0.81)]
    labels = {"a": "Base", "b": "Sleeper", "c": "Other"}
    (note,) = _same_note(labels, "a", runs)
    assert note.startswith("Sleeper gave exactly the numbers of Base, seed by seed")
    assert _same_note(labels, "a", runs[:2] + runs[4:]) == []
    failed = run("b", 2, 0.5) | {"values": {}}
    assert len(_same_note(labels, "a", [*runs, failed])) == 1  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["baseline", "maxsup"], "Every method ran at its own default: no coefficient was tuned"),
        (["baseline", "maxsup:alpha=0.1"], "Every method ran at the values that were named for it"),
        (
            ["baseline", "maxsup:alpha=0.1", "focal"],
            "MaxSup, α 0.1 ran at the values that were named, every other method at its own",
        ),
        (["baseline"], "Nothing was tuned on this data"),
    ],
)
def test_first_note_says_that_nothing_was_tuned(names: list[str], said: str) -> None:
    methods = [
        MethodFacts(
            name=method.name,
            label=method.label,
            summary="",
            settings=method.settings(),
            coefficients=dict.fromkeys(method.values(), 0.1),
        )
        for method in map(get_method, names)
    ]
    analysed = analyse([], MEASURES, [method["name"] for method in methods], Analysis("baseline"))
    asked = Asked(methods=[method["name"] for method in methods], seeds=[0], left_out=[])
    first, *_ = verdict(DATA, methods, "baseline", asked, [0], [], analysed)["notes"]
    assert first.startswith(said)
    assert "the recipe was tuned for none of the methods" in first


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
