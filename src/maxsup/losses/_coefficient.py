"""What is known of a coefficient before anything is built: name, range, default."""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

from torch import Tensor

from maxsup._method_names import Ramp, Value, written
from maxsup.losses._plain_numbers import hint_of_class_weights, plain_number

_GREEK = {"alpha": "α", "beta": "β", "gamma": "γ", "epsilon": "ε", "temperature": "τ"}


class Search(NamedTuple):
    """Where the best value of a coefficient is looked for, declared before anything is trained.

    Example:
        >>> strengths = Search(0.02, 0.5)
        >>> [strengths.at(part / 4) for part in range(5)]
        [0.02, 0.045, 0.1, 0.22, 0.5]
    """

    low: float
    high: float
    scale: Literal["log", "linear"] = "log"

    def at(self, part: float) -> float:
        """The value at a part of the way from low to high, in two significant digits.

        Args:
            part: 0 for the low end, 1 for the high one.
        """
        if self.scale == "log":
            value = self.low * (self.high / self.low) ** part
        else:
            value = self.low + (self.high - self.low) * part
        return float(f"{value:.2g}")


@dataclass(frozen=True)
class Coefficient:
    """A coefficient of an objective: its function, its module and the registry share this one.

    Example:
        >>> alpha = Coefficient("alpha", Ramp(0.1, 0.2), highest=1.0)
        >>> alpha.describe()
        'alpha in [0, 1], by default 0.1..0.2'
        >>> alpha.check(1.5)
        Traceback (most recent call last):
        ValueError: alpha must be a finite number in [0, 1]; got 1.5.

    Raises:
        ValueError: The search leaves the range, or has no values between its ends.
    """

    name: str
    """As the function's argument, ``alpha``."""
    default: Value
    """What studies set it to where nothing is said: a number, a :class:`Ramp`, or a word."""
    lowest: float = 0.0
    """The lower end of the range."""
    highest: float = math.inf
    """The upper end of the range."""
    open_below: bool = False
    """Whether the lower end itself is out of the range."""
    open_above: bool = False
    """Whether the upper end itself is out of the range, as infinity always is."""
    scheduled: bool = True
    """Whether it may follow a schedule."""
    choices: tuple[str, ...] = ()
    """The words that it may be, where it is no number."""
    symbol: str | None = None
    """As in a heading, ``α``; by default the Greek letter that it is named after, or its name."""
    search: Search | None = None
    """Where a study that tunes looks for its best value; without one it stays as it is."""

    def __post_init__(self) -> None:
        if self.search is None:
            return
        if self.choices or not self.search.low < self.search.high:
            raise ValueError(f"{self.name} cannot be searched for in {tuple(self.search)}.")
        if self.search.scale == "log" and not self.search.low > 0:
            raise ValueError(
                f"{self.name} cannot be searched for on a log scale from {self.search.low:g} on."
            )
        self.check(self.search.low)
        self.check(self.search.high)

    def check(self, value: object) -> float | Tensor:
        """Refuse what makes no sense; a tensor's value is not looked at.

        Returns:
            A plain number of any number, numpy's too; a tensor as it came.

        Raises:
            ValueError: ``value`` is no number, out of the range, or a tensor with axes, which would
                be spread over the values of the examples.
        """
        if isinstance(value, Tensor):
            if value.dim() != 0:
                raise ValueError(
                    f"{self.name} must be a number or a 0-dimensional tensor; got one of shape "
                    f"{tuple(value.shape)}.{hint_of_class_weights(value)}"
                )
            return value
        number = plain_number(value)
        if not isinstance(number, int | float) or isinstance(number, bool):
            raise ValueError(
                f"{self.name} must be a number; got {type(value).__name__}."
                f"{hint_of_class_weights(value)}"
            )
        above = number > self.lowest or (number == self.lowest and not self.open_below)
        below = number < self.highest or (number == self.highest and not self.open_above)
        # Written so that NaN fails too.
        if not (above and below and -math.inf < number < math.inf):
            raise ValueError(
                f"{self.name} must be a finite number{self._range(' ')}; got {number}."
            )
        return number

    def check_setting(self, value: Value) -> None:
        """Refuse what a study cannot set it to.

        Raises:
            ValueError: A number or an end of a ramp is out of the range, or the coefficient takes
                no such thing.
        """
        if self.choices:
            if value not in self.choices:
                raise ValueError(
                    f"{self.name} must be one of {', '.join(self.choices)}; got {written(value)}."
                )
        elif isinstance(value, str):
            raise ValueError(f"{self.name} must be a number{self._range(' ')}; got {value!r}.")
        elif isinstance(value, Ramp):
            if not self.scheduled:
                raise ValueError(
                    f"{self.name} follows no schedule; give it one number, not {value}."
                )
            self.check(value.start)
            self.check(value.end)
        else:
            self.check(value)

    def describe(self) -> str:
        """Name, range and default in words."""
        if self.choices:
            return f"{self.name} {' or '.join(self.choices)}, by default {self.default}"
        ends = self._range("")
        between = f" {ends}" if ends else ""
        fixed = "" if self.scheduled else ", the same throughout"
        return f"{self.name}{between}, by default {written(self.default)}{fixed}"

    def label(self, value: Value) -> str:
        """How a setting of it is written in a heading.

        >>> Coefficient("alpha", 0.1).label(Ramp(0.1, 0.2))
        'α 0.1 → 0.2'
        """
        symbol = self.symbol or _GREEK.get(self.name, self.name.replace("_", " "))
        return f"{symbol} {written(value).replace('..', ' → ')}"

    def _range(self, before: str) -> str:
        low, high = f"{self.lowest:g}", f"{self.highest:g}"
        if self.lowest == -math.inf and self.highest == math.inf:
            return ""
        if self.highest == math.inf:
            return f"{before}{'>' if self.open_below else '>='} {low}"
        if self.lowest == -math.inf:
            return f"{before}{'<' if self.open_above else '<='} {high}"
        opening, closing = "(" if self.open_below else "[", ")" if self.open_above else "]"
        return f"{before}in {opening}{low}, {high}{closing}"


def check_coefficient(
    name: str, value: object, *, lowest: float = 0.0, highest: float = math.inf
) -> float | Tensor:
    """:meth:`Coefficient.check` for an objective that declares no coefficients.

    Returns:
        As there.

    Raises:
        ValueError: As there.
    """
    return Coefficient(name, 0.0, lowest, highest).check(value)
