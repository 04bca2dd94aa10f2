"""Scores by which samples of other classes than a model knows may be told from its own."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from maxsup.measures._check import check_labels, check_rows
from maxsup.measures._ranking import confidence_log_odds

_CHUNK = 2**24
"""Similarities that are computed together."""
_KEPT_RATE = 0.95
_SMALLEST = 1e-10
"""Of the largest eigenvalue: directions with less than that hold nothing but rounding errors."""


class Detection(NamedTuple):
    """How well a score tells samples apart; 0-dimensional float64, NaN without samples."""

    auroc: Tensor
    """Probability that a sample of the known classes scores above another; ties count half."""
    fpr95: Tensor
    """Of the others, the fraction taken for known where 95 % of the known ones are."""


def detection(known: Tensor, other: Tensor) -> Detection:
    """AUROC and FPR95 of a score that is higher for samples of the known classes.

    The known samples are the positive ones. With the samples in the order of the score, the
    highest first, FPR95 is the fraction of the others above the place where 95 % of the known ones
    have come; inside a group of equal scores as large a part of the others has come as of the known
    ones, what is expected where ties are broken at random, so that the order of the samples never
    matters.

    Args:
        known: Shape (N,), floating-point: the scores of samples of the known classes.
        other: Shape (M,), floating-point.

    Returns:
        Both numbers; NaN without samples of one kind, or with a score that is NaN.

    Raises:
        ValueError: A shape or dtype is not as described.

    Example:
        >>> found = detection(torch.tensor([3.0, 2.0]), torch.tensor([2.0, 1.0]))
        >>> float(found.auroc), round(float(found.fpr95), 2)
        (0.875, 0.45)
    """
    for name, scores in (("known", known), ("other", other)):
        if scores.dim() != 1 or not scores.is_floating_point():
            raise ValueError(
                f"{name} must be floating-point of shape (N,); got {scores.dtype} of shape "
                f"{tuple(scores.shape)}."
            )
    scores = torch.cat([known, other]).double()
    if not len(known) or not len(other) or bool(scores.isnan().any()):
        nothing = scores.new_full((), torch.nan)
        return Detection(nothing, nothing)
    distinct, group = scores.unique(return_inverse=True)
    of_known = torch.bincount(group[: len(known)], minlength=len(distinct)).double().flip(0)
    of_other = torch.bincount(group[len(known) :], minlength=len(distinct)).double().flip(0)
    before = of_other.cumsum(0) - of_other
    auroc = 1 - (of_known * (before + of_other / 2)).sum() / (len(known) * len(other))
    wanted = _KEPT_RATE * len(known)
    # That 0.95·N is rounded must not cost another group.
    place = int((of_known.cumsum(0) < wanted - 1e-9).sum())
    within = (wanted - (of_known.cumsum(0)[place] - of_known[place])) / of_known[place]
    fpr = (before[place] + within.clamp(0, 1) * of_other[place]) / len(other)
    return Detection(auroc, fpr)


class OutOfDistribution:
    """Six scores that are higher for samples of the classes that a model knows.

    All is fitted on training samples; test samples choose nothing. In float64::

        msp          largest probability (Hendrycks and Gimpel 2017), ordered by its log-odds
        max_logit    largest logit (Hendrycks et al. 2022)
        energy       log Σ exp z (Liu et al. 2020), at temperature 1
        knn          minus the distance to the k-th nearest training feature, all of length 1
                     (Sun et al. 2022); k = 50, or as many as there are
        mahalanobis  minus the least squared distance to a class's mean under Σ⁺ (Lee et al. 2018)
        vim          minus virtual logit: energy − a·‖residual‖ (Wang et al. 2022)

    Σ is the covariance of the training features about their classes' means, shared by the classes,
    divided by N; Σ⁺ is its pseudo-inverse without the directions of less than 1e-10 of its largest
    eigenvalue. Nothing is shrunk.

    ViM's residual is what of a feature, about the origin o = −W⁺b, lies outside the principal space
    of the training features about o. Its dimension follows the authors: 1000 of 2048 and more
    features, 512 of 768 and more, else half of them. a is the mean largest training logit divided
    by the mean norm of the training residuals.

    Args:
        features: Shape (N, D), training features, floating-point.
        logits: Shape (N, K), their logits.
        labels: Shape (N,), their classes.
        weight: Shape (K, D), of the last layer; without it there is no ViM.
        bias: Shape (K,), of the last layer; by default 0.
        k: Which nearest neighbour's distance counts.

    Raises:
        ValueError: A shape, dtype or label is not as described, or a feature is no finite number.

    Example:
        >>> features = torch.eye(4).repeat(3, 1)[:, :3]
        >>> scores = OutOfDistribution(features, features, torch.tensor([0, 1, 2, 0] * 3), k=1)
        >>> found = scores.of(torch.tensor([[0.0, 2.0, 0.0], [-1.0, -1.0, -1.0]]), features[:2])
        >>> {name: [round(each, 2) for each in of.tolist()] for name, of in found.items()}["knn"]
        [-0.0, -1.41]
    """

    _whitening: Tensor
    _means: Tensor
    _origin: Tensor
    _outside: Tensor
    _scale: Tensor

    def __init__(
        self,
        features: Tensor,
        logits: Tensor,
        labels: Tensor,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        *,
        k: int = 50,
    ) -> None:
        check_rows("features", features)
        check_rows("logits", logits)
        check_labels(labels, len(features), logits.shape[1])
        if not len(features) or len(logits) != len(features):
            raise ValueError(
                f"features and logits must be of the same samples, one or more; got {len(features)}"
                f" and {len(logits)}."
            )
        if not bool(features.isfinite().all()):
            raise ValueError("features must be finite numbers; some are not.")
        if not isinstance(k, int) or k < 1:
            raise ValueError(f"k must be a whole number, 1 or more; got {k!r}.")
        exact = features.double()
        self._neighbours = _directions(exact)
        self._k = min(k, len(features))
        self._fit_classes(exact, labels, logits.shape[1])
        self.principal: int | None = None
        """The dimension of ViM's principal space; none without a last layer."""
        if weight is not None:
            check_rows("weight", weight, features.shape[1])
            self._fit_residual(exact, logits.double(), weight.double(), bias)

    def of(self, features: Tensor, logits: Tensor) -> dict[str, Tensor]:
        """The scores of other samples by name, each (M,) float64.

        Args:
            features: Shape (M, D).
            logits: Shape (M, K).

        Raises:
            ValueError: A shape or dtype is not as described.
        """
        check_rows("features", features, self._neighbours.shape[1])
        check_rows("logits", logits)
        exact, values = features.double(), logits.double()
        found = {
            "msp": confidence_log_odds(values),
            "max_logit": values.amax(dim=1),
            "energy": values.logsumexp(dim=1),
            "knn": self._nearness(exact),
            "mahalanobis": self._closeness(exact),
        }
        if self.principal is not None:
            found["vim"] = found["energy"] - self._scale * self._residual(exact)
        return found

    def _fit_classes(self, features: Tensor, labels: Tensor, num_classes: int) -> None:
        counts = torch.bincount(labels, minlength=num_classes).double()
        sums = features.new_zeros(num_classes, features.shape[1]).index_add_(0, labels, features)
        there = counts > 0
        means = sums / counts.clamp(min=1).unsqueeze(1)
        centred = features - means[labels]
        values, vectors = torch.linalg.eigh(centred.T @ centred / len(features))
        kept = values > _SMALLEST * values[-1].clamp(min=0)
        # Distances under Σ⁺ are those between rows of this.
        self._whitening = vectors[:, kept] / values[kept].sqrt()
        self._means = means[there] @ self._whitening

    def _closeness(self, features: Tensor) -> Tensor:
        whitened = features @ self._whitening
        if not self._whitening.shape[1]:
            return whitened.new_full((len(features),), torch.nan)  # all features of a class agree
        step = max(1, _CHUNK // max(1, self._means.numel()))
        return torch.cat(
            [
                -(part.unsqueeze(1) - self._means).square().sum(dim=2).amin(dim=1)
                for part in whitened.split(step)
            ]
        )

    def _nearness(self, features: Tensor) -> Tensor:
        parts = []
        for part in _directions(features).split(max(1, _CHUNK // len(self._neighbours))):
            similarity = (part @ self._neighbours.T).topk(self._k, dim=1).values[:, -1]
            parts.append(-(2 - 2 * similarity).clamp(min=0).sqrt())
        return torch.cat(parts)

    def _fit_residual(
        self, features: Tensor, logits: Tensor, weight: Tensor, bias: Tensor | None
    ) -> None:
        width = features.shape[1]
        self.principal = 1000 if width >= 2048 else 512 if width >= 768 else width // 2
        offset = weight.new_zeros(len(weight)) if bias is None else bias.double()
        self._origin = -torch.linalg.pinv(weight) @ offset
        centred = features - self._origin
        _, vectors = torch.linalg.eigh(centred.T @ centred / len(features))
        self._outside = vectors[:, : width - self.principal]
        mean = self._residual(features).mean()
        self._scale = logits.amax(dim=1).mean() / mean if mean > 0 else logits.new_zeros(())

    def _residual(self, features: Tensor) -> Tensor:
        outside: Tensor = (features - self._origin) @ self._outside
        return outside.square().sum(dim=1).sqrt()


def _directions(features: Tensor) -> Tensor:
    """Features of length 1; one of length 0 stays."""
    lengths = features.square().sum(dim=1, keepdim=True).sqrt()
    return features / lengths.clamp(min=math.ulp(0.0))
