"""A command of the command line: its options, and the function that they are handed to."""

import shlex
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, make_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maxsup.commands._options import CommonOptions, is_first_process
from maxsup.commands._read import Parser, in_group, named_options, read, read_first
from maxsup.commands._settings import Settings, changes_to, settings_options, with_options
from maxsup.data import DataSettings
from maxsup.recipes import Recipe

if TYPE_CHECKING:
    from maxsup.training import Choice


@dataclass(frozen=True)
class Command:
    """A command whose options are its own.

    Args:
        options: A frozen dataclass; its docstring says what the command does.
        run: Called with the options; returns the exit code.
    """

    options: type[CommonOptions]
    run: Callable[[Any], int]

    def parser(self) -> Parser:
        """What its command line is read with."""
        return Parser(self.options)

    def execute(self, name: str, words: Sequence[str]) -> int:
        """Read the words that follow the command's name, and do what they say."""
        options = read(self.parser(), name, words)
        return self.run(_ready(options, name, words))


@dataclass(frozen=True)
class SettingsCommand:
    """A command that has each setting of a recipe, and of the data, as an option too.

    Its command line is read twice: first to see which recipe or settings file it names, then on top
    of the settings found there.

    Args:
        options: A frozen dataclass of its own options, each with a default; its docstring says what
            the command does.
        defaults: Called with the options as they were read first; returns what the command line is
            read on top of: the options, then a recipe, and data settings if these can be set.
        run: Called with the options and each of the settings; returns the exit code.
        choose: Called with the options, the data and what the command line says of the recipe;
            returns the recipe where one is to be chosen or fitted to the data, with what there is
            to say of it. None leaves it at the one that the command line names.
    """

    options: type[CommonOptions]
    defaults: Callable[[Any], tuple[Any, *tuple[Settings, ...]]]
    run: Callable[..., int]
    choose: Callable[[Any, DataSettings, Mapping[str, Any]], "Choice | None"] | None = None

    def parser(self) -> Parser:
        """What its command line is read with where it names no recipe."""
        return _parser(*self.defaults(self.options()))

    def execute(self, name: str, words: Sequence[str]) -> int:
        """Read the words that follow the command's name, and do what they say."""
        first = self.options()
        _, *any_settings = self.defaults(first)
        named = read_first(_parser(first, *any_settings), words).options
        options, *settings = self.defaults(named)
        line = read(_parser(options, *settings), name, words)
        named = named_options(words)
        choice = self._choice(line, settings, named)
        changed: list[Settings] = []
        for each in settings:
            if choice is not None and isinstance(each, Recipe):
                changed.append(choice.recipe)
                notes = list(choice.notes)
            else:
                with_changes, notes = with_options(each, line.settings, named)
                changed.append(with_changes)
            for note in notes if is_first_process() else []:
                print(note, file=sys.stderr)
        options = _ready(line.options, name, words)
        if choice is not None:
            options = replace(options, common=replace(options.common, notes=choice.notes))
        return self.run(options, *changed)

    def _choice(
        self, line: Any, settings: Sequence[Settings], named: Collection[str]
    ) -> "Choice | None":
        if self.choose is None:
            return None
        (data,) = (each for each in settings if isinstance(each, DataSettings))
        with_changes, _ = with_options(data, line.settings, named)
        assert isinstance(with_changes, DataSettings)
        return self.choose(line.options, with_changes, changes_to(Recipe, line.settings, named))


def _parser(options: CommonOptions, *settings: Settings) -> Parser:
    """The options of a command with those of its settings, in one parser."""
    kind = settings_options(*settings)
    both = make_dataclass(
        "Options",
        [
            ("options", in_group(type(options), "")),
            ("settings", in_group(kind, "")),
        ],
        namespace={"__doc__": type(options).__doc__},
        frozen=True,
    )
    return Parser(both, both(options, kind()))


def _ready(options: CommonOptions, name: str, words: Sequence[str]) -> CommonOptions:
    """The options with what the command line says of the program itself; plug-ins are loaded."""
    if options.common.plugin:
        from maxsup.methods import load_plugin  # needs torch

        # A module may lie where the command is called, as for python -m.
        if str(Path.cwd()) not in sys.path:
            sys.path.insert(0, str(Path.cwd()))
        for plugin in options.common.plugin:
            load_plugin(plugin)
    line = shlex.join(["maxsup", name, *words])
    return replace(options, common=replace(options.common, command_line=line))
