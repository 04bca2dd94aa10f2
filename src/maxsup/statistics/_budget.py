"""What is to be expected of a search for the best setting, against how much is tried."""

from collections.abc import Sequence
from typing import Literal

import numpy as np


def expected_best(values: Sequence[float], better: Literal["higher", "lower"]) -> list[float]:
    """The expected best of 1, 2, …, N trials that are drawn from N, with replacement.

    With the values in rising order and n trials, E[max] = Σᵢ v₍ᵢ₎·((i/N)ⁿ − ((i − 1)/N)ⁿ) (Dodge et
    al. 2019, *Show Your Work*). Trials on a grid were not drawn at random: the curve then says how
    much choosing among them brought, not what another search would have found.

    Args:
        values: A measure of each trial.
        better: Which direction of the measure is the better one.

    Returns:
        N numbers in the unit of ``values``. The last of them is not the best value itself: of N
        draws some come twice.

    Example:
        >>> [round(value, 4) for value in expected_best([0.7, 0.8, 0.9], "higher")]
        [0.8, 0.8444, 0.8667]
        >>> [round(value, 4) for value in expected_best([0.7, 0.8, 0.9], "lower")]
        [0.8, 0.7556, 0.7333]
    """
    if not values:
        return []
    sign = 1 if better == "higher" else -1
    rising = np.sort(sign * np.asarray(values, dtype=float))
    below = np.arange(len(rising) + 1) / len(rising)
    return [sign * float(rising @ np.diff(below**draws)) for draws in range(1, len(rising) + 1)]
