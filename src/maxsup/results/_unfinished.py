"""Trainings that were stopped before they had finished, as their curves show."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from maxsup.results._analysis import DEFAULT_PRIMARY
from maxsup.results.schema import Run
from maxsup.statistics import FEWEST_PAIRS

_LAST_PART = 0.1
"""The last part of a training, in which a finished one no longer gains."""
_SHORTEST = 5
"""Epochs that a training must have for it to be said that it had not finished."""


def still_rising(labels: Mapping[str, str], runs: Sequence[Run]) -> list[str]:
    """The labels of the methods whose accuracy rose at the end by more than it spreads over seeds.

    Args:
        labels: The methods' labels by name.
        runs: The runs of a study.
    """
    rising = []
    for name, label in labels.items():
        curves = [
            [row.get(DEFAULT_PRIMARY) for row in run["history"]]
            for run in runs
            if run["method"] == name and run["status"] == "finished"
        ]
        ends = [
            (curve[-1 - max(1, round(_LAST_PART * len(curve)))], curve[-1])
            for curve in curves
            if len(curve) >= _SHORTEST
        ]
        gains = [last - before for before, last in ends if before is not None and last is not None]
        finals = [last for _, last in ends if last is not None]
        if len(gains) >= FEWEST_PAIRS and fmean(gains) > stdev(finals):
            rising.append(label)
    return rising
