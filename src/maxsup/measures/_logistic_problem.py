"""The loss of multinomial logistic regression, its gradient, and what its curvature looks like."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

_CHUNK = {"cpu": 2**20}
"""Numbers of features and logits that are looked at together; more on a GPU."""
_CHUNK_ELSEWHERE = 2**25
_ROWS_PER_DIMENSION = 8
"""Samples that the approximate curvature is taken from, as a multiple of its dimensions."""
_MOST_IN_BLOCKS = 2**26
"""Numbers that the curvature within classes may take, all classes together."""
_UNIMPORTANT = 1e-4
"""Samples that bend the loss by less than this fraction of the most are left out of it."""
_FLAT = 1e-7
"""A direction of the intercepts with this fraction of the largest curvature has none."""


class Point(NamedTuple):
    """Weights (K, D) and intercepts (K,), or a direction in their space."""

    weight: Tensor
    intercept: Tensor

    def __add__(self, other: "Point") -> "Point":  # type: ignore[override]
        return Point(self.weight + other.weight, self.intercept + other.intercept)

    def times(self, factor: float) -> "Point":
        """All entries multiplied."""
        return Point(factor * self.weight, factor * self.intercept)

    def dot(self, other: "Point") -> float:
        """The sum of products."""
        product = (self.weight * other.weight).sum() + self.intercept @ other.intercept
        return float(product)


class Evaluated(NamedTuple):
    """The loss at a point, and its gradient there."""

    loss: float
    gradient: Point


class _Factors(NamedTuple):
    """Eigenvalues and eigenvectors of the two factors that the curvature is close to."""

    of_classes: Tensor
    class_vectors: Tensor
    of_features: Tensor
    feature_vectors: Tensor
    centre: Tensor
    """(D,): the mean feature, samples weighing as much as they bend the loss."""


class _Blocks(NamedTuple):
    """The curvature within each class, without what classes have in common."""

    l2: float
    lower: Tensor
    """(K, D + 1, D + 1): Cholesky factors, of weights and intercept together."""


class LogisticProblem:
    """Mean cross-entropy of x·Wᵀ + b against labels, plus l2/2·‖W‖².

    Features are centred and divided by their overall standard deviation once, which changes neither
    the weights' optimum (the intercepts take up the one, ``l2`` the other) nor the loss.

    Losses and gradients are in float64. Products of the curvature with a vector are in float32 at
    first, at half the cost: they only decide how good a Newton step is, never where the optimum
    lies. Where features span so many magnitudes that float32 does not find steps,
    :meth:`be_exact` goes over to float64.
    """

    def __init__(self, features: Tensor, labels: Tensor, num_classes: int) -> None:
        rows = features.double()
        self._mean = rows.mean(dim=0)
        self._rows = rows - self._mean
        self._spread = float(self._rows.square().mean().sqrt()) or 1.0
        self._rows /= self._spread
        self._rows_for_products = self._rows.float()
        self._labels = labels.long().unsqueeze(1)
        self._probabilities = torch.empty(
            len(rows), num_classes, dtype=torch.float32, device=rows.device
        )
        self.num_classes = num_classes
        self.products = 0
        """Products with the curvature since it was set to 0, which tells how good
        :meth:`solve` is."""
        self._factors: _Factors | None = None
        self._blocks: _Blocks | None = None
        self.looks_within_classes = False
        """Whether :meth:`look_within_classes` has been of use, as it then goes on to be."""

    def begin(self) -> Point:
        """The optimum under infinite l2: no weights, and the classes' frequencies."""
        counts = self._labels.flatten().bincount(minlength=self.num_classes).double()
        weight = self._rows.new_zeros(self.num_classes, self._rows.shape[1])
        return Point(weight, (counts / counts.sum()).log())

    def scaled(self, l2: float) -> float:
        """The l2 that means the same for the features as they are kept here."""
        return l2 / self._spread**2

    def inward(self, weight: Tensor, intercept: Tensor) -> Point:
        """From weights and intercepts for the features as given to those for the kept ones."""
        return Point(weight * self._spread, intercept + weight @ self._mean)

    def outward(self, point: Point) -> Point:
        """The way back."""
        weight = point.weight / self._spread
        return Point(weight, point.intercept - weight @ self._mean)

    def evaluate(self, at: Point, l2: float) -> Evaluated:
        """The loss and its gradient; the probabilities there are kept for the curvature."""
        weights = torch.zeros_like(at.weight)
        intercepts = torch.zeros_like(at.intercept)
        total = at.intercept.new_zeros(())
        for part in self._chunks():
            rows, labels = self._rows[part], self._labels[part]
            logits = torch.addmm(at.intercept, rows, at.weight.T)
            logits -= logits.amax(dim=1, keepdim=True)
            total -= logits.gather(1, labels).sum()
            probs = logits.exp_()
            sums = probs.sum(dim=1, keepdim=True)
            total += sums.log().sum()
            probs /= sums
            self._probabilities[part] = probs
            probs.scatter_add_(1, labels, -torch.ones_like(sums))
            weights.addmm_(probs.T, rows)
            intercepts += probs.sum(dim=0)
        count = len(self._rows)
        loss = float(total) / count + 0.5 * l2 * float(at.weight.square().sum())
        return Evaluated(loss, Point(weights / count + l2 * at.weight, intercepts / count))

    @property
    def is_exact(self) -> bool:
        """Whether products with the curvature are in float64."""
        return self._probabilities.dtype == torch.float64

    def be_exact(self) -> None:
        """Go over to products in float64; a point must be evaluated before the next one."""
        self._rows_for_products = self._rows
        self._probabilities = self._probabilities.double()

    def look_at_curvature(self) -> None:
        """Approximate the curvature at the point that was evaluated last, for :meth:`solve`.

        Sample n bends the loss by (diag pₙ − pₙpₙᵀ) ⊗ xₙxₙᵀ; the mean of these is taken for the
        product of two means, A ⊗ B, of which samples weigh 1 − ‖pₙ‖² in the second. Exact where
        all probabilities are the same. Some thousands of samples tell enough.
        """
        size = _ROWS_PER_DIMENSION * max(self._rows.shape[1], self.num_classes)
        step = max(1, len(self._rows) // size)
        probs, rows = self._probabilities[::step].double(), self._rows[::step]
        bends = (1 - probs.square().sum(dim=1)).clamp(min=torch.finfo(torch.float32).tiny)
        bends = bends / bends.sum()
        centre = bends @ rows
        scaled = ((rows - centre) * bends.sqrt().unsqueeze(1)).to(self._probabilities.dtype)
        by_class = probs.mean(dim=0).diag() - probs.T @ probs / len(probs)
        of_classes, class_vectors = torch.linalg.eigh(by_class)
        of_features, feature_vectors = torch.linalg.eigh(scaled.T @ scaled)
        self._blocks = None
        self._factors = _Factors(
            of_classes.clamp(min=0),
            class_vectors,
            of_features.double().clamp(min=0),
            feature_vectors.double(),
            centre,
        )

    def look_within_classes(self, l2: float) -> None:
        """Approximate the curvature class by class, for :meth:`solve`, where memory allows it.

        Class k bends the loss by Σₙ pₙₖ(1 − pₙₖ)·xₙxₙᵀ/N. It costs far more than
        :meth:`look_at_curvature`, and is needed where classes bend the loss in different places:
        under weak penalties, where most samples are decided, and few, others for each class, count.
        """
        classes, dimensions = self.num_classes, self._rows.shape[1] + 1
        if classes * dimensions**2 > _MOST_IN_BLOCKS:
            return
        centre = self._known_factors().centre
        blocks = self._rows.new_zeros(classes, dimensions, dimensions)
        for label, block in enumerate(blocks):
            probs = self._probabilities[:, label].double()
            bends = probs * (1 - probs)
            chosen = (bends > _UNIMPORTANT * bends.max()).nonzero().flatten()
            rows = torch.nn.functional.pad(self._rows[chosen] - centre, (0, 1), value=1.0)
            torch.mm(rows.T, rows * bends[chosen].unsqueeze(1), out=block)
        blocks /= len(self._rows)
        diagonal = blocks.diagonal(dim1=1, dim2=2)
        diagonal[:, :-1] += l2
        diagonal += 1e-12 * diagonal.amax(dim=1, keepdim=True) + 1e-300
        lower, failed = torch.linalg.cholesky_ex(blocks)
        if not bool(failed.any()):
            self._blocks = _Blocks(l2, lower)
            self.looks_within_classes = True

    def solve(self, right: Point, l2: float) -> Point:
        """The Newton step for a gradient, as the approximate curvature has it.

        In coordinates whose intercepts belong to the features' weighted mean, see :meth:`shifted`.
        """
        if self._blocks is not None and self._blocks.l2 == l2:
            both = torch.cat([right.weight, right.intercept.unsqueeze(1)], dim=1).unsqueeze(2)
            found = torch.cholesky_solve(both, self._blocks.lower).squeeze(2)
            return Point(found[:, :-1], found[:, -1])
        factors = self._known_factors()
        classes, features = factors.class_vectors, factors.feature_vectors
        along = classes.T @ right.weight @ features
        along /= factors.of_classes.unsqueeze(1) * factors.of_features + l2
        largest = factors.of_classes.max()
        inverse = torch.where(
            factors.of_classes > _FLAT * largest, 1 / factors.of_classes.clamp(min=1e-300), 0.0
        )
        intercept = classes @ (inverse * (classes.T @ right.intercept))
        return Point(classes @ along @ features.T, intercept)

    def shifted(self, gradient: Point) -> Point:
        """A gradient in coordinates where intercepts do not act on weights, or hardly."""
        centre = self._known_factors().centre
        return Point(gradient.weight - torch.outer(gradient.intercept, centre), gradient.intercept)

    def unshifted(self, step: Point) -> Point:
        """A step from those coordinates."""
        centre = self._known_factors().centre
        return Point(step.weight, step.intercept - step.weight @ centre)

    def bend(self, along: Point, l2: float) -> Point:
        """The curvature at the point evaluated last, times a direction; both shifted."""
        self.products += 1
        centre = self._known_factors().centre
        weight = along.weight.to(self._probabilities.dtype)
        intercept = (along.intercept - along.weight @ centre).to(weight.dtype)
        weights, intercepts = torch.zeros_like(weight), torch.zeros_like(intercept)
        for part in self._chunks():
            rows, probs = self._rows_for_products[part], self._probabilities[part]
            change = torch.addmm(intercept, rows, weight.T)
            change *= probs
            change -= probs * change.sum(dim=1, keepdim=True)
            weights.addmm_(change.T, rows)
            intercepts += change.sum(dim=0)
        count = len(self._rows)
        found = self.shifted(Point(weights.double() / count, intercepts.double() / count))
        return Point(found.weight + l2 * along.weight, found.intercept)

    def _known_factors(self) -> _Factors:
        if self._factors is None:
            self.look_at_curvature()
        assert self._factors is not None
        return self._factors

    def _chunks(self) -> Iterator[slice]:
        numbers = _CHUNK.get(self._rows.device.type, _CHUNK_ELSEWHERE)
        size = max(1, numbers // (self._rows.shape[1] + self.num_classes))
        for start in range(0, len(self._rows), size):
            yield slice(start, start + size)
