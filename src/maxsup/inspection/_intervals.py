"""The doubt that a number of a group of models leaves: over its seeds, or over test samples."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from maxsup.inspection.schema import Interval
from maxsup.statistics import Summary

_CONFIDENCE = 0.95

Replicates = Sequence[float | None]


def interval_of(summary: Summary, replicates: Replicates | None, samples: int) -> Interval | None:
    """Of a group's value: Student's t over its seeds, or the bootstrap's where it has one seed.

    Args:
        summary: The value over the group's seeds.
        replicates: The value for each draw of the test samples, of the only seed; none where
            nothing was drawn.
        samples: How many test samples there are.
    """
    mean, std = summary["mean"], summary["std"]
    if mean is None:
        return None
    if std is not None:
        half = _t(summary["n"]) * std / math.sqrt(summary["n"])
        return Interval(
            mean=mean, low=mean - half, high=mean + half, over="seeds", number=summary["n"]
        )
    return _of_replicates(mean, replicates, samples)


def difference_of(
    summary: Summary,
    baseline: Summary,
    replicates: Replicates | None,
    of_baseline: Replicates | None,
    samples: int,
    *,
    same_samples: bool,
) -> Interval | None:
    """A group minus the baseline: paired over seeds, or over the same draws of test samples.

    Args:
        summary: The group's value over its seeds, with its paired difference.
        baseline: The baseline's.
        replicates: The group's value for each draw, of its only seed.
        of_baseline: The baseline's.
        samples: How many test samples there are.
        same_samples: Whether both have the same test samples, so that a draw is the same for both;
            otherwise their doubts add up.
    """
    difference = summary["difference"]
    if difference is not None and difference["pairs"] > 1:
        return Interval(
            mean=difference["mean"],
            low=difference["low"],
            high=difference["high"],
            over="seeds",
            number=difference["pairs"],
        )
    if summary["mean"] is None or baseline["mean"] is None:
        return None
    mean = summary["mean"] - baseline["mean"]
    if summary["n"] > 1 or baseline["n"] > 1:
        return Interval(mean=mean, low=None, high=None, over="seeds", number=1)
    if not replicates or not of_baseline:
        return Interval(mean=mean, low=None, high=None, over="samples", number=samples)
    if same_samples:
        both = [
            a - b
            for a, b in zip(replicates, of_baseline, strict=True)
            if a is not None and b is not None
        ]
        return _of_replicates(mean, both, samples)
    spreads = [_spread(each) for each in (replicates, of_baseline)]
    if None in spreads:
        return Interval(mean=mean, low=None, high=None, over="samples", number=samples)
    half = _normal() * math.hypot(*(each for each in spreads if each is not None))
    return Interval(mean=mean, low=mean - half, high=mean + half, over="samples", number=samples)


def _of_replicates(mean: float, replicates: Replicates | None, samples: int) -> Interval:
    """The value ± 1.96 standard deviations of the replicates.

    Their own quantiles would be off where a measure is biased under resampling, as those are that
    see a sample twice.
    """
    spread = _spread(replicates or ())
    if spread is None:
        return Interval(mean=mean, low=None, high=None, over="samples", number=samples)
    half = _normal() * spread
    return Interval(mean=mean, low=mean - half, high=mean + half, over="samples", number=samples)


def _spread(replicates: Replicates) -> float | None:
    known = [each for each in replicates if each is not None]
    # Where a measure often does not exist, its spread where it does says little.
    if len(known) < 2 or len(known) < 0.9 * len(replicates):
        return None
    # Samples that a model is right on, all of them, say nothing of those it would be wrong on,
    # however often they are drawn.
    return stdev(known, fmean(known)) if max(known) > min(known) else None


def _t(seeds: int) -> float:
    from scipy import stats

    return float(stats.t.ppf((1 + _CONFIDENCE) / 2, seeds - 1))


def _normal() -> float:
    from scipy import stats

    return float(stats.norm.ppf((1 + _CONFIDENCE) / 2))


def summaries_by_measure(
    values: Mapping[str, Mapping[int, Mapping[str, float | None]]], names: Sequence[str]
) -> dict[str, dict[str, dict[int, float | None]]]:
    """Values by group, seed and measure, as values by measure, group and seed."""
    return {
        name: {
            group: {seed: of_seed.get(name) for seed, of_seed in seeds.items()}
            for group, seeds in values.items()
        }
        for name in names
    }
