"""What is drawn for each image, the same whatever batch it comes in."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

Images: TypeAlias = Any
"""An array (B, C, H, W), floating-point, in [0, 1]; numpy types no more of it."""


class Draws:
    """A stream of random numbers for each image of a batch.

    Args:
        seeds: What each image's stream is determined by: some whole numbers, 0 or more.
    """

    def __init__(self, seeds: Sequence[Sequence[int]]) -> None:
        self.generators = [np.random.Generator(np.random.PCG64([*each])) for each in seeds]

    def normal(self, shape: tuple[int, ...]) -> Images:
        """(B, *shape) from the standard normal distribution."""
        return np.stack([each.standard_normal(shape, np.float32) for each in self.generators])

    def uniform(self, shape: tuple[int, ...]) -> Images:
        """(B, *shape) from [0, 1)."""
        return np.stack([each.random(shape, np.float32) for each in self.generators])

    def integers(
        self, low: int, high: int, shape: tuple[int, ...]
    ) -> np.ndarray[Any, np.dtype[np.int64]]:
        """(B, *shape) from the whole numbers from ``low`` to ``high``."""
        return np.stack([each.integers(low, high + 1, shape) for each in self.generators])
