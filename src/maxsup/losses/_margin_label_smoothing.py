import torch
from torch import Tensor

from maxsup.losses._coefficient import Coefficient, Search
from maxsup.losses._inputs import read_inputs
from maxsup.losses._loss import Loss
from maxsup.losses._maxsup import maxsup_loss
from maxsup.losses._method import Method
from maxsup.losses._reduction import reduce
from maxsup.losses._smoothed_target import warn_of_smoothed_target
from maxsup.losses.numbers import gap_sum, numbers, scaled, top_class
from maxsup.schedules import Schedule

ALPHA = Coefficient("alpha", 0.1, search=Search(0.02, 0.5))
MARGIN = Coefficient("margin", 10.0, search=Search(3.0, 30.0))


def margin_label_smoothing_loss(
    logits: Tensor,
    target: Tensor,
    alpha: float | Tensor = 0.1,
    margin: float | Tensor = 10.0,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy + α/K·Σ_k relu(z_max − z_k − m) (Liu et al. 2022).

    Margin-based label smoothing: logits may lie up to the margin m below the largest at no cost.
    With m = 0 it is MaxSup, :func:`maxsup_loss`.

    Args:
        logits: Shape (N, K), (N, K, d1, ...) or (K,), any floating dtype; computed in float32 at
            least. A class whose logit is −inf is not available; K counts the others.
        target: Class indices or probabilities; see :func:`cross_entropy_loss`.
        alpha: Coefficient of the penalty, a number ≥ 0 or a 0-dimensional tensor (not checked).
        margin: m, a number ≥ 0 or a 0-dimensional tensor (not checked).
        weight: Class weights, shape (K,). A sample's whole loss, penalty included, is multiplied by
            Σ_k t_k·w_k, and ``mean`` divides by the sum of these.
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Returns:
        0-dimensional, or one value per position for ``none``; float32, or float64 for such logits.

    Raises:
        ValueError: An argument's shape, dtype, label, name or range is not as described.

    Example:
        >>> logits, target = torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([0])
        >>> penalized = margin_label_smoothing_loss(logits, target, alpha=0.3, margin=1.5)
        >>> penalized - margin_label_smoothing_loss(logits, target, alpha=0.0)
        tensor(0.0500)
    """
    alpha = ALPHA.check(alpha)
    margin = MARGIN.check(margin)
    if not isinstance(margin, Tensor) and margin == 0:
        return maxsup_loss(logits, target, alpha, weight, ignore_index, reduction)

    warn_of_smoothed_target(target, alpha)
    inputs = read_inputs(logits, target, weight, ignore_index, reduction).widened()
    (true,) = numbers(inputs, "true")
    top, _ = top_class(inputs.logits.detach())
    # Logits that tie with the largest are pulled up like the others, as MaxSup does.
    excess, _ = gap_sum(inputs.logits, top.squeeze(1), margin, closed=True)
    available = (inputs.logits != -torch.inf).sum(dim=1)
    return reduce(scaled(alpha, excess / available) - true, inputs, reduction)


class MarginLabelSmoothingLoss(Loss):
    """The module of :func:`maxsup.functional.margin_label_smoothing_loss`.

    Args:
        alpha: Coefficient of the penalty, ≥ 0, fixed or following a schedule.
        margin: How far below the largest a logit may lie at no cost, ≥ 0, fixed or following a
            schedule.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Example:
        >>> criterion = MarginLabelSmoothingLoss(alpha=0.3, margin=1.5)
        >>> criterion(torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([0]))
        tensor(0.4576)
    """

    function = staticmethod(margin_label_smoothing_loss)

    alpha: Tensor
    margin: Tensor

    def __init__(
        self,
        alpha: float | Schedule = 0.1,
        margin: float | Schedule = 10.0,
        *,
        weight: Tensor | None = None,
        ignore_index: int | None = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        self.set_schedule(ALPHA, alpha)
        self.set_schedule(MARGIN, margin)


METHOD = Method(
    name="margin-label-smoothing",
    label="Margin-based label smoothing",
    summary="pulls down the largest logit only where it lies further than a margin above another",
    build=lambda training, alpha, margin: MarginLabelSmoothingLoss(alpha, margin),
    page_file="margin_label_smoothing.md",
    coefficients=(ALPHA, MARGIN),
)
