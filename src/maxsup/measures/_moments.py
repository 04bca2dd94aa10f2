"""Class means and covariances of features, in one pass."""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric

from maxsup.measures._blocks import float64_blocks
from maxsup.measures._check import check_at_least, check_labels, check_rows

_FIRST = 1024
"""So many of the first rows give the point that sums are taken about."""


class Moments(NamedTuple):
    """Means and covariances of N features in K classes; float64. NaN without samples."""

    counts: Tensor
    """(K,): samples of each class."""
    mean: Tensor
    """(D,): mean over all samples."""
    centred_means: Tensor
    """(K, D): each class's mean minus ``mean``; NaN for a class without samples."""
    variances: Tensor
    """(K,): mean squared distance of a class's samples from the class's mean; NaN for a class
    without samples."""
    covariance: Tensor
    """(D, D): Σ_T, the mean of (x − mean)(x − mean)ᵀ over all samples (divided by N)."""

    def in_full(self) -> "Moments":
        """With all axes: a metric's ``compute`` drops those of tensors with one number."""
        classes, width = self.counts.numel(), self.mean.numel()
        return Moments(
            self.counts.reshape(classes),
            self.mean.reshape(width),
            self.centred_means.reshape(classes, width),
            self.variances.reshape(classes),
            self.covariance.reshape(width, width),
        )


class FeatureMoments(Metric):
    """The :class:`Moments` of features over batches and processes.

    The state is one float64 matrix of (K + 1 + D)·(D + 2) numbers, 50 MB for 1,000 classes and
    2,048 features. Sums are taken about the mean of the first features, so that features that are
    large beside their differences lose no digits; states about different points are shifted to a
    common one when they are merged.

    Args:
        num_classes: K; the labels are below it; at least 1.
        num_features: D, at least 1.
        **kwargs: Of :class:`torchmetrics.Metric`, such as ``sync_on_compute``.

    Raises:
        ValueError: An argument is not as described; in ``update``, a shape, dtype or label is
            wrong.

    Example:
        >>> metric = FeatureMoments(num_classes=2, num_features=1)
        >>> metric.update(torch.tensor([[1.0], [3.0], [8.0]]), torch.tensor([0, 0, 1]))
        >>> moments = metric.compute().in_full()
        >>> moments.mean.tolist(), moments.centred_means.tolist(), moments.variances.tolist()
        ([4.0], [[-2.0], [4.0]], [1.0, 0.0])
    """

    full_state_update = False
    higher_is_better = None
    is_differentiable = False
    moments: Tensor

    def __init__(self, num_classes: int, num_features: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_at_least("num_classes", num_classes, 1)
        check_at_least("num_features", num_features, 1)
        self.num_classes, self.num_features = num_classes, num_features
        moments = torch.zeros(num_classes + 1 + num_features, num_features + 2, dtype=torch.float64)
        self.add_state("moments", moments, dist_reduce_fx=_merge)

    def update(self, features: Tensor, labels: Tensor) -> None:
        """Add a batch: features (N, D) of any floating dtype, class indices (N,)."""
        check_rows("features", features, columns=self.num_features)
        check_labels(labels, len(features), self.num_classes)
        if not len(features):
            return
        labels = labels.long()
        state = _parts(self.moments)
        first = features[:_FIRST].detach().double().mean(dim=0)
        state.point.copy_(torch.where(state.counts.sum() == 0, first, state.point))
        for part, rows in float64_blocks(features):
            rows.sub_(state.point)
            state.products.addmm_(rows.T, rows)
            state.sums.index_add_(0, labels[part], rows)
            state.squares.index_add_(0, labels[part], rows.square_().sum(dim=1))
        state.counts.index_add_(0, labels, torch.ones_like(labels, dtype=torch.float64))

    def compute(self) -> Moments:
        """The moments of all that was added."""
        return _moments(self.moments)


class _Parts(NamedTuple):
    """What the state's matrix is made of, as views on it; all sums are of x minus ``point``."""

    sums: Tensor
    """(K, D): over a class."""
    counts: Tensor
    """(K,): samples of a class."""
    squares: Tensor
    """(K,): squared lengths, over a class."""
    point: Tensor
    """(D,)"""
    products: Tensor
    """(D, D): x xᵀ, over all samples."""


def _parts(state: Tensor) -> _Parts:
    """The parts of one state, or of several that are stacked."""
    width = state.shape[-1] - 2
    classes = state.shape[-2] - 1 - width
    return _Parts(
        state[..., :classes, :width],
        state[..., :classes, width],
        state[..., :classes, width + 1],
        state[..., classes, :width],
        state[..., classes + 1 :, :width],
    )


def _merge(states: Tensor) -> Tensor:
    """Several states (P, ., .) as one, about the mean of their points."""
    merged = torch.zeros_like(states[0])
    into = _parts(merged)
    samples = _parts(states).counts.sum(dim=1)
    points = _parts(states).point
    # A state without samples has no point; of none that has any, the point stays at 0.
    weights = samples / samples.sum().clamp(min=1)
    into.point.copy_(weights @ points)
    for state in map(_parts, states):
        shift = state.point - into.point
        total = state.sums.sum(dim=0)
        count = state.counts.sum()
        moved = state.sums + state.counts.unsqueeze(1) * shift
        into.counts.add_(state.counts)
        into.sums.add_(moved)
        into.squares.add_(state.squares + (state.sums + moved) @ shift)
        crossed = torch.outer(total + count / 2 * shift, shift)
        into.products.add_(state.products + crossed + crossed.T)
    return merged


def _moments(state: Tensor) -> Moments:
    sums, counts, squares, point, products = _parts(state)
    samples = counts.sum()
    mean = sums.sum(dim=0) / samples
    means = sums / counts.unsqueeze(1)
    variances = squares / counts - means.square().sum(dim=1)
    covariance = products / samples - torch.outer(mean, mean)
    return Moments(counts.clone(), point + mean, means - mean, variances.clamp(min=0), covariance)
