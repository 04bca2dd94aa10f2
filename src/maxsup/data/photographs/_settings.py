"""How photographs are read; it needs nothing to be imported."""

import os
from dataclasses import dataclass
from typing import Literal

from maxsup._fields import settle_fields

Interpolation = Literal["bilinear", "bicubic"]

_MOST_WORKERS = 16


@dataclass(frozen=True)
class PhotographSettings:
    """How photographs are read, and how they are seen when a model is measured.

    Raises:
        ValueError: A number is out of range.
    """

    size: int
    """Side in pixels that the central part is resized to."""
    crop: float = 1.0
    """Fraction of the shorter side that the central part has."""
    interpolation: Interpolation = "bilinear"
    """How to resize."""
    workers: int | None = None
    """Processes that read beside this one; by default one for each core that it may use."""
    max_megapixels: int = 100
    """How many millions of pixels may be decoded of one image."""

    def __post_init__(self) -> None:
        settle_fields(self)
        if self.size < 1:
            raise ValueError(f"size must be at least 1 pixel; got {self.size}.")
        if not 0 < self.crop <= 1:
            raise ValueError(f"crop must lie in (0, 1]; got {self.crop}.")
        if self.workers is not None and self.workers < 0:
            raise ValueError(f"workers must not be negative; got {self.workers}.")
        if self.max_megapixels < 1:
            raise ValueError(f"max_megapixels must be at least 1; got {self.max_megapixels}.")

    def count_workers(self) -> int:
        """The processes to read with: the cores, shared by the trainings on this machine."""
        return count_workers(self.workers)


def count_workers(asked: int | None) -> int:
    """The processes to read with: those asked for, or one for each core that this one may use."""
    if asked is not None:
        return asked
    sharing = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, min(_count_cores() // sharing, _MOST_WORKERS))


def _count_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux: those that this process may use
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
