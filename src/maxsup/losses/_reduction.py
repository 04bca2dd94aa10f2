"""From a value per example to what the caller asked for."""

import math

import torch
from torch import Tensor

from maxsup.losses._inputs import Inputs
from maxsup.losses._plain_numbers import hint_of_class_weights, plain_number
from maxsup.losses.numbers.plain import at_target


def reduce(values: Tensor, inputs: Inputs, reduction: str, *, weighted: bool = False) -> Tensor:
    """Weigh, mask and reduce per-example values (N, ...).

    A sample's whole value is multiplied by its target's weight Σ_k t_k·w_k, and ``mean`` divides by
    the sum of these weights; ignored positions give 0 and count in no mean. A mean over nothing
    is 0.

    Args:
        values: Per-example values, shape (N, ...).
        inputs: What the values were computed from.
        reduction: ``none``, ``sum`` or ``mean``.
        weighted: The values already carry their class weights.
    """
    weight = None
    if inputs.class_weight is not None:
        weight = at_target(
            inputs.class_weight.expand_as(inputs.logits), inputs.labels, inputs.probabilities
        )
        if not weighted:
            values = values * weight
    if inputs.kept is not None:
        values = torch.where(inputs.kept, values, 0.0)
        weight = inputs.kept.to(values.dtype) if weight is None else weight * inputs.kept

    if reduction == "none":
        return values.squeeze(0) if inputs.single else values
    if reduction == "sum":
        return values.sum()
    if weight is None:
        return values.mean() if values.numel() > 0 else values.sum()
    total = weight.sum()
    return values.sum() / torch.where(total == 0, 1.0, total)


def check_coefficient(
    name: str, value: object, *, at_most: float = math.inf, positive: bool = False
) -> float | Tensor:
    """Refuse a coefficient that makes no sense; a tensor's value is not looked at.

    Returns:
        A plain number of any number, numpy's too; a tensor as it came.

    Raises:
        ValueError: ``value`` is no number, negative, too large, or a tensor with axes, which would
            be spread over the values of the examples.
    """
    if isinstance(value, Tensor):
        if value.dim() != 0:
            raise ValueError(
                f"{name} must be a number or a 0-dimensional tensor; got one of shape "
                f"{tuple(value.shape)}.{hint_of_class_weights(value)}"
            )
        return value
    number = plain_number(value)
    if not isinstance(number, int | float) or isinstance(number, bool):
        raise ValueError(
            f"{name} must be a number; got {type(value).__name__}.{hint_of_class_weights(value)}"
        )
    if not (number >= 0 and number <= at_most and number < math.inf) or (positive and number == 0):
        expected = ">= 0" if at_most == math.inf else f"in [0, {at_most:g}]"
        expected = "> 0" if positive else expected
        raise ValueError(f"{name} must be a finite number {expected}; got {number}.")
    return number
