from torch import Tensor

from maxsup.losses._coefficient import Coefficient, Search
from maxsup.losses._inputs import read_inputs
from maxsup.losses._loss import Loss
from maxsup.losses._method import Method
from maxsup.losses._reduction import reduce
from maxsup.losses.numbers import numbers, scaled
from maxsup.schedules import Schedule

BETA = Coefficient("beta", 0.1, search=Search(0.01, 1.0))


def confidence_penalty_loss(
    logits: Tensor,
    target: Tensor,
    beta: float | Tensor = 0.1,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy − β·H(q), with H(q) = −Σ_k q_k·log q_k (Pereyra et al. 2017).

    The entropy is summed over the classes, in nats; an average over them would divide β by K.

    Args:
        logits: Shape (N, K), (N, K, d1, ...) or (K,), any floating dtype; computed in float32 at
            least. A class whose logit is −inf is not available and adds nothing to the entropy.
        target: Class indices or probabilities; see :func:`cross_entropy_loss`.
        beta: Weight of the entropy, a number ≥ 0 or a 0-dimensional tensor (not checked).
        weight: Class weights, shape (K,). A sample's whole loss, penalty included, is multiplied by
            Σ_k t_k·w_k, and ``mean`` divides by the sum of these.
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Returns:
        0-dimensional, or one value per position for ``none``; float32, or float64 for such logits.

    Raises:
        ValueError: An argument's shape, dtype, label, name or range is not as described.

    Example:
        >>> import torch
        >>> logits, target = torch.zeros(1, 4), torch.tensor([0])
        >>> confidence_penalty_loss(logits, target, 0.1)  # 0.9·log 4
        tensor(1.2477)
    """
    beta = BETA.check(beta)
    inputs = read_inputs(logits, target, weight, ignore_index, reduction)
    true, entropy = numbers(inputs, "true", "entropy")
    return reduce(-true - scaled(beta, entropy), inputs, reduction)


class ConfidencePenaltyLoss(Loss):
    """The module of :func:`maxsup.functional.confidence_penalty_loss`.

    Args:
        beta: Weight of the entropy, ≥ 0, fixed or following a schedule.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Example:
        >>> import torch
        >>> ConfidencePenaltyLoss(beta=0.1)(torch.zeros(1, 4), torch.tensor([0]))
        tensor(1.2477)
    """

    function = staticmethod(confidence_penalty_loss)

    beta: Tensor

    def __init__(
        self,
        beta: float | Schedule = 0.1,
        *,
        weight: Tensor | None = None,
        ignore_index: int | None = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        self.set_schedule(BETA, beta)


METHOD = Method(
    name="confidence-penalty",
    label="Confidence penalty",
    summary="rewards answers of high entropy",
    build=lambda training, beta: ConfidencePenaltyLoss(beta),
    page_file="confidence_penalty.md",
    coefficients=(BETA,),
)
