"""Two methods that no seed joins: what their values say each for itself.

Weaker than differences within seeds, since what a seed does to both methods alike stays in.
"""

import functools
import math
from collections.abc import Mapping
from statistics import fmean, variance
from typing import NamedTuple

import numpy as np

from maxsup.statistics._paired import CONFIDENCE, Difference, Summary, Values, existing


class Welch(NamedTuple):
    """The difference of two means, and how sure it is."""

    mean: float
    error: float
    """Its standard error √(s₁²/n₁ + s₂²/n₂); 0 where neither has a spread or one has one value."""
    degrees: float
    """Degrees of freedom after Welch and Satterthwaite."""


def welch(method: Values, against: Values) -> Welch | None:
    """A method's mean minus another's, which need have no seed in common (Welch 1947).

    Args:
        method: One measure of a method, by seed.
        against: The same of another.

    Returns:
        The difference; none where one of the two has no value.

    Example:
        >>> found = welch({0: 3.0, 1: 4.0, 2: 5.0}, {7: 1.0, 8: 1.5, 9: 2.0})
        >>> found.mean, round(found.error, 3), round(found.degrees, 2)
        (2.5, 0.645, 2.94)
    """
    left, right = list(existing(method).values()), list(existing(against).values())
    if not left or not right:
        return None
    mean = fmean(left) - fmean(right)
    rounding = 64 * np.finfo(float).eps * max(map(abs, (*left, *right)))
    if abs(mean) <= rounding:
        mean = 0.0
    if min(len(left), len(right)) < 2:
        return Welch(mean, 0.0, 0.0)
    squares = [variance(each) / len(each) for each in (left, right)]
    if math.sqrt(sum(squares)) <= rounding:
        return Welch(mean, 0.0, 0.0)
    degrees = sum(squares) ** 2 / sum(
        square**2 / (len(each) - 1) for square, each in zip(squares, (left, right), strict=True)
    )
    return Welch(mean, math.sqrt(sum(squares)), degrees)


def unpaired_difference(method: Values, against: Values) -> Difference | None:
    """The same as :func:`maxsup.statistics.paired_difference` for methods that no seed joins.

    Args:
        method: One measure of a method, by seed.
        against: The same of the baseline.

    Returns:
        The difference with its 95 % interval; none where one of the two has no value.
        ``pairs`` and ``seeds`` are then those of the one that has fewer.
    """
    found = welch(method, against)
    if found is None:
        return None
    fewer = min(existing(method), existing(against), key=len)
    difference = Difference(
        pairs=len(fewer),
        seeds=sorted(fewer),
        mean=found.mean,
        low=None,
        high=None,
        p_t=None,
        p_sign_flip=None,
        p_sign_flip_smallest=None,
    )
    if found.error:
        half = t_quantile(found.degrees, 1) * found.error
        difference["low"], difference["high"] = found.mean - half, found.mean + half
        difference["p_t"] = two_sided_p(found.mean / found.error, found.degrees)
    elif difference["pairs"] > 1:
        difference["low"] = difference["high"] = found.mean
        difference["p_t"] = None if found.mean else 1.0
    return difference


def are_unpaired(method: Values, against: Values) -> bool:
    """Whether both have two values or more, but none for a seed in common.

    >>> are_unpaired({0: 0.7, 1: 0.8}, {2: 0.7, 3: 0.8}), are_unpaired({0: 0.7}, {0: 0.6})
    (True, False)
    """
    left, right = existing(method), existing(against)
    return min(len(left), len(right)) > 1 and not left.keys() & right.keys()


def with_unpaired(
    summaries: Mapping[str, Summary],
    values: Mapping[str, Values],
    baseline: str,
    *,
    all_of_them: bool = False,
) -> dict[str, Summary]:
    """The summaries with unpaired differences to the baseline where no seed joins the two.

    Args:
        summaries: Of :func:`maxsup.statistics.summarise`.
        values: What they summarise.
        baseline: The method that the others are compared with.
        all_of_them: Whether no difference is to be paired, seeds in common or not.

    Example:
        >>> from maxsup.statistics import summarise
        >>> values = {"a": {0: 0.5, 1: 0.6}, "b": {2: 0.6, 3: 0.8}}
        >>> round(with_unpaired(summarise(values, "a"), values, "a")["b"]["difference"]["mean"], 3)
        0.15
    """
    found = {}
    for method, summary in summaries.items():
        of_method, of_baseline = values[method], values[baseline]
        if method != baseline and (all_of_them or are_unpaired(of_method, of_baseline)):
            summary = Summary(
                **{**summary, "difference": unpaired_difference(of_method, of_baseline)}
            )
        found[method] = summary
    return found


@functools.lru_cache(maxsize=4096)
def t_quantile(degrees: float, comparisons: int) -> float:
    """Student's t at 1 − 0.05/(2m) for m comparisons."""
    from scipy import stats

    return float(stats.t.ppf(1 - (1 - CONFIDENCE) / (2 * comparisons), degrees))


def two_sided_p(t: float, degrees: float) -> float:
    """The p-value of a value of Student's t."""
    from scipy import special

    return float(2 * special.stdtr(degrees, -abs(t)))
