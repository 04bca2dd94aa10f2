"""Whether a difference counts as one."""

from maxsup.statistics._paired import Difference

LEVEL = 0.05
"""The p-value below which a difference is more than chance explains."""


def decisive_p(difference: Difference) -> float | None:
    """The p-value that decides: Student's t, adjusted where several methods are compared."""
    return difference["p_t"] if difference["p_t_holm"] is None else difference["p_t_holm"]


def holds(difference: Difference | None) -> bool:
    """Whether a difference is more than chance explains, at the 5 % level."""
    if difference is None or difference["pairs"] < 2:
        return False
    p = decisive_p(difference)
    return p is not None and p < LEVEL
