"""A small batch in the fewest operations: ``python benchmarks/loss.py --shapes 128x100`` shows it.

Where a batch on the CPU is small, each operation costs more than its arithmetic. Cross-entropy,
label smoothing and MaxSup are weighted sums of log-probabilities; this is the closed form of such a
sum, reduced.
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from maxsup.losses._inputs import Inputs, wide
from maxsup.losses._torch_private import changes
from maxsup.losses.numbers import plain
from maxsup.losses.numbers._names import Name
from maxsup.losses.numbers._top import top_class
from maxsup.losses.numbers.closed_form import mean_below

# Below so many logits one more pass over them is cheaper than the operations that save it.
_SMALL = 2**17
Factors = tuple[float, float | None, float | None]
"""Of the true class's log-probability, the largest and the mean; None leaves a term out."""


def weighted_sum(logits: Tensor, target: Tensor, factors: Factors, reduction: str) -> Tensor | None:
    """The reduced value of ordinary logits and labels.

    None where a label is no class, a class is not available, or the value is not finite: what then
    is right, or wrong, is said elsewhere.
    """
    labels = target.long()
    evaluated = _evaluate(logits.detach(), labels, factors, reduction)
    if evaluated is None:
        return None
    value: Tensor = _WeightedSum.apply(logits, labels, evaluated)
    return value


class _Evaluated(NamedTuple):
    """The value, and what its gradient is made of."""

    value: Tensor
    softmax: Tensor
    top_index: Tensor | None  # (N, 1, ...)
    factors: Factors
    reduction: str


def _evaluate(
    logits: Tensor, labels: Tensor, factors: Factors, reduction: str
) -> _Evaluated | None:
    """The value, if it is an ordinary one."""
    true, top, mean = factors
    logits = wide(logits)
    try:
        at_labels = logits.gather(1, labels.unsqueeze(1))
    except (RuntimeError, IndexError):  # on the CPU an index out of range raises
        return None
    softmax = logits.softmax(dim=1)
    if top is None:
        top_index, highest = None, logits.amax(dim=1, keepdim=True)
        log_top = softmax.amax(dim=1, keepdim=True).log_()
    else:
        top_index, highest = top_class(logits)
        log_top = softmax.gather(1, top_index).log_()

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
        value = torch.full((), total / count, dtype=logits.dtype, device="cpu")
        finite = math.isfinite(total)
    return _Evaluated(value, softmax, top_index, factors, reduction) if finite else None


def _total_below(logits: Tensor, highest: Tensor, mean: float) -> tuple[float, Tensor]:
    """The term c·mean_k (z_k − z_max) as a factor and distances that are to be added up."""
    if logits.numel() >= _SMALL:
        below = logits.mean(dim=1, keepdim=True) - highest
        # A mean of the logits as they are loses digits where the offset that they share is large
        # against their spread.
        if float(torch.linalg.vector_norm(highest, 1)) <= -8 * float(below.sum()):
            return mean, below
    return mean / logits.shape[1], logits - highest


class _WeightedSum(torch.autograd.Function):
    """∂/∂z_k = q_k + a·1{k = gt} + b·1{k = top} + c/K, times what reaches the value."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor, evaluated: _Evaluated) -> Tensor:
        if ctx.needs_input_grad[0]:
            # Looked at for a second backward alone, so that logits may be changed in place before
            # the first, as they may with torch's cross-entropy; the labels may not.
            ctx.save_for_backward(logits)
            ctx.dtype, ctx.top_index = logits.dtype, evaluated.top_index
            ctx.labels, ctx.changes_of_labels = labels, changes(labels)
            ctx.softmax = evaluated.softmax
            ctx.factors, ctx.reduction = evaluated.factors, evaluated.reduction
        return evaluated.value

    @staticmethod
    def backward(ctx: Any, of_value: Tensor) -> tuple[Tensor | None, ...]:
        labels, top_index = ctx.labels, ctx.top_index
        if changes(labels) != ctx.changes_of_labels:
            raise RuntimeError(
                "The target, needed for the gradient, has been modified by an inplace operation "
                "since the loss was computed from it; give the loss a copy, target.clone()."
            )
        true, top, mean = ctx.factors
        if plain.must_be_plain([of_value]):
            names: tuple[Name, ...] = ("true", "top", "mean")
            factors = dict(zip(names, ctx.factors, strict=True))
            factors = {name: factor for name, factor in factors.items() if factor is not None}

            def value_of(logits: Tensor) -> Tensor:
                inputs = Inputs(logits, labels, None, None, None, single=False)
                found = plain.numbers(inputs, tuple(factors))
                value = plain.weighted(found, tuple(factors.values()))
                if ctx.reduction == "none":
                    return value
                return value.mean() if ctx.reduction == "mean" else value.sum()

            (found,) = plain.differentiate(value_of, ctx.saved_tensors, [of_value])
            return found, None, None

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
            gradient.scatter_(1, top_index, top, reduce="add")
        each = 0.0 if mean is None else mean / num_classes
        if ctx.reduction == "none":
            gradient.add_(each).mul_(of_value.unsqueeze(1))
        else:
            # (each + gradient)·factor in one pass.
            factor = float(of_value) / (labels.numel() if ctx.reduction == "mean" else 1)
            offset = torch.full((), each * factor, dtype=gradient.dtype, device="cpu")
            torch.add(offset, gradient, alpha=factor, out=gradient)
        return gradient.to(ctx.dtype), None, None
