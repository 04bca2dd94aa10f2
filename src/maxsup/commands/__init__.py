"""The command line: ``maxsup compare · report · inspect · train · reproduce · …``.

To add a command, write a file with an ``Options``, a function that does it, and a ``COMMAND``, and
add its name to ``_COMMANDS``. Only the file of the command that is called is imported, and what a
command needs beyond its options is imported in its function, once they have been read.
"""

import difflib
import importlib
import sys
from collections.abc import Sequence

import maxsup
from maxsup._interrupts import remembering_interrupts
from maxsup._lab import lab_is_needed
from maxsup._plugin_lines import with_line
from maxsup.commands._command import Command, SettingsCommand
from maxsup.commands._output import forget_closed_pipes, write_what_can_be_shown
from maxsup.commands._overview import print_completion, print_help

__all__ = ["main"]

_COMMANDS = (
    "compare", "report", "inspect", "train", "reproduce", "prepare", "methods", "recipes",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        0 when it is done, 1 when a training that was asked for failed, 2 for input it cannot use,
        130 when it was interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    write_what_can_be_shown()
    try:
        with remembering_interrupts():
            return _execute(words)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("maxsup"):
            raise
        # One with a cause names its remedy itself.
        return _fail(str(error) if error.__cause__ else lab_is_needed("the commands need", error))
    except BrokenPipeError:
        forget_closed_pipes()  # whoever read the output has seen enough
    except (ValueError, OSError) as error:
        return _fail(_message(error))
    except (RuntimeError, MemoryError) as error:
        from maxsup.training import cause_of, is_foreseen  # whoever raised these has loaded it

        if not is_foreseen(error):
            raise
        _fail(f"failed: {cause_of(error)}")
        return 1
    except KeyboardInterrupt:
        _fail("stopped. The same command goes on after the last finished epoch or file.")
        return 130
    return 0


def _execute(words: list[str]) -> int:
    match words:
        case ["--version", *_]:
            print(f"maxsup {maxsup.__version__}")
        case ["--help" | "-h", *_]:
            print_help(_all_commands())
        case ["--print-completion", *rest]:
            print_completion(_all_commands(), rest[0] if rest else "")
        case [name, *options] if name in _COMMANDS:
            return _import(name).execute(name, options)
        case _:
            raise ValueError(_no_command(words))
    return 0


def _import(name: str) -> Command | SettingsCommand:
    command: Command | SettingsCommand = importlib.import_module(f"{__name__}.{name}").COMMAND
    return command


def _all_commands() -> dict[str, Command | SettingsCommand]:
    return {name: _import(name) for name in _COMMANDS}


def _no_command(words: Sequence[str]) -> str:
    known = f"There are: {', '.join(_COMMANDS)}. maxsup --help says what they do."
    if not words:
        return f"Name a command. {known}"
    close = difflib.get_close_matches(words[0], _COMMANDS, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"No command is called {words[0]!r}.{hint} {known}"


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return with_line(f"{error.filename}: {error.strerror}", error)
    return with_line(str(error), error)


def _fail(message: str) -> int:
    print(f"maxsup: {message}", file=sys.stderr)
    return 2
