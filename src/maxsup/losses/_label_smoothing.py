import torch
from torch import Tensor

from maxsup._method_names import Ramp
from maxsup.losses._coefficient import Coefficient, Search
from maxsup.losses._inputs import read_inputs, wide
from maxsup.losses._loss import Loss
from maxsup.losses._method import Method
from maxsup.losses._reduction import reduce
from maxsup.losses._smoothed_target import warn_of_smoothed_target
from maxsup.losses._weighted_sum import as_number, weighted_sum
from maxsup.losses.numbers import at_target, scaled
from maxsup.schedules import Schedule

ALPHA = Coefficient("alpha", Ramp(0.1, 0.2), highest=1.0, search=Search(0.02, 0.5))


def label_smoothing_loss(
    logits: Tensor,
    target: Tensor,
    alpha: float | Tensor = 0.1,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy against the smoothed target s_k = (1 − α)·t_k + α/K (Szegedy et al. 2016).

    Without class weights this is CE + α·(Σ_k t_k·z_k − z̄): the true class's logit is pulled towards
    the mean even where the model is wrong (MaxSup paper, Theorem 3.3; Eq. 40 for mixed targets).

    It follows ``torch.nn.functional.cross_entropy(..., label_smoothing=, weight=)`` for index
    targets, since that is what its users expect: the smoothed target's parts are weighted class by
    class, −Σ_k s_k·w_k·log q_k, and ``mean`` divides by Σ_n w_{y_n}. The other objectives multiply
    a sample's whole loss by its target's weight instead. For probabilities ``mean`` divides by
    Σ_n Σ_k t_nk·w_k, where torch divides by the batch size. Probabilities must come unsmoothed, or
    they are smoothed twice: timm's ``Mixup`` smooths unless it is given ``label_smoothing=0``.

    Args:
        logits: Shape (N, K), (N, K, d1, ...) or (K,), any floating dtype. Classes whose logit is
            −inf are not available: α is shared by the others.
        target: Class indices or probabilities; see :func:`cross_entropy_loss`.
        alpha: Smoothing coefficient in [0, 1], a number or a 0-dimensional tensor (not checked).
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Returns:
        0-dimensional, or one value per position for ``none``; float32, or float64 for such logits.

    Raises:
        ValueError: An argument's shape, dtype, label, name or range is not as described.

    Example:
        >>> label_smoothing_loss(torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([0]), alpha=0.1)
        tensor(0.5076)
    """
    alpha = ALPHA.check(alpha)
    warn_of_smoothed_target(target, alpha)
    if weight is None:
        alpha = as_number(alpha)
        return weighted_sum(
            logits, target, weight, ignore_index, reduction, true=alpha - 1, mean=-alpha
        )

    inputs = read_inputs(logits, target, weight, ignore_index, reduction)
    assert inputs.class_weight is not None
    here = inputs.logits != -torch.inf
    # A weight of 0 must not meet the −inf of a class that is not available.
    weighted = torch.where(here, inputs.class_weight, 1.0) * wide(inputs.logits).log_softmax(dim=1)
    hard = -at_target(weighted, inputs.labels, inputs.probabilities)
    uniform = -torch.where(here, weighted, 0.0).sum(dim=1) / here.sum(dim=1)
    value = scaled(1 - alpha, hard) + scaled(alpha, uniform)
    # As without class weights: also with α = 1.
    value = torch.where((hard == torch.inf) & value.isfinite(), torch.inf, value)
    return reduce(value, inputs, reduction, weighted=True)


class LabelSmoothingLoss(Loss):
    """Label smoothing; the module of :func:`maxsup.functional.label_smoothing_loss`.

    Args:
        alpha: Smoothing coefficient in [0, 1], fixed or following a schedule.
        weight: Class weights, shape (K,), as torch's cross-entropy applies them.
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Example:
        >>> criterion = LabelSmoothingLoss(alpha=0.1)
        >>> criterion(torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([0]))
        tensor(0.5076)
    """

    function = staticmethod(label_smoothing_loss)

    alpha: Tensor

    def __init__(
        self,
        alpha: float | Schedule = 0.1,
        *,
        weight: Tensor | None = None,
        ignore_index: int | None = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        self.set_schedule(ALPHA, alpha)


METHOD = Method(
    name="label-smoothing",
    label="Label smoothing",
    summary="spreads α of the target over all classes; pulls down the true class's logit",
    build=lambda training, alpha: LabelSmoothingLoss(alpha),
    page_file="label_smoothing.md",
    coefficients=(ALPHA,),
)
