"""Objectives that add up log-probabilities: of the true class, of the top, and their mean.

Cross-entropy, label smoothing and MaxSup are of this kind, and so are most of the calls that
training makes.
"""

import torch
from torch import Tensor

from maxsup.losses._inputs import read_inputs, values_can_be_seen
from maxsup.losses._plain_numbers import check_ignore_index
from maxsup.losses._reduction import reduce
from maxsup.losses._torch_private import constant_for_compilers
from maxsup.losses.numbers import _choose, plain
from maxsup.losses.numbers._names import Factor, Name


def weighted_sum(
    logits: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int | None,
    reduction: str,
    *,
    true: Factor,
    top: Factor | None = None,
    mean: Factor | None = None,
) -> Tensor:
    """a·Σ_k t_k·log q_k + b·max_k log q_k + c·mean_k log q_k, with a + b + c = −1, reduced.

    Where the true class is not available, the value is +inf.

    Args:
        logits: As those after it, what the caller of an objective gave; not checked yet.
        target: Class indices or probabilities.
        weight: Class weights, shape (K,).
        ignore_index: Positions with this label give value and gradient 0 and count in no mean.
        reduction: ``none``, ``sum`` or ``mean``.
        true: a, a number or a 0-dimensional tensor, as are the others.
        top: b; None leaves the term out.
        mean: c; None leaves the term out.

    Raises:
        ValueError: An argument's shape, dtype, label or name is not as it should be.
    """
    ignore_index = check_ignore_index(ignore_index)
    factors = (true, top, mean)
    if _choose.compiler_takes_whole():
        _let_into_graphs()
        return _as_one_operation(logits, target, weight, ignore_index, reduction, *factors)
    value = _choose.sum_in_one_step(logits, target, weight, ignore_index, reduction, factors)
    if value is not None:
        return value
    return _read_and_sum(logits, target, weight, ignore_index, reduction, *factors)


def as_number(coefficient: Factor) -> Factor:
    """A coefficient as a number where that costs no waiting and nobody differentiates it."""
    if isinstance(coefficient, Tensor) and values_can_be_seen(coefficient):
        return coefficient if coefficient.requires_grad else float(coefficient)
    return coefficient


def _read_and_sum(
    logits: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int | None,
    reduction: str,
    *factors: Factor | None,
) -> Tensor:
    """The value from its numbers, whatever the target, the class weights and the device."""
    names: tuple[Name, ...] = ("true", "top", "mean")
    wanted = {
        name: factor for name, factor in zip(names, factors, strict=True) if factor is not None
    }
    # Nothing else looks at the logits, so it is left to the backend to pass over those at ignored
    # positions: fused code and kernels do it as they read, without a copy.
    inputs = read_inputs(logits, target, weight, ignore_index, reduction, mask_logits=False)
    found = _choose.numbers(inputs, *wanted, masked=False)
    return reduce(plain.weighted(found, tuple(wanted.values())), inputs, reduction)


def _as_one_operation(
    logits: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int | None,
    reduction: str,
    *factors: Factor | None,
) -> Tensor:
    """The same, which compilers take as one operation of their graph, to be fused later."""
    return _read_and_sum(logits, target, weight, ignore_index, reduction, *factors)


@constant_for_compilers
def _let_into_graphs() -> None:
    """Have compilers take :func:`_as_one_operation` as one operation of their graph.

    They would otherwise look at each function and constant that it names before every call of the
    compiled code, which takes longer than a small batch. It is done where compiling begins, as it
    loads the whole compiler.
    """
    torch.compiler.allow_in_graph(_as_one_operation)
