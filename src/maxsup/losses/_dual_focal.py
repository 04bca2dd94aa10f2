import torch
from torch import Tensor

from maxsup.losses._coefficient import Coefficient, Search
from maxsup.losses._focal import expected, focus, wrong
from maxsup.losses._inputs import read_inputs
from maxsup.losses._loss import Loss
from maxsup.losses._method import Method
from maxsup.losses._reduction import reduce
from maxsup.losses.numbers import numbers
from maxsup.schedules import Schedule

GAMMA = Coefficient("gamma", 5.0, search=Search(1.25, 20.0))


def dual_focal_loss(
    logits: Tensor,
    target: Tensor,
    gamma: float | Tensor = 5.0,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
) -> Tensor:
    """−(1 − q_gt + q_j)^γ·log q_gt: dual focal loss (Tao et al. 2023).

    q_j is the largest probability strictly below q_gt, judged by the logits; 0 where there is none.
    An example counts less, the further its true class lies above the next. For probabilities as
    target it is Σ_k t_k times that of class k.

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
        >>> logits = torch.tensor([0.5, 0.3, 0.2]).log().unsqueeze(0)
        >>> dual_focal_loss(logits, torch.tensor([0]), gamma=2.0)  # 0.8²·log 2
        tensor(0.4436)
    """
    gamma = GAMMA.check(gamma)
    inputs = read_inputs(logits, target, weight, ignore_index, reduction).widened()
    if inputs.labels is not None:
        at_label = inputs.logits.detach().gather(1, inputs.labels.unsqueeze(1))
        lower = inputs.logits.detach().masked_fill(~(inputs.logits < at_label), -torch.inf)
        highest, other = lower.max(dim=1)
        true, beside = numbers(inputs, "true", "other", other=other)
        below = torch.where(highest == -torch.inf, 0.0, beside.exp())
        return reduce(-focus(below + wrong(true), gamma) * true, inputs, reduction)

    of_class = inputs.logits.log_softmax(dim=1)
    lower, exists = _next_lower(inputs.logits.detach())
    below = torch.where(exists, of_class.gather(1, lower).exp(), 0.0)
    doubt = below + wrong(of_class)
    return reduce(-expected(inputs, focus(doubt, gamma), of_class), inputs, reduction)


def _next_lower(logits: Tensor) -> tuple[Tensor, Tensor]:
    """For every class the next lower one, the first of several, and whether there is one."""
    values = logits.movedim(1, -1)
    num_classes = values.shape[-1]
    ordered, order = values.sort(dim=-1, descending=True, stable=True)
    indices = torch.arange(num_classes, device=logits.device)
    # Where a run of equal logits starts; each looks for the next start after its own index.
    starts = torch.where(ordered[..., 1:] < ordered[..., :-1], indices[1:], num_classes)
    after = starts.flip(-1).cummin(dim=-1).values.flip(-1)
    after = torch.cat((after, torch.full_like(order[..., :1], num_classes)), dim=-1)
    lower = order.gather(-1, after.clamp(max=num_classes - 1))
    exists = (after < num_classes) & (values.gather(-1, lower) != -torch.inf)
    back = order.argsort(dim=-1)
    return lower.gather(-1, back).movedim(-1, 1), exists.gather(-1, back).movedim(-1, 1)


class DualFocalLoss(Loss):
    """The module of :func:`maxsup.functional.dual_focal_loss`.

    Args:
        gamma: γ ≥ 0, fixed or following a schedule.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Example:
        >>> logits = torch.tensor([0.5, 0.3, 0.2]).log().unsqueeze(0)
        >>> DualFocalLoss(gamma=2.0)(logits, torch.tensor([0]))
        tensor(0.4436)
    """

    function = staticmethod(dual_focal_loss)

    gamma: Tensor

    def __init__(
        self,
        gamma: float | Schedule = 5.0,
        *,
        weight: Tensor | None = None,
        ignore_index: int | None = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        self.set_schedule(GAMMA, gamma)


METHOD = Method(
    name="dual-focal",
    label="Dual focal loss",
    summary="lets examples count less, the further the true class lies above the next",
    build=lambda training, gamma: DualFocalLoss(gamma),
    page_file="dual_focal.md",
    coefficients=(GAMMA,),
)
