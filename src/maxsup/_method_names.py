"""Methods by name, with coefficients of one's own: ``maxsup:alpha=0.1..0.2``.

One spelling for each, which is a run's name everywhere: in settings and results, on the command
line, and as a directory. Which methods and coefficients there are, :mod:`maxsup.methods` knows; a
name can be read without, and without torch.
"""

import math
import re
from dataclasses import dataclass
from typing import NamedTuple


class Ramp(NamedTuple):
    """A coefficient that goes from one value to another, linearly, changing once an epoch.

    As in the paper (Appendix F), which raises α from 0.1 in the first epoch towards 0.2.

    >>> str(Ramp(0.1, 0.2))
    '0.1..0.2'
    """

    start: float
    """The value in the first epoch."""
    end: float
    """The value that would be reached after the last one."""

    def __str__(self) -> str:
        return f"{shortest(self.start)}..{shortest(self.end)}"


Value = float | Ramp | str
"""What a coefficient is set to: a number, a ramp, or one of a few words."""


@dataclass(frozen=True)
class MethodName:
    """A method with the coefficients that are set for it; the others keep their defaults.

    Example:
        >>> name = MethodName.read("acls:margin=6.0,alpha=.10")
        >>> str(name), name.directory
        ('acls:alpha=0.1,margin=6', 'acls-alpha-0.1-margin-6')
    """

    method: str
    """The name without coefficients."""
    coefficients: tuple[tuple[str, Value], ...] = ()
    """The coefficients that are set, by name."""

    @classmethod
    def read(cls, text: str) -> "MethodName":
        """Read ``METHOD`` or ``METHOD:NAME=VALUE,…``, where a value may be ``FROM..TO``.

        Raises:
            ValueError: It is written in another way.
        """
        method, colon, rest = text.partition(":")
        if not colon:
            return cls(text)
        found: dict[str, Value] = {}
        for part in rest.split(","):
            name, equals, value = (word.strip() for word in part.partition("="))
            name = name.replace("-", "_")
            if not (method and equals and re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) and value):
                raise ValueError(
                    f"{text!r} cannot be read; write METHOD:NAME=VALUE, such as maxsup:alpha=0.1, "
                    "maxsup:alpha=0.1..0.2 for a linear schedule, or acls:alpha=0.1,margin=6 for "
                    "several coefficients."
                )
            if name in found:
                raise ValueError(f"{text!r} sets {name} twice.")
            found[name] = _read_value(value, text)
        return cls(method.strip(), tuple(sorted(found.items())))

    def __str__(self) -> str:
        """The one spelling: coefficients by alphabet, numbers as short as they can be."""
        if not self.coefficients:
            return self.method
        return f"{self.method}:" + ",".join(
            f"{name}={written(value)}" for name, value in self.coefficients
        )

    @property
    def directory(self) -> str:
        """The name of its directory, which every file system takes."""
        words = [self.method]
        for name, value in self.coefficients:
            words += [name, written(value).replace("..", "-to-")]
        return "-".join(words)


def canonical(text: str) -> str:
    """The one spelling of a method's name.

    >>> canonical("maxsup:alpha=.10..0.20"), canonical("focal:gamma=2.0"), canonical("baseline")
    ('maxsup:alpha=0.1..0.2', 'focal:gamma=2', 'baseline')
    """
    return str(MethodName.read(text))


def directory_name(text: str) -> str:
    """The directory that a method's runs are kept in.

    >>> directory_name("maxsup:alpha=0.1..0.2"), directory_name("maxsup")
    ('maxsup-alpha-0.1-to-0.2', 'maxsup')
    """
    return MethodName.read(text).directory


def written(value: Value) -> str:
    """A value as it is written in a name."""
    return shortest(value) if isinstance(value, int | float) else str(value)


def shortest(number: float) -> str:
    """A number in the fewest characters that give it back.

    >>> [shortest(number) for number in (0.10, 6.0, 6e-4, 1e-5, 1e20, -0.0)]
    ['0.1', '6', '0.0006', '1e-5', '1e20', '0']
    """
    text = repr(float(number) + 0.0).removesuffix(".0")
    return re.sub(r"e([+-]?)0*", lambda sign: "e-" if sign[1] == "-" else "e", text)


def _read_value(text: str, whole: str) -> Value:
    start, dots, end = text.partition("..")
    if dots:
        # Of "0...1", the dot in the middle may be either number's.
        values = _number(start), None if "..." in text else _number(end)
        if values[0] is None or values[1] is None:
            raise ValueError(
                f"{whole!r} cannot be read: {text!r} is no FROM..TO; write two numbers, such as "
                "0.1..0.2."
            )
        return values[0] if values[0] == values[1] else Ramp(values[0], values[1])
    number = _number(text)
    if number is not None:
        return number
    if not re.fullmatch(r"[A-Za-z][\w+.-]*", text, re.ASCII):
        raise ValueError(f"{whole!r} cannot be read: {text!r} is neither a number nor a word.")
    return text


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number + 0.0
