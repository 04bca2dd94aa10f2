"""From a value per example to what the caller asked for."""

import torch
from torch import Tensor

from maxsup.losses._inputs import Inputs
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
