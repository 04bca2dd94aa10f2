"""The two terms inside label smoothing, and the ablation rows of the paper's Table 1."""

from typing import NamedTuple

import torch
from torch import Tensor

from maxsup.losses._coefficient import Coefficient, Search
from maxsup.losses._inputs import Inputs, read_inputs, wide
from maxsup.losses._loss import Loss
from maxsup.losses._method import Method
from maxsup.losses._reduction import reduce
from maxsup.losses.numbers import at_target, gap_sum, numbers, scaled, top_class
from maxsup.schedules import Schedule

ALPHA = Coefficient("alpha", 0.1, search=Search(0.02, 0.5))


class LabelSmoothingTerms(NamedTuple):
    """The two parts of α·(z_gt − z̄); their sum is the whole."""

    regularization: Tensor
    """≥ 0: pulls the true class's logit towards the smaller ones."""
    error_enhancement: Tensor
    """≤ 0: pushes the larger logits further above the true class's; 0 where the model is right."""


def label_smoothing_terms(
    logits: Tensor,
    target: Tensor,
    alpha: float | Tensor = 0.1,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
) -> LabelSmoothingTerms:
    """The two terms that label smoothing adds to cross-entropy (MaxSup paper, Corollary 3.4).

    ::

        regularization    = α/K·Σ_{z_m < z_gt} (z_gt − z_m)
        error enhancement = α/K·Σ_{z_n > z_gt} (z_gt − z_n)

    Under a soft target z_gt is Σ_k t_k·z_k, so the terms still add up to α·(Σ_k t_k·z_k − z̄), the
    penalty of label smoothing with Mixup or CutMix (Eq. 40). That holds as it stands where the
    target does not sum to 1, too; z_gt then depends on the offset that all logits share.

    Args:
        logits: Shape (N, K), (N, K, d1, ...) or (K,), any floating dtype. Classes whose logit is
            −inf are left out; K counts the others.
        target: Class indices or probabilities; see :func:`cross_entropy_loss`.
        alpha: Smoothing coefficient, a number ≥ 0 or a 0-dimensional tensor (not checked).
        weight: Class weights, shape (K,); each term is multiplied by its target's weight.
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Returns:
        Two tensors: 0-dimensional, or one value per position for ``none``.

    Raises:
        ValueError: An argument's shape, dtype, label, name or range is not as described.

    Example:
        >>> logits = torch.tensor([[2.0, 0.0, 1.0], [0.0, 3.0, 1.0]])
        >>> terms = label_smoothing_terms(logits, torch.tensor([0, 2]), alpha=0.3, reduction="none")
        >>> terms.regularization
        tensor([0.3000, 0.1000])
        >>> terms.error_enhancement
        tensor([ 0.0000, -0.2000])
    """
    alpha = ALPHA.check(alpha)
    inputs = read_inputs(logits, target, weight, ignore_index, reduction)
    highest = wide(inputs.logits.detach()).amax(dim=1)
    # 0, or NaN where the logits hold a NaN or +inf, which must be seen in either term.
    spoilt = highest - highest
    available = (inputs.logits != -torch.inf).sum(dim=1)
    inputs = inputs.widened()
    below, _ = _gaps(inputs)
    above, _ = _gaps(inputs, above=True)
    return LabelSmoothingTerms(
        reduce(scaled(alpha, below / available) + spoilt, inputs, reduction),
        reduce(scaled(-alpha, above / available) + spoilt, inputs, reduction),
    )


def ls_regularization_loss(
    logits: Tensor,
    target: Tensor,
    alpha: float | Tensor = 0.1,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy + α/M·Σ_{z_m < z_gt} (z_gt − z_m), M the number of logits below z_gt.

    Row "+ Regularization" of the MaxSup paper's Table 1. Divided by M instead of K, so this row
    and :func:`ls_error_enhancement_loss` do not add up to label smoothing; the terms that do are
    :func:`label_smoothing_terms`. Where no logit is below, the term is 0. Arguments, returned value
    and errors are those of :func:`label_smoothing_terms`.

    Example:
        >>> logits, target = torch.tensor([[0.0, 3.0, 1.0]]), torch.tensor([2])
        >>> ls_regularization_loss(logits, target, 0.1) - ls_regularization_loss(logits, target, 0)
        tensor(0.1000)
    """
    alpha = ALPHA.check(alpha)
    inputs = read_inputs(logits, target, weight, ignore_index, reduction).widened()
    (true,) = numbers(inputs, "true")
    below, count = _gaps(inputs)
    return reduce(_penalized(true, alpha, below / count.clamp(min=1)), inputs, reduction)


def ls_error_enhancement_loss(
    logits: Tensor,
    target: Tensor,
    alpha: float | Tensor = 0.1,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy + α/N·Σ_{z_n > z_gt} (z_gt − z_n), N the number of logits above z_gt.

    First row "+ Error-Enhancement" of the MaxSup paper's Table 1: it makes wrong answers more
    confident, and is here to show what that costs. Where no logit is above, the term is 0.
    Arguments, returned value and errors are those of :func:`label_smoothing_terms`.

    Example:
        >>> logits, target = torch.tensor([[0.0, 3.0, 1.0]]), torch.tensor([2])
        >>> with_term = ls_error_enhancement_loss(logits, target, 0.1)
        >>> with_term - ls_error_enhancement_loss(logits, target, 0)
        tensor(-0.2000)
    """
    alpha = ALPHA.check(alpha)
    inputs = read_inputs(logits, target, weight, ignore_index, reduction).widened()
    (true,) = numbers(inputs, "true")
    above, count = _gaps(inputs, above=True)
    # Their sum may be too large for a number where their mean is not.
    above = above.clamp(max=torch.finfo(above.dtype).max)
    return reduce(_penalized(true, alpha, -above / count.clamp(min=1)), inputs, reduction)


def ls_error_enhancement_top1_loss(
    logits: Tensor,
    target: Tensor,
    alpha: float | Tensor = 0.1,
    weight: Tensor | None = None,
    ignore_index: int | None = -100,
    reduction: str = "mean",
) -> Tensor:
    """Cross-entropy + α·(z_gt − z_max).

    Second row "+ Error-Enhancement" of the MaxSup paper's Table 1: the error enhancement of the
    largest logit alone, which is label smoothing minus MaxSup. Arguments, returned value and
    errors are those of :func:`label_smoothing_terms`.

    Example:
        >>> logits, target = torch.tensor([[0.0, 3.0, 1.0]]), torch.tensor([2])
        >>> with_term = ls_error_enhancement_top1_loss(logits, target, 0.1)
        >>> with_term - ls_error_enhancement_top1_loss(logits, target, 0)
        tensor(-0.2000)
    """
    alpha = ALPHA.check(alpha)
    inputs = read_inputs(logits, target, weight, ignore_index, reduction)
    true, top = numbers(inputs, "true", "top")
    if inputs.probabilities is None:
        return reduce(_penalized(true, alpha, true - top), inputs, reduction)
    # Σ_k t_k·z_k − z_max, from logarithms that are all measured from the same offset.
    total = inputs.probabilities.sum(dim=1)
    index = top_class(inputs.logits.detach())[0].squeeze(1)
    highest = wide(at_target(inputs.logits, index, None))
    gap = true - total * top + (total - 1) * highest
    return reduce(_penalized(true, alpha, gap), inputs, reduction)


def _gaps(inputs: Inputs, *, above: bool = False) -> tuple[Tensor, Tensor]:
    """Σ_k relu(z_gt − z_k), or Σ_k relu(z_k − z_gt), and how many terms are not 0."""
    if inputs.labels is not None:
        return gap_sum(inputs.logits, inputs.labels, above=above)
    assert inputs.probabilities is not None
    # A quarter of them, so that no distance is too large for a number.
    logits, available = wide(inputs.logits) / 4, inputs.logits != -torch.inf
    # Logits close to the true one are measured from where it is, so that a sum over the target
    # does not lose such differences.
    anchor = at_target(logits, None, inputs.probabilities).detach()
    anchor = torch.where(anchor == -torch.inf, 0.0, anchor).unsqueeze(1)
    centred = torch.where(available, logits - anchor, 0.0)
    true = at_target(centred, None, inputs.probabilities).unsqueeze(1)
    # What a target that does not sum to 1 takes of where they are measured from.
    true = true + (inputs.probabilities.sum(dim=1, keepdim=True) - 1) * anchor
    gap = centred - true if above else true - centred
    gap = torch.where(available, gap, 0.0).relu()
    return gap.sum(dim=1) * 4, (gap != 0).sum(dim=1)


def _penalized(true: Tensor, coefficient: float | Tensor, penalty: Tensor) -> Tensor:
    """Cross-entropy + coefficient·penalty, for a penalty that depends on the true class's logit.

    Where the true class is not available, the cross-entropy is +inf and the penalty may be −inf;
    the sum is +inf, as (1 − α)·inf + a finite rest is.

    Args:
        true: The log-probability of the true class, (N, ...).
        coefficient: Coefficient of the penalty.
        penalty: Shape (N, ...).
    """
    return torch.where(true == -torch.inf, -true, scaled(coefficient, penalty) - true)


class _AblationLoss(Loss):
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


class LSRegularizationLoss(_AblationLoss):
    """The module of :func:`maxsup.functional.ls_regularization_loss`.

    Args:
        alpha: Coefficient of the term, ≥ 0, fixed or following a schedule.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Example:
        >>> LSRegularizationLoss(0.1)(torch.tensor([[0.0, 3.0, 1.0]]), torch.tensor([2]))
        tensor(2.2698)
    """

    function = staticmethod(ls_regularization_loss)


class LSErrorEnhancementLoss(_AblationLoss):
    """The module of :func:`maxsup.functional.ls_error_enhancement_loss`.

    Args:
        alpha: Coefficient of the term, ≥ 0, fixed or following a schedule.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Example:
        >>> LSErrorEnhancementLoss(0.1)(torch.tensor([[0.0, 3.0, 1.0]]), torch.tensor([2]))
        tensor(1.9698)
    """

    function = staticmethod(ls_error_enhancement_loss)


class LSErrorEnhancementTop1Loss(_AblationLoss):
    """The module of :func:`maxsup.functional.ls_error_enhancement_top1_loss`.

    Args:
        alpha: Coefficient of the term, ≥ 0, fixed or following a schedule.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Example:
        >>> LSErrorEnhancementTop1Loss(0.1)(torch.tensor([[0.0, 3.0, 1.0]]), torch.tensor([2]))
        tensor(1.9698)
    """

    function = staticmethod(ls_error_enhancement_top1_loss)


METHODS = (
    Method(
        name="ls-regularization",
        label="LS, regularization only",
        summary="the half of label smoothing that restrains right answers (ablation, Table 1)",
        build=lambda training, alpha: LSRegularizationLoss(alpha),
        page_file="label_smoothing_terms.md",
        coefficients=(ALPHA,),
    ),
    Method(
        name="ls-error-enhancement",
        label="LS, error enhancement only",
        summary="the half of label smoothing that inflates wrong answers (ablation, Table 1)",
        build=lambda training, alpha: LSErrorEnhancementLoss(alpha),
        page_file="label_smoothing_terms.md",
        coefficients=(ALPHA,),
    ),
    Method(
        name="ls-error-enhancement-top1",
        label="LS, error enhancement of the top logit",
        summary="the difference between label smoothing and MaxSup (ablation, Table 1)",
        build=lambda training, alpha: LSErrorEnhancementTop1Loss(alpha),
        page_file="label_smoothing_terms.md",
        coefficients=(ALPHA,),
    ),
)
