"""Metrics that keep something of every sample, because their value is no sum over samples."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric


class StoredMetric(Metric):
    """A metric with one row for each sample, gathered exactly; a process may have no sample."""

    full_state_update = False
    is_differentiable = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._empty: dict[str, Tensor] = {}

    def add_rows(self, name: str, *shape: int, dtype: torch.dtype) -> None:
        """Declare a state whose rows have this shape and dtype."""
        self._empty[name] = torch.zeros(0, *shape, dtype=dtype)
        self.add_state(name, [], dist_reduce_fx="cat")
        self._begin(name)

    def store(self, **rows: Tensor) -> None:
        """Add the rows of a batch to each state."""
        for name, values in rows.items():
            getattr(self, name).append(values.detach().to(self._empty[name].dtype))

    def stored(self, name: str) -> Tensor:
        """All rows of a state, one after the other."""
        rows: list[Tensor] | Tensor = getattr(self, name)
        return rows if isinstance(rows, Tensor) else torch.cat(rows)

    def reset(self) -> None:
        """Forget all samples."""
        super().reset()
        for name in self._empty:
            self._begin(name)

    def _begin(self, name: str) -> None:
        # Without it, a process that has seen no sample would not know what to gather.
        getattr(self, name).append(self._empty[name].to(self.device))
