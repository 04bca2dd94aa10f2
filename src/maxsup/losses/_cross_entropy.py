from torch import Tensor

from maxsup.losses._loss import Loss
from maxsup.losses._method import Method
from maxsup.losses._weighted_sum import weighted_sum


def cross_entropy_loss(
    logits: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy −Σ_k t_k·log q_k, with q = softmax(z).

    The starting point of every other objective here. It equals
    :func:`torch.nn.functional.cross_entropy` for index targets. For probabilities with class
    weights it differs: here a sample's whole loss is multiplied by Σ_k t_k·w_k and ``mean`` divides
    by the sum of these, so that an index and its one-hot form agree; torch multiplies each class's
    part by w_k and divides by the batch size, which ``cross_entropy_loss(logits, target * weight)``
    does. A batch without a counted position gives 0, not NaN.

    Args:
        logits: Shape (N, K), (N, K, d1, ...) or (K,), any floating dtype; computed in float32 at
            least. A class whose logit is −inf is not available.
        target: Class indices, (N,), (N, d1, ...) or (), any integer dtype; or probabilities,
            shaped like the logits. These need not sum to 1: whatever they are, value and gradient
            are those of the formula, which is true of every objective here.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean; None
            where no label is meant. With probabilities a label ≥ 0 is refused, as it marks nothing.
        reduction: ``none``, ``sum`` or ``mean``.

    Returns:
        0-dimensional, or one value per position for ``none``; float32, or float64 for such logits.

    Raises:
        ValueError: An argument's shape, dtype, label or name is not as described.

    Example:
        >>> import torch
        >>> cross_entropy_loss(torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([0]))
        tensor(0.4076)
    """
    return weighted_sum(logits, target, weight, ignore_index, reduction, true=-1.0)


class CrossEntropyLoss(Loss):
    """Cross-entropy; the module of :func:`maxsup.functional.cross_entropy_loss`.

    Args:
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Example:
        >>> import torch
        >>> CrossEntropyLoss()(torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([0]))
        tensor(0.4076)
    """

    function = staticmethod(cross_entropy_loss)


METHOD = Method(
    name="baseline",
    label="Baseline",
    summary="cross-entropy alone: the start from which the others are measured",
    build=lambda training: CrossEntropyLoss(),
    page_file="cross_entropy.md",
)
