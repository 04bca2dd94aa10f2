"""Ctrl-C, seen also where Python loses it."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_seen = False


@contextlib.contextmanager
def remembering_interrupts() -> Iterator[None]:
    """Remember a Ctrl-C within the block until it has come out of it as KeyboardInterrupt.

    Python raises it wherever it is, and drops it there in code whose errors it cannot pass on: the
    functions that it calls around a fork, and finalisers. Loops ask :func:`check_interrupted`.

    Nothing changes where Ctrl-C is ignored or handled by somebody else, as in a notebook.
    """
    global _seen
    _seen = False
    is_ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if is_ours:
        signal.signal(signal.SIGINT, _remember)
    try:
        yield
    finally:
        if is_ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        _seen = False


def check_interrupted() -> None:
    """Raise the KeyboardInterrupt of a Ctrl-C that has come and was lost."""
    if _seen:
        raise KeyboardInterrupt


def _remember(number: int, frame: FrameType | None) -> None:
    global _seen
    _seen = True
    raise KeyboardInterrupt
