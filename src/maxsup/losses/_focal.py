import torch
from torch import Tensor

from maxsup.losses._coefficient import Coefficient, Search
from maxsup.losses._inputs import Inputs, read_inputs, wide
from maxsup.losses._loss import Loss
from maxsup.losses._method import Method
from maxsup.losses._reduction import reduce
from maxsup.losses.numbers import at_target, numbers
from maxsup.losses.numbers.plain import LEAST_LOG_PROB
from maxsup.schedules import Schedule

GAMMA = Coefficient("gamma", 3.0, search=Search(0.75, 12.0))


def focal_loss(
    logits: Tensor,
    target: Tensor,
    gamma: float | Tensor = 3.0,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
) -> Tensor:
    """−(1 − q_gt)^γ·log q_gt: focal loss (Lin et al. 2017; for calibration Mukhoti et al. 2020).

    The better the model knows an example, the less it counts. With γ = 0 it is cross-entropy. For
    probabilities as target it is Σ_k t_k times that of class k.

    Args:
        logits: Shape (N, K), (N, K, d1, ...) or (K,), any floating dtype; computed in float32 at
            least. A class whose logit is −inf is not available.
        target: Class indices or probabilities; see :func:`cross_entropy_loss`.
        gamma: γ, a number ≥ 0 or a 0-dimensional tensor (not checked).
        weight: Class weights, shape (K,). A sample's whole loss is multiplied by Σ_k t_k·w_k, and
            ``mean`` divides by the sum of these.
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Returns:
        0-dimensional, or one value per position for ``none``; float32, or float64 for such logits.

    Raises:
        ValueError: An argument's shape, dtype, label, name or range is not as described.

    Example:
        >>> focal_loss(torch.zeros(1, 4), torch.tensor([0]), gamma=2.0)  # 0.75²·log 4
        tensor(0.7798)
    """
    gamma = GAMMA.check(gamma)
    inputs = read_inputs(logits, target, weight, ignore_index, reduction)
    if inputs.labels is not None:
        (true,) = numbers(inputs, "true")
        return reduce(-focus(wrong(true), gamma) * true, inputs, reduction)
    of_class = wide(inputs.logits).log_softmax(dim=1)
    return reduce(-expected(inputs, focus(wrong(of_class), gamma), of_class), inputs, reduction)


def wrong(log_probs: Tensor) -> Tensor:
    """1 − q; its slope is 0, and not 0·∞, where q is too small for a number."""
    return -torch.expm1(log_probs.clamp(min=LEAST_LOG_PROB))


def focus(doubt: Tensor, gamma: float | Tensor) -> Tensor:
    """doubt^γ; its slope at 0, infinite for γ below 1, is taken as 0."""
    return doubt.clamp(min=torch.finfo(doubt.dtype).tiny) ** gamma


def expected(inputs: Inputs, factor: Tensor, log_probs: Tensor) -> Tensor:
    """Σ_k t_k·f_k·log q_k, in which a class that is not available adds nothing to a target of 0."""
    return at_target(factor * log_probs, None, inputs.probabilities)


class FocalLoss(Loss):
    """The module of :func:`maxsup.functional.focal_loss`.

    Args:
        gamma: γ ≥ 0, fixed or following a schedule.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Example:
        >>> FocalLoss(gamma=2.0)(torch.zeros(1, 4), torch.tensor([0]))
        tensor(0.7798)
    """

    function = staticmethod(focal_loss)

    gamma: Tensor

    def __init__(
        self,
        gamma: float | Schedule = 3.0,
        *,
        weight: Tensor | None = None,
        ignore_index: int | None = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        self.set_schedule(GAMMA, gamma)


METHOD = Method(
    name="focal",
    label="Focal loss",
    summary="lets examples that the model knows already count less",
    build=lambda training, gamma: FocalLoss(gamma),
    page_file="focal.md",
    coefficients=(GAMMA,),
)
