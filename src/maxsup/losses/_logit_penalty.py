from torch import Tensor

from maxsup.losses._coefficient import Coefficient, Search
from maxsup.losses._inputs import read_inputs
from maxsup.losses._loss import Loss
from maxsup.losses._method import Method
from maxsup.losses._reduction import reduce
from maxsup.losses.numbers import numbers, scaled
from maxsup.schedules import Schedule

BETA = Coefficient("beta", 6e-4, search=Search(6e-5, 6e-3))


def logit_penalty_loss(
    logits: Tensor,
    target: Tensor,
    beta: float | Tensor = 6e-4,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy + β/2·‖z‖² (Dauphin & Cubuk 2021; β of Kornblith et al. 2021).

    Unlike the others it depends on the common offset of the logits.

    Args:
        logits: Shape (N, K), (N, K, d1, ...) or (K,), any floating dtype; computed in float32 at
            least. A class whose logit is −inf is not available: it is left out of ‖z‖².
        target: Class indices or probabilities; see :func:`cross_entropy_loss`.
        beta: Coefficient of the penalty, a number ≥ 0 or a 0-dimensional tensor (not checked).
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
        >>> logits, target = torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([0])
        >>> logit_penalty_loss(logits, target, 0.1) - logit_penalty_loss(logits, target, 0.0)
        tensor(0.2500)
    """
    beta = BETA.check(beta)
    inputs = read_inputs(logits, target, weight, ignore_index, reduction)
    true, squares = numbers(inputs, "true", "squares")
    return reduce(scaled(beta / 2, squares) - true, inputs, reduction)


class LogitPenaltyLoss(Loss):
    """The module of :func:`maxsup.functional.logit_penalty_loss`.

    Args:
        beta: Coefficient of the penalty, ≥ 0, fixed or following a schedule.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Example:
        >>> import torch
        >>> LogitPenaltyLoss(beta=0.1)(torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([0]))
        tensor(0.6576)
    """

    function = staticmethod(logit_penalty_loss)

    beta: Tensor

    def __init__(
        self,
        beta: float | Schedule = 6e-4,
        *,
        weight: Tensor | None = None,
        ignore_index: int | None = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        self.set_schedule(BETA, beta)


METHOD = Method(
    name="logit-penalty",
    label="Logit penalty",
    summary="keeps all logits small, by half their squared norm",
    build=lambda training, beta: LogitPenaltyLoss(beta),
    page_file="logit_penalty.md",
    coefficients=(BETA,),
)
