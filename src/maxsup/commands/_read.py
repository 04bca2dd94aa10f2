"""The words of a command line as options."""

import contextlib
import difflib
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import is_dataclass, make_dataclass
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

import tyro


class Parser(NamedTuple):
    """What options are read with: a dataclass, and what they are where nothing is said."""

    type: Any
    default: Any = tyro.MISSING_NONPROP


def read(parser: Parser, command: str, words: Sequence[str]) -> Any:
    """The options of a command.

    Raises:
        ValueError: There is an option that the command does not have; the message names the nearest
            one that it has.
        SystemExit: Help was asked for and has been shown (0), or a value cannot be used and the
            cause has been shown (2).
    """
    _check_flags(parser, command, words)
    return tyro.cli(parser.type, default=parser.default, prog=f"maxsup {command}", args=words)


def read_first(parser: Parser, words: Sequence[str]) -> Any:
    """The options, also where help is asked for; the defaults where they cannot be read.

    Nothing is printed: what there is to say, :func:`read` says of the same words.
    """
    help_is_a_flag = make_dataclass(
        "WithHelp",
        [
            ("parsed", in_group(parser.type, "")),
            ("help", annotated(bool, tyro.conf.arg(aliases=("-h",))), False),
        ],
    )
    quiet = io.StringIO()
    try:
        with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            return tyro.cli(
                help_is_a_flag,
                default=help_is_a_flag(parser.default),
                args=words,
                add_help=False,
            ).parsed
    except SystemExit:
        return parser.default


def in_group(kind: type, title: str) -> Any:
    """A dataclass of options as tyro shows it under a title; with none, among the command's own."""
    return annotated(kind, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name=title, help=""))


def annotated(kind: Any, *marks: object) -> Any:
    """``Annotated`` of a type that is known when the program runs."""
    return Annotated[(kind, *marks)]


def _check_flags(parser: Parser, command: str, words: Sequence[str]) -> None:
    # Before tyro, which takes an option that it does not know for a positional argument.
    known = {"--help", *flags(parser.type)}
    for flag in _flags_in(words):
        if flag.replace("_", "-") not in known:
            close = difflib.get_close_matches(flag, sorted(known), n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise ValueError(
                f"{command} has no option {flag}.{hint} maxsup {command} --help lists its options."
            )


def _flags_in(words: Sequence[str]) -> Iterator[str]:
    for word in itertools.takewhile(lambda word: word != "--", words):
        if word.startswith("--"):
            yield word.partition("=")[0]


def named_options(words: Sequence[str]) -> set[str]:
    """The fields whose options a command line names, also where it repeats their values.

    >>> sorted(named_options(["digits", "--lr=0.1", "--no-nesterov", "--batch-size", "8"]))
    ['batch_size', 'lr', 'nesterov', 'no_nesterov']
    """
    names = {flag.removeprefix("--").replace("-", "_") for flag in _flags_in(words)}
    return names | {name.removeprefix("no_") for name in names}


def flags(kind: Any) -> Iterator[str]:
    """The options that a dataclass of options has, with those of the dataclasses in it."""
    for name, hint in get_type_hints(kind, include_extras=True).items():
        plain, *marks = get_args(hint) if get_origin(hint) is Annotated else [hint]
        if is_dataclass(plain):
            yield from flags(plain)
        elif tyro.conf.Positional not in marks and tyro.conf.Suppress not in marks:
            flag = name.replace("_", "-")
            yield f"--{flag}"
            if plain is bool:
                yield f"--no-{flag}"
