"""Processes that end with the one that started them, in whatever way that one ends."""

import ctypes
import os
import signal
import sys
import threading
import time

_SECONDS_BETWEEN_LOOKS = 0.5
_PR_SET_PDEATHSIG = 1


class EndWithParent:
    """To be made in the thread that starts a process, and called in that process first of all.

    A process that was killed ends nothing. What it has started lives on, and keeps the pipes open
    that it has inherited, so that whoever reads them waits for ever. Linux ends such a process at
    once, if asked to; elsewhere, and where the process was started in a thread whose end Linux
    would take for the process's, a thread looks every half second whether the parent is still the
    same. Either way a parent that was gone before the call is noticed, since it is known by number.

    Ctrl-C reaches all processes of a terminal; it is left to the parent, which then ends these.
    """

    def __init__(self) -> None:
        self._parent = os.getpid()
        self._starts_in_main_thread = threading.current_thread() is threading.main_thread()

    def __call__(self, worker: int) -> None:
        """Be called by torch's DataLoader, with the number of the process."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if sys.platform == "win32":
            return  # there, processes know their parent by a handle, which torch watches
        if self._starts_in_main_thread:
            _ask_linux()
        if self._is_orphan():
            _end()
        threading.Thread(target=self._watch, daemon=True).start()

    def _is_orphan(self) -> bool:
        return os.getppid() != self._parent

    def _watch(self) -> None:
        while not self._is_orphan():
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        _end()


def _ask_linux() -> None:
    """Have this process killed when the thread ends that has started it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end() -> None:
    os._exit(1)  # nobody is left to be told
