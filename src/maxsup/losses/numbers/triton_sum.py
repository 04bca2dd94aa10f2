"""A whole loss in few launches on a GPU: ``python benchmarks/gpu.py losses`` shows it.

What a loss of single numbers costs on a GPU is not its arithmetic but the launching of its
operations: of the forty that label smoothing and MaxSup are made of, backward included, each takes
longer to ask for than to do on all but the largest batches. Here one kernel reads the logits and
writes each example's value, and another reads them again and writes the gradient; between them
there are only the sums over the examples.
"""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from maxsup.losses._inputs import Inputs
from maxsup.losses.numbers import plain
from maxsup.losses.numbers._names import Name
from maxsup.losses.numbers.closed_form_sum import Factors
from maxsup.losses.numbers.triton import (
    DTYPES,
    MOST_TO_READ,
    MOST_TO_WRITE,
    READ_BY_A_WARP,
    WRITTEN_BY_A_WARP,
    warps,
)

__all__ = ["DTYPES", "weighted_sum"]


def weighted_sum(
    logits: Tensor, labels: Tensor, factors: Factors, ignore_index: int, reduction: str
) -> Tensor:
    """The reduced value of rows of logits, whose classes lie side by side, and their labels.

    Args:
        logits: Shape (N, K), of one of ``DTYPES``, on a CUDA device.
        labels: Shape (N,), int64. One that is neither a class nor ``ignore_index`` gives NaN.
        factors: Of the true class's log-probability, the largest and the mean.
        ignore_index: The label of examples whose value and gradient are 0.
        reduction: ``none``, ``sum`` or ``mean``.
    """
    value: Tensor = _WeightedSum.apply(logits, labels, factors, ignore_index, reduction)
    return value


class _WeightedSum(torch.autograd.Function):
    """∂/∂z_k = q_k + a·1{k = gt} + b·1{k = top} + c/K, times what reaches the value."""

    @staticmethod
    def forward(
        ctx: Any,
        logits: Tensor,
        labels: Tensor,
        factors: Factors,
        ignore_index: int,
        reduction: str,
    ) -> Tensor:
        per_row, top = read_rows(logits, labels, factors, ignore_index)
        # The value must share no memory with what is kept for the gradient: it may be changed in
        # place, as in ``loss /= steps``.
        count = None
        if reduction == "none":
            value = per_row[0].clone()
        elif reduction == "sum":
            value = per_row[0].sum()
        else:
            total, counted = per_row[:2].sum(1)
            count = counted.clamp(min=1.0)
            value = total / count
        if ctx.needs_input_grad[0]:
            ctx.save_for_backward(logits, labels, per_row, top, count)
            ctx.factors, ctx.ignore_index, ctx.reduction = factors, ignore_index, reduction
        return value

    @staticmethod
    def backward(ctx: Any, of_value: Tensor) -> tuple[Tensor | None, ...]:
        logits, labels, per_row, top, count = ctx.saved_tensors
        if plain.must_be_plain([of_value]):
            (found,) = plain.differentiate(
                lambda z: _by_plain_operations(
                    z, labels, ctx.factors, ctx.ignore_index, ctx.reduction
                ),
                [logits],
                [of_value],
            )
        else:
            found = write_gradient(
                logits,
                labels,
                per_row,
                top,
                count,
                of_value,
                ctx.factors,
                ctx.ignore_index,
            )
        return found, None, None, None, None


def _by_plain_operations(
    logits: Tensor, labels: Tensor, factors: Factors, ignore_index: int, reduction: str
) -> Tensor:
    kept = labels != ignore_index
    inputs = Inputs(logits, torch.where(kept, labels, 0), None, kept, None, single=False)
    names: tuple[Name, ...] = ("true", "top", "mean")
    named = {name: factor for name, factor in zip(names, factors, strict=True) if factor}
    found = plain.numbers(inputs.masked(), tuple(named))
    value = torch.where(kept, plain.weighted(found, tuple(named.values())), 0.0)
    if reduction == "none":
        return value
    return value.sum() if reduction == "sum" else value.sum() / kept.sum().clamp(min=1)


def read_rows(
    logits: Tensor, labels: Tensor, factors: Factors, ignore_index: int, block: int = 0
) -> tuple[Tensor, Tensor]:
    """What is found in one reading.

    Args:
        logits: As :func:`weighted_sum` has them, as are those after it.
        labels: Shape (N,).
        factors: a, b and c.
        ignore_index: The label of examples whose value is 0.
        block: Logits to a block, a power of two; 0 chooses.

    Returns:
        Five float32 numbers an example, shape (5, N): the value; 1, or 0 where it is ignored; the
        largest logit; log Σ_k exp(z_k − z_max); how many classes are available. And the first class
        with the largest logit, shape (N,), int32.
    """
    rows, classes = logits.shape
    per_row = torch.empty((5, rows), dtype=torch.float32, device=logits.device)
    top = torch.empty(rows, dtype=torch.int32, device=logits.device)
    if rows:
        width = block or min(triton.next_power_of_2(classes), MOST_TO_READ)
        true, highest, mean = factors
        with on_device_of(logits):
            _read_row[(rows,)](
                logits,
                labels,
                per_row,
                top,
                rows,
                logits.stride(0),
                classes,
                ignore_index,
                float(true),
                float(highest or 0.0),
                float(mean or 0.0),
                bool(highest),
                bool(mean),
                width,
                num_warps=warps(width, READ_BY_A_WARP),
            )
    return per_row, top


def write_gradient(
    logits: Tensor,
    labels: Tensor,
    per_row: Tensor,
    top: Tensor,
    count: Tensor | None,
    of_value: Tensor,
    factors: Factors,
    ignore_index: int,
    block: int = 0,
) -> Tensor:
    """The gradient, shape (N, K), in the logits' dtype.

    Args:
        logits: As :func:`weighted_sum` has them, as are the labels and the last ones.
        labels: Shape (N,).
        per_row: As :func:`read_rows` gave them, as is ``top``.
        top: Shape (N,).
        count: Of a mean the number of examples that it is over, 0-dimensional.
        of_value: What reaches the value, 0-dimensional, or of shape (N,) for ``none``.
        factors: a, b and c.
        ignore_index: The label of examples whose gradient is 0.
        block: Logits to a block, a power of two; 0 chooses.
    """
    rows, classes = logits.shape
    gradient = torch.empty((rows, classes), dtype=logits.dtype, device=logits.device)
    if rows:
        width = block or min(triton.next_power_of_2(classes), MOST_TO_WRITE)
        true, highest, mean = factors
        with on_device_of(logits):
            _write_row[(rows, triton.cdiv(classes, width))](
                logits,
                labels,
                per_row,
                top,
                labels if count is None else count,
                of_value,
                gradient,
                rows,
                logits.stride(0),
                of_value.stride(0) if of_value.dim() else 0,
                classes,
                ignore_index,
                float(true),
                float(highest or 0.0),
                float(mean or 0.0),
                count is not None,
                width,
                num_warps=warps(width, WRITTEN_BY_A_WARP),
            )
    return gradient


def on_device_of(tensor: Tensor) -> AbstractContextManager[object]:
    """Launch where the tensor is, whatever device is the current one."""
    if not tensor.is_cuda:  # the interpreter's
        return contextlib.nullcontext()
    guard: Callable[[int], AbstractContextManager[object]] = torch.cuda.device
    return guard(tensor.get_device())


@triton.jit
def _read_row(
    logits,
    labels,
    per_row,
    top_of,
    rows,
    stride,
    classes,
    ignore_index,
    of_true,
    of_top,
    of_mean,
    with_top: tl.constexpr,
    with_mean: tl.constexpr,
    width: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    start = logits + row * stride
    highest = float("-inf")
    total = 0.0
    below = 0.0
    count = 0.0
    top = 0
    for first in range(0, classes, width):
        indices = first + tl.arange(0, width)
        z = tl.load(start + indices, mask=indices < classes, other=float("-inf")).to(tl.float32)
        here = z != float("-inf")
        highest_here = tl.max(z, axis=0)
        index = tl.min(tl.where(z == highest_here, indices, classes), axis=0)
        top = tl.where(highest_here > highest, index, top)
        new = tl.maximum(highest, highest_here)
        # While all classes so far are missing, any finite number stands for the highest.
        anchor = tl.where(new == float("-inf"), 0.0, new)
        moved = tl.where(count > 0, highest - anchor, 0.0)
        total = total * tl.exp(moved) + tl.sum(tl.exp(z - anchor), axis=0)
        below += count * moved + tl.sum(tl.where(here, z - anchor, 0.0), axis=0)
        count += tl.sum(here.to(tl.float32), axis=0)
        highest = new
    log_sum = tl.log(total)
    # Nothing available, or an infinite logit: no number of such a row means anything.
    log_sum = tl.where(tl.abs(highest) == float("inf"), float("nan"), log_sum)
    label = tl.load(labels + row)
    ignored = label == ignore_index
    # A label that is no class is not read, and makes the value NaN.
    known = (label >= 0) & (label < classes) & (label != ignore_index)
    at_label = tl.load(start + label, mask=known, other=float("nan")).to(tl.float32)
    true = at_label - highest - log_sum
    value = of_true * true
    if with_top:
        value -= of_top * log_sum
    if with_mean:
        value += of_mean * (below / count - log_sum)
    value = tl.where(true == float("-inf"), float("inf"), value)
    place = per_row + row
    tl.store(place, tl.where(ignored, 0.0, value))
    tl.store(place + rows, tl.where(ignored, 0.0, 1.0))
    tl.store(place + 2 * rows, highest)
    tl.store(place + 3 * rows, log_sum)
    tl.store(place + 4 * rows, count)
    tl.store(top_of + row, top.to(tl.int32))


@triton.jit
def _write_row(
    logits,
    labels,
    per_row,
    top_of,
    examples,
    of_value,
    gradient,
    rows,
    stride,
    stride_of_value,
    classes,
    ignore_index,
    of_true,
    of_top,
    of_mean,
    averaged: tl.constexpr,
    width: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    indices = tl.program_id(1) * width + tl.arange(0, width)
    inside = indices < classes
    reaching = tl.load(of_value + row * stride_of_value).to(tl.float32)
    if averaged:
        reaching /= tl.load(examples)
    z = tl.load(logits + row * stride + indices, mask=inside, other=float("-inf")).to(tl.float32)
    place = per_row + row
    q = tl.exp(z - tl.load(place + 2 * rows) - tl.load(place + 3 * rows))
    label = tl.load(labels + row)
    each = of_mean / tl.load(place + 4 * rows)
    found = -(of_true + of_top + of_mean) * q
    found += tl.where(z == float("-inf"), 0.0, each)
    found += tl.where(indices == label, of_true, 0.0)
    found += tl.where(indices == tl.load(top_of + row), of_top, 0.0)
    if classes == 1:
        # The log-probability of the only class is always 0; rounding must not say otherwise.
        found = found * 0.0
    found = tl.where(label == ignore_index, 0.0, found * reaching)
    tl.store(gradient + row * classes + indices, found.to(gradient.dtype.element_ty), mask=inside)
