from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from maxsup.measures._check import check_at_least, check_labels, check_rows


class ClasswiseCalibration(Metric):
    """Classwise expected calibration error over batches and processes (Kull et al. 2019).

    The calibration of every class's probability, whether it is predicted or not::

        cwECE = 1/K Σ_k Σ_b |Σ_{i: p_ik in bin b} (y_ik − p_ik)|/N

    Bin b holds the probabilities in (b/bins, (b + 1)/bins], and the first one 0 as well. Classes
    without samples count too. All is computed in float64.

    Args:
        num_classes: K, at least 1.
        bins: Number of equal bins, at least 2.
        **kwargs: Of :class:`torchmetrics.Metric`, such as ``sync_on_compute``.

    Raises:
        ValueError: An argument is not as described; in ``update``, a shape, dtype or label is
            wrong.

    Example:
        >>> metric = ClasswiseCalibration(num_classes=2)
        >>> metric.update(torch.tensor([[2.0, 0.0], [2.0, 0.0]]), torch.tensor([0, 1]))
        >>> round(float(metric.compute()), 3)
        0.381
    """

    full_state_update = False
    higher_is_better = False
    is_differentiable = False
    residuals: Tensor
    samples: Tensor

    def __init__(self, num_classes: int, bins: int = 15, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_at_least("num_classes", num_classes, 1)
        check_at_least("bins", bins, 2)
        self.num_classes, self.bins = num_classes, bins
        residuals = torch.zeros(num_classes, bins, dtype=torch.float64)
        self.add_state("residuals", residuals, dist_reduce_fx="sum")
        self.add_state("samples", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add a batch: logits (N, K) of any floating dtype, class indices (N,)."""
        check_rows("logits", logits, columns=self.num_classes)
        check_labels(labels, len(logits), self.num_classes)
        probs = logits.double().softmax(dim=1)
        edges = torch.linspace(0, 1, self.bins + 1, dtype=torch.float64, device=logits.device)
        first = self.bins * torch.arange(self.num_classes, device=logits.device)
        index = first + torch.bucketize(probs, edges[1:-1])
        residuals = -probs
        true = labels.long().unsqueeze(1)
        residuals = residuals.scatter_add(1, true, torch.ones_like(true, dtype=torch.float64))
        self.residuals.view(-1).index_add_(0, index.flatten(), residuals.flatten())
        self.samples += len(logits)

    def compute(self) -> Tensor:
        """The error of all that was added, 0-dimensional; NaN without samples."""
        return self.residuals.abs().sum() / (self.num_classes * self.samples)
