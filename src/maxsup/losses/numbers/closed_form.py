"""Eager code in a third of torch's time at 21,841 classes: ``python benchmarks/loss.py`` shows it.

It takes a third of the memory, too. The gradient is written out by hand, as one multiple of the
softmax and a few single entries:

    ∂/∂z_k = −(g_true·Σ_j t_j + g_other + g_top + g_mean)·q_k + g_true·t_k + g_other·1{k = other}
             + g_top·1{k = top} + g_mean/K − g_entropy·q_k·(log q_k + H) + 2·g_squares·z_k

with t the target, q the softmax, H its entropy, K the number of available classes, and g the
gradients that reach the numbers. Second derivatives are those of plain operations.
"""

from typing import Any

import torch
from torch import Tensor

from maxsup.losses._inputs import Inputs, values_can_be_seen, wide, wide_dtype
from maxsup.losses.numbers import plain
from maxsup.losses.numbers._names import Name
from maxsup.losses.numbers._top import top_class
from maxsup.losses.numbers.plain import at_target


def numbers(
    inputs: Inputs, names: tuple[Name, ...], other: Tensor | None = None
) -> tuple[Tensor, ...]:
    """The numbers of eager code; at ignored positions the logits must be 0."""
    found: tuple[Tensor, ...] = _Numbers.apply(
        inputs.logits, inputs.labels, inputs.probabilities, other, names
    )
    return found


def gap_sum(
    logits: Tensor,
    index: Tensor,
    margin: float | Tensor,
    power: int,
    above: bool,
    fixed: bool,
    closed: bool,
) -> tuple[Tensor, Tensor]:
    """The sum over the distances, and how many of them count."""
    found: tuple[Tensor, Tensor] = _GapSum.apply(logits, index, margin, power, above, fixed, closed)
    return found


class _Numbers(torch.autograd.Function):
    """The numbers with the gradient above."""

    @staticmethod
    def forward(
        ctx: Any,
        logits: Tensor,
        labels: Tensor | None,
        probabilities: Tensor | None,
        other: Tensor | None,
        names: tuple[Name, ...],
    ) -> tuple[Tensor, ...]:
        softmax = logits.softmax(dim=1, dtype=wide_dtype(logits))
        if "top" in names:
            top, highest = top_class(logits)
            log_top = softmax.gather(1, top).log_()
        else:
            top, highest = None, logits.amax(dim=1, keepdim=True)
            log_top = softmax.amax(dim=1, keepdim=True).log_()
        highest = highest.to(softmax.dtype)
        available: int | Tensor = logits.shape[1]

        # A log-probability is the distance to the highest logit, exact for logits of any size, plus
        # the highest log-probability.
        found: dict[Name, Tensor] = {"top": log_top}
        if "true" in names and labels is not None:
            found["true"] = _below(logits, highest, labels).add_(log_top)
        elif "true" in names:
            values = (logits - highest).add_(log_top)
            found["true"] = at_target(values, None, probabilities).unsqueeze(1)
        if other is not None:
            found["other"] = _below(logits, highest, other).add_(log_top)
        if "mean" in names:
            mean, available = mean_below(logits, highest)
            found["mean"] = mean + log_top
        if "entropy" in names:
            values = _log_probs(logits, highest, log_top)
            found["entropy"] = values.mul_(softmax).sum(dim=1, keepdim=True).neg_()
        if "squares" in names:
            finite = wide(logits).masked_fill(logits == -torch.inf, 0.0)
            found["squares"] = finite.square().sum(dim=1, keepdim=True)

        if ctx.needs_input_grad[0]:
            ctx.save_for_backward(
                logits, labels, probabilities, other, top, highest, log_top, found.get("entropy")
            )
            ctx.softmax, ctx.available, ctx.names = softmax, available, names
        return tuple(found[name].squeeze(1) for name in names)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        logits, labels, probabilities, other, top, highest, log_top, entropy = ctx.saved_tensors
        if plain.must_be_plain(gradients):
            inputs = Inputs(logits, labels, probabilities, None, None, single=False)
            (found,) = plain.differentiate(
                lambda z: plain.numbers(inputs._replace(logits=z), ctx.names, other),
                [logits],
                gradients,
            )
            return found, None, None, None, None

        # The softmax becomes the gradient where it lies. A graph that is kept for another backward
        # finds it gone, and computes it anew.
        gradient, ctx.softmax = ctx.softmax, None
        if gradient is None:
            gradient = logits.softmax(dim=1, dtype=log_top.dtype)

        of: dict[Name, Tensor] = {
            name: given.unsqueeze(1) for name, given in zip(ctx.names, gradients, strict=True)
        }
        if logits.shape[1] == 1:
            # The log-probability of the only class is always 0; rounding must not say otherwise.
            of = {name: given for name, given in of.items() if name == "squares"}

        # The normalisation's part: every log-probability has it.
        factor = torch.zeros_like(log_top)
        for name in ("other", "top", "mean"):
            if name in of:
                factor -= of[name]
        if "true" in of:
            soft = probabilities is not None
            factor -= of["true"] * probabilities.sum(1, keepdim=True) if soft else of["true"]
        if "entropy" in of:
            values = _log_probs(logits, highest, log_top)
            gradient.mul_(values.add_(entropy).mul_(-of["entropy"]).add_(factor))
        else:
            gradient.mul_(factor)

        if "true" in of and "top" in of and "mean" not in of and labels is not None:
            # In one sum where the true class is the top: nothing must be left over where the
            # gradient is exactly 0.
            both = torch.where(top == labels.unsqueeze(1), of["top"], 0.0)
            of["true"], of["top"] = of["true"] + both, of["top"] - both
        if "true" in of and labels is not None:
            add_at(gradient, labels, of["true"])
        elif "true" in of:
            gradient.add_(probabilities * of["true"])
        if "other" in of:
            add_at(gradient, other, of["other"])
        if "top" in of:
            add_at(gradient, top.squeeze(1), of["top"])
        if "mean" in of:
            each = of["mean"] / ctx.available
            if isinstance(ctx.available, Tensor):
                each = torch.where(logits == -torch.inf, 0.0, each)
            gradient.add_(each)
        if "squares" in of:
            gradient.add_(wide(logits).masked_fill(logits == -torch.inf, 0.0) * (2 * of["squares"]))
        return gradient.to(logits.dtype), None, None, None, None


class _GapSum(torch.autograd.Function):
    """±power·relu(...)^(power − 1) at every class, and the opposite of their sum at the index."""

    @staticmethod
    def forward(
        ctx: Any,
        logits: Tensor,
        index: Tensor,
        margin: float | Tensor,
        power: int,
        above: bool,
        fixed: bool,
        closed: bool,
    ) -> tuple[Tensor, Tensor]:
        gap = _gap(logits, index, margin, above)
        beyond = gap.relu() if closed else gap.relu_()
        total = beyond.sum(dim=1) if power == 1 else beyond.square().sum(dim=1)
        count = beyond.count_nonzero(dim=1)
        ctx.mark_non_differentiable(count)
        if ctx.needs_input_grad[0]:
            ctx.save_for_backward(logits, index, margin if isinstance(margin, Tensor) else None)
            ctx.gap, ctx.margin, ctx.options = gap, margin, (power, above, fixed, closed)
        return total, count

    @staticmethod
    def backward(ctx: Any, of_total: Tensor, of_count: None) -> tuple[Tensor | None, ...]:
        logits, index, margin = ctx.saved_tensors
        margin = ctx.margin if margin is None else margin
        power, above, fixed, closed = ctx.options
        if plain.must_be_plain([of_total]):
            (found,) = plain.differentiate(
                lambda z: plain.gap_sum(z, index, margin, *ctx.options)[0], [logits], [of_total]
            )
            return found, *[None] * 6

        # The gaps become the gradient where they lie, and are computed anew for another backward.
        gradient, ctx.gap = ctx.gap, None
        if gradient is None:
            gradient = _gap(logits, index, margin, above)
        if power == 2:
            gradient.clamp_(0, plain.most_to_square(gradient.dtype)).mul_(2)
        elif closed:
            gradient.ge_(0)
        else:
            gradient.relu_().sign_()
        gradient.mul_((of_total if above else -of_total).unsqueeze(1))
        if not fixed:
            add_at(gradient, index, -gradient.sum(dim=1, keepdim=True))
        return gradient.to(logits.dtype), *[None] * 6


def _gap(logits: Tensor, index: Tensor, margin: float | Tensor, above: bool) -> Tensor:
    """±(z_index − z_k) − m, negative for classes that are not available; memory of its own."""
    gap = plain.distance(logits, index, above, fixed=True)
    return gap.sub_(margin).masked_fill_(logits == -torch.inf, -1.0)


def _below(logits: Tensor, highest: Tensor, labels: Tensor) -> Tensor:
    """How far one class per example lies below the highest, z − z_max ≤ 0, (N, 1, ...)."""
    return logits.gather(1, labels.unsqueeze(1)) - highest


def _log_probs(logits: Tensor, highest: Tensor, log_top: Tensor) -> Tensor:
    """The log-softmax where the softmax is more than 0; memory of its own."""
    return (logits - highest).add_(log_top).clamp_(min=plain.LEAST_LOG_PROB)


def mean_below(logits: Tensor, highest: Tensor) -> tuple[Tensor, int | Tensor]:
    """mean_k (z_k − z_max) over the available classes, and their number."""
    num_classes = logits.shape[1]
    if values_can_be_seen(logits) and logits.numel() > 0:
        mean = logits.mean(dim=1, keepdim=True, dtype=highest.dtype) - highest
        # A mean of the logits as they are is −inf where a class is not available, and has lost
        # digits where the offset that they share is large against their spread.
        least, most = torch.add(highest.abs(), mean, alpha=8).aminmax()
        if float(least) > -torch.inf and float(most) <= 0:
            return mean, num_classes
    here = logits != -torch.inf
    available = here.sum(dim=1, keepdim=True)
    below = torch.where(here, logits - highest, 0.0)
    return below.sum(dim=1, keepdim=True) / available, available


def add_at(values: Tensor, labels: Tensor, amounts: Tensor) -> None:
    """Add one amount per example at its class; without atomics, so deterministic everywhere."""
    index = labels.unsqueeze(1)
    values.scatter_(1, index, values.gather(1, index) + amounts)
