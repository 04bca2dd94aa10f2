"""Intervals of what cannot lie everywhere: a fraction is never below 0 nor above 1."""

from collections.abc import Mapping, Sequence
from typing import TypedDict, TypeVar

from maxsup.statistics._paired import Summary

Bounds = Sequence[float | None]
"""The least and the greatest value that a measure can have; ``None`` where there is none."""


class _Ends(TypedDict):
    low: float | None
    high: float | None


_Interval = TypeVar("_Interval", bound=_Ends)


def within_bounds(interval: _Interval, bounds: Bounds) -> _Interval:
    """That part of an interval in which the value can lie.

    Student's interval is centred on the mean and knows of no bounds, so with few seeds near one of
    them it reaches beyond. What is cut off holds no possible value: the rest holds the truth as
    often as the whole.

    Args:
        interval: Anything with ``low`` and ``high``, both ``None`` where there is no interval.
        bounds: The least and the greatest value.

    Returns:
        A copy.

    Example:
        >>> within_bounds({"low": 0.9, "high": 1.05}, (0.0, 1.0))
        {'low': 0.9, 'high': 1.0}
    """
    least, greatest = bounds
    found = interval.copy()
    for end in ("low", "high"):
        value = found[end]
        if value is not None and least is not None:
            value = max(value, least)
        if value is not None and greatest is not None:
            value = min(value, greatest)
        found[end] = value
    return found


def bounds_of_difference(bounds: Bounds) -> Bounds:
    """Between what the difference of two values lies that have these bounds.

    >>> bounds_of_difference((0.0, 1.0)), bounds_of_difference((0.0, None))
    ((-1.0, 1.0), (None, None))
    """
    least, greatest = bounds
    if least is None or greatest is None:
        return None, None
    return least - greatest, greatest - least


def summaries_within(summaries: Mapping[str, Summary], bounds: Bounds) -> dict[str, Summary]:
    """Summaries of a measure with these bounds, the intervals of their differences within them."""
    of_difference = bounds_of_difference(bounds)
    found = {}
    for method, summary in summaries.items():
        difference = summary["difference"]
        if difference is not None:
            difference = within_bounds(difference, of_difference)
        found[method] = Summary(**{**summary, "difference": difference})
    return found
