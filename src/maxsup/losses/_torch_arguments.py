"""What torch's criterions take and ours do not: the error says what to write."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec

P = ParamSpec("P")
_INSTEAD = ("label_smoothing", "size_average", "reduce")


def naming_what_to_write(init: Callable[P, None]) -> Callable[P, None]:
    """A constructor that answers an argument of torch's by the one that stands for it here."""

    @functools.wraps(init)
    def checked(*args: P.args, **options: P.kwargs) -> None:
        for name in _INSTEAD:
            if name in options and not _takes(init, name):
                raise TypeError(_message(type(args[0]), name, options))
        init(*args, **options)

    return checked


def _takes(function: Callable[..., object], name: str) -> bool:
    parameters = inspect.signature(function).parameters
    return name in parameters or any(
        parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()
    )


def _message(criterion: type, name: str, options: dict[str, Any]) -> str:
    called = criterion.__name__
    parameters = inspect.signature(criterion).parameters
    required = any(parameter.default is parameter.empty for parameter in parameters.values())
    call = f"{called}({'..., ' if required else ''}"
    if name != "label_smoothing":
        reduction = _reduction(options.get("size_average"), options.get("reduce"))
        return (
            f"{called} takes reduction, not {name}, which torch has replaced by it; write "
            f"{call}reduction={reduction!r})."
        )
    value = options[name]
    if "alpha" in parameters:
        return (
            f"{called} takes alpha where nn.CrossEntropyLoss takes label_smoothing; write "
            f"{call}alpha={value!r}), without label_smoothing."
        )
    return (
        f"{called} does not smooth labels; leave label_smoothing out, or write "
        f"LabelSmoothingLoss(alpha={value!r}) or MaxSupLoss(alpha={value!r}) in its place."
    )


def _reduction(size_average: object, reduce: object) -> str:
    """What torch makes of its two former arguments, each True unless it is said otherwise."""
    if reduce is not None and not reduce:
        return "none"
    return "mean" if size_average is None or size_average else "sum"
