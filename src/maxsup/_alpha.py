"""The coefficient of objectives in other frameworks, checked without torch."""

import math


def check_alpha(value: object, highest: float = math.inf) -> float:
    """A coefficient as a plain number.

    Args:
        value: A number, numpy's too.
        highest: The upper end of its range, which begins at 0.

    Raises:
        ValueError: It is no number, or out of the range.

    >>> check_alpha(0.1)
    0.1
    >>> check_alpha(-0.1)
    Traceback (most recent call last):
    ValueError: alpha must be a finite number >= 0; got -0.1.
    """
    number = value
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        number = value.item()
    if not isinstance(number, int | float) or isinstance(number, bool):
        raise ValueError(f"alpha must be a number; got {type(value).__name__}.")
    # Written so that NaN fails too.
    if not (0 <= number <= highest and number < math.inf):
        between = ">= 0" if highest == math.inf else f"in [0, {highest:g}]"
        raise ValueError(f"alpha must be a finite number {between}; got {number}.")
    return number
