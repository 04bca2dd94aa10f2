"""How far the logits of an example lie below or above one of them, with a closed-form gradient."""

from typing import Any

import torch
from torch import Tensor

from maxsup.losses._inputs import wide
from maxsup.losses._statistics import add_at, closed_form_serves


def gap_sum(
    logits: Tensor,
    place: Tensor,
    margin: float | Tensor = 0.0,
    *,
    power: int = 1,
    above: bool = False,
    fixed: bool = False,
    closed: bool = False,
) -> tuple[Tensor, Tensor]:
    """Σ_k relu(z_place − z_k − m)^power over the available classes, and how many terms are not 0.

    Args:
        logits: Shape (N, K, ...).
        place: The class from which the others are measured, (N, ...) int64.
        margin: m, a number ≥ 0 or a 0-dimensional tensor.
        power: 1 or 2.
        above: Sum relu(z_k − z_place − m)^power instead.
        fixed: No gradient reaches z_place.
        closed: The slope at a gap of exactly m, for power 1, is 1 instead of 0.

    Returns:
        The sum, (N, ...) in float32 at least, and the number, (N, ...) int64.
    """
    margin_is_learned = isinstance(margin, Tensor) and margin.requires_grad
    if closed_form_serves(logits) and not margin_is_learned:
        found: tuple[Tensor, Tensor] = _ClosedForm.apply(
            logits, place, margin, power, above, fixed, closed
        )
        return found
    return _composed(logits, place, margin, power, above, fixed, closed)


def _composed(
    logits: Tensor,
    place: Tensor,
    margin: float | Tensor,
    power: int,
    above: bool,
    fixed: bool,
    closed: bool,
) -> tuple[Tensor, Tensor]:
    gap = _distance(logits, place, above, fixed)
    gap = torch.where(logits == -torch.inf, -1.0, gap - margin)
    # Either way a NaN stays a NaN.
    gap = torch.where(gap < 0, 0.0, gap) if closed else gap.relu()
    return gap.pow(power).sum(dim=1), (gap != 0).sum(dim=1)


class _ClosedForm(torch.autograd.Function):
    """±power·relu(...)^(power − 1) at every class, and the opposite of their sum at the place."""

    @staticmethod
    def forward(
        ctx: Any,
        logits: Tensor,
        place: Tensor,
        margin: float | Tensor,
        power: int,
        above: bool,
        fixed: bool,
        closed: bool,
    ) -> tuple[Tensor, Tensor]:
        gap = _gap(logits, place, margin, above)
        beyond = gap.relu() if closed else gap.relu_()
        total = beyond.sum(dim=1) if power == 1 else beyond.square().sum(dim=1)
        count = beyond.count_nonzero(dim=1)
        ctx.mark_non_differentiable(count)
        if ctx.needs_input_grad[0]:
            ctx.save_for_backward(logits, place)
            ctx.gap, ctx.options = gap, (margin, power, above, fixed, closed)
        return total, count

    @staticmethod
    def backward(ctx: Any, of_total: Tensor, of_count: None) -> tuple[Tensor | None, ...]:
        logits, place = ctx.saved_tensors
        margin, power, above, fixed, closed = ctx.options
        if torch.is_grad_enabled():
            total, _ = _composed(logits, place, *ctx.options)
            (second,) = torch.autograd.grad(total, logits, of_total, create_graph=True)
            return second, *[None] * 6

        # The gaps become the gradient where they lie, and are computed anew for another backward.
        gradient, ctx.gap = ctx.gap, None
        if gradient is None:
            gradient = _gap(logits, place, margin, above)
        if power == 2:
            gradient.relu_().mul_(2)
        elif closed:
            gradient.ge_(0)
        else:
            gradient.relu_().sign_()
        gradient.mul_((of_total if above else -of_total).unsqueeze(1))
        if not fixed:
            add_at(gradient, place, -gradient.sum(dim=1, keepdim=True))
        return gradient.to(logits.dtype), *[None] * 6


def _gap(logits: Tensor, place: Tensor, margin: float | Tensor, above: bool) -> Tensor:
    """±(z_place − z_k) − m, negative for classes that are not available; memory of its own."""
    gap = _distance(logits, place, above, fixed=True)
    return gap.sub_(margin).masked_fill_(logits == -torch.inf, -1.0)


def _distance(logits: Tensor, place: Tensor, above: bool, fixed: bool) -> Tensor:
    """±(z_place − z_k), float32 at least; memory of its own."""
    values = wide(logits)
    here = values.gather(1, place.unsqueeze(1))
    here = here.detach() if fixed else here
    return values - here if above else here - values
