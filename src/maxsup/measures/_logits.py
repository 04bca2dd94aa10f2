from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from maxsup.measures._check import check_at_least, check_rows

_LOW, _HIGH = -100.0, 100.0


class LogitHistogram(Metric):
    """Histogram of all logits of the first samples (MaxSup paper, Figure 2).

    The grid is fixed, by default 0.05 wide over [−100, 100), so that histograms of several runs
    can be added; what lies beyond counts in the outermost bins. Logits of −inf (classes that are
    not available) and NaN are left out. Over several processes each adds its own first samples.

    Args:
        samples: How many samples to take, at least 1.
        low: Lower end of the grid.
        high: Upper end of the grid.
        bins: Number of bins of the grid, at least 2; bin b holds those in
            [low + b·w, low + (b + 1)·w), with w = (high − low)/bins.
        **kwargs: Of :class:`torchmetrics.Metric`, such as ``sync_on_compute``.

    Raises:
        ValueError: An argument is not as described; in ``update``, a shape or dtype is wrong.

    Example:
        >>> metric = LogitHistogram()
        >>> metric.update(torch.tensor([[0.01, 0.02, 5.0]]))
        >>> int(metric.compute().max())
        2
    """

    # What is taken of a batch depends on what was seen before it.
    full_state_update = True
    higher_is_better = None
    is_differentiable = False
    counts: Tensor
    seen: Tensor

    def __init__(
        self,
        samples: int = 10_000,
        low: float = _LOW,
        high: float = _HIGH,
        bins: int = 4000,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_at_least("samples", samples, 1)
        check_at_least("bins", bins, 2)
        _check_ends(low, high)
        self.samples, self.low, self.high, self.bins = samples, low, high, bins
        self.add_state("counts", torch.zeros(bins, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("seen", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, logits: Tensor) -> None:
        """Add a batch: logits (N, K) of any floating dtype."""
        check_rows("logits", logits)
        values = logits.double()
        index = ((values - self.low) * (self.bins / (self.high - self.low))).floor()
        # A weight of 0 instead of a selection: its size would have to be waited for on a GPU.
        taken = self.seen + torch.arange(len(logits), device=logits.device) < self.samples
        counted = taken.unsqueeze(1) & (values > -torch.inf)
        index = torch.where(counted, index, 0.0).clamp(0, self.bins - 1).long()
        self.counts.index_add_(0, index.flatten(), counted.flatten().long())
        self.seen += len(logits)

    def compute(self) -> Tensor:
        """Counts per bin, shape (bins,), int64."""
        return self.counts


def logit_densities(
    counts: Sequence[Tensor], bins: int = 120, *, low: float = _LOW, high: float = _HIGH
) -> tuple[list[float], list[list[float]]]:
    """Densities on a common, coarser grid that holds all of the counts.

    Args:
        counts: Histograms of :class:`LogitHistogram` on one grid, or sums of such.
        bins: The most bins that the coarser grid may have, at least 1.
        low: Lower end of the histograms' grid.
        high: Upper end of the histograms' grid.

    Returns:
        The edges of the coarser grid, and for each histogram its density, which integrates to 1
        (all 0 for an empty histogram). There is one edge more than bins.

    Raises:
        ValueError: ``counts`` is empty or the histograms differ in shape, ``bins`` is no such
            number, or ``low`` is not below ``high``.

    Example:
        >>> metric = LogitHistogram()
        >>> metric.update(torch.tensor([[0.01, 0.02, 0.06]]))
        >>> edges, [density] = logit_densities([metric.compute()])
        >>> [round(edge, 2) for edge in edges], [round(each, 2) for each in density]
        ([0.0, 0.05, 0.1], [13.33, 6.67])
    """
    check_at_least("bins", bins, 1)
    _check_ends(low, high)
    shapes = {tuple(each.shape) for each in counts}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise ValueError(
            f"counts must be one or more histograms on one grid, each of shape (bins,); got "
            f"{len(counts)} of shapes {sorted(shapes)}."
        )
    histograms = torch.stack(list(counts)).double()
    fine = (high - low) / histograms.shape[1]
    filled = histograms.sum(dim=0).nonzero().flatten().tolist() or [0]
    start, stop = filled[0], filled[-1] + 1
    merged = -(-(stop - start) // bins)
    cells = -(-(stop - start) // merged)
    edges = [low + fine * (start + merged * cell) for cell in range(cells + 1)]

    # Where the range is no multiple of the coarser bins, the last one reaches beyond it.
    padding = cells * merged - (stop - start)
    held = torch.nn.functional.pad(histograms[:, start:stop], (0, padding))
    masses = held.reshape(-1, cells, merged).sum(dim=2)
    densities = masses / (masses.sum(dim=1, keepdim=True).clamp(min=1) * fine * merged)
    return edges, densities.tolist()


def _check_ends(low: float, high: float) -> None:
    if not -torch.inf < low < high < torch.inf:
        raise ValueError(f"low must be below high, both finite; got low={low} and high={high}.")
