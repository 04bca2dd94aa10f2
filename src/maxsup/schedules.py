"""How the coefficient of a penalty grows over training.

A schedule is a function from the number of optimiser steps taken to the coefficient. A criterion
that is given one keeps count itself: call its ``step()`` once per optimiser step.

Example:
    >>> import maxsup
    >>> alpha = maxsup.schedules.linear(0.1, 0.2, steps=100)
    >>> [round(alpha(count), 3) for count in (0, 50, 100, 200)]
    [0.1, 0.15, 0.2, 0.2]
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Schedule", "constant", "cosine", "linear"]

Schedule = Callable[[int], float]


def constant(value: float) -> Schedule:
    """The same coefficient throughout.

    >>> constant(0.1)(1000)
    0.1
    """
    return _Constant(value)


def is_constant(schedule: Schedule) -> bool:
    """Whether a schedule is one of :func:`constant`.

    >>> is_constant(constant(0.1)), is_constant(lambda count: 0.1)
    (True, False)
    """
    return isinstance(schedule, _Constant)


def linear(start: float, end: float, *, steps: int, every: int = 1) -> Schedule:
    """α(t) = start + (end − start)·t/steps, and ``end`` from there on.

    The paper (Appendix F) raises α once an epoch, from 0.1 in the first epoch towards 0.2:
    ``linear(0.1, 0.2, steps=epochs * steps_per_epoch, every=steps_per_epoch)``.

    Args:
        start: The coefficient before the first step.
        end: The coefficient reached after ``steps`` steps.
        steps: Optimiser steps from ``start`` to ``end``.
        every: The coefficient changes only at multiples of so many steps.

    Raises:
        ValueError: ``steps`` or ``every`` is not positive.

    >>> by_epoch = linear(0.1, 0.2, steps=20, every=10)
    >>> [round(by_epoch(count), 3) for count in (0, 9, 10, 19, 20)]
    [0.1, 0.1, 0.15, 0.15, 0.2]
    """
    return _Ramp("linear", start, end, steps, every)


def cosine(start: float, end: float, *, steps: int, every: int = 1) -> Schedule:
    """α(t) = start + (end − start)·(1 − cos(π·t/steps))/2, and ``end`` from there on.

    Args:
        start: The coefficient before the first step.
        end: The coefficient reached after ``steps`` steps.
        steps: Optimiser steps from ``start`` to ``end``.
        every: The coefficient changes only at multiples of so many steps.

    Raises:
        ValueError: ``steps`` or ``every`` is not positive.

    >>> [round(cosine(0.0, 1.0, steps=4)(count), 3) for count in range(5)]
    [0.0, 0.146, 0.5, 0.854, 1.0]
    """
    return _Ramp("cosine", start, end, steps, every)


@dataclass(frozen=True)
class _Constant:
    value: float

    def __call__(self, count: int) -> float:
        return self.value

    def __str__(self) -> str:
        return f"{self.value:g}"


@dataclass(frozen=True)
class _Ramp:
    shape: str
    start: float
    end: float
    steps: int
    every: int

    def __post_init__(self) -> None:
        for name in ("steps", "every"):
            # Written so that NaN fails too.
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}.")

    def __call__(self, count: int) -> float:
        done = min(count // self.every * self.every / self.steps, 1.0)
        if self.shape == "cosine":
            done = (1 - math.cos(math.pi * done)) / 2
        return self.start + (self.end - self.start) * done

    def __str__(self) -> str:
        return f"{self.start:g} → {self.end:g} ({self.shape})"
