"""Where a pass over a split runs."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Execution:
    """The device, the processes and the precision that a pass over a split runs with."""

    device: torch.device
    rank: int = 0
    """This process's number."""
    processes: int = 1
    """How many processes share the split."""
    autocast: Callable[[], contextlib.AbstractContextManager[Any]] = contextlib.nullcontext
    """Opens a block in the precision of the forward pass."""

    def alone(self) -> "Execution":
        """The same for this process by itself, which then sees the whole split."""
        return Execution(self.device, autocast=self.autocast)
