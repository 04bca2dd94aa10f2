"""What concerns all commands at once: the overview, and the script that completes words."""

import contextlib
from collections.abc import Mapping
from typing import Any, Union

import tyro

from maxsup.commands._command import Command, SettingsCommand
from maxsup.commands._read import annotated

Commands = Mapping[str, Command | SettingsCommand]

_SHELLS = ("bash", "zsh", "fish")
_DESCRIPTION = "MaxSup and its rivals: honest comparisons of regularisers on your own data."
_MORE = """
maxsup COMMAND --help
    lists the options of a command.
maxsup --print-completion SHELL
    prints a script that completes commands
    and options in bash, zsh or fish.
maxsup --version
    prints the version."""


def print_help(commands: Commands) -> None:
    """Print what each command does."""
    with contextlib.suppress(SystemExit):
        _together(commands, "--help")
    print(_MORE)


def print_completion(commands: Commands, shell: str) -> None:
    """Print a script for a shell that completes commands, options and their values.

    Raises:
        ValueError: There is none for that shell.
    """
    if shell not in _SHELLS:
        raise ValueError(f"--print-completion knows {', '.join(_SHELLS)}; got {shell!r}.")
    with contextlib.suppress(SystemExit):
        _together(commands, "--tyro-print-completion", shell)


def _together(commands: Commands, *words: str) -> None:
    """Hand words to tyro as if all commands were one program."""
    parsers = {name: command.parser() for name, command in commands.items()}
    kinds: Any = tuple(
        annotated(parser.type, tyro.conf.subcommand(name, default=parser.default))
        for name, parser in parsers.items()
    )
    tyro.cli(Union[kinds], prog="maxsup", description=_DESCRIPTION, args=words)  # noqa: UP007
