"""Run a command, and end it with all that it has started once nobody waits for it any more.

A program of its own, started by its path and made of the standard library alone: whoever starts it
keeps the other end of its standard input. Where that is closed, by Ctrl-C or because the process
was killed, the command gets Ctrl-C's signal, and harder ones where it does not listen.
"""

import os
import signal
import subprocess
import sys
import threading

_SECONDS = (8.0, 4.0)
"""How long the command has to end after Ctrl-C's signal, and after the next one."""


def main(words: list[str]) -> int:
    """Run the command; its exit code, or 128 and the number of the signal that ended it."""
    # An ignored signal, as of what runs in the background, would stay so in what is started.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    command = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_caller, args=(command,), daemon=True).start()
    code = command.wait()
    _signal(command, getattr(signal, "SIGKILL", signal.SIGTERM))  # what it may have left behind
    return code if code >= 0 else 128 - code


def _end_with_caller(command: "subprocess.Popen[bytes]") -> None:
    # Not by sys.stdin, whose lock a thread that waits would keep as the interpreter ends.
    while os.read(0, 1):
        pass
    signals = [signal.SIGINT, signal.SIGTERM]
    for number, seconds in zip(signals, _SECONDS, strict=True):
        _signal(command, number)
        try:
            command.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        return
    _signal(command, getattr(signal, "SIGKILL", signal.SIGTERM))


def _signal(command: "subprocess.Popen[bytes]", number: int) -> None:
    """Send a signal to the command and to what it has started."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(command.pid, number)
        else:
            command.terminate()
    except (ProcessLookupError, PermissionError):
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
