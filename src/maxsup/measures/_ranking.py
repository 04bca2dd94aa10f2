"""Samples in the order of a score, such that the order among equal scores never matters."""

import torch
from torch import Tensor


def confidence_log_odds(logits: Tensor) -> Tensor:
    """log(p/(1 − p)) of the probability p of the predicted class, float64.

    It orders samples as p does, but does not saturate: softmax gives exactly 1 to every sample
    whose top logit leads by more than 37, and so makes ties that are none. The logits are sorted
    first, so that the same ones in another order of the classes give the same bits.

    Args:
        logits: (N, K), any floating dtype.

    Returns:
        (N,) float64; inf where no other class is available, NaN where a logit is NaN or +inf.
    """
    ordered = logits.double().sort(dim=1, descending=True).values
    top = ordered[:, :1]
    log_odds = -(ordered[:, 1:] - top).logsumexp(dim=1)
    return torch.where(top.squeeze(1).isfinite(), log_odds, torch.nan)


class Ranking:
    """Samples from the highest score to the lowest, those with equal scores in one group.

    Args:
        scores: (N,) float64, N ≥ 1.

    Example:
        >>> ranking = Ranking(torch.tensor([0.5, 0.9, 0.5], dtype=torch.float64))
        >>> ranking.sums(torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64))
        tensor([0.0000, 1.0000, 1.5000, 2.0000], dtype=torch.float64)
        >>> ranking.ends
        tensor([1, 3])
    """

    def __init__(self, scores: Tensor) -> None:
        self._order = scores.argsort(descending=True)
        _, self._group, self._sizes = scores[self._order].unique_consecutive(
            return_inverse=True, return_counts=True
        )
        self.ends = self._sizes.cumsum(0)
        """How many samples come up to the end of each group."""

    def sums(self, values: Tensor) -> Tensor:
        """Sums over the first 0, 1, …, N samples, expected over all orders of equal scores.

        Inside a group the expected sum grows in equal steps.

        Args:
            values: (N,) float64, in the order of the scores that were given.

        Returns:
            (N + 1,) float64.
        """
        of_group = values.new_zeros(len(self._sizes)).index_add_(
            0, self._group, values[self._order]
        )
        before = of_group.cumsum(0) - of_group
        place = torch.arange(1, len(values) + 1, device=values.device)
        within = place - (self.ends - self._sizes)[self._group]
        mean = (of_group / self._sizes)[self._group]
        return torch.cat([values.new_zeros(1), before[self._group] + within * mean])


def between(sums: Tensor, places: Tensor) -> Tensor:
    """Sums of :meth:`Ranking.sums` over a number of samples that need not be whole.

    >>> between(torch.tensor([0.0, 1.0, 3.0]), torch.tensor([0.5, 1.25, 2.0]))
    tensor([0.5000, 1.5000, 3.0000])
    """
    below = places.floor().long().clamp(0, len(sums) - 2)
    return sums[below] + (places - below) * (sums[below + 1] - sums[below])
