"""What the numbers of a few seeds can say: paired differences, intervals, p-values.

Methods of one seed share initial weights, order and augmentation, so their difference has less
noise than either; everything here is about these differences.
"""

import math
from collections.abc import Mapping
from statistics import fmean, stdev
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = Mapping[int, float | None]
"""One measure of one method, by seed; missing where it is ``None``, NaN or infinite."""

CONFIDENCE = 0.95
_EXACT_PAIRS = 16
_RANDOM_FLIPS = 100_000


class Difference(TypedDict):
    """A method minus the baseline, paired over the seeds that both finished."""

    pairs: int
    seeds: list[int]  # those that both finished
    mean: float
    low: float | None  # 95 % interval (Student's t); null with fewer than two pairs
    high: float | None
    p_t: float | None
    p_sign_flip: float | None
    p_sign_flip_smallest: float | None  # the smallest that so many pairs allow


class Summary(TypedDict):
    """One measure of one method over its finished seeds."""

    n: int
    seeds: list[int]  # of the values that there are
    mean: float | None
    std: float | None  # sample standard deviation; null with one seed
    difference: Difference | None  # null for the baseline, or where no seed pairs


def summarise(values: Mapping[str, Values], baseline: str) -> dict[str, Summary]:
    """Mean, standard deviation and difference to the baseline, for each method.

    Each difference stands for itself: intervals and p-values are not adjusted for their number.
    What may be concluded of several contrasts together is said by :func:`judge`.

    Args:
        values: Values of one measure, by method, then by seed.
        baseline: The method that the others are compared with.

    Returns:
        The summaries by method; the baseline's has no ``difference``.

    Raises:
        ValueError: The baseline is none of the methods.

    Example:
        >>> found = summarise({"a": {0: 0.5, 1: 0.6}, "b": {0: 0.6, 1: 0.8}}, baseline="a")
        >>> round(found["b"]["mean"], 3), round(found["b"]["difference"]["mean"], 3)
        (0.7, 0.15)
    """
    if baseline not in values:
        raise ValueError(
            f"baseline must be one of the methods, {', '.join(values) or 'of which there are none'}"
            f"; got {baseline!r}."
        )
    differences = {}
    for method, of_method in values.items():
        difference = paired_difference(of_method, values[baseline])
        if method != baseline and difference is not None:
            differences[method] = difference

    summaries = {}
    for method, of_method in values.items():
        found = existing(of_method)
        numbers = list(found.values())
        summaries[method] = Summary(
            n=len(numbers),
            seeds=sorted(found),
            mean=fmean(numbers) if numbers else None,
            std=stdev(numbers) if len(numbers) > 1 else None,
            difference=differences.get(method),
        )
    return summaries


def paired_difference(method: Values, baseline: Values) -> Difference | None:
    """A method minus the baseline over the seeds that both have.

    The 95 % interval and ``p_t`` are Student's, on the n paired differences: mean ± t·s/√n, with t
    of n − 1 degrees of freedom. ``p_sign_flip`` is that of :func:`sign_flip_p`. Both are two-sided.

    Differences that are the same but for rounding have no spread, and then there is no Student's
    t: the interval shrinks to the mean, and ``p_t`` is ``None``, or 1 where they are all 0.

    Args:
        method: One measure of a method, by seed.
        baseline: The same of the baseline.

    Returns:
        The difference; with one pair, its mean alone. ``None`` where no
        seed has both.

    Example:
        >>> found = paired_difference({0: 3.0, 1: 4.0, 2: 6.0}, {0: 1.0, 1: 1.0, 2: 2.0})
        >>> found["pairs"], found["mean"], round(found["low"], 3), round(found["high"], 3)
        (3, 3.0, 0.516, 5.484)
    """
    seeds, differences = paired_values(method, baseline)
    if not seeds:
        return None
    found = Difference(
        pairs=len(seeds),
        seeds=seeds,
        mean=fmean(differences),
        low=None,
        high=None,
        p_t=None,
        p_sign_flip=None,
        p_sign_flip_smallest=None,
    )
    if len(seeds) < 2:
        return found
    found["p_sign_flip"] = sign_flip_p(differences)
    found["p_sign_flip_smallest"] = smallest_sign_flip_p(len(seeds))
    if np.ptp(differences) == 0:
        found["low"] = found["high"] = found["mean"]
        found["p_t"] = None if differences.any() else 1.0
    else:
        # Here, as it takes longer to load than most who import this module need.
        from scipy import stats

        test = stats.ttest_1samp(differences, 0.0)
        interval = test.confidence_interval(CONFIDENCE)
        found["low"], found["high"] = float(interval.low), float(interval.high)
        found["p_t"] = float(test.pvalue)
    return found


def sign_flip_p(differences: ArrayLike) -> float:
    """Two-sided permutation p-value of the mean under flips of the differences' signs.

    If the methods did not differ, each difference could as well have had the other sign. The
    p-value is the fraction of all 2ⁿ assignments of signs whose mean is at least as far from 0 as
    the observed one. It is exact for up to 16 differences; beyond that it is
    (1 + hits)/(1 + 100,000) over as many random assignments (of a fixed seed), the observed one
    counted among them.

    Args:
        differences: One or more finite numbers, shape (n,).

    Raises:
        ValueError: They are something else.

    Example:
        >>> sign_flip_p([1.0, 2.0, 3.0, 4.0])
        0.125
    """
    values = np.asarray(differences, dtype=float)
    if values.ndim != 1 or len(values) == 0 or not np.isfinite(values).all():
        raise ValueError(
            f"differences must be one or more finite numbers in one dimension; got {differences!r}."
        )
    # Sums that are equal but for rounding are ties, and ties count.
    reached = abs(values.sum()) - 1e-12 * np.abs(values).sum()
    if len(values) <= _EXACT_PAIRS:
        sums = np.zeros(1)
        for value in values:
            sums = np.concatenate([sums + value, sums - value])
        return float(np.mean(np.abs(sums) >= reached))
    signs = np.random.default_rng(0).choice((1.0, -1.0), size=(_RANDOM_FLIPS, len(values)))
    hits = np.count_nonzero(np.abs(signs @ values) >= reached)
    return (1 + hits) / (1 + _RANDOM_FLIPS)


def smallest_sign_flip_p(pairs: int) -> float:
    """The smallest p-value that :func:`sign_flip_p` can give for so many differences.

    2/2ⁿ where it is exact, since the observed signs and their opposites always count.

    Args:
        pairs: n, at least 1.

    Raises:
        ValueError: ``pairs`` is less than 1.

    Example:
        >>> smallest_sign_flip_p(5)
        0.0625
    """
    if pairs < 1:
        raise ValueError(f"pairs must be 1 or more; got {pairs}.")
    return 2.0 ** (1 - pairs) if pairs <= _EXACT_PAIRS else 1 / (1 + _RANDOM_FLIPS)


def paired_values(method: Values, against: Values) -> tuple[list[int], NDArray[np.float64]]:
    """The seeds that both have, in order, and a method's value minus the other's for each.

    Differences that are rounding alone are 0, and those that differ by rounding alone are equal.
    """
    left, right = existing(method), existing(against)
    seeds = sorted(left.keys() & right.keys())
    if not seeds:
        return [], np.zeros(0)
    minuends = np.array([left[seed] for seed in seeds])
    subtrahends = np.array([right[seed] for seed in seeds])
    differences = minuends - subtrahends
    # Each value is itself the result of sums, so it is off by some units in its last place.
    rounding = 64 * np.finfo(float).eps * max(np.abs(minuends).max(), np.abs(subtrahends).max())
    differences[np.abs(differences) <= rounding] = 0.0
    if np.ptp(differences) <= rounding:
        differences[:] = differences[0]
    return seeds, differences


def existing(values: Values) -> dict[int, float]:
    """The finite values, by seed."""
    return {
        seed: value for seed, value in values.items() if value is not None and math.isfinite(value)
    }
