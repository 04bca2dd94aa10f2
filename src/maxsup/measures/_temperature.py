"""The one temperature by which logits are divided so that their probabilities fit best."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from maxsup.measures._check import check_labels, check_rows

_FLATTEST = 1e-6
"""The smallest 1/T, for logits scaled to a largest distance of 1: probabilities are uniform."""
_STEEPEST = 1e15
"""The largest."""
_TOLERANCE = 1e-13
_CHUNK = 2**21
"""Logits that are looked at together, in float64."""


def fit_temperature(logits: Tensor, labels: Tensor) -> Tensor:
    """The temperature T > 0 with the least NLL of softmax(logits/T) (Guo et al. 2017).

    The NLL is convex in 1/T. Its slope's root is found by Newton's method, kept inside a bracket by
    bisection, in float64, on logits that are scaled to a largest distance of 1 from the true
    class's logit: T for c·logits is c·T.

    Where there is no best T in between, it is still finite and more than 0:

    - No sample is wrong, so that the NLL falls for ever as T → 0: T is the one at which the mean
      NLL is log((n + 2)/(n + 1)), that of a fraction right of (n + 1)/(n + 2), which is Laplace's
      rule of succession for n of n right. (With samples whose true class ties at the top, this
      holds for how far the NLL lies above its limit, and n counts the samples that have one.)
    - The logits speak against the true classes, so that uniform probabilities are best, T → ∞: T is
      a million times the largest distance, at which they are uniform.
    - All logits of each sample are the same, so that T has no effect: T = 1.

    Samples whose true class has the logit −inf are left out, as no T helps them.

    Args:
        logits: Shape (N, K), any floating dtype.
        labels: Class indices, shape (N,).

    Returns:
        A 0-dimensional float64 tensor; NaN without samples, or with a logit that is NaN or +inf.

    Raises:
        ValueError: A shape, dtype or label is not as described.

    Example:
        >>> logits = torch.tensor([[30.0, 0.0], [30.0, 0.0], [30.0, 0.0], [30.0, 0.0]])
        >>> labels = torch.tensor([0, 0, 0, 1])
        >>> temperature = fit_temperature(logits, labels)
        >>> round(float(temperature), 4), round(float((logits / temperature).softmax(1)[0, 0]), 4)
        (27.3072, 0.75)
    """
    check_rows("logits", logits)
    check_labels(labels, len(logits), logits.shape[1])
    nothing = torch.full((), torch.nan, dtype=torch.float64, device=logits.device)
    if not len(logits) or bool((logits.isnan() | (logits == torch.inf)).any()):
        return nothing
    possible = logits.gather(1, labels.long().unsqueeze(1)).squeeze(1) > -torch.inf
    if not bool(possible.all()):
        logits, labels = logits[possible], labels[possible]
    if not len(logits):
        return nothing
    distances = _Distances(logits, labels)
    if distances.largest == 0:
        return torch.ones_like(nothing)
    return nothing.fill_(distances.largest / distances.best())


class _Point(NamedTuple):
    """A function that grows, and its slope, at a place."""

    value: float
    slope: float


class _Distances:
    """How far the other logits lie from the true one, u_k = (z_k − z_true)/largest."""

    def __init__(self, logits: Tensor, labels: Tensor) -> None:
        self._logits = logits.detach()
        self._true = labels.long().unsqueeze(1)
        self.largest = 1.0
        largest, highest, self._ties, self._informative = 0.0, -math.inf, 0.0, 0
        for away in self._chunks():
            finite = away.masked_fill(away == -torch.inf, 0.0)
            largest = max(largest, float(finite.abs().max()))
            highest = max(highest, float(finite.max()))
            ties = (away == 0).sum(dim=1)
            self._ties += float(ties.double().log().sum())
            self._informative += int((ties < away.isfinite().sum(dim=1)).sum())
        self.largest = largest
        self._some_wrong = highest > 0

    def best(self) -> float:
        """1/T, scaled."""
        return _root(self._slope if self._some_wrong else self._shortfall)

    def _slope(self, inverse: float) -> _Point:
        """The slope of the total NLL in 1/T, and its own: E_p[u] and Var_p[u]."""
        first = second = 0.0
        for away in self._chunks():
            probs, away = _probabilities(away, inverse)
            mean = (probs * away).sum(dim=1, keepdim=True)
            first += float(mean.sum())
            second += float((probs * (away - mean).square()).sum())
        return _Point(first, second)

    def _shortfall(self, inverse: float) -> _Point:
        """How far the total NLL lies below what n right of n samples allow, and its slope."""
        total = slope = 0.0
        for away in self._chunks():
            probs, finite = _probabilities(away, inverse)
            slope += float((probs * finite).sum())
            total += float(
                (inverse * finite)
                .masked_fill(away == -torch.inf, -torch.inf)
                .logsumexp(dim=1)
                .sum()
            )
        count = self._informative
        return _Point(count * math.log((count + 2) / (count + 1)) - (total - self._ties), -slope)

    def _chunks(self) -> Iterator[Tensor]:
        rows = max(1, _CHUNK // self._logits.shape[1])
        for logits, true in zip(self._logits.split(rows), self._true.split(rows), strict=True):
            logits = logits.double()
            yield (logits - logits.gather(1, true)) / self.largest


def _probabilities(away: Tensor, inverse: float) -> tuple[Tensor, Tensor]:
    """Probabilities at a 1/T, and the distances with 0 for classes that are not available."""
    missing = away == -torch.inf
    away = away.masked_fill(missing, 0.0)
    return (inverse * away).masked_fill(missing, -torch.inf).softmax(dim=1), away


def _root(function: Callable[[float], _Point]) -> float:
    """Where a function that grows is 0, between the flattest and the steepest 1/T."""
    low, point = _FLATTEST, function(_FLATTEST)
    if point.value >= 0:
        return low
    high = 1.0
    while (point := function(high)).value < 0:
        low, high = high, 8 * high
        if high > _STEEPEST:
            return low
    place, step, last_step = high, math.inf, math.inf
    for _ in range(200):
        if point.value < 0:
            low = place
        else:
            high = place
        newton = place - point.value / point.slope if point.slope > 0 else math.inf
        # Newton's step where it stays inside and halves the last but one, else a bisection.
        is_good = low < newton < high and abs(newton - place) < last_step / 2
        following = newton if is_good else math.sqrt(low * high)
        last_step, step = step, abs(following - place)
        place = following
        if step <= _TOLERANCE * place or high <= low * (1 + _TOLERANCE):
            break
        point = function(place)
    return place
