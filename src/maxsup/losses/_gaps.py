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
) -> tuple[Tensor, Tensor]:
    """Σ_k relu(z_place − z_k − m)^power over the available classes, and how many terms are not 0.

    Args:
        logits: Shape (N, K, ...).
        place: The class from which the others are measured, (N, ...) int64.
        margin: m, a number ≥ 0 or a 0-dimensional tensor.
        power: 1 or 2.
        above: Sum relu(z_k − z_place − m)^power instead.
        fixed: No gradient reaches z_place.

    Returns:
        The sum, (N, ...) in float32 at least, and the number, (N, ...) int64.
    """
    margin_is_learned = isinstance(margin, Tensor) and margin.requires_grad
    if closed_form_serves(logits) and not margin_is_learned:
        found: tuple[Tensor, Tensor] = _ClosedForm.apply(logits, place, margin, power, above, fixed)
        return found
    return _composed(logits, place, margin, power, above, fixed)


def _composed(
    logits: Tensor, place: Tensor, margin: float | Tensor, power: int, above: bool, fixed: bool
) -> tuple[Tensor, Tensor]:
    values = wide(logits)
    here = values.gather(1, place.unsqueeze(1))
    here = here.detach() if fixed else here
    gap = values - here if above else here - values
    # relu(NaN) is NaN, as a comparison with a NaN would not be.
    gap = torch.where(logits == -torch.inf, 0.0, gap - margin).relu()
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
    ) -> tuple[Tensor, Tensor]:
        gap = _gap(logits, place, margin, above)
        total = gap.sum(dim=1) if power == 1 else gap.square().sum(dim=1)
        count = gap.count_nonzero(dim=1)
        ctx.mark_non_differentiable(count)
        if ctx.needs_input_grad[0]:
            ctx.save_for_backward(logits, place)
            ctx.gap, ctx.options = gap, (margin, power, above, fixed)
        return total, count

    @staticmethod
    def backward(ctx: Any, of_total: Tensor, of_count: None) -> tuple[Tensor | None, ...]:
        logits, place = ctx.saved_tensors
        margin, power, above, fixed = ctx.options
        if torch.is_grad_enabled():
            total, _ = _composed(logits, place, margin, power, above, fixed)
            (second,) = torch.autograd.grad(total, logits, of_total, create_graph=True)
            return second, *[None] * 5

        # The gaps become the gradient where they lie, and are computed anew for another backward.
        gradient, ctx.gap = ctx.gap, None
        if gradient is None:
            gradient = _gap(logits, place, margin, above)
        gradient = gradient.sign_() if power == 1 else gradient.mul_(2)
        gradient.mul_((of_total if above else -of_total).unsqueeze(1))
        if not fixed:
            add_at(gradient, place, -gradient.sum(dim=1, keepdim=True))
        return gradient.to(logits.dtype), *[None] * 5


def _gap(logits: Tensor, place: Tensor, margin: float | Tensor, above: bool) -> Tensor:
    """relu(±(z_place − z_k) − m), 0 for classes that are not available; memory of its own."""
    values = wide(logits)
    here = values.gather(1, place.unsqueeze(1))
    gap = values - here if above else here - values
    return gap.sub_(margin).masked_fill_(logits == -torch.inf, 0.0).relu_()
