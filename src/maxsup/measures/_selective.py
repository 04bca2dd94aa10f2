from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from maxsup.measures._check import check_at_least, check_labels, check_rows
from maxsup.measures._ranking import Ranking, between, confidence_log_odds
from maxsup.measures._stored import StoredMetric


class SelectiveValues(NamedTuple):
    """How well the confidence tells right from wrong; float64, NaN where it does not exist."""

    auroc: Tensor
    """Probability that a right prediction is more confident than a wrong one, ties counted half;
    NaN where all are right or all wrong."""
    aurc: Tensor
    """Mean risk over the coverages 1/N, 2/N, …, 1 (Geifman et al. 2018)."""
    augrc: Tensor
    """Area under the generalised risk, errors accepted per sample (Traub et al. 2024)."""
    coverage: Tensor
    """For each of the risks, the largest coverage that a threshold on the confidence has at it or
    below, shape (risks,), or 0-dimensional for one; 0 where there is none."""
    risk: Tensor
    """The risk at the coverages 1/points, 2/points, …, 1, shape (points,)."""


class SelectiveClassification(StoredMetric):
    """Selective classification: what is gained if the least confident samples are set aside.

    With the samples in the order of their confidence, the highest first, and E_n the number of
    wrong predictions among the first n::

        risk at coverage n/N = E_n/n
        AURC  = 1/N Σ_n E_n/n
        AUGRC = 1/N² Σ_n (E_{n−1} + E_n)/2 = (1 − AUROC)·a·(1 − a) + (1 − a)²/2

    with a the accuracy. Where samples tie, E_n is its mean over all orders of them, so that the
    order of the samples never matters. The confidence is the probability of the predicted class (of
    tied classes the first), compared by its log-odds: rounding of probabilities makes no ties.

    The confidence of each sample is kept, in 9 bytes.

    Args:
        risks: The risks, in [0, 1], at which the coverage is asked for.
        points: How many coverages the curve has, at least 2.
        **kwargs: Of :class:`torchmetrics.Metric`, such as ``sync_on_compute``.

    Raises:
        ValueError: An argument is not as described; in ``update``, a shape, dtype or label is
            wrong.

    Example:
        >>> metric = SelectiveClassification(risks=[0.2, 0.25], points=4)
        >>> logits = torch.tensor([[4.0, 0.0], [3.0, 0.0], [2.0, 0.0], [1.0, 0.0]])
        >>> metric.update(logits, torch.tensor([0, 0, 1, 0]))
        >>> values = metric.compute()
        >>> [round(float(each), 4) for each in (values.auroc, values.aurc, values.augrc)]
        [0.6667, 0.1458, 0.0938]
        >>> values.coverage.tolist(), values.risk[2:].tolist()
        ([0.5, 1.0], [0.3333333333333333, 0.25])
    """

    higher_is_better = None

    def __init__(
        self, risks: Sequence[float] = (0.01, 0.05), points: int = 100, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        # Of one point torchmetrics would drop the axis.
        check_at_least("points", points, 2)
        if not all(0 <= risk <= 1 for risk in risks):
            raise ValueError(f"risks must lie in [0, 1]; got {list(risks)}.")
        self.risks, self.points = tuple(risks), points
        self.add_rows("log_odds", dtype=torch.float64)
        self.add_rows("right", dtype=torch.uint8)

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add a batch: logits (N, K) of any floating dtype, class indices (N,)."""
        check_rows("logits", logits)
        check_labels(labels, len(logits), logits.shape[1])
        self.store(log_odds=confidence_log_odds(logits), right=logits.argmax(dim=1) == labels)

    def compute(self) -> SelectiveValues:
        """The values of all that was added."""
        log_odds, right = self.stored("log_odds"), self.stored("right").double()
        count = len(right)
        if not count or bool(log_odds.isnan().any()):
            nothing = log_odds.new_full((), torch.nan)
            return SelectiveValues(
                nothing,
                nothing,
                nothing,
                nothing.expand(len(self.risks)),
                nothing.expand(self.points),
            )
        ranking = Ranking(log_odds)
        errors = ranking.sums(1 - right)
        places = torch.arange(1, count + 1, device=right.device, dtype=torch.float64)
        between_places = (errors[:-1] + errors[1:]) / 2
        # Each right prediction, before the wrong ones that come after it.
        after = ranking.sums(right).diff() * (errors[-1] - between_places)
        coverages = torch.arange(1, self.points + 1, device=right.device, dtype=torch.float64)
        coverages /= self.points
        return SelectiveValues(
            auroc=after.sum() / (errors[-1] * (count - errors[-1])),
            aurc=(errors[1:] / places).mean(),
            augrc=between_places.mean() / count,
            coverage=self._coverage(errors[ranking.ends], ranking.ends.double()) / count,
            risk=between(errors, coverages * count) / (coverages * count),
        )

    def _coverage(self, errors: Tensor, accepted: Tensor) -> Tensor:
        """The most samples that a threshold accepts at each risk."""
        allowed = accepted * accepted.new_tensor(self.risks).unsqueeze(1)
        # A risk of exactly 5 % is none above it, whatever 0.05·n is rounded to.
        return torch.where(errors <= allowed + 1e-9, accepted, 0.0).amax(dim=1)
