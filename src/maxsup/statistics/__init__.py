"""What the numbers of a few seeds can say: paired differences, intervals, conclusions.

For numbers of whatever origin: by method and seed, as plain mappings. Needs numpy and scipy.

Example:
    >>> accuracy = {"baseline": {0: 0.71, 1: 0.70, 2: 0.72}, "mine": {0: 0.73, 1: 0.71, 2: 0.74}}
    >>> (found,) = judge(accuracy, [("mine", "baseline")], margin=0.005)
    >>> round(found["mean"], 4), found["seeds"], found["conclusion"]
    (0.0167, [0, 1, 2], 'better')
"""

from maxsup.statistics._bounds import (
    Bounds,
    bounds_of_difference,
    summaries_within,
    within_bounds,
)
from maxsup.statistics._budget import expected_best
from maxsup.statistics._contrasts import (
    FEWEST_PAIRS,
    Conclusion,
    Contrast,
    Pair,
    default_contrasts,
    judge,
    seeds_to_decide,
)
from maxsup.statistics._images import (
    CrossedVariance,
    McNemar,
    crossed_interval,
    crossed_variance,
    mcnemar,
)
from maxsup.statistics._paired import (
    CONFIDENCE,
    Difference,
    Summary,
    Values,
    paired_difference,
    sign_flip_p,
    smallest_sign_flip_p,
    summarise,
)
from maxsup.statistics._unpaired import unpaired_difference, with_unpaired

__all__ = [
    "CONFIDENCE",
    "FEWEST_PAIRS",
    "Bounds",
    "Conclusion",
    "Contrast",
    "CrossedVariance",
    "Difference",
    "McNemar",
    "Pair",
    "Summary",
    "Values",
    "bounds_of_difference",
    "crossed_interval",
    "crossed_variance",
    "default_contrasts",
    "expected_best",
    "judge",
    "mcnemar",
    "paired_difference",
    "seeds_to_decide",
    "sign_flip_p",
    "smallest_sign_flip_p",
    "summaries_within",
    "summarise",
    "unpaired_difference",
    "with_unpaired",
    "within_bounds",
]
