"""The two terms inside label smoothing, and the ablation rows of the paper's Table 1."""

from typing import NamedTuple

import torch
from torch import Tensor

from maxsup.losses import _terms
from maxsup.losses._inputs import Inputs, read_inputs
from maxsup.losses._loss import Loss
from maxsup.losses._method import Method
from maxsup.losses._reduction import check_strength, reduce
from maxsup.schedules import Schedule


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
    ignore_index: int = -100,
    reduction: str = "mean",
) -> LabelSmoothingTerms:
    """The two terms that label smoothing adds to cross-entropy (MaxSup paper, Corollary 3.4).

    ::

        regularization    = α/K·Σ_{z_m < z_gt} (z_gt − z_m)
        error enhancement = α/K·Σ_{z_n > z_gt} (z_gt − z_n)

    Under a soft target z_gt is Σ_k t_k·z_k, so the terms still add up to α·(Σ_k t_k·z_k − z̄), the
    penalty of label smoothing with Mixup or CutMix (Eq. 40).

    Args:
        logits: Shape (N, K), (N, K, d1, ...) or (K,), any floating dtype. Classes whose logit is
            −inf are left out; K counts the others.
        target: Class indices or probabilities; see :func:`cross_entropy_loss`.
        alpha: Smoothing weight, a number ≥ 0 or a 0-dimensional tensor (not checked).
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
    check_strength("alpha", alpha)
    inputs = read_inputs(logits, target, weight, ignore_index, reduction)
    below, above, available = _gaps(inputs)
    count = available.sum(dim=1)
    return LabelSmoothingTerms(
        reduce(alpha * below.sum(dim=1) / count, inputs, reduction),
        reduce(alpha * above.sum(dim=1) / count, inputs, reduction),
    )


def ls_regularization_loss(
    logits: Tensor,
    target: Tensor,
    alpha: float | Tensor = 0.1,
    weight: Tensor | None = None,
    ignore_index: int = -100,
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
    check_strength("alpha", alpha)
    inputs = read_inputs(logits, target, weight, ignore_index, reduction)
    below, _, _ = _gaps(inputs)
    return reduce(_terms.penalized(inputs, alpha, _mean_of_nonzero(below)), inputs, reduction)


def ls_error_enhancement_loss(
    logits: Tensor,
    target: Tensor,
    alpha: float | Tensor = 0.1,
    weight: Tensor | None = None,
    ignore_index: int = -100,
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
    check_strength("alpha", alpha)
    inputs = read_inputs(logits, target, weight, ignore_index, reduction)
    _, above, _ = _gaps(inputs)
    return reduce(_terms.penalized(inputs, alpha, _mean_of_nonzero(above)), inputs, reduction)


def ls_error_enhancement_top1_loss(
    logits: Tensor,
    target: Tensor,
    alpha: float | Tensor = 0.1,
    weight: Tensor | None = None,
    ignore_index: int = -100,
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
    check_strength("alpha", alpha)
    inputs = read_inputs(logits, target, weight, ignore_index, reduction)
    penalty = _terms.true_log_prob(inputs) - _terms.top_log_prob(inputs)
    return reduce(_terms.penalized(inputs, alpha, penalty), inputs, reduction)


def _gaps(inputs: Inputs) -> tuple[Tensor, Tensor, Tensor]:
    """z_gt − z_k where z_k is below, and where it is above (0 elsewhere); the available classes."""
    available = _terms.available(inputs)
    # Logits close to the true one are compared with it itself: far below the top, log-probabilities
    # have lost such differences.
    anchor = _terms.at_target(inputs, inputs.logits).detach()
    anchor = torch.where(anchor == -torch.inf, 0.0, anchor).unsqueeze(1)
    centred = torch.where(available, inputs.logits - anchor, 0.0)
    true = _terms.at_target(inputs, centred).unsqueeze(1)
    gap = torch.where(available, true - centred, 0.0)
    # A NaN or +inf among the logits makes all log-probabilities NaN; it must be seen here too.
    gap = torch.where(inputs.log_probs.isnan(), inputs.log_probs, gap)
    # relu(NaN) is NaN, as a comparison with a NaN would not be.
    return gap.relu(), -(-gap).relu(), available


def _mean_of_nonzero(gap: Tensor) -> Tensor:
    return gap.sum(dim=1) / (gap != 0).sum(dim=1).clamp(min=1)


class _AblationLoss(Loss):
    alpha: Tensor

    def __init__(
        self,
        alpha: float | Schedule = 0.1,
        *,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        self.set_schedule("alpha", alpha)


class LSRegularizationLoss(_AblationLoss):
    """The module of :func:`maxsup.functional.ls_regularization_loss`.

    Args:
        alpha: Weight of the term, ≥ 0, fixed or following a schedule.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Example:
        >>> LSRegularizationLoss(0.1)(torch.tensor([[0.0, 3.0, 1.0]]), torch.tensor([2]))
        tensor(2.2698)
    """

    _function = staticmethod(ls_regularization_loss)


class LSErrorEnhancementLoss(_AblationLoss):
    """The module of :func:`maxsup.functional.ls_error_enhancement_loss`.

    Args:
        alpha: Weight of the term, ≥ 0, fixed or following a schedule.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Example:
        >>> LSErrorEnhancementLoss(0.1)(torch.tensor([[0.0, 3.0, 1.0]]), torch.tensor([2]))
        tensor(1.9698)
    """

    _function = staticmethod(ls_error_enhancement_loss)


class LSErrorEnhancementTop1Loss(_AblationLoss):
    """The module of :func:`maxsup.functional.ls_error_enhancement_top1_loss`.

    Args:
        alpha: Weight of the term, ≥ 0, fixed or following a schedule.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.

    Example:
        >>> LSErrorEnhancementTop1Loss(0.1)(torch.tensor([[0.0, 3.0, 1.0]]), torch.tensor([2]))
        tensor(1.9698)
    """

    _function = staticmethod(ls_error_enhancement_top1_loss)


METHODS = (
    Method(
        name="ls-regularization",
        label="LS, regularization only",
        summary="the half of label smoothing that restrains right answers (ablation, Table 1)",
        build=lambda training: LSRegularizationLoss(),
        page_file="label_smoothing_terms.md",
    ),
    Method(
        name="ls-error-enhancement",
        label="LS, error enhancement only",
        summary="the half of label smoothing that inflates wrong answers (ablation, Table 1)",
        build=lambda training: LSErrorEnhancementLoss(),
        page_file="label_smoothing_terms.md",
    ),
    Method(
        name="ls-error-enhancement-top1",
        label="LS, error enhancement of the top logit",
        summary="the difference between label smoothing and MaxSup (ablation, Table 1)",
        build=lambda training: LSErrorEnhancementTop1Loss(),
        page_file="label_smoothing_terms.md",
    ),
)
