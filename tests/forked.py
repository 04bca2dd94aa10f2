"""Processes that start at once: forked from a server that has imported everything beforehand.

So a test that starts and kills many does not wait for imports each time.
"""

import atexit
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    # The first optimiser loads the compiler.
    [
        "torch._dynamo",
        "maxsup.study._compare",
        "maxsup.report",
        "maxsup.training",
        "maxsup.evaluation",
    ]
)

SECONDS = 240
"""For how long a process may run, or may be waited for."""


_started: list["ForkedProcess"] = []


def end_all() -> None:
    """End what still runs; a test that fails leaves nothing behind."""
    while _started:
        _started.pop().kill()


atexit.register(end_all)


class ForkedProcess:
    """A running function.

    Args:
        function: What runs; a function of a module that can be imported.
        arguments: The function's arguments.
        log: The file that its output goes to.
        environment: Variables that are set for it.
    """

    def __init__(
        self,
        function: Callable[..., object],
        arguments: tuple[Any, ...],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.log = log
        self._process: BaseProcess = _CONTEXT.Process(
            target=_run, args=(function, arguments, str(log), dict(environment or {}))
        )
        self._process.start()
        _started.append(self)

    @property
    def is_running(self) -> bool:
        return self._process.is_alive()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def wait(self) -> int:
        """The exit code."""
        self._process.join(SECONDS)
        if self._process.is_alive():
            self.kill()
            raise AssertionError(f"The process did not end within {SECONDS} s:\n{self.output()}")
        assert self._process.exitcode is not None
        return self._process.exitcode

    def wait_until(self, happened: Callable[[], bool]) -> None:
        """Wait while it runs for something to happen."""
        end = time.monotonic() + SECONDS
        while not happened():
            assert self.is_running, f"The process was over too early:\n{self.output()}"
            assert time.monotonic() < end, f"Waited in vain:\n{self.output()}"
            time.sleep(0.01)

    def kill(self) -> None:
        """End it by SIGKILL, if it still runs."""
        self._process.kill()
        self._process.join()

    def output(self) -> str:
        """The end of what it has written."""
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""


class CommandProcess(ForkedProcess):
    """A running command.

    Args:
        words: The command line after ``maxsup``.
        cwd: The directory that it runs in.
        log: The file that its output goes to.
        environment: Variables that are set for it.
    """

    def __init__(
        self,
        words: list[str],
        *,
        cwd: Path,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(_run_command, (words, str(cwd)), log=log, environment=environment)


def _run_command(words: list[str], cwd: str) -> int:
    from maxsup.__main__ import main

    os.chdir(cwd)
    sys.argv = ["maxsup", *words]
    return main()


def _run(
    function: Callable[..., object],
    arguments: tuple[Any, ...],
    log: str,
    environment: dict[str, str],
) -> None:
    os.environ.update(environment)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(file, stream)
    signal.signal(signal.SIGINT, signal.default_int_handler)

    import torch

    torch.set_num_threads(1)
    code = function(*arguments)
    # At once: there is nothing to tidy up, and a half-closed pipe of the server could keep it.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0)
