"""The terms that the objectives are made of, each a value per example.

Differences of logits are taken between log-probabilities, where the common offset has gone: exact
for logits of any size, while ``z_max - mean z`` of raw float32 logits near 10⁴ is not.
"""

import torch
from torch import Tensor

from maxsup.losses._inputs import Inputs


def cross_entropy(inputs: Inputs) -> Tensor:
    """−Σ_k t_k·log q_k."""
    return -true_log_prob(inputs)


def true_log_prob(inputs: Inputs) -> Tensor:
    """Σ_k t_k·log q_k: the log-probability of the true class, or its mean under a soft target."""
    return at_target(inputs, inputs.log_probs)


def penalized(inputs: Inputs, strength: float | Tensor, penalty: Tensor) -> Tensor:
    """Cross-entropy + strength·penalty, for a penalty that depends on the true class's logit.

    Where the true class is not available, the cross-entropy is +inf and the penalty may be −inf;
    the sum is +inf, as (1 − α)·inf + a finite rest is.
    """
    hard = cross_entropy(inputs)
    return torch.where(hard == torch.inf, hard, hard + strength * penalty)


def at_target(inputs: Inputs, values: Tensor) -> Tensor:
    """Σ_k t_k·v_k for values (N, K, ...)."""
    if inputs.labels is not None:
        return values.gather(1, inputs.labels.unsqueeze(1)).squeeze(1)
    assert inputs.probabilities is not None
    # A class that is not available has log-probability −inf: it must not meet a target of 0.
    nothing = (inputs.probabilities == 0) & (values == -torch.inf)
    return (inputs.probabilities * torch.where(nothing, 0.0, values)).sum(dim=1)


def available(inputs: Inputs) -> Tensor:
    """(N, K, ...) bool: the classes whose logit is not −inf."""
    return inputs.log_probs != -torch.inf


def mean_log_prob(inputs: Inputs) -> Tensor:
    """mean_k log q_k over the available classes: z̄ up to the offset shared by all logits."""
    here = available(inputs)
    return torch.where(here, inputs.log_probs, 0.0).sum(dim=1) / here.sum(dim=1)


def top_log_prob(inputs: Inputs) -> Tensor:
    """max_k log q_k, whose gradient goes to the first of tied classes alone."""
    # Of the logits themselves: two that differ by a rounding may have one log-probability.
    top = inputs.logits.detach().argmax(dim=1, keepdim=True)
    return inputs.log_probs.gather(1, top).squeeze(1)
