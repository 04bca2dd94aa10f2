import torch
from torch import Tensor

from maxsup.losses._coefficient import Coefficient, Search
from maxsup.losses._inputs import read_inputs
from maxsup.losses._loss import Loss
from maxsup.losses._method import Method
from maxsup.losses._reduction import reduce
from maxsup.losses._smoothed_target import warn_of_smoothed_target
from maxsup.losses.numbers import at_target, gap_sum, numbers, scaled, top_class
from maxsup.schedules import Schedule

ALPHA = Coefficient("alpha", 0.1, search=Search(0.02, 0.5))
MARGIN = Coefficient("margin", 10.0, search=Search(3.0, 30.0))
POS_LAMBDA = Coefficient("pos_lambda", 1.0, symbol="λ₁")
NEG_LAMBDA = Coefficient("neg_lambda", 0.1, symbol="λ₂")


def acls_loss(
    logits: Tensor,
    target: Tensor,
    alpha: float | Tensor = 0.1,
    margin: float | Tensor = 10.0,
    pos_lambda: float | Tensor = 1.0,
    neg_lambda: float | Tensor = 0.1,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
) -> Tensor:
    """Adaptive and conditional label smoothing (ACLS, Park et al. 2023).

    Cross-entropy + α·[λ₁·relu(z_max − m)² + λ₂/(K − 1)·Σ_{k ≠ top} relu(sg(z_max) − z_k − m)²],
    where sg stops the gradient. The largest logit is pulled below the margin, the others up to
    within the margin of it; smoothing is the stronger, the further they are from there.

    Unlike most it depends on the common offset of the logits.

    Args:
        logits: Shape (N, K), (N, K, d1, ...) or (K,), any floating dtype; computed in float32 at
            least. A class whose logit is −inf is not available; K counts the others.
        target: Class indices or probabilities; see :func:`cross_entropy_loss`.
        alpha: Coefficient of the penalty, a number ≥ 0 or a 0-dimensional tensor (not checked).
        margin: m, a number ≥ 0 or a 0-dimensional tensor (not checked), as are the next two.
        pos_lambda: λ₁, the coefficient of the largest logit's part.
        neg_lambda: λ₂, the coefficient of the others' part.
        weight: Class weights, shape (K,). A sample's whole loss, penalty included, is multiplied by
            Σ_k t_k·w_k, and ``mean`` divides by the sum of these.
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Returns:
        0-dimensional, or one value per position for ``none``; float32, or float64 for such logits.

    Raises:
        ValueError: An argument's shape, dtype, label, name or range is not as described.

    Example:
        >>> logits, target = torch.tensor([[4.0, 0.0, 1.0]]), torch.tensor([0])
        >>> penalized = acls_loss(logits, target, alpha=0.1, margin=2.0)
        >>> penalized - acls_loss(logits, target, alpha=0.0)  # 0.1·(2² + 0.1/2·(2² + 1²))
        tensor(0.4250)
    """
    alpha = ALPHA.check(alpha)
    margin = MARGIN.check(margin)
    pos_lambda = POS_LAMBDA.check(pos_lambda)
    neg_lambda = NEG_LAMBDA.check(neg_lambda)
    warn_of_smoothed_target(target, alpha)
    inputs = read_inputs(logits, target, weight, ignore_index, reduction).widened()
    (true,) = numbers(inputs, "true")
    index = top_class(inputs.logits.detach())[0].squeeze(1)
    top = at_target(inputs.logits, index, None)
    above = (top - margin).relu()
    # Not square(), whose slope doubles what may be too large for that.
    above = above * above
    below, _ = gap_sum(inputs.logits, index, margin, power=2, fixed=True)
    others = (inputs.logits != -torch.inf).sum(dim=1) - 1
    below = below / others.clamp(min=1)
    penalty = scaled(pos_lambda, above) + scaled(neg_lambda, below)
    return reduce(scaled(alpha, penalty) - true, inputs, reduction)


class ACLSLoss(Loss):
    """The module of :func:`maxsup.functional.acls_loss`.

    Args:
        alpha: Coefficient of the penalty, ≥ 0, fixed or following a schedule, as are the others.
        margin: How far the largest logit may lie above 0, and above another, at no cost; ≥ 0.
        pos_lambda: Coefficient of the largest logit's part, ≥ 0.
        neg_lambda: Coefficient of the others' part, ≥ 0.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Example:
        >>> ACLSLoss(margin=2.0)(torch.tensor([[4.0, 0.0, 1.0]]), torch.tensor([0]))
        tensor(0.4909)
    """

    function = staticmethod(acls_loss)

    alpha: Tensor
    margin: Tensor
    pos_lambda: Tensor
    neg_lambda: Tensor

    def __init__(
        self,
        alpha: float | Schedule = 0.1,
        margin: float | Schedule = 10.0,
        pos_lambda: float | Schedule = 1.0,
        neg_lambda: float | Schedule = 0.1,
        *,
        weight: Tensor | None = None,
        ignore_index: int | None = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        self.set_schedule(ALPHA, alpha)
        self.set_schedule(MARGIN, margin)
        self.set_schedule(POS_LAMBDA, pos_lambda)
        self.set_schedule(NEG_LAMBDA, neg_lambda)


METHOD = Method(
    name="acls",
    label="ACLS",
    summary="smooths by how far the largest logit lies beyond a margin, and the others below it",
    build=lambda training, **coefficients: ACLSLoss(**coefficients),
    page_file="acls.md",
    coefficients=(ALPHA, MARGIN, POS_LAMBDA, NEG_LAMBDA),
)
