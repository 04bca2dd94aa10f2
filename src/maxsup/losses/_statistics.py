"""A few numbers of the logits per example, with their gradient in closed form.

Most objectives look at an example's log-probabilities in two or three places only: the true class,
the largest, their mean. :func:`statistics` gives these numbers; what an objective makes of them is
arithmetic on one number per example, which autograd handles. The gradient of all of them together
is a multiple of the softmax and a few single entries, so that an objective costs about as many
passes over the logits as a softmax does:

    ∂/∂z_k = −(g_true·Σ_j t_j + g_other + g_top + g_mean)·q_k + g_true·t_k + g_other·1{k = other}
             + g_top·1{k = top} + g_mean/K − g_entropy·q_k·(log q_k + H) + 2·g_squares·z_k

with t the target, q the softmax, H its entropy, K the number of available classes, and g the
gradients that reach the numbers.
"""

import functools
import importlib.util
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from maxsup.losses._inputs import Inputs, values_can_be_seen, wide, wide_dtype
from maxsup.losses._target import at_target
from maxsup.losses._top import top_class
from maxsup.losses._traced import Name, Traced


def statistics(inputs: Inputs, *names: Name, other: Tensor | None = None) -> tuple[Tensor, ...]:
    """Numbers per example, each of shape (N, ...), float32 at least.

    Args:
        inputs: The logits and their target.
        names: ``true``: Σ_k t_k·log q_k, that of the true class or its mean under a soft target.
            ``other``: log q of the class named by ``other``. ``top``: max_k log q_k, whose gradient
            goes to the first of tied logits alone. ``mean``: mean_k log q_k over the available
            classes, z̄ up to the offset that all logits share. ``entropy``: −Σ_k q_k·log q_k.
            ``squares``: Σ_k z_k² over the available classes.
        other: A class per example, (N, ...) int64.

    Returns:
        The numbers in the order of their names.
    """
    probabilities = inputs.probabilities
    soft_is_learned = probabilities is not None and probabilities.requires_grad
    if soft_is_learned or _in_transform():
        return _composed(inputs.logits, inputs.labels, probabilities, other, names)
    if is_traced():
        traced: tuple[Tensor, ...] = Traced.apply(
            inputs.logits, inputs.labels, probabilities, other, names, inputs.kept
        )
        return traced
    if not closed_form_serves(inputs.logits):
        function = _composed
    elif _kernels_serve(inputs, names):
        function = _ByKernels.apply
    else:
        function = _ClosedForm.apply
    found: tuple[Tensor, ...] = function(inputs.logits, inputs.labels, probabilities, other, names)
    return found


def closed_form_serves(logits: Tensor) -> bool:
    """Whether a gradient written out by hand is of use.

    It is not where a compiler fuses plain operations anyway, and cannot be where these must be
    transformed: in ``torch.func``, forward-mode differentiation and tensor subclasses.
    """
    return (
        not torch.compiler.is_compiling()
        and not _in_transform()
        and forward_ad._current_level < 0
        and type(logits) in (Tensor, torch.nn.Parameter)
    )


def is_traced() -> bool:
    """Whether a compiler is at work, outside of ``torch.func``.

    :func:`statistics` then takes logits with anything at ignored positions, as compiled code would
    otherwise mask them anew in each of its passes over them; elsewhere they must be 0 there.
    """
    return torch.compiler.is_compiling() and not _in_transform()


def _in_transform() -> bool:
    """Whether ``torch.func`` is at work; compiled code is for one of the two cases."""
    return torch._C._functorch.maybe_current_level() is not None


# What torch.compiler.assume_constant_result does, which would load the whole compiler on import.
_in_transform._dynamo_marked_constant = True  # type: ignore[attr-defined]


def _composed(
    logits: Tensor,
    labels: Tensor | None,
    probabilities: Tensor | None,
    other: Tensor | None,
    names: tuple[Name, ...],
) -> tuple[Tensor, ...]:
    """The numbers by plain differentiable operations."""
    values = wide(logits).log_softmax(dim=1)
    here = logits != -torch.inf
    found = []
    for name in names:
        if name == "true":
            number = at_target(values, labels, probabilities)
        elif name == "other":
            number = at_target(values, other, None)
        elif name == "top":
            # Of the logits themselves: two that differ by a rounding may have one log-probability.
            number = at_target(values, logits.detach().argmax(dim=1), None)
        elif name == "mean":
            number = torch.where(here, values, 0.0).sum(dim=1) / here.sum(dim=1)
        elif name == "entropy":
            number = -(values.exp() * torch.where(here, values, 0.0)).sum(dim=1)
        else:
            number = torch.where(here, wide(logits), 0.0).square().sum(dim=1)
        found.append(number)
    return tuple(found)


def _kernels_serve(inputs: Inputs, names: tuple[Name, ...]) -> bool:
    """Whether the GPU kernels can do it: rows of logits with labels, and three of the numbers."""
    logits = inputs.logits
    return (
        logits.is_cuda
        and inputs.labels is not None
        and set(names) <= {"true", "top", "mean"}
        and logits.dim() == 2
        and logits.stride(1) == 1
        and logits.dtype != torch.float64
        and _triton_is_there()
    )


@functools.cache
def _triton_is_there() -> bool:
    return importlib.util.find_spec("triton") is not None


class _ByKernels(torch.autograd.Function):
    """The same on a GPU, where one kernel reads the logits and another writes their gradient."""

    @staticmethod
    def forward(
        ctx: Any,
        logits: Tensor,
        labels: Tensor,
        probabilities: None,
        other: None,
        names: tuple[Name, ...],
    ) -> tuple[Tensor, ...]:
        from maxsup.losses import _kernels

        true, mean, *rest = _kernels.log_prob_statistics(logits, labels, 0)
        ctx.save_for_backward(logits, labels, *rest)
        ctx.names = names
        found = {"true": true, "mean": mean, "top": -rest[1]}
        return tuple(found[name] for name in names)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        from maxsup.losses import _kernels

        logits, labels, *rest = ctx.saved_tensors
        if torch.is_grad_enabled():
            numbers = _composed(logits, labels, None, None, ctx.names)
            (second,) = torch.autograd.grad(numbers, logits, gradients, create_graph=True)
            return second, None, None, None, None
        of = dict(zip(ctx.names, gradients, strict=True))
        nothing = torch.zeros_like(rest[0])
        reaching = [of.get(name, nothing).contiguous() for name in ("true", "top", "mean")]
        gradient = _kernels.log_prob_gradient(logits, labels, *rest, *reaching, 0)
        return gradient, None, None, None, None


class _ClosedForm(torch.autograd.Function):
    """The numbers with the gradient above; second derivatives are those of the composition."""

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
        if torch.is_grad_enabled():
            numbers = _composed(logits, labels, probabilities, other, ctx.names)
            (second,) = torch.autograd.grad(numbers, logits, gradients, create_graph=True)
            return second, None, None, None, None

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

        # The normalisation's share: every log-probability has it.
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
            share = of["mean"] / ctx.available
            if isinstance(ctx.available, Tensor):
                share = torch.where(logits == -torch.inf, 0.0, share)
            gradient.add_(share)
        if "squares" in of:
            gradient.add_(wide(logits).masked_fill(logits == -torch.inf, 0.0) * (2 * of["squares"]))
        return gradient.to(logits.dtype), None, None, None, None


def _below(logits: Tensor, highest: Tensor, labels: Tensor) -> Tensor:
    """How far one class per example lies below the highest, z − z_max ≤ 0, (N, 1, ...)."""
    return logits.gather(1, labels.unsqueeze(1)) - highest


def _log_probs(logits: Tensor, highest: Tensor, log_top: Tensor) -> Tensor:
    """The log-softmax, with 0 for classes that are not available; memory of its own."""
    values = (logits - highest).add_(log_top)
    return values.masked_fill_(logits == -torch.inf, 0.0)


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
