import torch
from torch import Tensor

from maxsup.losses._coefficient import Coefficient, Search
from maxsup.losses._inputs import read_inputs
from maxsup.losses._loss import Loss
from maxsup.losses._method import Method
from maxsup.losses._reduction import reduce
from maxsup.losses.numbers import numbers
from maxsup.schedules import Schedule

EPSILON = Coefficient("epsilon", 1.0, search=Search(0.25, 4.0))


def poly1_loss(
    logits: Tensor,
    target: Tensor,
    epsilon: float | Tensor = 1.0,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy + ε·Σ_k t_k·(1 − q_k): Poly-1 (Leng et al. 2022).

    Cross-entropy is Σ_j (1 − q_gt)^j/j; Poly-1 adds ε to the first coefficient. For a target that
    sums to 1 the term is ε·(1 − Σ_k t_k·q_k).

    Args:
        logits: Shape (N, K), (N, K, d1, ...) or (K,), any floating dtype; computed in float32 at
            least. A class whose logit is −inf is not available.
        target: Class indices or probabilities; see :func:`cross_entropy_loss`.
        epsilon: ε, a number ≥ 0 or a 0-dimensional tensor (not checked).
        weight: Class weights, shape (K,). A sample's whole loss is multiplied by Σ_k t_k·w_k, and
            ``mean`` divides by the sum of these.
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Returns:
        0-dimensional, or one value per position for ``none``; float32, or float64 for such logits.

    Raises:
        ValueError: An argument's shape, dtype, label, name or range is not as described.

    Example:
        >>> poly1_loss(torch.zeros(1, 4), torch.tensor([0]))  # log 4 + 0.75
        tensor(2.1363)
    """
    epsilon = EPSILON.check(epsilon)
    inputs = read_inputs(logits, target, weight, ignore_index, reduction)
    if inputs.labels is not None:
        (true,) = numbers(inputs, "true")
        return reduce(epsilon * -torch.expm1(true) - true, inputs, reduction)
    inputs = inputs.widened()
    (true,) = numbers(inputs, "true")
    assert inputs.probabilities is not None
    missed = (inputs.probabilities * -torch.expm1(inputs.logits.log_softmax(dim=1))).sum(dim=1)
    return reduce(epsilon * missed - true, inputs, reduction)


class Poly1Loss(Loss):
    """The module of :func:`maxsup.functional.poly1_loss`.

    Args:
        epsilon: ε ≥ 0, fixed or following a schedule.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Example:
        >>> Poly1Loss()(torch.zeros(1, 4), torch.tensor([0]))
        tensor(2.1363)
    """

    function = staticmethod(poly1_loss)

    epsilon: Tensor

    def __init__(
        self,
        epsilon: float | Schedule = 1.0,
        *,
        weight: Tensor | None = None,
        ignore_index: int | None = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        self.set_schedule(EPSILON, epsilon)


METHOD = Method(
    name="poly-1",
    label="Poly-1",
    summary="adds the wrong probability to cross-entropy's logarithm",
    build=lambda training, epsilon: Poly1Loss(epsilon),
    page_file="poly1.md",
    coefficients=(EPSILON,),
)
