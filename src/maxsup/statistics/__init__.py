"""What the numbers of a few seeds can say: paired differences, intervals, p-values.

For numbers of whatever origin: by method and seed, as plain mappings. Needs numpy and scipy.

Example:
    >>> accuracy = {"baseline": {0: 0.71, 1: 0.70, 2: 0.72}, "mine": {0: 0.73, 1: 0.71, 2: 0.74}}
    >>> difference = summarise(accuracy, baseline="baseline")["mine"]["difference"]
    >>> round(difference["mean"], 4), difference["pairs"], holds(difference)
    (0.0167, 3, True)
"""

from maxsup.statistics._contrasts import (
    FEWEST_PAIRS,
    Conclusion,
    Contrast,
    Pair,
    default_contrasts,
    judge,
    seeds_to_decide,
)
from maxsup.statistics._decision import LEVEL, decisive_p, holds
from maxsup.statistics._paired import (
    CONFIDENCE,
    Difference,
    Summary,
    Values,
    holm,
    paired_difference,
    sign_flip_p,
    smallest_sign_flip_p,
    summarise,
)

__all__ = [
    "CONFIDENCE",
    "FEWEST_PAIRS",
    "LEVEL",
    "Conclusion",
    "Contrast",
    "Difference",
    "Pair",
    "Summary",
    "Values",
    "decisive_p",
    "default_contrasts",
    "holds",
    "holm",
    "judge",
    "paired_difference",
    "seeds_to_decide",
    "sign_flip_p",
    "smallest_sign_flip_p",
    "summarise",
]
