"""Consoles that leave it to the program what happens where nobody reads."""

from typing import NoReturn

from rich.console import Console


class _PassingConsole(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Pass on that nobody reads; rich itself would end the process here, with an error code."""
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """A console on standard output or error; where nobody reads it, BrokenPipeError is raised."""
    return _PassingConsole(stderr=stderr)
