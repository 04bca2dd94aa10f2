"""What a reader must know of a study to weigh its conclusions, a function a note."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from maxsup.results._guessing import no_better_than_guessing
from maxsup.results._tuned import tuning_notes
from maxsup.results._unfinished import still_rising
from maxsup.results._wording import called, listed, seeds_in_words, together
from maxsup.results.schema import (
    Asked,
    DataFacts,
    MethodFacts,
    PredictionsFacts,
    Run,
    Tuning,
)
from maxsup.statistics import Contrast

_FITTED = 0.005
"""Fraction wrong in training at which label smoothing and MaxSup have next to nothing to differ
in."""
_DIFFER_WHERE_WRONG = ("label-smoothing", "maxsup")
_GUESSING_NOTES = 3
"""How many of the runs that came to nothing are named."""


def strength_notes(
    methods: Sequence[MethodFacts], tuning: Tuning | None, predictions: PredictionsFacts | None
) -> list[str]:
    """At which strengths the methods ran, as far as that is known."""
    if predictions is not None:
        return [_foreign_note(predictions)]
    return [_untuned_note(methods)] if tuning is None else tuning_notes(tuning, methods)


def _foreign_note(predictions: PredictionsFacts) -> str:
    """What cannot be known of a training that was another program's."""
    by = predictions["made_by"]
    made = "by another program" if by is None else f"by {by}"
    return (
        f"The predictions were made {made}. Whether methods of one seed shared their start and "
        "their batches, whether they differ in nothing else, what was tuned for which of them, and "
        "whether the test set chose anything, cannot be seen here."
    )


def _untuned_note(methods: Sequence[MethodFacts]) -> str:
    """At which coefficients the methods ran, and for which of them the recipe was tuned."""
    named = [method["label"] for method in methods if ":" in method["name"]]
    can_differ = [method for method in methods if method["coefficients"] or method["settings"]]
    recipe = "the recipe was tuned for none of the methods"
    if not can_differ:
        return f"Nothing was tuned on this data, and {recipe}."
    if not named:
        ran = "Every method ran at its own default"
    elif len(named) == len(can_differ):
        ran = "Every method ran at the values that were named for it"
    else:
        ran = (
            f"{listed(named)} ran at the values that were named, every other method at its own "
            "default"
        )
    return (
        f"{ran}: no coefficient was tuned on this data, and {recipe}. At its best another may lead."
    )


def asked_note(asked: Asked, labels: Mapping[str, str], runs: Sequence[Run]) -> list[str]:
    """Which part the command asked for, where more is shown."""
    kept: dict[str, list[int]] = {}
    for run in runs:
        if run["method"] not in asked["methods"] or run["seed"] not in asked["seeds"]:
            kept.setdefault(run["method"], []).append(run["seed"])
    if not kept:
        return []
    by_seeds: dict[str, list[str]] = {}
    for name, seeds in kept.items():
        by_seeds.setdefault(seeds_in_words(seeds), []).append(labels[name])
    others = "; ".join(f"{together(names)} with {seeds}" for seeds, names in by_seeds.items())
    return [
        f"The command asked for {together([labels[name] for name in asked['methods']])} with "
        f"{seeds_in_words(asked['seeds'])}. All else here was finished by earlier commands and is "
        f"kept, in every mean and comparison too: {others}."
    ]


def noise_note(data: DataFacts) -> list[str]:
    if not data["label_noise"]:
        return []
    alike = (
        "the same ones for every method, others with each seed"
        if data.get("redrawn")
        else "the same ones for every method and seed"
    )
    return [
        f"{data['noisy_labels']:,} of {data['train']:,} training labels were replaced at random by "
        f"a wrong class, {alike}; all measures but the training accuracy use the true labels."
    ]


def fitted_note(labels: dict[str, str], runs: Sequence[Run]) -> list[str]:
    """Say so where label smoothing and MaxSup came to be nearly the same objective."""
    wrong = {}
    for name, label in labels.items():
        if name.partition(":")[0] not in _DIFFER_WHERE_WRONG:
            continue
        ends = [
            end
            for run in runs
            if run["method"] == name
            and run["history"]
            and (end := run["history"][-1].get("train_wrong")) is not None
        ]
        if ends:
            wrong[label] = fmean(ends)
    fitted = [label for label, fraction in wrong.items() if fraction <= _FITTED]
    if not fitted:
        return []
    most = 100 * max(wrong[label] for label in fitted)
    return [
        f"In the last epoch {listed(fitted)} got {'at most ' * (len(fitted) > 1)}{most:.2g} % of "
        "the training images wrong, as they were trained on. Label smoothing and MaxSup differ "
        "only where a model is wrong in training, so by then they were nearly the same objective."
    ]


def unfinished_note(labels: dict[str, str], runs: Sequence[Run]) -> list[str]:
    rising = still_rising(labels, runs)
    if not rising:
        return []
    return [
        f"Training had not finished: in its last tenth the test accuracy of {listed(rising)} "
        "still rose by more than it spreads over the seeds. More --epochs may change the order."
    ]


def failure_note(
    labels: Mapping[str, str], runs: Sequence[Run], contrasts: Sequence[Contrast]
) -> list[str]:
    """Which runs failed, and what that means for those that are left."""
    failed = [run for run in runs if run["status"] == "failed"]
    if not failed:
        return []
    counts = []
    fractions = {}
    for name, label in labels.items():
        of_method = [run["seed"] for run in failed if run["method"] == name]
        tried = sum(run["method"] == name for run in runs)
        fractions[name] = len(of_method) / tried if tried else 0.0
        if of_method:
            counts.append(f"{label} {len(of_method)} of {tried} ({seeds_in_words(of_method)})")
    for_survivors = [
        labels[each["method" if each["conclusion"] == "better" else "against"]]
        for each in contrasts
        if each["conclusion"] in ("better", "worse")
        and (fractions[each["method"]] - fractions[each["against"]])
        * (1 if each["conclusion"] == "better" else -1)
        > 0
    ]
    named = listed(dict.fromkeys(for_survivors))
    return [
        f"{len(failed)} of {len(runs)} runs failed: {listed(counts)}. Means are over the seeds "
        "that finished, differences over those that both methods finished. A method that fails is "
        "not better for its survivors: the seeds that it fails on may be the hard ones."
        + (f" {named} came out better and failed more often." if named else "")
    ]


def guessing_notes(data: DataFacts, runs: Sequence[Run]) -> list[str]:
    """A sentence for each run that has come to nothing, of many for the first few."""
    notes = [
        f"{run['method']}, seed {run['seed']} {note}."
        for run in runs
        if (note := no_better_than_guessing(run["values"], len(data["classes"]), data["test"]))
    ]
    more = len(notes) - _GUESSING_NOTES
    if more <= 0:
        return notes
    return [*notes[:_GUESSING_NOTES], f"{more} more of the {len(runs)} runs ended like that."]


def same_note(
    labels: dict[str, str],
    baseline: str,
    runs: Sequence[Run],
    predictions: PredictionsFacts | None = None,
) -> list[str]:
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
    base = called(baseline, labels)
    if predictions is not None:
        return [
            f"{' and '.join(same)} gave exactly the numbers of {base}, seed by seed: are these the "
            "same predictions under two names, or did the script not look at the method?"
        ]
    return [
        f"{' and '.join(same)} gave exactly the numbers of {base}, seed by seed: on this data "
        "their penalty never set in (a margin, for instance, was wider than the logits differ)."
    ]


def scope_note(seeds: Sequence[int], data: DataFacts) -> list[str]:
    """Of which population an interval over seeds speaks."""
    redrawn = data.get("redrawn")
    if len(seeds) < 2:
        return []
    if not redrawn:
        return [
            "Intervals speak of other seeds (initial weights, order, augmentation) on this data "
            "and split, the same test images among them, not of other data."
        ]
    return [
        f"Drawn anew for each seed, the same for all methods: {together(redrawn)}. Intervals "
        "speak of other seeds and other draws of that kind from this data. Such draws have images "
        "in common, so on other data the differences spread further (Nadeau and Bengio 2003)."
    ]
