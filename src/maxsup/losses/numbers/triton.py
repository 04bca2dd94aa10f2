"""One reading of the logits per direction on a GPU: ``python benchmarks/loss.py --device cuda``.

Two Triton kernels: one reads the logits, the other reads them again and writes the gradient.
Nothing of their size is kept in between, and all arithmetic is in float32. A row that fits into one
block is held in registers; a longer one is gone through block by block, with the sums so far moved
along whenever a higher logit turns up.

The two operations are registered with torch, so that autocast and compilers know their results.
They are not differentiable by themselves.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from maxsup.losses._inputs import Inputs
from maxsup.losses.numbers import plain
from maxsup.losses.numbers._names import Name

# Of the blocks and warps that were timed on an H200 the fastest: what adds up rows does best with
# many logits to a thread, what writes single elements with half as many.
MOST_TO_READ, READ_BY_A_WARP = 4096, 1024
MOST_TO_WRITE, WRITTEN_BY_A_WARP = 2048, 512
DTYPES = (torch.float32, torch.bfloat16, torch.float16)
IGNORED = -(2**62)
"""The label of a row whose numbers and gradient are 0, whatever it holds."""
_IGNORED = tl.constexpr(IGNORED)


def numbers(
    inputs: Inputs, names: tuple[Name, ...], other: Tensor | None = None
) -> tuple[Tensor, ...]:
    """The numbers, of which ``true``, ``top`` and ``mean`` are had here.

    The logits may hold anything at positions that ``inputs`` says are ignored; the numbers are 0
    there.
    """
    labels = inputs.labels
    assert labels is not None
    if inputs.kept is not None:
        labels = torch.where(inputs.kept, labels, IGNORED)
    found: tuple[Tensor, ...] = _ByKernels.apply(inputs.logits, labels, names)
    return found


class _ByKernels(torch.autograd.Function):
    """The numbers, read by one kernel; another writes the gradient."""

    @staticmethod
    def forward(
        ctx: Any,
        logits: Tensor,
        labels: Tensor,
        names: tuple[Name, ...],
    ) -> tuple[Tensor, ...]:
        true, mean, *rest = log_prob_statistics(logits, labels, 0)
        ctx.save_for_backward(logits, labels, *rest)
        ctx.names = names
        found = {"true": true, "mean": mean, "top": -rest[1]}
        return tuple(found[name] for name in names)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        logits, labels, *rest = ctx.saved_tensors
        if plain.must_be_plain(gradients):
            kept = labels != IGNORED
            known = torch.where(kept, labels, 0)
            inputs = Inputs(logits, known, None, kept, None, single=False)
            (found,) = plain.differentiate(
                lambda z: plain.numbers(inputs._replace(logits=z).masked(), ctx.names),
                [logits],
                gradients,
            )
            return found, None, None
        of = dict(zip(ctx.names, gradients, strict=True))
        nothing = torch.zeros_like(rest[0])
        reaching = [of.get(name, nothing).contiguous() for name in ("true", "top", "mean")]
        gradient = log_prob_gradient(logits, labels, *rest, *reaching, 0)
        return gradient, None, None


@torch.library.custom_op("maxsup::log_prob_statistics", mutates_args=())
def log_prob_statistics(
    logits: Tensor, labels: Tensor, block: int
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Numbers of the log-softmax of every row.

    Args:
        logits: Shape (N, K), of one of ``DTYPES``; the classes of a row lie side by side.
        labels: Shape (N,), int64, each in [0, K), or ``IGNORED``; any other gives NaN.
        block: Logits to a block, a power of two; 0 chooses.

    Returns:
        Six tensors of shape (N,): log q of the label; the mean of log q over the available classes;
        the largest logit; log Σ_k exp(z_k − z_max), the negative of the largest log q (all
        float32); the first class with the largest logit (int64); how many classes are available
        (float32). Where a row holds a NaN or +inf, its float32 numbers are NaN. Of an ignored row
        log q of the label, the mean of log q and log Σ are 0, and the others say nothing.
    """
    rows, classes = logits.shape
    true, mean, highest, log_sum, available = (
        torch.empty(rows, dtype=torch.float32, device=logits.device) for _ in range(5)
    )
    top = torch.empty(rows, dtype=torch.int64, device=logits.device)
    if rows:
        width = block or min(triton.next_power_of_2(classes), MOST_TO_READ)
        _statistics_of_row[(rows,)](
            logits,
            labels,
            true,
            mean,
            highest,
            log_sum,
            top,
            available,
            logits.stride(0),
            classes,
            width,
            num_warps=warps(width, READ_BY_A_WARP),
        )
    return true, mean, highest, log_sum, top, available


@torch.library.custom_op("maxsup::log_prob_gradient", mutates_args=())
def log_prob_gradient(
    logits: Tensor,
    labels: Tensor,
    highest: Tensor,
    log_sum: Tensor,
    top: Tensor,
    available: Tensor,
    of_true: Tensor,
    of_top: Tensor,
    of_mean: Tensor,
    block: int,
) -> Tensor:
    """The gradient that reaches the logits by way of the numbers.

    Args:
        logits: As given to :func:`log_prob_statistics`, with what follows as given or returned.
        labels: Shape (N,).
        highest: Shape (N,).
        log_sum: Shape (N,).
        top: Shape (N,).
        available: Shape (N,).
        of_true: What reaches log q of the label, shape (N,), float32.
        of_top: What reaches the largest log q.
        of_mean: What reaches the mean of log q.
        block: Logits to a block, a power of two; 0 chooses.

    Returns:
        Shape (N, K), in the logits' dtype.
    """
    rows, classes = logits.shape
    gradient = torch.empty((rows, classes), dtype=logits.dtype, device=logits.device)
    if rows:
        # Elements are independent here, so a row is spread over several programs.
        width = block or min(triton.next_power_of_2(classes), MOST_TO_WRITE)
        _gradient_of_block[(rows, triton.cdiv(classes, width))](
            logits,
            labels,
            highest,
            log_sum,
            top,
            available,
            of_true,
            of_top,
            of_mean,
            gradient,
            logits.stride(0),
            classes,
            width,
            num_warps=warps(width, WRITTEN_BY_A_WARP),
        )
    return gradient


@log_prob_statistics.register_fake
def _(logits: Tensor, labels: Tensor, block: int) -> tuple[Tensor, ...]:
    number = logits.new_empty(logits.shape[0], dtype=torch.float32)
    top = logits.new_empty(logits.shape[0], dtype=torch.int64)
    return number, number.clone(), number.clone(), number.clone(), top, number.clone()


@log_prob_gradient.register_fake
def _(logits: Tensor, *rest: object) -> Tensor:
    return logits.new_empty(logits.shape)


def warps(width: int, by_a_warp: int) -> int:
    """How many warps work on a block."""
    return max(1, min(16, width // by_a_warp))


@triton.jit
def _statistics_of_row(
    logits,
    labels,
    true,
    mean,
    highest_of,
    log_sum_of,
    top_of,
    available_of,
    stride,
    classes,
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
    label = tl.load(labels + row)
    # A label that is no class is not read, and makes the value NaN.
    known = (label >= 0) & (label < classes)
    at_label = tl.load(start + label, mask=known, other=float("nan")).to(tl.float32)
    # Nothing available, or an infinite logit: no number of such a row means anything.
    log_sum = tl.where(tl.abs(highest) == float("inf"), float("nan"), log_sum)
    ignored = label == _IGNORED
    tl.store(true + row, tl.where(ignored, 0.0, at_label - highest - log_sum))
    tl.store(mean + row, tl.where(ignored, 0.0, below / count - log_sum))
    log_sum = tl.where(ignored, 0.0, log_sum)
    tl.store(highest_of + row, highest)
    tl.store(log_sum_of + row, log_sum)
    tl.store(top_of + row, top.to(tl.int64))
    tl.store(available_of + row, count)


@triton.jit
def _gradient_of_block(
    logits,
    labels,
    highest_of,
    log_sum_of,
    top_of,
    available_of,
    of_true,
    of_top,
    of_mean,
    gradient,
    stride,
    classes,
    width: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    indices = tl.program_id(1) * width + tl.arange(0, width)
    inside = indices < classes
    z = tl.load(logits + row * stride + indices, mask=inside, other=float("-inf")).to(tl.float32)
    g_true = tl.load(of_true + row)
    g_top = tl.load(of_top + row)
    g_mean = tl.load(of_mean + row)
    each = g_mean / tl.load(available_of + row)
    q = tl.exp(z - tl.load(highest_of + row) - tl.load(log_sum_of + row))
    label = tl.load(labels + row)
    found = -(g_true + g_top + g_mean) * q
    found += tl.where(z == float("-inf"), 0.0, each)
    found += tl.where(indices == label, g_true, 0.0)
    found += tl.where(indices == tl.load(top_of + row), g_top, 0.0)
    found = tl.where(label == _IGNORED, 0.0, found)
    tl.store(gradient + row * classes + indices, found.to(gradient.dtype.element_ty), mask=inside)
