"""Multinomial logistic regression along a path of l2 penalties."""

import itertools
import math
import warnings
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from maxsup.measures._check import check_labels, check_rows
from maxsup.measures._logistic_problem import Evaluated, LogisticProblem, Point

_NEWTON_STEPS = 100
_PRODUCTS = 500
"""Products with the curvature that one Newton step may take."""
_LOOSEST, _TIGHTEST = 0.1, 3e-3
"""How exactly a Newton step is found: what may be left of the gradient."""
_FEW_PRODUCTS = 3
"""Where a Newton step took no more, the approximate curvature is still good enough."""
_BLOCK_PRODUCTS = 30
"""Where one took more, the curvature within classes is worth what it costs."""
_MANY_PRODUCTS = 100
"""Where one took more, float32 may not be exact enough, nor the approximate curvature."""
_SMALLEST_STEP = 1e-6
_ROUNDING = 1e-14
_ORDER = 4
"""The next optimum is predicted by a polynomial of this degree in log l2."""
_LISTED = 5  # classes in a message


class LogisticFit(NamedTuple):
    """A multinomial logistic regression, whose logits are ``features @ weight.T + intercept``."""

    l2: float
    weight: Tensor
    """(K, D) float64."""
    intercept: Tensor
    """(K,) float64; they sum to anything, as only differences count."""
    loss: float
    """Mean cross-entropy + l2/2·‖weight‖²."""
    gap: float
    """The loss is at most so far above the smallest one that is possible."""

    def predict(self, features: Tensor) -> Tensor:
        """The most probable class of each feature, (N,) int64."""
        return torch.addmm(self.intercept, features.double(), self.weight.T).argmax(dim=1)


def logistic_path(
    features: Tensor,
    labels: Tensor,
    l2: Sequence[float] | Tensor,
    *,
    num_classes: int | None = None,
    tolerance: float = 1e-9,
    start: LogisticFit | None = None,
) -> Iterator[LogisticFit]:
    """Multinomial logistic regression for each of several l2, from the strongest to the weakest.

    Minimised is, over the weight W and the intercepts b, which are not penalised::

        −(1/N)·Σ_n log softmax(W·x_n + b)[y_n]  +  l2/2·‖W‖²

    The cross-entropy is a *mean*, so that an l2 means the same for any N. scikit-learn's ``C``
    (and cuML's) multiplies the *sum*: C = 1/(N·l2), and 2/(N·l2) for two classes, of which
    scikit-learn keeps one weight vector, the difference. What DINOv2 searches, C = 10⁻⁶ … 10⁵, is
    l2 = 10⁻⁵/N … 10⁶/N here.

    Each fit begins where a polynomial in log l2 through the last ones predicts it, and is finished
    by Newton's method, whose steps are found by conjugate gradients on float32 products with the
    curvature, preconditioned by a Kronecker product that is close to it, or class by class where
    that does not do. Losses and gradients are float64, and so are products where float32 is too
    coarse.

    A fit ends once its loss is proven to lie within ``tolerance`` (relative) of the smallest one:
    as the loss is l2-strongly convex in W, it is at most ‖∂loss/∂W‖²/(2·l2) above it where the
    intercepts are at their optimum (this is the duality gap too). What they are off is added: twice
    what a Newton step of theirs would gain.

    Args:
        features: Shape (N, D), any floating dtype, on any device with float64. Beside them, 12
            bytes are held for each entry, and 4 for each of N·K probabilities.
        labels: Class indices, shape (N,).
        l2: The penalties, each above 0, in any order.
        num_classes: K; by default the largest label + 1.
        tolerance: How far above the smallest possible a loss may be, as a fraction of it.
        start: A fit on similar data, for l2 near the strongest, to begin with.

    Returns:
        An iterator over fits, in descending order of l2, each made when it is asked for. It warns
        (``RuntimeWarning``) of a fit that does not come within the tolerance, which can be below
        what float64 resolves.

    Raises:
        ValueError: A shape, dtype, label or number is not as described, a feature is not finite,
            there are fewer than two classes, or one has no sample, whose intercept would be −∞.

    Example:
        >>> features = torch.tensor([[-2.0], [-1.0], [1.0], [1.0], [2.0]])
        >>> labels = torch.tensor([0, 0, 0, 1, 1])
        >>> for fit in logistic_path(features, labels, [0.01, 1.0]):
        ...     print(fit.l2, round(fit.loss, 4), fit.predict(features).tolist())
        1.0 0.5363 [0, 0, 0, 0, 1]
        0.01 0.3089 [0, 0, 1, 1, 1]
    """
    check_features("features", features)
    if num_classes is None:
        num_classes = max(int(labels.max()), 0) + 1 if labels.numel() else 0
    check_labels(labels, len(features), num_classes)
    _check_classes(labels, num_classes)
    penalties = sorted((float(each) for each in l2), reverse=True)
    if not penalties or not all(0 < each < math.inf for each in penalties):
        raise ValueError(f"l2 must be one or more finite numbers above 0; got {list(l2)}.")
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance must lie in (0, 1); got {tolerance}.")
    shape = (num_classes, features.shape[1])
    if start is not None and tuple(start.weight.shape) != shape:
        raise ValueError(
            f"start must be a fit for {shape[0]} classes and {shape[1]} features; "
            f"got one for {tuple(start.weight.shape)}."
        )
    return _follow(features, labels, num_classes, penalties, tolerance, start)


def check_features(name: str, features: Tensor, columns: int | None = None) -> None:
    """See that features are rows of finite numbers.

    Raises:
        ValueError: They are not; the message says which.
    """
    check_rows(name, features, columns)
    finite = features.isfinite().all(dim=1)
    if not bool(finite.all()):
        wrong = (~finite).nonzero().flatten()
        raise ValueError(
            f"{name} holds NaN or infinite entries in {len(wrong)} of {len(features)} rows, the "
            f"first of them row {int(wrong[0])}. A model that diverged gives such features."
        )


def _check_classes(labels: Tensor, num_classes: int) -> None:
    counts = labels.long().bincount(minlength=num_classes)
    if num_classes < 2:
        raise ValueError(f"labels must be of two classes or more; got {num_classes}.")
    absent = (counts == 0).nonzero().flatten().tolist()
    if absent:
        named = ", ".join(map(str, absent[:_LISTED]))
        more = f" and {len(absent) - _LISTED} more" if len(absent) > _LISTED else ""
        raise ValueError(
            f"labels holds no sample of {len(absent)} of {num_classes} classes: {named}{more}. "
            "Number the classes that there are."
        )


def _follow(
    features: Tensor,
    labels: Tensor,
    num_classes: int,
    penalties: Sequence[float],
    tolerance: float,
    start: LogisticFit | None,
) -> Iterator[LogisticFit]:
    problem = LogisticProblem(features, labels, num_classes)
    known: list[_Known] = []
    first = problem.begin() if start is None else problem.inward(start.weight, start.intercept)
    for penalty in penalties:
        l2 = problem.scaled(penalty)
        point, found, gap = _minimise(problem, *_begin(problem, known, l2, first), l2, tolerance)
        if gap > tolerance * found.loss:
            warnings.warn(
                f"The logistic regression with l2 = {penalty:g} is within {gap:.1e} of the "
                f"smallest loss, {found.loss:.3e}, and no closer.",
                RuntimeWarning,
                stacklevel=2,
            )
        known = [*known[-_ORDER:], _Known(l2, point, found.loss)]
        weight, intercept = problem.outward(point)
        yield LogisticFit(penalty, weight, intercept, found.loss, gap)


class _Known(NamedTuple):
    l2: float
    optimum: Point
    loss: float


def _begin(
    problem: LogisticProblem, known: Sequence[_Known], l2: float, first: Point
) -> tuple[Point, Evaluated]:
    """Where to begin: as predicted, unless the last optimum is better."""
    if not known:
        return first, problem.evaluate(first, l2)
    predicted = _predict(known, l2)
    found = problem.evaluate(predicted, l2)
    last = known[-1]
    squares = float(last.optimum.weight.square().sum())
    if found.loss <= last.loss + (l2 - last.l2) / 2 * squares:
        return predicted, found
    return last.optimum, problem.evaluate(last.optimum, l2)


def _predict(known: Sequence[_Known], l2: float) -> Point:
    """Where the optimum for ``l2`` lies, by the last ones.

    Under strong penalties l2·W hardly changes with l2, under weak ones W itself: what would have
    predicted the last optimum better is taken.
    """
    if len(known) > 2:
        last = known[-1]
        misses = [
            (_extrapolate(known[:-1], last.l2, times_l2=times_l2).weight - last.optimum.weight)
            .square()
            .sum()
            for times_l2 in (True, False)
        ]
        return _extrapolate(known, l2, times_l2=bool(misses[0] < misses[1]))
    return _extrapolate(known, l2, times_l2=True)


def _extrapolate(known: Sequence[_Known], l2: float, *, times_l2: bool) -> Point:
    """The polynomial through W, or l2·W, and b over log l2."""
    weight, intercept = 0.0 * known[0].optimum.weight, 0.0 * known[0].optimum.intercept
    for each in known:
        factor = math.prod(
            math.log(l2 / other.l2) / math.log(each.l2 / other.l2)
            for other in known
            if other is not each
        )
        weight += (factor * each.l2 / l2 if times_l2 else factor) * each.optimum.weight
        intercept += factor * each.optimum.intercept
    return Point(weight, intercept)


def _minimise(
    problem: LogisticProblem, point: Point, found: Evaluated, l2: float, tolerance: float
) -> tuple[Point, Evaluated, float]:
    """Newton's method until the loss is proven to be near its minimum."""
    for newton_step in itertools.count():
        gap = _gap(problem, found, l2)
        aim = tolerance * found.loss
        if gap <= aim or newton_step == _NEWTON_STEPS:
            break
        if problem.products > (_FEW_PRODUCTS if newton_step == 0 else _MANY_PRODUCTS):
            problem.look_at_curvature()
            if problem.products > _BLOCK_PRODUCTS or problem.looks_within_classes:
                problem.look_within_classes(l2)
        exactness = min(_LOOSEST, max(_TIGHTEST, 0.3 * math.sqrt(aim / gap)))
        step = _newton_step(problem, found.gradient, l2, exactness)
        moved = _walk(problem, point, found, step, l2)
        if moved is not None:
            point, found = moved
        if moved is None or problem.products > _MANY_PRODUCTS:
            if not problem.is_exact:
                problem.be_exact()
                found = problem.evaluate(point, l2)
            elif moved is None:
                break
    return point, found, gap


def _gap(problem: LogisticProblem, found: Evaluated, l2: float) -> float:
    """At most how far a loss lies above its minimum."""
    gradient = problem.shifted(found.gradient)
    of_weights = float(gradient.weight.square().sum()) / (2 * l2)
    nothing = torch.zeros_like(gradient.weight)
    of_intercepts = gradient.dot(problem.solve(Point(nothing, gradient.intercept), l2))
    return of_weights + of_intercepts


def _newton_step(problem: LogisticProblem, gradient: Point, l2: float, exactness: float) -> Point:
    """The Newton step by preconditioned conjugate gradients."""
    problem.products = 0
    left = problem.shifted(gradient).times(-1)
    solved = problem.solve(left, l2)
    size = first = left.dot(solved)
    step, along = solved.times(0), solved
    while size > exactness**2 * first and problem.products < _PRODUCTS:
        bent = problem.bend(along, l2)
        curvature = along.dot(bent)
        if not curvature > 0:  # rounding
            break
        step = step + along.times(size / curvature)
        left = left + bent.times(-size / curvature)
        solved = problem.solve(left, l2)
        size, before = left.dot(solved), size
        along = solved + along.times(size / before)
    return problem.unshifted(step)


def _walk(
    problem: LogisticProblem, point: Point, found: Evaluated, step: Point, l2: float
) -> tuple[Point, Evaluated] | None:
    """Go along a step as far as the loss falls as it promises; ``None`` where it never does."""
    slope = found.gradient.dot(step)
    if not slope < 0:  # rounding left no step at all
        return None
    fraction = 1.0
    while fraction > _SMALLEST_STEP:
        there = point + step.times(fraction)
        at = problem.evaluate(there, l2)
        if at.loss <= found.loss + 1e-4 * fraction * slope + _ROUNDING * abs(found.loss):
            return there, at
        fraction /= 2
    return None
