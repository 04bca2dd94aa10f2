"""Objectives that add up log-probabilities: of the true class, of the top, and their mean.

Cross-entropy, label smoothing and MaxSup are of this kind, and so are most of the calls that
training makes. For labels without class weights or ignored positions, value and gradient are
computed on the CPU in as few operations as there are: where the batch is small, each costs more
than its arithmetic.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeGuard

import torch
from torch import Tensor

from maxsup.losses._inputs import (
    REDUCTIONS,
    Inputs,
    read_inputs,
    values_can_be_seen,
    wide,
)
from maxsup.losses._reduction import reduce
from maxsup.losses._statistics import (
    closed_form_serves,
    is_traced,
    mean_below,
    statistics,
)
from maxsup.losses._top import top_class
from maxsup.losses._traced import Name


def combine(
    logits: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    *,
    true: float | Tensor,
    top: float | Tensor | None = None,
    mean: float | Tensor | None = None,
) -> Tensor:
    """a·Σ_k t_k·log q_k + b·max_k log q_k + c·mean_k log q_k, with a + b + c = −1, reduced.

    Where the true class is not available, the value is +inf.

    Args:
        logits: As those after it, what the caller of an objective gave; not checked yet.
        target: Class indices or probabilities.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.
        true: a, a number or a 0-dimensional tensor, as are the others.
        top: b; None leaves the term out.
        mean: c; None leaves the term out.

    Raises:
        ValueError: An argument's shape, dtype, label or name is not as it should be.
    """
    weights = (true, top, mean)
    if is_traced():
        _let_into_graphs()
        return _compose(logits, target, weight, ignore_index, reduction, *weights)
    if (
        weight is None
        and _are_plain(logits, target, ignore_index, reduction)
        and _are_numbers(weights)
    ):
        target = target.long()
        evaluated = _evaluate(logits.detach(), target, weights, reduction)
        if evaluated is not None:
            found: Tensor = _ClosedForm.apply(logits, target, evaluated)
            return found
    return _compose(logits, target, weight, ignore_index, reduction, *weights)


def as_number(coefficient: float | Tensor) -> float | Tensor:
    """A coefficient as a number where that costs no waiting and nobody differentiates it."""
    if isinstance(coefficient, Tensor) and values_can_be_seen(coefficient):
        return coefficient if coefficient.requires_grad else float(coefficient)
    return coefficient


# Below so many logits one more pass over them is cheaper than the operations that save it.
_SMALL = 2**17
_LABEL_DTYPES = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.uint16)
_Weights = tuple[float | Tensor, float | Tensor | None, float | Tensor | None]
_Numbers = tuple[float, float | None, float | None]


def _are_numbers(weights: _Weights) -> TypeGuard[_Numbers]:
    return not any(isinstance(weight, Tensor) for weight in weights)


def _are_plain(logits: Tensor, target: Tensor, ignore_index: int, reduction: str) -> bool:
    """Whether these are a batch of logits and its labels, on the CPU, with nothing to hide."""
    return (
        type(logits) in (Tensor, torch.nn.Parameter)
        and type(target) is Tensor
        and target.dtype in _LABEL_DTYPES
        and logits.is_floating_point()
        and logits.dim() >= 2
        and logits.numel() > 0
        and target.shape == logits.shape[:1] + logits.shape[2:]
        and not 0 <= ignore_index < logits.shape[1]
        and reduction in REDUCTIONS
        and logits.device.type == target.device.type == "cpu"
        and closed_form_serves(logits)
    )


def _compose(
    logits: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    *weights: float | Tensor | None,
) -> Tensor:
    """The value from its numbers, whatever the target, the class weights and the device."""
    inputs = read_inputs(
        logits, target, weight, ignore_index, reduction, mask_logits=not is_traced()
    )
    return _sum_up(inputs, weights, reduction)


def _let_into_graphs() -> None:
    """Have compilers take :func:`_compose` as one operation of their graph, to be fused later.

    They would otherwise look at each function and constant that it names before every call of the
    compiled code, which takes longer than a small batch. It is done where compiling begins, as it
    loads the whole compiler.
    """
    torch.compiler.allow_in_graph(_compose)


# What torch.compiler.assume_constant_result does; so it is called, and not looked into.
_let_into_graphs._dynamo_marked_constant = True  # type: ignore[attr-defined]


def _sum_up(inputs: Inputs, weights: Sequence[float | Tensor | None], reduction: str) -> Tensor:
    """The same, of arguments that have been read."""
    names: tuple[Name, ...] = ("true", "top", "mean")
    wanted = {
        name: weight for name, weight in zip(names, weights, strict=True) if weight is not None
    }
    numbers = statistics(inputs, *wanted)
    value = torch.zeros_like(numbers[0])
    for factor, number in zip(wanted.values(), numbers, strict=True):
        value = value + factor * number
    return reduce(torch.where(numbers[0] == -torch.inf, torch.inf, value), inputs, reduction)


class _Evaluated(NamedTuple):
    """The value, and what its gradient is made of."""

    value: Tensor
    softmax: Tensor
    place: Tensor | None  # of the top, (N, 1, ...)
    weights: _Numbers
    reduction: str


def _evaluate(
    logits: Tensor, labels: Tensor, weights: _Numbers, reduction: str
) -> _Evaluated | None:
    """The value of ordinary logits.

    None where a label is no class, a class is not available, or the value is not finite: what then
    is right, or wrong, is said elsewhere.
    """
    true, top, mean = weights
    logits = wide(logits)
    try:
        at_labels = logits.gather(1, labels.unsqueeze(1))
    except (RuntimeError, IndexError):  # on the CPU an index out of range raises
        return None
    softmax = logits.softmax(dim=1)
    if top is None:
        place, highest = None, logits.amax(dim=1, keepdim=True)
        log_top = softmax.amax(dim=1, keepdim=True).log_()
    else:
        place, highest = top_class(logits)
        log_top = softmax.gather(1, place).log_()

    # A log-probability is the distance to the highest logit, exact for logits of any size, plus the
    # highest log-probability.
    terms = [(-1.0, log_top), (-true, highest - at_labels)]
    if mean is not None and reduction != "none":
        terms.append(_total_below(logits, highest, mean))
    elif mean is not None:
        below, available = mean_below(logits, highest)
        if isinstance(available, Tensor):
            return None
        terms.append((mean, below))
    if reduction == "none":
        value = torch.zeros_like(log_top)
        for factor, term in terms:
            value.add_(term, alpha=factor)
        value = value.squeeze(1)
        finite = math.isfinite(float(value.sum()))
    else:
        total = sum(factor * float(term.sum()) for factor, term in terms)
        count = labels.numel() if reduction == "mean" else 1
        value = torch.full((), total / count, dtype=logits.dtype)
        finite = math.isfinite(total)
    return _Evaluated(value, softmax, place, weights, reduction) if finite else None


def _total_below(logits: Tensor, highest: Tensor, mean: float) -> tuple[float, Tensor]:
    """The term c·mean_k (z_k − z_max) as a factor and distances that are to be added up."""
    if logits.numel() >= _SMALL:
        below = logits.mean(dim=1, keepdim=True) - highest
        # A mean of the logits as they are loses digits where the offset that they share is large
        # against their spread.
        if float(torch.linalg.vector_norm(highest, 1)) <= -8 * float(below.sum()):
            return mean, below
    return mean / logits.shape[1], logits - highest


class _ClosedForm(torch.autograd.Function):
    """∂/∂z_k = q_k + a·1{k = gt} + b·1{k = top} + c/K, times what reaches the value."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor, evaluated: _Evaluated) -> Tensor:
        if ctx.needs_input_grad[0]:
            # Looked at for a second backward alone, so that logits may be changed in place before
            # the first, as they may with torch's cross-entropy.
            ctx.save_for_backward(logits)
            ctx.dtype, ctx.labels, ctx.place = logits.dtype, labels, evaluated.place
            ctx.softmax = evaluated.softmax
            ctx.weights, ctx.reduction = evaluated.weights, evaluated.reduction
        return evaluated.value

    @staticmethod
    def backward(ctx: Any, of_value: Tensor) -> tuple[Tensor | None, ...]:
        labels, place = ctx.labels, ctx.place
        true, top, mean = ctx.weights
        if torch.is_grad_enabled():
            (logits,) = ctx.saved_tensors
            inputs = Inputs(logits, labels, None, None, None, single=False)
            value = _sum_up(inputs, ctx.weights, ctx.reduction)
            (second,) = torch.autograd.grad(value, logits, of_value, create_graph=True)
            return second, None, None

        # The softmax becomes the gradient where it lies. A graph that is kept for another backward
        # finds it gone, and computes it anew.
        gradient, ctx.softmax = ctx.softmax, None
        if gradient is None:
            gradient = wide(*ctx.saved_tensors).softmax(dim=1)
        num_classes = gradient.shape[1]
        if num_classes == 1:
            # The log-probability of the only class is always 0; rounding must not say otherwise.
            return gradient.zero_().to(ctx.dtype), None, None

        gradient.scatter_(1, labels.unsqueeze(1), true, reduce="add")
        if top is not None:
            gradient.scatter_(1, place, top, reduce="add")
        share = 0.0 if mean is None else mean / num_classes
        if ctx.reduction == "none":
            gradient.add_(share).mul_(of_value.unsqueeze(1))
        else:
            # (share + gradient)·factor in one pass.
            factor = float(of_value) / (labels.numel() if ctx.reduction == "mean" else 1)
            offset = torch.full((), share * factor, dtype=gradient.dtype)
            torch.add(offset, gradient, alpha=factor, out=gradient)
        return gradient.to(ctx.dtype), None, None
