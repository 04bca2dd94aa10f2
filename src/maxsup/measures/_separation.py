from typing import Any, NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric

from maxsup.measures._blocks import float64_blocks
from maxsup.measures._check import check_at_least, check_labels, check_rows, number_of_classes

_ROUNDING = 1e-12
"""A mean cosine distance below this is what rounding leaves of features of one direction."""


class Separation(NamedTuple):
    """How far apart classes lie; 0-dimensional float64 tensors."""

    within: Tensor
    """Mean cosine distance between features of one class, the classes weighing the same."""
    total: Tensor
    """Mean cosine distance between features of any two classes, a class and itself included."""
    r2: Tensor
    """1 − within/total: 1 where each class is a single direction, 0 where classes coincide."""


def class_separation(
    features: Tensor, labels: Tensor, num_classes: int | None = None
) -> Separation:
    """Class separation of features (Kornblith et al. 2021; MaxSup paper, Tables 2 and 9).

    With x_km the feature of sample m of class k, and N_k samples in class k::

        d_within = Σ_k Σ_m Σ_n (1 − cos(x_km, x_kn)) / (K·N_k²)
        d_total  = Σ_j Σ_k Σ_m Σ_n (1 − cos(x_jm, x_kn)) / (K²·N_j·N_k)
        R²       = 1 − d_within/d_total

    Pairs of a sample with itself are included. It is computed exactly and in linear time: with
    μ_k the mean of the unit features of class k, d_within = 1 − mean_k ‖μ_k‖² and
    d_total = 1 − ‖mean_k μ_k‖².

    Args:
        features: Shape (N, D), any floating dtype; summed in float64. A feature of zeros has no
            direction: its cosine to every feature, itself included, counts as 0.
        labels: Class indices, shape (N,).
        num_classes: The labels are below it; by default the largest label + 1. Classes without
            samples are left out, K counts the others.

    Returns:
        ``.within``, ``.total`` and ``.r2``; NaN without samples or with a feature that is not
        finite. ``.r2`` is NaN where all features have one direction, as its denominator is 0.

    Raises:
        ValueError: A shape, dtype, label or number is not as described.

    Example:
        >>> features = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
        >>> separation = class_separation(features, torch.tensor([0, 0, 1]))
        >>> [round(float(value), 3) for value in separation]
        [0.0, 0.5, 1.0]
    """
    check_rows("features", features)
    if num_classes is None:
        num_classes = number_of_classes(labels)
    metric = ClassSeparation(num_classes, features.shape[1], sync_on_compute=False)
    metric.to(features.device).update(features, labels)
    return metric.compute()


class ClassSeparation(Metric):
    """:func:`class_separation` over batches and processes.

    The state is the sum of the unit features of each class and their number, so it is exact
    however the samples are divided.

    Args:
        num_classes: The labels are below it; at least 1.
        num_features: D, at least 1.
        **kwargs: Of :class:`torchmetrics.Metric`, such as ``sync_on_compute``.

    Raises:
        ValueError: An argument is not as described; in ``update``, a shape, dtype or label is
            wrong.

    Example:
        >>> metric = ClassSeparation(num_classes=2, num_features=2)
        >>> metric.update(torch.tensor([[1.0, 0.0]]), torch.tensor([0]))
        >>> metric.update(torch.tensor([[0.0, 2.0]]), torch.tensor([1]))
        >>> float(metric.compute().r2)
        1.0
    """

    full_state_update = False
    higher_is_better = None
    is_differentiable = False
    sums: Tensor
    counts: Tensor

    def __init__(self, num_classes: int, num_features: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_at_least("num_classes", num_classes, 1)
        check_at_least("num_features", num_features, 1)
        self.num_classes, self.num_features = num_classes, num_features
        sums = torch.zeros(num_classes, num_features, dtype=torch.float64)
        counts = torch.zeros(num_classes, dtype=torch.int64)
        self.add_state("sums", sums, dist_reduce_fx="sum")
        self.add_state("counts", counts, dist_reduce_fx="sum")

    def update(self, features: Tensor, labels: Tensor) -> None:
        """Add a batch: features (N, D) of any floating dtype, class indices (N,)."""
        check_rows("features", features, columns=self.num_features)
        check_labels(labels, len(features), self.num_classes)
        labels = labels.long()
        for part, rows in float64_blocks(features):
            norms = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
            rows.mul_(torch.where(norms == 0, 0.0, 1 / norms))
            self.sums.index_add_(0, labels[part], rows)
        self.counts.index_add_(0, labels, torch.ones_like(labels))

    def compute(self) -> Separation:
        """The separation of all that was added."""
        present = self.counts > 0
        means = self.sums[present] / self.counts[present].unsqueeze(1)
        within = (1 - means.square().sum(dim=1).mean()).clamp(min=0)
        total = (1 - means.mean(dim=0).square().sum()).clamp(min=0)
        r2 = torch.where(total < _ROUNDING, torch.nan, 1 - within / total)
        return Separation(within, total, r2)
