"""Compiled code in half of torch's time at 128,256 classes: ``python benchmarks/loss.py`` shows it.

It is written for a compiler to fuse into one loop per direction. Only numbers per example are kept
for the gradient; the softmax is computed anew from them. What makes good loops differs: on a GPU
the logits should be read as seldom as possible, and to compare each index with the top's costs
nothing beside that. On a CPU a loop is bound by what it does to a logit once it is read, so the top
is sought in one short block, and its entry in the gradient is written when the loop is over.
"""

from typing import Any

import torch
from torch import Tensor

from maxsup.losses._inputs import Inputs, wide
from maxsup.losses.numbers._names import Name
from maxsup.losses.numbers.plain import LEAST_LOG_PROB, at_target

_BLOCK = 64
# Below so many classes one pass over all of them is cheaper than the operations that save it.
_FEW = 256


def numbers(
    inputs: Inputs, names: tuple[Name, ...], other: Tensor | None = None
) -> tuple[Tensor, ...]:
    """The numbers; the logits may hold anything at ignored positions."""
    found: tuple[Tensor, ...] = _Traced.apply(
        inputs.logits, inputs.labels, inputs.probabilities, other, names, inputs.kept
    )
    return found


class _Traced(torch.autograd.Function):
    """The numbers with their gradient in closed form, for compilers to look into.

    What lies at ignored positions is looked at, and reaches neither the numbers nor the gradient.
    """

    @staticmethod
    def forward(
        ctx: Any,
        logits: Tensor,
        labels: Tensor | None,
        probabilities: Tensor | None,
        other: Tensor | None,
        names: tuple[Name, ...],
        kept: Tensor | None,
    ) -> tuple[Tensor, ...]:
        values = wide(logits)
        top = entropy = per_class = None
        if "top" in names:
            highest, top = _top(values)
        else:
            highest = values.amax(dim=1, keepdim=True)
        below = values - highest
        here = logits != -torch.inf
        log_top = -below.exp().sum(dim=1, keepdim=True).log()
        if top is not None:
            # Compilers leave to the backward, as a pass of its own, what no number depends on.
            log_top = log_top + 0 * top
            top = top.to(torch.int32)
        found = {"top": log_top.squeeze(1)}
        if "true" in names:
            found["true"] = at_target(below + log_top, labels, probabilities)
        if "other" in names:
            found["other"] = at_target(below + log_top, other, None)
        if "mean" in names:
            # Divided here and not in each step of the gradient's loop.
            per_class = 1 / here.to(below.dtype).sum(dim=1, keepdim=True)
            total = torch.where(here, below, 0.0).sum(dim=1, keepdim=True)
            found["mean"] = (total * per_class + log_top).squeeze(1)
        if "entropy" in names:
            log_probs = (below + log_top).clamp(min=LEAST_LOG_PROB)
            softmax = (below + log_top).exp()
            entropy = -(softmax * log_probs).sum(dim=1, keepdim=True)
            found["entropy"] = entropy.squeeze(1)
        if "squares" in names:
            found["squares"] = torch.where(here, values, 0.0).square().sum(dim=1)
        ctx.save_for_backward(
            logits, labels, probabilities, other, kept, top, highest, log_top, entropy, per_class
        )
        ctx.names = names
        if kept is None:
            return tuple(found[name] for name in names)
        return tuple(torch.where(kept, found[name], 0.0) for name in names)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        logits, labels, probabilities, other, kept, top, highest, log_top, entropy, per_class = (
            ctx.saved_tensors
        )
        of = {name: given.unsqueeze(1) for name, given in zip(ctx.names, gradients, strict=True)}
        # Above it a logit counts. One selection serves classes that are not available and
        # positions that are ignored, whatever lies there.
        floor = torch.full_like(log_top, -torch.inf)
        if kept is not None:
            kept = kept.unsqueeze(1)
            of = {name: torch.where(kept, given, 0.0) for name, given in of.items()}
            floor = torch.where(kept, floor, torch.inf)
        factor = -sum(of[name] for name in ("other", "top", "mean") if name in of)
        soft = labels is None and "true" in of
        if "true" in of:
            of_labels = of["true"] * probabilities.sum(dim=1, keepdim=True) if soft else of["true"]
            factor = factor - of_labels
        per_row = {"floor": floor, "factor": factor + torch.zeros_like(log_top)}
        if "mean" in of:
            per_row["of_mean"] = of["mean"] * per_class
        if soft:
            per_row["true"] = of["true"]
        per_row.update({name: of[name] for name in ("entropy", "squares") if name in of})
        entries = {}  # the indices of single classes, and what these get
        if "true" in of and labels is not None:
            entries["true"] = labels.unsqueeze(1)
        if "top" in of:
            entries["top"] = top
        if "other" in of:
            entries["other"] = other.unsqueeze(1)
        on_cpu = logits.device.type == "cpu"
        if on_cpu:
            # A loop of its own, or each step of the loop over the logits would compute them.
            per_row = dict(zip(per_row, torch.stack(list(per_row.values())), strict=True))

        def spread(some: Tensor, their_probabilities: Tensor | None) -> Tensor:
            """What each logit gets, single classes' entries aside."""
            # Neither the difference nor the mask is written as in the forward: a compiler would see
            # that they are the same, and keep them from there for every logit.
            values = wide(some)
            here = values > per_row["floor"]
            log_probs = log_top - (highest - values)
            multiple = per_row["factor"]
            if "entropy" in of:
                spread_out = log_probs.clamp(min=LEAST_LOG_PROB) + entropy
                multiple = multiple - per_row["entropy"] * spread_out
            gradient = multiple * log_probs.exp()
            if "mean" in of:
                gradient = gradient + per_row["of_mean"]
            if "squares" in of:
                gradient = gradient + 2 * per_row["squares"] * values
            gradient = torch.where(here, gradient, 0.0)
            if their_probabilities is not None:
                gradient = gradient + per_row["true"] * their_probabilities
            return gradient

        gradient = spread(logits, probabilities if soft else None)
        if entries and on_cpu:
            # All in one go, for the compiler copies the gradient before a second.
            index = torch.cat([index.long() for index in entries.values()], dim=1)
            at_index = spread(
                logits.gather(1, index), probabilities.gather(1, index) if soft else None
            ) + sum(torch.where(index == single, of[name], 0.0) for name, single in entries.items())
            gradient = gradient.to(logits.dtype).scatter(1, index, at_index.to(logits.dtype))
        elif entries:
            indices = _indices(logits, torch.int32)
            gradient = gradient + sum(
                torch.where(indices == single.to(torch.int32), of[name], 0.0)
                for name, single in entries.items()
            )
        return gradient.to(logits.dtype), None, None, None, None, None


def _top(values: Tensor) -> tuple[Tensor, Tensor]:
    """The largest logit and its first index, in floating point; (N, 1, ...) each.

    Even the index is a minimum, which compilers make better loops of than of a search; and whole
    numbers up to 2²⁴ are exact in float32, which vectorises better than int64. Where nothing equals
    the largest, which is NaN then, the index is the last.
    """
    num_classes = values.shape[1]
    if values.device.type != "cpu" or values.dim() != 2 or num_classes < _FEW:
        highest = values.amax(dim=1, keepdim=True)
        return highest, _first(values - highest == 0)
    whole = num_classes // _BLOCK * _BLOCK
    maxima = values[:, :whole].unflatten(1, (-1, _BLOCK)).amax(dim=2)
    if whole < num_classes:
        maxima = torch.cat((maxima, values[:, whole:].amax(dim=1, keepdim=True)), dim=1)
    highest = maxima.amax(dim=1, keepdim=True)
    start = _first(maxima == highest) * _BLOCK
    # The last block may be short: it has its last class several times, after the first.
    inside = torch.arange(_BLOCK, device=values.device)
    block = values.gather(1, (start.long() + inside).clamp(max=num_classes - 1))
    return highest, (start + _first(block == highest)).clamp(max=num_classes - 1)


def _first(holds: Tensor) -> Tensor:
    """The first index along axis 1 where it holds; the last where it holds nowhere."""
    indices = _indices(holds, torch.float32)
    return torch.where(holds, indices, holds.shape[1] - 1.0).amin(dim=1, keepdim=True)


def _indices(values: Tensor, dtype: torch.dtype) -> Tensor:
    """0 to K − 1 along axis 1."""
    indices = torch.arange(values.shape[1], dtype=dtype, device=values.device)
    return indices.reshape(-1, *[1] * (values.dim() - 2))
