"""What several objectives put together in the same way."""

import torch
from torch import Tensor


def penalized(true: Tensor, strength: float | Tensor, penalty: Tensor) -> Tensor:
    """Cross-entropy + strength·penalty, for a penalty that depends on the true class's logit.

    Where the true class is not available, the cross-entropy is +inf and the penalty may be −inf;
    the sum is +inf, as (1 − α)·inf + a finite rest is.

    Args:
        true: The log-probability of the true class, (N, ...).
        strength: Weight of the penalty.
        penalty: Shape (N, ...).
    """
    return torch.where(true == -torch.inf, -true, strength * penalty - true)
