"""What the test images add to the doubt that is left by the seeds.

An interval over seeds takes the test images for all there are. Other images of the same population
would have given another difference, and many seeds do not make that smaller. Here seeds and images
are both taken for a sample, each seed with each image: a crossed design.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maxsup.statistics._paired import CONFIDENCE


class CrossedVariance(NamedTuple):
    """The variance of a mean over seeds and images in the crossed bootstrap, by where it arises."""

    seeds: float
    images: float
    both: float
    """What neither seeds nor images explain alone."""


def crossed_variance(differences: ArrayLike) -> CrossedVariance:
    """The variance of the mean when seeds and images are drawn anew, each with replacement.

    This is the pigeonhole bootstrap of Owen (2007): S of the S rows and N of the N columns are
    drawn independently, and the mean is taken over all their crossings. For a mean its variance is
    known exactly, so that nothing has to be drawn: Σ_s (x̄_s − x̄)²/S² from the seeds,
    Σ_i (x̄_i − x̄)²/N² from the images, and Σ_si (x_si − x̄_s − x̄_i + x̄)²/(S·N)² from both.

    Args:
        differences: (S, N), for each seed and each image a method minus another.

    Raises:
        ValueError: There are fewer than two seeds or images, or numbers that are not finite.

    Example:
        >>> round(crossed_variance([[1.0, 0.0, 0.0], [3.0, 2.0, 2.0]]).seeds, 9)
        0.5
    """
    values = np.asarray(differences, dtype=float)
    if values.ndim != 2 or min(values.shape) < 2 or not np.isfinite(values).all():
        raise ValueError(
            "differences must be finite numbers of two seeds or more by two images or more; got "
            f"shape {values.shape}."
        )
    seeds, images = values.shape
    of_seeds, of_images = values.mean(axis=1) - values.mean(), values.mean(axis=0) - values.mean()
    rest = values - values.mean() - of_seeds[:, None] - of_images
    return CrossedVariance(
        float((of_seeds**2).sum()) / seeds**2,
        float((of_images**2).sum()) / images**2,
        float((rest**2).sum()) / (seeds * images) ** 2,
    )


def crossed_interval(differences: ArrayLike, *, comparisons: int = 1) -> tuple[float, float]:
    """A range for the mean difference over other seeds and other images of the same population.

    Its half-width is √(t_S²·V_S + t_N²·V_N), from the variances of :func:`crossed_variance` without
    their bias: with few seeds the bootstrap is too narrow, by (S − 1)/S, so V_S is the variance of
    the seeds' means over S with Student's t of S − 1 degrees of freedom, exactly as in an interval
    over seeds alone; and it counts what neither explains alone three times (Owen 2007), of which
    two are taken off, so V_N is what the images alone bring, at least 0. Terms that have each their
    own t quantile hold at least what they promise (Banerjee 1961), and the range is never narrower
    than that over the seeds alone.

    Args:
        differences: (S, N), for each seed and each image a method minus another.
        comparisons: m, the number of contrasts; the level is 1 − 0.05/m.

    Returns:
        The lower and the upper end.

    Raises:
        ValueError: There are fewer than two seeds or images, numbers that are not finite, or no
            comparison.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> differences = rng.choice([-1, 0, 1], size=(5, 400), p=[0.05, 0.85, 0.1])
        >>> low, high = crossed_interval(differences)
        >>> round(low, 3), round(high, 3)
        (0.011, 0.078)
    """
    from scipy import stats

    if comparisons < 1:
        raise ValueError(f"comparisons must be 1 or more; got {comparisons}.")
    found = crossed_variance(differences)
    values = np.asarray(differences, dtype=float)
    seeds, images = values.shape
    of_seeds = found.seeds * seeds / (seeds - 1)
    of_both = found.both * seeds * images / ((seeds - 1) * (images - 1))
    of_images = max(0.0, found.images * images / (images - 1) - of_both)
    level = 1 - (1 - CONFIDENCE) / (2 * comparisons)
    half = math.hypot(
        float(stats.t.ppf(level, seeds - 1)) * math.sqrt(of_seeds),
        float(stats.t.ppf(level, images - 1)) * math.sqrt(of_images),
    )
    mean = float(values.mean())
    return mean - half, mean + half


class McNemar(NamedTuple):
    """Two models on the same images."""

    only_first: int
    """How many images the first gets right and the second wrong."""
    only_second: int
    """How many the other way round."""
    p: float
    """Two-sided, exact."""


def mcnemar(first: ArrayLike, second: ArrayLike) -> McNemar:
    """McNemar's exact test (1947) of whether two models are right equally often.

    Of the images that one gets right and the other wrong, as many would be either's if the two were
    equally good: the p-value is that of a fair coin, twice the smaller tail. It speaks of these two
    trained models on other images. Of the methods that trained them it says nothing, since each may
    have had a good or a bad seed.

    Args:
        first: (N,) booleans, whether the first model is right.
        second: (N,) booleans, the same of the second, in the same order.

    Raises:
        ValueError: They are of different lengths, or not of one dimension.

    Example:
        >>> mcnemar([True] * 6 + [False] * 4, [True] + [False] * 9)
        McNemar(only_first=5, only_second=0, p=0.0625)
    """
    from scipy import stats

    right: tuple[NDArray[np.bool_], ...] = tuple(
        np.asarray(each, dtype=bool) for each in (first, second)
    )
    if right[0].ndim != 1 or right[0].shape != right[1].shape:
        raise ValueError(
            f"first and second must be two rows of the same length; got shapes {right[0].shape} "
            f"and {right[1].shape}."
        )
    only_first = int((right[0] & ~right[1]).sum())
    only_second = int((right[1] & ~right[0]).sum())
    apart = only_first + only_second
    tail = float(stats.binom.cdf(min(only_first, only_second), apart, 0.5)) if apart else 1.0
    return McNemar(only_first, only_second, min(1.0, 2 * tail))
