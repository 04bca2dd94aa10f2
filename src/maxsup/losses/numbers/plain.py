"""Right everywhere, and slowest, as "naive MaxSup" of ``python benchmarks/loss.py`` shows.

Plain differentiable operations of torch compute what cannot be differentiated by hand, and say what
every other backend must come to.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from maxsup.losses._inputs import Inputs, is_ordinary, wide
from maxsup.losses.numbers._names import Factor, Name

LEAST_LOG_PROB = -1e6
"""Below it a probability is 0 in any precision, and so is what it is multiplied by."""


def numbers(
    inputs: Inputs, names: tuple[Name, ...], other: Tensor | None = None
) -> tuple[Tensor, ...]:
    """The numbers as autograd, compilers and transforms take them."""
    logits = inputs.logits
    values = wide(logits).log_softmax(dim=1)
    here = logits != -torch.inf
    found = []
    for name in names:
        if name == "true":
            number = at_target(values, inputs.labels, inputs.probabilities)
        elif name == "other":
            number = at_target(values, other, None)
        elif name == "top":
            # Of the logits themselves: two that differ by a rounding may have one log-probability.
            number = at_target(values, logits.detach().argmax(dim=1), None)
        elif name == "mean":
            number = torch.where(here, values, 0.0).sum(dim=1) / here.sum(dim=1)
        elif name == "entropy":
            number = -(values.exp() * values.clamp(min=LEAST_LOG_PROB)).sum(dim=1)
        else:
            present = torch.where(here, wide(logits), 0.0)
            number = (present * present).sum(dim=1)
        found.append(number)
    return tuple(found)


def weighted(found: tuple[Tensor, ...], factors: tuple[Factor, ...]) -> Tensor:
    """Each number times its factor, added up; +inf where the first, the true class's, is −inf."""
    value = torch.zeros_like(found[0])
    for factor, number in zip(factors, found, strict=True):
        value = value + scaled(factor, number)
    # Only where a factor of 0 has lost it: what is infinite by itself has a gradient.
    return torch.where((found[0] == -torch.inf) & value.isfinite(), torch.inf, value)


def scaled(coefficient: Factor, number: Tensor) -> Tensor:
    """The product, in which 0·∞ is 0: a term that is not asked for adds nothing, of any size."""
    if not isinstance(coefficient, Tensor) and coefficient != 0:
        return coefficient * number
    return coefficient * torch.where((coefficient == 0) & number.isinf(), 0.0, number)


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
    gap = distance(logits, index, above, fixed)
    gap = torch.where(logits == -torch.inf, -1.0, gap - margin)
    if power == 2:
        gap = gap.clamp(max=most_to_square(gap.dtype))
    # Either way a NaN stays a NaN.
    gap = torch.where(gap < 0, 0.0, gap) if closed else gap.relu()
    return gap.pow(power).sum(dim=1), (gap != 0).sum(dim=1)


def most_to_square(dtype: torch.dtype) -> float:
    """A size of which the double, the slope of the square, is still a number."""
    return torch.finfo(dtype).max / 4


def distance(logits: Tensor, index: Tensor, above: bool, fixed: bool) -> Tensor:
    """±(z_index − z_k), float32 at least; memory of its own."""
    values = wide(logits)
    here = values.gather(1, index.unsqueeze(1))
    here = here.detach() if fixed else here
    return values - here if above else here - values


def must_be_plain(gradients: Sequence[Tensor]) -> bool:
    """Whether a gradient written out by hand is of no use for what reaches it.

    It is not where it is to be differentiated itself, nor where several gradients come as one.
    """
    return torch.is_grad_enabled() or not all(map(is_ordinary, gradients))


def differentiate(
    function: Callable[..., Tensor | tuple[Tensor, ...]],
    tensors: Sequence[Tensor],
    gradients: Sequence[Tensor],
) -> tuple[Tensor, ...]:
    """What reaches tensors through a function of plain operations.

    It is differentiable where a graph of the gradient was asked for.
    """
    again = torch.is_grad_enabled()
    leaves = [tensor if again else tensor.detach().requires_grad_() for tensor in tensors]
    with torch.enable_grad():
        found = function(*leaves)
    return torch.autograd.grad(found, leaves, gradients, create_graph=again)


def at_target(values: Tensor, labels: Tensor | None, probabilities: Tensor | None) -> Tensor:
    """Σ_k t_k·v_k for values (N, K, ...), the target being labels or probabilities."""
    if labels is not None:
        return values.gather(1, labels.unsqueeze(1)).squeeze(1)
    assert probabilities is not None
    # A class that is not available has log-probability −inf: it must not meet a target of 0.
    nothing = (probabilities == 0) & (values == -torch.inf)
    return (probabilities * torch.where(nothing, 0.0, values)).sum(dim=1)
