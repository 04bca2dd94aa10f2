from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from maxsup.measures._check import check_at_least, check_rows
from maxsup.measures._spectrum import count_above_rounding


class LogitCurvature(Metric):
    """Condition number of the cross-entropy's mean Hessian with respect to the logits.

    A sample's Hessian is diag(p) − p pᵀ, p its probabilities, whatever its target: a smoothed one
    too. Label smoothing keeps the probabilities of wrong classes from vanishing, and the smaller
    condition number of the Hessian is why it converges faster (Guo et al. 2024, "Cross entropy
    versus label smoothing: a neural collapse perspective", for the minimisers of the unconstrained
    features model). Of a trained model this is the part that its probabilities decide: the Hessian
    with respect to the last layer's weight is the mean of (diag(p) − p pᵀ) ⊗ h hᵀ, h the feature.

    The direction in which all logits grow alike changes nothing and is left out: the condition
    number is the largest eigenvalue by the smallest of the K − 1 others. It is infinite where one
    of these is no more than rounding, NaN with a single class or without samples.

    Args:
        num_classes: K, at least 1. The state is (K, K) float64.
        **kwargs: Of :class:`torchmetrics.Metric`, such as ``sync_on_compute``.

    Raises:
        ValueError: An argument is not as described; in ``update``, a shape or dtype is wrong.

    Example:
        >>> metric = LogitCurvature(num_classes=3)
        >>> metric.update(torch.zeros(2, 3))
        >>> round(float(metric.compute()), 6)
        1.0
    """

    full_state_update = False
    higher_is_better = False
    is_differentiable = False
    hessian: Tensor
    samples: Tensor

    def __init__(self, num_classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_at_least("num_classes", num_classes, 1)
        self.num_classes = num_classes
        hessian = torch.zeros(num_classes, num_classes, dtype=torch.float64)
        self.add_state("hessian", hessian, dist_reduce_fx="sum")
        self.add_state("samples", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, logits: Tensor) -> None:
        """Add a batch: logits (N, K) of any floating dtype."""
        check_rows("logits", logits, columns=self.num_classes)
        probabilities = logits.detach().double().softmax(dim=1)
        self.hessian.addmm_(probabilities.T, probabilities, alpha=-1)
        self.hessian.diagonal().add_(probabilities.sum(dim=0))
        self.samples += len(logits)

    def compute(self) -> Tensor:
        """The condition number of all that was added, 0-dimensional float64."""
        nothing = self.hessian.new_tensor(torch.nan)
        if self.num_classes == 1 or not self.samples or not self.hessian.isfinite().all():
            return nothing
        eigenvalues = torch.linalg.eigvalsh(self.hessian / self.samples)
        # The smallest is that of all logits alike, 0.
        kept = int(count_above_rounding(eigenvalues, self.num_classes))
        if kept < self.num_classes - 1:
            return self.hessian.new_tensor(torch.inf)
        condition_number: Tensor = eigenvalues[-1] / eigenvalues[1]
        return condition_number
