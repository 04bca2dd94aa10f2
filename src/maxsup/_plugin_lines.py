"""Where in a user's plug-in an error lies: the line that a message can name."""

from pathlib import Path
from types import ModuleType

_modules: set[str] = set()
"""The names of the modules that plug-ins are."""


def remember(module: ModuleType) -> None:
    """Take a module for a plug-in."""
    _modules.add(module.__name__)


def line_in_plugins(error: BaseException) -> str | None:
    """The innermost line of a plug-in that an error came through, ``own_method.py, line 23``."""
    found = None
    trace = error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_globals.get("__name__") in _modules:
            found = f"{Path(frame.f_code.co_filename).name}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return found


def import_failure(plugin: str, name: str, error: Exception) -> str:
    """A sentence on a plug-in whose import raised something.

    Args:
        plugin: What the user calls it.
        name: Its name as a module.
        error: What was raised.
    """
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == name:
            line = trace.tb_lineno
        trace = trace.tb_next
    message: object = error
    if line is None and isinstance(error, SyntaxError):
        # The plug-in's own, none of whose lines has run.
        line, message = error.lineno, error.msg
    where = "" if line is None else f"line {line}: "
    text = " ".join(str(message).split())
    what = f"{type(error).__name__}{f': {text}' if text else ''}"
    return f"{plugin} cannot be imported: {where}{what}"
