"""What a study's numbers say, in words."""

from maxsup.evaluation import PRIMARY, TRAINING_ACCURACY
from maxsup.results.schema import Asked, DataFacts, MethodFacts, Run, Verdict
from maxsup.statistics import LEVEL, Difference, Summary, decisive_p, holds
from maxsup.study._run import run_name
from maxsup.training import no_better_than_guessing

_FITTED = 0.995
"""Training accuracy from which label smoothing and MaxSup have next to nothing to differ in."""

_GUESSING_NOTES = 3
"""How many of the runs that came to nothing are named."""


def verdict(
    data: DataFacts,
    methods: list[MethodFacts],
    baseline: str,
    seeds: list[int],
    runs: list[Run],
    summary: dict[str, dict[str, Summary]],
) -> Verdict:
    """The answer in one sentence, and what a reader must know to weigh it."""
    labels = {method["name"]: method["label"] for method in methods}
    return Verdict(
        sentence=_sentence(labels, baseline, summary[PRIMARY]),
        notes=[
            *_noise_note(data),
            *_fitted_note(labels, summary[TRAINING_ACCURACY.name_on("train")]),
            *_failure_note(runs),
            *_guessing_notes(data, runs),
            *_same_note(labels, baseline, runs),
            *_power_note(summary[PRIMARY], len(methods)),
            *_scope_note(seeds),
            *data["notes"],
        ],
    )


def asked_note(asked: Asked, methods: list[MethodFacts], runs: list[Run]) -> list[str]:
    """Which part the command asked for, where more is shown."""
    labels = {method["name"]: method["label"] for method in methods}
    kept: dict[str, list[int]] = {}
    for run in runs:
        if run["method"] not in asked["methods"] or run["seed"] not in asked["seeds"]:
            kept.setdefault(run["method"], []).append(run["seed"])
    if not kept:
        return []
    by_seeds: dict[str, list[str]] = {}
    for name, seeds in kept.items():
        by_seeds.setdefault(_seeds(seeds), []).append(labels[name])
    others = "; ".join(f"{_together(names)} with {seeds}" for seeds, names in by_seeds.items())
    return [
        f"The command asked for {_together([labels[name] for name in asked['methods']])} with "
        f"{_seeds(asked['seeds'])}. All else here was finished by earlier commands and is kept, in "
        f"every mean and comparison too: {others}."
    ]


def _together(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _seeds(seeds: list[int]) -> str:
    """Seeds in words.

    >>> _seeds([3]), _seeds([2, 0, 1]), _seeds([0, 2])
    ('seed 3', 'seeds 0 to 2', 'seeds 0 and 2')
    """
    first, *_ = ordered = sorted(seeds)
    if len(ordered) > 2 and ordered == list(range(first, first + len(ordered))):
        return f"seeds {first} to {ordered[-1]}"
    return ("seed " if len(ordered) == 1 else "seeds ") + _together([str(s) for s in ordered])


def _sentence(labels: dict[str, str], baseline: str, accuracy: dict[str, Summary]) -> str:
    base = _in_sentence(labels[baseline], baseline)
    others = {
        name: summary["difference"]
        for name, summary in accuracy.items()
        if name != baseline and summary["difference"] is not None
    }
    if not others:
        if len(labels) == 1:
            mean = accuracy[baseline]["mean"]
            return (
                "Its only run failed."
                if mean is None
                else f"{labels[baseline]} reaches an accuracy of {100 * mean:.2f} %; "
                "there is nothing to compare it with."
            )
        return f"Nothing can be compared: no method has a finished run beside one of {base}."

    ranked = sorted(others.items(), key=lambda item: -item[1]["mean"])
    if all(difference["pairs"] < 2 for difference in others.values()):
        best, difference = ranked[0]
        return (
            f"With one seed nothing can be told from chance; {labels[best]} came out "
            f"{_points(difference['mean'])} against {base} in accuracy."
        )

    better = [(name, d) for name, d in ranked if holds(d) and d["mean"] > 0]
    worse = [(name, d) for name, d in ranked if holds(d) and d["mean"] < 0]
    if not better and not worse:
        best, difference = max(others.items(), key=lambda item: abs(item[1]["mean"]))
        return (
            f"No method differs from {base} in accuracy by more than chance explains; the largest "
            f"difference is that of {labels[best]}, {_with_evidence(difference)}."
        )
    parts = []
    if better:
        parts.append(
            f"more accurate than {base}: "
            + "; ".join(f"{labels[name]} by {_with_evidence(d)}" for name, d in better)
        )
    if worse:
        parts.append(
            f"less accurate than {base}: "
            + "; ".join(f"{labels[name]} by {_with_evidence(d)}" for name, d in worse)
        )
    undecided = [labels[name] for name, d in ranked if not holds(d)]
    sentence = ". ".join(part[0].upper() + part[1:] for part in parts)
    if undecided:
        sentence += f". Not told from chance: {', '.join(undecided)}"
    return sentence + "."


def _with_evidence(difference: Difference) -> str:
    p = decisive_p(difference)
    interval = (
        f"95 % interval {_signed(difference['low'])} to {_signed(difference['high'])}, "
        if difference["low"] is not None and difference["high"] is not None
        else ""
    )
    adjusted = "Holm-adjusted p" if difference["p_t_holm"] is not None else "p"
    shown = "not defined" if p is None else f"{p:.3f}" if p >= 0.001 else "below 0.001"
    return (
        f"{_points(difference['mean'])} ({interval}{adjusted} {shown}, {difference['pairs']} seeds)"
    )


def _points(fraction: float) -> str:
    return f"{_signed(fraction)} points"


def _signed(fraction: float) -> str:
    return f"{100 * fraction:+.2f}".replace("-", "−")


def _in_sentence(label: str, name: str) -> str:
    return "the baseline" if name == "baseline" else label


def _noise_note(data: DataFacts) -> list[str]:
    if not data["label_noise"]:
        return []
    return [
        f"{data['noisy_labels']:,} of {data['train']:,} training labels were replaced at random by "
        "a wrong class, the same ones for every method and seed; all measures but the training "
        "accuracy use the true labels."
    ]


def _fitted_note(labels: dict[str, str], train_accuracy: dict[str, Summary]) -> list[str]:
    means = [s["mean"] for s in train_accuracy.values() if s["mean"] is not None]
    if not means or max(means) < _FITTED:
        return []
    return [
        f"The models fit their training labels almost entirely (up to {100 * max(means):.1f} %). "
        "Label smoothing and MaxSup differ only where a model is wrong in training, so on this "
        "data they are nearly the same objective."
    ]


def _failure_note(runs: list[Run]) -> list[str]:
    failed = [run for run in runs if run["status"] == "failed"]
    if not failed:
        return []
    return [
        f"{len(failed)} of {len(runs)} runs failed and are left out of every mean; a method that "
        "fails on hard seeds looks better than it is."
    ]


def _guessing_notes(data: DataFacts, runs: list[Run]) -> list[str]:
    """A sentence for each run that has come to nothing, of many for the first few."""
    notes = [
        f"{run_name(run['method'], run['seed'])} {note}."
        for run in runs
        if (note := no_better_than_guessing(run["values"], len(data["classes"]), data["test"]))
    ]
    more = len(notes) - _GUESSING_NOTES
    if more <= 0:
        return notes
    return [*notes[:_GUESSING_NOTES], f"{more} more of the {len(runs)} runs ended like that."]


def _same_note(labels: dict[str, str], baseline: str, runs: list[Run]) -> list[str]:
    """Name the methods that did what the baseline does, to the last digit."""
    values: dict[str, dict[int, dict[str, float | None]]] = {name: {} for name in labels}
    for run in runs:
        if run["values"]:
            values[run["method"]][run["seed"]] = run["values"]
    same = [
        label
        for name, label in labels.items()
        if name != baseline and values[name] and values[name].items() <= values[baseline].items()
    ]
    if not same:
        return []
    base = _in_sentence(labels[baseline], baseline)
    return [
        f"{' and '.join(same)} gave exactly the numbers of {base}, seed by seed: on this data "
        "their penalty never set in (a margin, for instance, was wider than the logits differ)."
    ]


def _power_note(accuracy: dict[str, Summary], methods: int) -> list[str]:
    smallest = [
        s["difference"]["p_sign_flip_smallest"]
        for s in accuracy.values()
        if s["difference"] is not None and s["difference"]["p_sign_flip_smallest"] is not None
    ]
    if not smallest or max(smallest) < LEVEL:
        return []
    return [
        f"The sign-flip p-value cannot fall below {max(smallest):.4g} with so few seeds; from six "
        "seeds on it can fall below 0.05."
    ]


def _scope_note(seeds: list[int]) -> list[str]:
    if len(seeds) < 2:
        return []
    return [
        "Intervals and p-values speak of other seeds (initial weights, order, augmentation) on "
        "this data and split, not of other data."
    ]
