from typing import Any, NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric

from maxsup.measures._check import check_at_least, check_labels, check_rows


class CalibrationValues(NamedTuple):
    """Calibration over bins of the confidence; float64 tensors, ``samples`` int64."""

    ece: Tensor
    """Expected calibration error, 0-dimensional, in [0, 1]."""
    samples: Tensor
    """How many fall into each bin, shape (bins,)."""
    confidence: Tensor
    """Their mean confidence; 0 in an empty bin."""
    accuracy: Tensor
    """The fraction of right predictions among them; 0 in an empty bin."""
    overconfidence: Tensor
    """The part of ``ece`` from bins whose confidence lies above their accuracy."""
    underconfidence: Tensor
    """The part of ``ece`` from bins whose confidence lies below; the two parts add up to it."""


def expected_calibration_error(logits: Tensor, labels: Tensor, bins: int = 15) -> Tensor:
    """Expected calibration error over equal bins of the confidence (Guo et al. 2017).

    ::

        ECE = Σ_b n_b/N·|accuracy_b − confidence_b|

    The confidence is the probability of the predicted class (of tied classes the first); bin b
    holds those in (b/bins, (b + 1)/bins]. It is computed in float64.

    Args:
        logits: Shape (N, K), any floating dtype.
        labels: Class indices, shape (N,).
        bins: Number of bins, at least 2.

    Returns:
        A 0-dimensional float64 tensor in [0, 1]; NaN without samples or with a NaN logit.

    Raises:
        ValueError: A shape, dtype, label or number is not as described.

    Example:
        >>> logits = torch.tensor([[2.0, 0.0], [2.0, 0.0]])
        >>> round(float(expected_calibration_error(logits, torch.tensor([0, 1]))), 3)
        0.381
    """
    check_rows("logits", logits)
    metric = Calibration(bins, sync_on_compute=False).to(logits.device)
    metric.update(logits, labels)
    return metric.compute().ece


class Calibration(Metric):
    """:func:`expected_calibration_error` and its bins, over batches and processes.

    The state is one count and two sums per bin, so the error is that of the whole set; an average
    of the errors of batches would be biased upwards.

    Args:
        bins: Number of bins, at least 2.
        **kwargs: Of :class:`torchmetrics.Metric`, such as ``sync_on_compute``.

    Raises:
        ValueError: ``bins`` is no such number; in ``update``, a shape, dtype or label is wrong.

    Example:
        >>> metric = Calibration()
        >>> metric.update(torch.tensor([[2.0, 0.0], [2.0, 0.0]]), torch.tensor([0, 1]))
        >>> values = metric.compute()
        >>> int(values.samples.sum()), round(float(values.confidence.max()), 3)
        (2, 0.881)
    """

    full_state_update = False
    higher_is_better = False
    is_differentiable = False
    counts: Tensor
    confidences: Tensor
    right: Tensor

    def __init__(self, bins: int = 15, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Of one bin torchmetrics would drop the axis.
        check_at_least("bins", bins, 2)
        self.bins = bins
        self.add_state("counts", torch.zeros(bins, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("confidences", torch.zeros(bins, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("right", torch.zeros(bins, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add a batch: logits (N, K) of any floating dtype, class indices (N,)."""
        check_rows("logits", logits)
        check_labels(labels, len(logits), logits.shape[1])
        predicted = logits.argmax(dim=1)
        confidence = logits.double().softmax(dim=1).gather(1, predicted.unsqueeze(1)).squeeze(1)
        edges = torch.linspace(0, 1, self.bins + 1, dtype=torch.float64, device=logits.device)
        # Without the outermost edges, so that rounding can push nothing out of the first or last.
        index = torch.bucketize(confidence, edges[1:-1])
        self.counts.index_add_(0, index, torch.ones_like(index))
        self.confidences.index_add_(0, index, confidence)
        self.right.index_add_(0, index, (predicted == labels).long())

    def compute(self) -> CalibrationValues:
        """The error and the bins of all that was added."""
        filled = self.counts.clamp(min=1)
        confidence = self.confidences / filled
        accuracy = self.right.double() / filled
        gaps = self.counts * (confidence - accuracy) / self.counts.sum()
        return CalibrationValues(
            ece=gaps.abs().sum(),
            samples=self.counts,
            confidence=confidence,
            accuracy=accuracy,
            overconfidence=gaps.clamp(min=0).sum(),
            underconfidence=(-gaps).clamp(min=0).sum(),
        )
