from typing import Any, NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric

from maxsup.measures._check import check_labels, check_rows


class ClassificationValues(NamedTuple):
    """Means over samples; 0-dimensional float64 tensors, NaN where there is no such sample."""

    accuracy: Tensor
    """Fraction of samples whose most probable class is the true one, in [0, 1]."""
    nll: Tensor
    """−log q_true in nats, with q the predicted probabilities; inf where q_true is 0."""
    brier: Tensor
    """Σ_k (q_k − y_k)², with y the one-hot truth, in [0, 2] (Brier 1950)."""
    confidence_right: Tensor
    """Probability of the predicted class, over the right predictions."""
    confidence_wrong: Tensor
    """Probability of the predicted class, over the wrong predictions."""


class Classification(Metric):
    """Accuracy, likelihood, Brier score and confidence over batches and processes.

    Probabilities are computed in float64; of tied logits the first is the prediction. A class may
    have the logit −inf and then has probability 0. A NaN logit makes all but the accuracy NaN.

    Args:
        **kwargs: Of :class:`torchmetrics.Metric`, such as ``sync_on_compute``.

    Raises:
        ValueError: In ``update``, a shape, dtype or label is wrong.

    Example:
        >>> metric = Classification()
        >>> metric.update(torch.tensor([[2.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1]))
        >>> values = metric.compute()
        >>> round(float(values.accuracy), 3), round(float(values.confidence_wrong), 3)
        (0.5, 0.731)
    """

    full_state_update = False
    higher_is_better = None
    is_differentiable = False
    sums: Tensor
    counts: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("sums", torch.zeros(4, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("counts", torch.zeros(2, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add a batch: logits (N, K) of any floating dtype, class indices (N,)."""
        check_rows("logits", logits)
        check_labels(labels, len(logits), logits.shape[1])
        log_probs = logits.double().log_softmax(dim=1)
        probs = log_probs.exp()
        true = labels.long().unsqueeze(1)
        predicted = logits.argmax(dim=1, keepdim=True)
        confidence = probs.gather(1, predicted)
        right = predicted == true
        # Σ_k (q_k − y_k)² = Σ_k q_k² − 2·q_true + 1
        brier = probs.square().sum(dim=1, keepdim=True) - 2 * probs.gather(1, true) + 1
        self.sums += torch.stack(
            [
                -log_probs.gather(1, true).sum(),
                brier.sum(),
                (confidence * right).sum(),
                (confidence * ~right).sum(),
            ]
        )
        self.counts += torch.stack([right.sum(), (~right).sum()])

    def compute(self) -> ClassificationValues:
        """The means over all that was added."""
        right, wrong = self.counts.double()
        nll, brier, confidence_right, confidence_wrong = self.sums
        samples = right + wrong
        return ClassificationValues(
            accuracy=right / samples,
            nll=nll / samples,
            brier=brier / samples,
            confidence_right=confidence_right / right,
            confidence_wrong=confidence_wrong / wrong,
        )
