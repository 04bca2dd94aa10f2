"""Rows that are read while others are worked on."""

import contextlib
import queue
import threading
from collections.abc import Iterator
from typing import Any, TypeVar

_T = TypeVar("_T")

_READ_AHEAD = 512  # rows
_SECONDS_FOR_READER = 10.0


def read_ahead(rows: Iterator[_T], most: int = _READ_AHEAD) -> Iterator[_T]:
    """The same rows, at most so many read in a thread before they are asked for.

    Example:
        >>> list(read_ahead(iter(range(3))))
        [0, 1, 2]
    """
    waiting: queue.Queue[tuple[bool, Any]] = queue.Queue(maxsize=most)
    wanted = threading.Event()
    wanted.set()

    def offer(is_row: bool, value: Any) -> None:
        while wanted.is_set():
            with contextlib.suppress(queue.Full):
                waiting.put((is_row, value), timeout=0.2)
                return

    def read() -> None:
        try:
            for row in rows:
                offer(True, row)
                if not wanted.is_set():
                    return
            offer(False, None)
        except Exception as error:  # for the one who asks, whatever it is
            offer(False, error)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        while True:
            is_row, value = waiting.get()
            if is_row:
                yield value
            elif value is None:
                return
            else:
                raise value
    finally:
        wanted.clear()
        # Not for ever: it may wait for a network, and ends with this process in any case.
        reader.join(_SECONDS_FOR_READER)
