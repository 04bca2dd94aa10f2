"""Settings whose fields hold what their annotations say, wherever they come from."""

import math
import numbers
import types
from dataclasses import fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


def settle_fields(settings: Any) -> None:
    """Bring each field of a frozen dataclass into the type that it is annotated with.

    A command line reads its words by these types, but JSON and Python hold anything. Lists become
    tuples, and numpy's numbers become Python's, so that settings can be compared and written as
    JSON; nothing else is converted. To be called first in ``__post_init__``.

    Args:
        settings: An instance of a dataclass whose annotations are made of ``bool``, ``int``,
            ``float``, ``str``, ``Literal``, ``None`` and tuples and unions of these; fields of
            other types are left alone.

    Raises:
        ValueError: A field holds something else, or a number that is infinite or NaN; the message
            names it.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Size:
        ...     sides: tuple[float, ...]
        ...     def __post_init__(self) -> None:
        ...         settle_fields(self)
        >>> Size([3, 4.5])
        Size(sides=(3, 4.5))
        >>> Size((float("inf"),))
        Traceback (most recent call last):
        ValueError: sides must be finite numbers; got inf.
    """
    hints = get_type_hints(type(settings))
    for field in fields(settings):
        value = getattr(settings, field.name)
        settled = _settled(field.name, value, hints[field.name])
        if settled is not value:
            object.__setattr__(settings, field.name, settled)


def left_alone(name: str, default: Any) -> str:
    """What to do about a setting without effect, in words for Python and the command line.

    >>> left_alone("label_column", None), left_alone("test_fraction", 0.2)
    ('Leave it away (--label-column)', 'Leave it at 0.2 (--test-fraction)')
    """
    at = "away" if default is None or default is False or default == () else f"at {default}"
    return f"Leave it {at} (--{name.replace('_', '-')})"


class _Unfit(Exception):
    """A value is not of a type; holds the part of it that is not."""


def _settled(name: str, value: Any, hint: Any) -> Any:
    try:
        return _fit(value, hint)
    except _Unfit as unfit:
        raise ValueError(f"{name} must be {_in_words(hint)}; got {unfit.args[0]!r}.") from None


def _fit(value: Any, hint: Any) -> Any:
    """The value as the type has it."""
    origin, of = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _fit_any(value, of)
    if origin is Literal:
        fits, found = value in of, value
    elif origin is tuple:
        return _fit_tuple(value, of)
    elif hint is bool:
        fits, found = isinstance(value, bool), value
    elif hint is int:
        fits = type(value) is not bool and isinstance(value, numbers.Integral)
        found = int(value) if fits and type(value) is not int else value
    elif hint is float:
        fits = type(value) is not bool and isinstance(value, numbers.Real) and _finite(value)
        found = value if type(value) in (int, float) or not fits else float(value)
    elif hint is str:
        fits, found = isinstance(value, str), value
    elif hint is types.NoneType:
        fits, found = value is None, value
    else:
        return value
    if not fits:
        raise _Unfit(value)
    return found


def _fit_any(value: Any, kinds: tuple[Any, ...]) -> Any:
    for kind in kinds:
        try:
            return _fit(value, kind)
        except _Unfit:
            continue
    raise _Unfit(value)


def _fit_tuple(value: Any, of: tuple[Any, ...]) -> Any:
    if not isinstance(value, tuple | list):
        raise _Unfit(value)
    if of[-1] is Ellipsis:
        of = (of[0],) * len(value)
    if len(of) != len(value):
        raise _Unfit(value)
    found = tuple(_fit(each, kind) for each, kind in zip(value, of, strict=True))
    same = isinstance(value, tuple) and all(a is b for a, b in zip(found, value, strict=True))
    return value if same else found


def _finite(value: numbers.Real) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond every float
        return False


_WORDS = {
    bool: ("True or False", "Trues or Falses"),
    int: ("a whole number", "whole numbers"),
    float: ("a finite number", "finite numbers"),
    str: ("text", "texts"),
    types.NoneType: ("None", "Nones"),
}


def _in_words(hint: Any) -> str:
    origin, of = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_in_words(kind) for kind in of)
    if origin is Literal:
        return "one of " + ", ".join(map(str, of))
    if origin is tuple:
        several = _WORDS[of[0]][1]
        return several if of[-1] is Ellipsis else f"{len(of)} {several}"
    return _WORDS[hint][0]
