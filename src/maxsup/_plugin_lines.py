"""Where in a user's plug-in an error lies: the line that a message can name."""

from collections.abc import Collection
from pathlib import Path
from types import ModuleType, TracebackType

_modules: set[str] = set()
"""The names of the modules that plug-ins are."""


def remember(module: ModuleType) -> None:
    """Take a module for a plug-in."""
    _modules.add(module.__name__)


def line_in_plugins(error: BaseException) -> str | None:
    """The innermost line of a plug-in that an error came through, ``own_method.py, line 23``."""
    trace = _innermost(error, _modules)
    if trace is None:
        return None
    return f"{Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno}"


def with_line(message: str, error: BaseException) -> str:
    """A message with the plug-in's line behind it, where the error came through one."""
    line = line_in_plugins(error)
    return f"{message} ({line})" if line else message


def import_failure(plugin: str, name: str, error: Exception) -> str:
    """A sentence on a plug-in whose import raised something.

    Args:
        plugin: What the user calls it.
        name: Its name as a module.
        error: What was raised.
    """
    trace = _innermost(error, {name})
    line = None if trace is None else trace.tb_lineno
    message: object = error
    if line is None and isinstance(error, SyntaxError):
        # The plug-in's own, none of whose lines has run.
        line, message = error.lineno, error.msg
    where = "" if line is None else f"line {line}: "
    text = " ".join(str(message).split())
    what = f"{type(error).__name__}{f': {text}' if text else ''}"
    return f"{plugin} cannot be imported: {where}{what}"


def _innermost(error: BaseException, modules: Collection[str]) -> TracebackType | None:
    """The last entry of an error's traceback that lies in one of these modules."""
    found, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") in modules:
            found = trace
        trace = trace.tb_next
    return found
