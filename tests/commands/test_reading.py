"""How command lines are read: recipe first, then what overrides it."""

import dataclasses
import importlib
import json
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import pytest

from maxsup import commands
from maxsup.commands import main
from maxsup.commands._command import SettingsCommand
from maxsup.commands._options import TrackerName
from maxsup.commands._read import flags, read
from maxsup.commands._settings import GROUPS, NO_OPTIONS, docstrings
from maxsup.data import DataSettings
from maxsup.recipes import Recipe, get_recipe

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"


def help_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 0
    shown = capsys.readouterr()
    assert not shown.err
    return shown.out


def command(name: str) -> SettingsCommand:
    found = importlib.import_module(f"maxsup.commands.{name}").COMMAND
    assert isinstance(found, SettingsCommand)
    return found


SMALL = ("--model", "test_resnet", "--no-small-stem")
"""What takes a step much quicker."""


@pytest.mark.parametrize(
    "words",
    [
        ("train", "--data", "digits", "cifar100-resnet18"),
        ("train", "cifar100-resnet18", "--data", "digits", *SMALL),
        ("compare", "--recipe", "cifar100-resnet18", "--seeds", "1", "--out", "digits", "digits",
         *SMALL),
        ("compare", *SMALL, "digits", "--recipe=cifar100-resnet18"),
    ],
)  # fmt: skip
def test_recipe_is_the_named_one_wherever_it_stands(
    words: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--dry-run", "--batch-size", "8"]) == 0
    shown = capsys.readouterr().out
    if not {*SMALL} <= {*words}:
        assert "model    resnet18, 11.17 M parameters" in shown
    assert "of 8 images in each of 200 epochs" in shown


def test_train_applies_options_on_top_of_a_settings_file(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    quick = ("--epochs", "1", "--batch-size", "256", "--label-noise", "0.2", "--seed", "3")
    assert main(["train", "digits", "--method", "baseline", *quick, "--out", str(first)]) == 0
    changes = ("--seed", "7", "--lr", "0.05", "--validation", "0.1", "--method", "maxsup")
    file = str(first / "settings.json")
    assert main(["train", *changes, file, "--no-nesterov", "--out", str(second)]) == 0
    before, after = (json.loads((run / "settings.json").read_text()) for run in (first, second))
    assert (after["method"], after["seed"]) == ("maxsup", 7)
    assert after["recipe"] == before["recipe"] | {"lr": 0.05, "nesterov": False}
    assert after["data"] == before["data"] | {"validation": 0.1}
    assert after["recipe"]["batch_size"] == 256
    assert after["data"]["label_noise"] == 0.2


def test_help_shows_the_defaults_of_the_recipe_that_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words in (
        ("train", "imagenet-deit-small", "--help"),
        ("train", "-h", "--seed", "1", "imagenet-deit-small"),
        ("compare", "--help", "--recipe", "imagenet-deit-small"),
        ("recipes", "imagenet-deit-small", "-h"),
    ):
        shown = " ".join(help_of(capsys, *words).replace("│", " ").split())
        assert "(default: 1024)" in shown, words
        assert "(default: rand-m9-mstd0.5-inc1)" in shown, words


@pytest.mark.parametrize("name", ["compare", "train"])
def test_option_is_there_for_every_setting(name: str) -> None:
    """All of them are set at once, each to a value that is not its default."""
    parser = command(name).parser()
    words, expected = ["digits"], {}
    for settings in (get_recipe("digits"), DataSettings("digits")):
        for field in dataclasses.fields(settings):
            if field.name not in NO_OPTIONS[type(settings)]:
                told, value = another(field.type, vars(settings)[field.name])
                flag = field.name.replace("_", "-")
                words += [f"--{told}{flag}"] if isinstance(told, str) else [f"--{flag}", *told]
                expected[field.name] = value
    groups = vars(read(parser, name, words).settings).values()
    found = [pair for group in groups for pair in vars(group).items()]
    assert len(found) == len(dict(found))
    assert dict(found) == expected
    # What is left out can be set in another way: as the recipe, the data, or a setting of those.
    assert {Recipe: {"name", "label_column"}, DataSettings: {"name"}} == NO_OPTIONS
    assert {"--label-column", "--image-size"} <= set(flags(parser.type))


def another(kind: Any, value: Any) -> tuple[Any, Any]:
    """Words for an option of that type, and the value that they mean; another one than it has."""
    if kind is bool:
        return "no-" if value else "", not value
    if isinstance(kind, types.UnionType) or get_origin(kind) is Union:
        if bool in get_args(kind):
            return ["True"], True
        return another(next(each for each in get_args(kind) if each is not type(None)), value)
    if get_origin(kind) is Literal:
        other = next(each for each in get_args(kind) if each != value)
        return [other], other
    if get_origin(kind) is tuple:
        of = get_args(kind)[0]
        return ["11", "13"], (of(11), of(13))
    return ["17"], kind(17)


def test_setting_lies_in_exactly_one_group() -> None:
    grouped = [name for group in GROUPS for name in group.names]
    assert len(grouped) == len(set(grouped))
    settings = [
        field.name
        for kind in (Recipe, DataSettings)
        for field in dataclasses.fields(kind)
        if field.name not in NO_OPTIONS[kind]
    ]
    assert sorted(grouped) == sorted(settings)
    assert len({group.title for group in GROUPS}) == len(GROUPS)


@pytest.mark.parametrize("kind", [Recipe, DataSettings])
def test_setting_is_described_once(kind: type) -> None:
    sentences = docstrings(kind)
    assert set(sentences) == {field.name for field in dataclasses.fields(kind)}
    assert all(sentence.endswith(".") for sentence in sentences.values())


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("name", ["compare", "train"])
def test_help_shows_ten_options_first_and_the_others_in_groups(
    name: str, width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    shown = help_of(capsys, name, "--help")
    assert "\x1b" not in shown
    lines = shown.splitlines()
    # Where lines cannot be drawn, as in a log file that is not UTF-8, titles are underlined.
    at = [index - 1 for index, line in enumerate(lines) if line.strip() and not line.strip(" -")]
    assert max(len(line) for line in lines[at[0] :]) <= width
    titles = [lines[index].strip() for index in at]
    assert titles[:2] == ["positional arguments", "options"]
    assert {f"{group.title} options" for group in GROUPS if group.title} <= set(titles)
    assert "Other options" not in titles
    first = [line.strip() for line in lines[at[1] : at[2]] if line.startswith("  --")]
    assert len(first) == 10
    for flag in ("--epochs", "--lr", "--label-noise", "--out", "--dry-run"):
        assert any(line.startswith(flag) for line in first), flag


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["compare", "digits", "--sedes", "3"],
            "compare has no option --sedes. Did you mean --seeds?",
        ),
        (["compare", "--sedes=3", "digits"], "Did you mean --seeds?"),
        (["train", "digits", "--seeds", "3"], "train has no option --seeds. Did you mean --seed?"),
        (["train", "digits", "--no_compil"], "train has no option --no_compil. Did you mean --no-"),
        (["prepare", "a", "b", "--short-sid", "3"], "Did you mean --short-side?"),
        (["methods", "--what"], "methods has no option --what. maxsup methods --help"),
        (["compair", "digits"], "No command is called 'compair'. Did you mean 'compare'?"),
        (
            [],
            "Name a command. There are: compare, report, inspect, train, reproduce, prepare, ",
        ),
        (["compare", "digits", "--recipe", "cifar100-resnet81"], "mean 'cifar100-resnet18'?"),
        (["train", "--data", "digits", "cifar100-resnet81"], "mean 'cifar100-resnet18'?"),
        (["--print-completion", "ksh"], "--print-completion knows bash, zsh, fish; got 'ksh'."),
    ],
)
def test_typing_error_names_what_is_nearest(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert len(shown.err.splitlines()) == 1
    assert not shown.out


@pytest.mark.parametrize("recipe", [(), ("--recipe", "cifar100-resnet18")])
def test_value_that_cannot_be_read_is_said_once(
    recipe: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["compare", "digits", *recipe, "--lr", "fast"])
    assert end.value.code == 2
    shown = capsys.readouterr()
    assert shown.err.count("could not convert string to float: 'fast'") == 1
    assert "maxsup compare --help" in shown.err
    assert not shown.out


def test_tracker_option_knows_the_trackers_of_training() -> None:
    from maxsup import training

    assert get_args(TrackerName) == get_args(training.TrackerName)


def test_package_that_is_missing_is_named_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "rich.markdown", None)
    assert main(["methods"]) == 2
    assert (
        'need rich.markdown, which is not installed: pip install "maxsup[lab]" brings it.'
        in capsys.readouterr().err
    )


@pytest.mark.skipif(not CONTRIBUTING.exists(), reason="CONTRIBUTING.md is not at hand")
def test_command_is_added_by_one_file_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    section = CONTRIBUTING.read_text().partition("## Add a command")[2].partition("\n## ")[0]
    code = section.partition("```python\n")[2].partition("```")[0]
    (tmp_path / "hello.py").write_text(
        "\n".join(line.removeprefix("   ") for line in code.splitlines()) + "\n"
    )
    monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(tmp_path)])
    monkeypatch.setattr(commands, "_COMMANDS", (*commands._COMMANDS, "hello"))
    assert main(["hello", "--name", "you"]) == 0
    assert capsys.readouterr().out == "Hello, you!\n"
    assert "--plugin" in help_of(capsys, "hello", "--help")
    assert main(["hello", "--nam", "you"]) == 2
    assert "Did you mean --name?" in capsys.readouterr().err
    assert main(["helo"]) == 2
    assert "Did you mean 'hello'?" in capsys.readouterr().err
    assert main(["--help"]) == 0
    assert "Greet somebody." in capsys.readouterr().out
    monkeypatch.delitem(sys.modules, "maxsup.commands.hello")
