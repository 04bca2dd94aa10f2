"""What may be concluded from a few seeds about the contrasts that were named beforehand.

Interval and conclusion come from one procedure, so that they never disagree: Student's t on the
differences of each contrast, at the level 1 − 0.05/m for m contrasts (Bonferroni). However the
contrasts depend on one another, all intervals together hold the truth in at least 95 % of studies
as long as each contrast's differences are near enough to normal.
"""

import functools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from maxsup.statistics._paired import CONFIDENCE, Values, existing, paired_values, sign_flip_p
from maxsup.statistics._unpaired import are_unpaired, t_quantile, two_sided_p, welch

FEWEST_PAIRS = 3
"""Fewer differences conclude nothing: two say next to nothing of their own spread."""
MOST_SEEDS = 1000
"""More seeds than this are not proposed."""
_SIZES = np.arange(FEWEST_PAIRS, MOST_SEEDS + 1)
_RIVALS = ("maxsup", "label-smoothing")
_APART = 0.05
"""The level of Grubbs's test for a seed that lies apart."""

Conclusion = Literal["better", "worse", "same", "undecided"]
"""Better or worse: the whole interval lies beyond 0; the same: within ±δ; undecided: neither."""


class Pair(NamedTuple):
    """A contrast by name: what is compared, and with what."""

    method: str
    against: str


class Contrast(TypedDict):
    """A method minus another in the primary measure, judged along with the other contrasts."""

    method: str
    against: str
    seeds: list[int]  # that both finished; the mean and the interval are over these
    mean: float | None
    low: float | None  # simultaneous 95 % interval; null where nothing can be concluded
    high: float | None
    p: float | None  # of the same test, times the number of contrasts
    conclusion: Conclusion
    without_spread: bool  # the difference is the same in every seed, and not 0
    seeds_to_decide: int | None  # about how many would, were mean and spread to stay
    apart: int | None  # the seed whose difference lies far from the others'
    skewed: bool  # the differences lean to one side, where Student's t rejects too often
    # Where it is not paired: the seeds of the method and of the other; ``seeds`` are then those of
    # the one that has fewer.
    unpaired: NotRequired[tuple[list[int], list[int]]]


def judge(
    values: Mapping[str, Values],
    contrasts: Sequence[tuple[str, str]],
    *,
    margin: float,
    better: Literal["higher", "lower"] = "higher",
    unpaired: bool = False,
) -> list[Contrast]:
    """Conclude on each contrast: better, worse, the same to within a margin, or undecided.

    With n differences of mean d̄ and standard deviation s, the interval is
    d̄ ± t(1 − 0.05/(2m), n − 1)·s/√n for m contrasts. A difference that is larger than 0 and smaller
    than the margin for certain counts as better (or worse), not as the same.

    Where every seed has the same difference, there is no Student's t: differences that are all 0
    are the same; others are judged by their signs alone, whose exact p-value is 2/2ⁿ.

    Two methods that no seed joins are compared unpaired, which is weaker: by Welch's interval
    (1947) d ± t(1 − 0.05/(2m), ν)·√(s₁²/n₁ + s₂²/n₂) on the difference d of their means. Where
    neither has a spread, the exact p-value of their ranks, 2/C(n₁ + n₂, n₁), decides.

    Args:
        values: The primary measure, by method, then by seed.
        contrasts: Pairs of methods, the second being what the first is compared with; named before
            the results are seen, since all of them count in m.
        margin: δ, the largest difference that does not matter, in the unit of ``values``; more than
            0.
        better: Which direction of the measure is the better one.
        unpaired: Whether all contrasts are to be unpaired, also where methods share seeds that
            mean nothing.

    Returns:
        One entry a contrast, in the same order.

    Raises:
        ValueError: A contrast names an unknown method or one method twice, or the margin is not
            more than 0.

    Example:
        >>> accuracy = {"a": {0: 0.70, 1: 0.71, 2: 0.69, 3: 0.70, 4: 0.72},
        ...             "b": {0: 0.73, 1: 0.735, 2: 0.72, 3: 0.74, 4: 0.75}}
        >>> (found,) = judge(accuracy, [("b", "a")], margin=0.005)
        >>> found["conclusion"], round(found["low"], 4), round(found["high"], 4)
        ('better', 0.0242, 0.0378)
    """
    _check(values, contrasts, margin)
    found = []
    for method, against in contrasts:
        are_apart = unpaired or are_unpaired(values[method], values[against])
        compare = _unpaired if are_apart else _paired
        found.append(compare(values, Pair(method, against), len(contrasts), margin, better))
    return found


def _check(
    values: Mapping[str, Values], contrasts: Sequence[tuple[str, str]], margin: float
) -> None:
    if not (margin > 0 and math.isfinite(margin)):
        raise ValueError(f"margin must be a finite number larger than 0; got {margin!r}.")
    for method, against in contrasts:
        for name in (method, against):
            if name not in values:
                raise ValueError(
                    f"contrasts name {name!r}, which is none of the methods; there are "
                    f"{', '.join(values)}."
                )
        if method == against:
            raise ValueError(f"A contrast needs two methods; got {method!r} twice.")


class _Evidence(NamedTuple):
    """What the values of two methods say of their difference, paired or not."""

    seeds: list[int]
    mean: float | None
    error: float
    """The standard error of the mean; 0 where there is no spread."""
    degrees: float
    p_of_order: Callable[[], float]
    """The exact p-value of the order of the values, which is all that there is without a spread;
    times the number of contrasts."""
    seeds_by_order: Callable[[], int]
    """How many seeds would decide by their order alone."""
    seeds_by_spread: Callable[[], int | None]
    """How many would, were mean and spread to stay."""


def _paired(
    values: Mapping[str, Values], pair: Pair, comparisons: int, margin: float, better: str
) -> Contrast:
    seeds, differences = paired_values(values[pair.method], values[pair.against])
    n = len(seeds)
    mean = float(differences.mean()) if n else None
    has_spread = n > 1 and bool(np.ptp(differences) > 0)
    deviation = float(differences.std(ddof=1)) if has_spread else 0.0
    evidence = _Evidence(
        seeds,
        mean,
        deviation / math.sqrt(max(n, 1)),
        n - 1,
        p_of_order=lambda: comparisons * sign_flip_p(differences),
        seeds_by_order=lambda: math.ceil(math.log2(2 * comparisons / (1 - CONFIDENCE))),
        seeds_by_spread=lambda: seeds_to_decide(mean or 0.0, deviation, margin, comparisons),
    )
    found = _judge_one(pair, evidence, comparisons, margin, better)
    if has_spread and n >= FEWEST_PAIRS:
        found["apart"] = _apart(seeds, differences)
        found["skewed"] = _is_skewed(differences)
    return found


def _unpaired(
    values: Mapping[str, Values], pair: Pair, comparisons: int, margin: float, better: str
) -> Contrast:
    of_both = existing(values[pair.method]), existing(values[pair.against])
    seeds = sorted(of_both[0]), sorted(of_both[1])
    sizes = len(seeds[0]), len(seeds[1])
    difference = welch(*of_both)
    mean = None if difference is None else difference.mean

    def by_spread() -> int | None:
        variances = [float(np.var(list(of_one.values()), ddof=1)) for of_one in of_both]
        return _unpaired_to_decide(mean or 0.0, variances, margin, comparisons)

    evidence = _Evidence(
        min(seeds, key=len),
        mean,
        0.0 if difference is None else difference.error,
        0.0 if difference is None else difference.degrees,
        p_of_order=lambda: comparisons * 2 / math.comb(sum(sizes), sizes[0]),
        seeds_by_order=lambda: next(
            n for n in range(1, 100) if comparisons * 2 / math.comb(2 * n, n) < 1 - CONFIDENCE
        ),
        seeds_by_spread=by_spread,
    )
    found = _judge_one(pair, evidence, comparisons, margin, better)
    found["unpaired"] = seeds
    return found


def _judge_one(
    pair: Pair, evidence: _Evidence, comparisons: int, margin: float, better: str
) -> Contrast:
    found = Contrast(
        method=pair.method,
        against=pair.against,
        seeds=evidence.seeds,
        mean=evidence.mean,
        low=None,
        high=None,
        p=None,
        conclusion="undecided",
        without_spread=False,
        seeds_to_decide=None,
        apart=None,
        skewed=False,
    )
    if evidence.mean is None or len(evidence.seeds) < FEWEST_PAIRS:
        return found
    mean, low, high = evidence.mean, evidence.mean, evidence.mean
    if evidence.error:
        half = t_quantile(evidence.degrees, comparisons) * evidence.error
        low, high = mean - half, mean + half
        found["p"] = min(1.0, comparisons * two_sided_p(mean / evidence.error, evidence.degrees))
    elif mean == 0:
        found["p"] = 1.0
    else:
        found["without_spread"] = True
        found["p"] = p = min(1.0, evidence.p_of_order())
        if p >= 1 - CONFIDENCE:
            found["seeds_to_decide"] = evidence.seeds_by_order()
            return found
    found["low"], found["high"] = low, high
    found["conclusion"] = _conclusion(low, high, margin, better)
    if found["conclusion"] == "undecided":
        found["seeds_to_decide"] = evidence.seeds_by_spread()
    return found


def _unpaired_to_decide(
    mean: float, variances: Sequence[float], margin: float, comparisons: int
) -> int | None:
    """About how many seeds of each would decide; none where it is more than 1,000."""
    from scipy import stats

    total = sum(variances)
    degrees = (_SIZES - 1) * total**2 / sum(each**2 for each in variances)
    level = 1 - (1 - CONFIDENCE) / (2 * comparisons)
    return _first_to_decide(stats.t.ppf(level, degrees) * np.sqrt(total / _SIZES), mean, margin)


def _first_to_decide(half: NDArray[np.float64], mean: float, margin: float) -> int | None:
    """The smallest number of seeds, from 3 to 1,000, with an interval of that half that decides."""
    decides = (half < abs(mean)) | (half + abs(mean) <= margin)
    return int(_SIZES[decides.argmax()]) if decides.any() else None


def _conclusion(low: float, high: float, margin: float, better: str) -> Conclusion:
    if low > 0:
        return "better" if better == "higher" else "worse"
    if high < 0:
        return "worse" if better == "higher" else "better"
    return "same" if -margin <= low and high <= margin else "undecided"


def seeds_to_decide(
    mean: float, deviation: float, margin: float, comparisons: int = 1
) -> int | None:
    """About how many seeds would decide a contrast, were mean and spread to stay as they are.

    The smallest number of differences whose interval lies beyond 0 or within ±δ. It is a guide and
    no promise: mean and spread are themselves known from a few seeds.

    Args:
        mean: Mean of the differences.
        deviation: Their sample standard deviation.
        margin: δ, in the same unit.
        comparisons: m, the number of contrasts.

    Returns:
        The number, or ``None`` where it is more than 1,000.

    Example:
        >>> seeds_to_decide(mean=0.01, deviation=0.01, margin=0.005)
        7
    """
    return _first_to_decide(_quantiles(comparisons) * deviation / np.sqrt(_SIZES), mean, margin)


@functools.cache
def _quantiles(comparisons: int) -> NDArray[np.float64]:
    """Of 3 to 1,000 differences."""
    from scipy import stats

    level = 1 - (1 - CONFIDENCE) / (2 * comparisons)
    return np.asarray(stats.t.ppf(level, _SIZES - 1), dtype=float)


def _apart(seeds: Sequence[int], differences: NDArray[np.float64]) -> int | None:
    """The seed that Grubbs's test (1950) takes for an outlier, two-sided, at the 5 % level."""
    n = len(differences)
    deviations = np.abs(differences - differences.mean())
    furthest = int(deviations.argmax())
    if deviations[furthest] / differences.std(ddof=1) <= _grubbs_limit(n):
        return None
    return seeds[furthest]


@functools.cache
def _grubbs_limit(n: int) -> float:
    if n < 4:
        return math.inf  # of three values, two that are nearly equal always leave one apart
    from scipy import stats

    t = float(stats.t.ppf(1 - _APART / (2 * n), n - 2))
    return (n - 1) / math.sqrt(n) * math.sqrt(t * t / (n - 2 + t * t))


def _is_skewed(differences: NDArray[np.float64]) -> bool:
    """Whether the sample skewness G₁ is beyond twice its standard error under normality.

    G₁ and its error are those of Joanes and Gill (1998). Of a few differences little can be seen:
    where this is silent, they may be skewed all the same.
    """
    n = len(differences)
    if n < 4:
        return False
    centred = differences - differences.mean()
    g1 = float((centred**3).mean() / (centred**2).mean() ** 1.5)
    skewness = g1 * math.sqrt(n * (n - 1)) / (n - 2)
    error = math.sqrt(6 * n * (n - 1) / ((n - 2) * (n + 1) * (n + 3)))
    return abs(skewness) > 2 * error


def default_contrasts(methods: Sequence[str], baseline: str) -> list[Pair]:
    """Each method against the baseline; MaxSup against label smoothing where both are there.

    Where each of the two is there once, they are compared whatever their coefficients. Where one of
    them is there several times, each MaxSup is compared with the label smoothing that has the same
    coefficients, ``maxsup:alpha=0.1`` with ``label-smoothing:alpha=0.1``, and with none where there
    is no such one. What a teacher or a backbone was trained with is compared likewise: a
    student of MaxSup with the same student of label smoothing, and a method on a backbone of MaxSup
    with the same method on one of label smoothing. These are called as the directories of their
    runs are, such as ``maxsup-alpha-0.1``. A pair that holds the baseline is not added again.

    >>> default_contrasts(["baseline", "label-smoothing", "maxsup"], "baseline")[1:]
    [Pair(method='maxsup', against='baseline'), Pair(method='maxsup', against='label-smoothing')]
    >>> taught = [f"baseline:teacher={name}" for name in ("none", "label-smoothing", "maxsup")]
    >>> default_contrasts(taught, taught[0])[-1].against
    'baseline:teacher=label-smoothing'
    """
    pairs = [Pair(method, baseline) for method in methods if method != baseline]
    maxsup, smoothing = ([m for m in methods if m.partition(":")[0] == n] for n in _RIVALS)
    if len(maxsup) == len(smoothing) == 1:
        rivals = [Pair(maxsup[0], smoothing[0])]
    else:
        alike = [(m, m.replace(*_RIVALS, 1)) for m in maxsup]
        rivals = [Pair(m, against) for m, against in alike if against in smoothing]
    for of in ("teacher", "backbone"):
        rivals += _rivals_by(of, methods)
    return pairs + [pair for pair in dict.fromkeys(rivals) if baseline not in pair]


def _rivals_by(of: str, methods: Sequence[str]) -> list[Pair]:
    """MaxSup against label smoothing as the teacher or the backbone of methods else the same."""
    found: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
    for method in methods:
        named = re.search(rf"\b{of}=({'|'.join(_RIVALS)})(-\w+-[\w.+-]+)?(?=,|$)", method)
        if named is not None:
            same = f"{method[: named.start()]}{of}={method[named.end() :]}"
            by_strength = found.setdefault(same, ({}, {}))[_RIVALS.index(named[1])]
            by_strength[named[2] or ""] = method
    rivals = []
    for maxsup, smoothing in found.values():
        if len(maxsup) == len(smoothing) == 1:
            rivals.append(Pair(*maxsup.values(), *smoothing.values()))
        else:
            rivals += [Pair(maxsup[each], smoothing[each]) for each in maxsup if each in smoothing]
    return rivals
