"""Rows in float64, a few at a time."""

from collections.abc import Iterator

import torch
from torch import Tensor

_CPU_NUMBERS = 2**20
"""8 MiB in float64, which stay in a processor's cache while they are used again and again; fewer
would leave several threads waiting for each other more often."""
_DEVICE_NUMBERS = 2**24
"""128 MiB in float64: few kernels to start, and little memory."""


def float64_blocks(rows: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Float64 copies of consecutive rows, which the caller may change, and where they lie.

    The same memory is used for every block: on the CPU, fresh memory for copies of all rows costs
    many times what is done with them.

    Example:
        >>> [(part.stop, block.dtype) for part, block in float64_blocks(torch.zeros(3, 2))]
        [(3, torch.float64)]
    """
    width = rows.shape[1]
    numbers = _CPU_NUMBERS if rows.device.type == "cpu" else _DEVICE_NUMBERS
    height = max(1, min(len(rows), numbers // width))
    memory = torch.empty(height, width, dtype=torch.float64, device=rows.device)
    for start in range(0, len(rows), height):
        part = slice(start, min(start + height, len(rows)))
        block = memory[: part.stop - part.start]
        yield part, block.copy_(rows[part].detach())
