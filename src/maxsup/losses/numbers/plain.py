"""Right everywhere, and slowest, as "naive MaxSup" of ``python benchmarks/loss.py`` shows.

Plain differentiable operations of torch compute what cannot be differentiated by hand, and say what
every other backend must come to.
"""

import torch
from torch import Tensor

from maxsup.losses._inputs import Inputs, wide
from maxsup.losses.numbers._names import Factor, Name


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
            number = -(values.exp() * torch.where(here, values, 0.0)).sum(dim=1)
        else:
            number = torch.where(here, wide(logits), 0.0).square().sum(dim=1)
        found.append(number)
    return tuple(found)


def weighted(found: tuple[Tensor, ...], factors: tuple[Factor, ...]) -> Tensor:
    """Each number times its factor, added up; +inf where the first, the true class's, is −inf."""
    value = torch.zeros_like(found[0])
    for factor, number in zip(factors, found, strict=True):
        value = value + factor * number
    return torch.where(found[0] == -torch.inf, torch.inf, value)


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
    # Either way a NaN stays a NaN.
    gap = torch.where(gap < 0, 0.0, gap) if closed else gap.relu()
    return gap.pow(power).sum(dim=1), (gap != 0).sum(dim=1)


def distance(logits: Tensor, index: Tensor, above: bool, fixed: bool) -> Tensor:
    """±(z_index − z_k), float32 at least; memory of its own."""
    values = wide(logits)
    here = values.gather(1, index.unsqueeze(1))
    here = here.detach() if fixed else here
    return values - here if above else here - values


def at_target(values: Tensor, labels: Tensor | None, probabilities: Tensor | None) -> Tensor:
    """Σ_k t_k·v_k for values (N, K, ...), the target being labels or probabilities."""
    if labels is not None:
        return values.gather(1, labels.unsqueeze(1)).squeeze(1)
    assert probabilities is not None
    # A class that is not available has log-probability −inf: it must not meet a target of 0.
    nothing = (probabilities == 0) & (values == -torch.inf)
    return (probabilities * torch.where(nothing, 0.0, values)).sum(dim=1)
