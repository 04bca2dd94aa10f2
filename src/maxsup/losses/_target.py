import torch
from torch import Tensor


def at_target(values: Tensor, labels: Tensor | None, probabilities: Tensor | None) -> Tensor:
    """Σ_k t_k·v_k for values (N, K, ...), the target being labels or probabilities."""
    if labels is not None:
        return values.gather(1, labels.unsqueeze(1)).squeeze(1)
    assert probabilities is not None
    # A class that is not available has log-probability −inf: it must not meet a target of 0.
    nothing = (probabilities == 0) & (values == -torch.inf)
    return (probabilities * torch.where(nothing, 0.0, values)).sum(dim=1)
