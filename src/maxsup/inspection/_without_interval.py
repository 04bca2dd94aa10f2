"""Why numbers of models with one seed stand without an interval, where they do."""

from collections.abc import Iterable, Mapping, Sequence

from maxsup.inspection._look import Looked
from maxsup.inspection.schema import Interval
from maxsup.results.schema import MeasureFacts

_OF_LAYER = "layer_"
"""How the names of numbers begin that are the last layer's own."""


def notes_on_missing_intervals(
    facts: Sequence[MeasureFacts],
    intervals: Mapping[str, Mapping[str, Interval]],
    only: Mapping[str, Looked],
) -> list[str]:
    """Which numbers have no interval over test samples, in a sentence for each reason.

    Args:
        facts: The measures.
        intervals: By measure and group.
        only: The model of each group that has but one.
    """
    why: dict[str, list[str]] = {}
    for fact in facts:
        for group, looked in only.items():
            interval = intervals.get(fact["name"], {}).get(group)
            if interval is not None and interval["low"] is None:
                reason = _reason(fact, looked)
                why.setdefault(reason, []).append(fact["label"])
    return [_sentence(reason, dict.fromkeys(labels)) for reason, labels in why.items()]


def _reason(fact: MeasureFacts, looked: Looked) -> str:
    if fact["split"] == "train":
        return "train"
    if fact["name"].startswith(_OF_LAYER):
        return "layer"
    return "alike" if looked.replicates.get(fact["name"]) else "once"


def _sentence(reason: str, labels: Iterable[str]) -> str:
    named = "; ".join(labels)
    return {
        "train": "Numbers of training samples have no interval where a method has one seed: test "
        "samples alone are drawn anew.",
        "layer": f"No interval where a method has one seed: {named}. They depend on no sample.",
        "once": f"No interval where a method has one seed: {named}. They are computed once, and "
        "not for each draw of the test samples.",
        "alike": f"No interval where a method has one seed: {named}. Each draw of the test samples "
        "gives the same value, or many give none, so their spread says nothing.",
    }[reason]
