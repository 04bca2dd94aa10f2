"""What a study says of the strengths that were chosen before it."""

from collections.abc import Mapping, Sequence

from maxsup._method_names import written
from maxsup.results.schema import MethodFacts, TunedMethod, Tuning

_RIVALS = ("maxsup", "label-smoothing")
_IN_WORDS = {
    "validation_nll_scaled": "NLL after temperature",
    "validation_accuracy": "accuracy",
}


def tuned_contrasts(
    tuning: Tuning, methods: Sequence[str], baseline: str
) -> tuple[tuple[str, str], ...]:
    """The contrasts of methods at their best: each against the baseline, MaxSup and its rival.

    Args:
        tuning: What was chosen.
        methods: All methods of the study.
        baseline: What they are compared with.

    Returns:
        Pairs of names; none where the baseline is not one at its best, as the recipe has it.
    """
    chosen = chosen_names(tuning)
    others = [name for name in methods if name in tuning["fixed"]]
    best = [*chosen.values(), *others]
    if baseline not in best:
        return ()
    pairs = [(name, baseline) for name in dict.fromkeys(best) if name != baseline]
    rivals = tuple(chosen.get(name, "") for name in _RIVALS)
    if all(rivals) and baseline not in rivals:
        pairs.append((rivals[0], rivals[1]))
    return tuple(pairs)


def chosen_names(tuning: Tuning) -> dict[str, str]:
    """What each tuned method was chosen to be, where a trial of it came to an end."""
    return {
        each["method"]: each["chosen"] for each in tuning["methods"] if each["chosen"] is not None
    }


def tuning_notes(tuning: Tuning, methods: Sequence[MethodFacts]) -> list[str]:
    """How strengths were chosen, and what a reader must know of it, in sentences."""
    labels = {method["name"]: method["label"] for method in methods}
    budget = len(tuning["methods"][0]["trials"]) if tuning["methods"] else 0
    where = (
        f"{tuning['validation']:,} images held out of the training set"
        if tuning["held_out"]
        else f"the {tuning['validation']:,} images of the validation part"
    )
    seeds = len(tuning["seeds"])
    notes = [
        f"Strengths were chosen beforehand: {budget} trials of each method with {seeds} "
        f"seed{'s' * (seeds > 1)} of their own, by {_IN_WORDS[tuning['by']]} on {where}. The test "
        "set was not looked at for it. What is concluded is of the methods at their chosen "
        "strengths; those at their defaults are shown beside them."
    ]
    notes += [_edge_note(each, labels) for each in tuning["methods"] if each["at_edge"]]
    failed = [each["method"] for each in tuning["methods"] if each["chosen"] is None]
    if failed:
        notes.append(
            f"No trial of {_listed(failed, labels)} came to an end, so it ran at its default alone."
        )
    if tuning["fixed"]:
        notes.append(
            f"{_listed(tuning['fixed'], labels)} ran at the values that were named, without a "
            "search."
        )
    return notes


def _edge_note(tuned: TunedMethod, labels: Mapping[str, str]) -> str:
    chosen = next(trial for trial in tuned["trials"] if trial["name"] == tuned["chosen"])
    ends = []
    for name in tuned["at_edge"]:
        value = chosen["coefficients"][name]
        largest = max(trial["coefficients"][name] for trial in tuned["trials"])
        end = "largest" if value == largest else "smallest"
        ends.append(f"{name} {written(value)} is the {end} that was tried")
    label = labels.get(tuned["method"], tuned["method"])
    return f"Chosen at the edge for {label}: {' and '.join(ends)}; beyond it may lie a better one."


def _listed(names: Sequence[str], labels: Mapping[str, str]) -> str:
    return "; ".join(labels.get(name, name) for name in names)
