"""What the commands load, each in a process of its own, and what shells are told of them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

HEAVY = (
    "PIL", "accelerate", "datasets", "fsspec", "jinja2", "matplotlib", "numpy", "pandas", "pyarrow",
    "ray", "safetensors", "scipy", "sklearn", "timm", "torch", "torchmetrics", "torchvision",
    "transformers", "triton", "upath",
)  # fmt: skip
PROGRAM = """
import contextlib, io, json, sys
from maxsup.__main__ import main
shown, seen = io.StringIO(), []
with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(io.StringIO()):
    for words in json.loads(sys.argv[1]):
        sys.argv = ["maxsup", *words]
        try:
            code = main()
        except SystemExit as end:
            code = end.code
        seen.append((code, list(sys.modules)))
print(json.dumps([seen, shown.getvalue()]))
"""

ALL_COMMANDS = {
    "compare", "report", "inspect", "train", "reproduce", "prepare", "methods", "recipes",
}  # fmt: skip


class Started(NamedTuple):
    """What a command line led to, in a process that has run those before it."""

    code: int
    heavy: set[str]
    """The heavy packages that are loaded by then."""
    files: set[str]
    """The files of commands that are loaded by then."""


def start(*lines: str, directory: Path | None = None) -> tuple[list[Started], str]:
    """Run command lines one after the other in one process; also what they show."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([line.split() for line in lines])],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        cwd=directory,
    )
    assert done.returncode == 0, done.stderr
    seen, shown = json.loads(done.stdout)
    started = []
    for code, modules in seen:
        files = {name.rpartition(".")[2] for name in modules if name.startswith("maxsup.commands.")}
        packages = {name.partition(".")[0] for name in modules}
        public = {name for name in files if not name.startswith("_")}
        started.append(Started(code, packages & set(HEAVY), public))
    return started, shown


@pytest.mark.parametrize(
    ("line", "code", "files"),
    [
        ("--version", 0, set()),
        ("", 2, set()),
        ("compair digits", 2, set()),
        ("--help", 0, ALL_COMMANDS),
        ("--print-completion bash", 0, ALL_COMMANDS),
        ("compare --help", 0, {"compare"}),
        ("compare digits --sead 3", 2, {"compare"}),
        ("compare digits --seeds many", 2, {"compare"}),
        ("compare digits --lr -1", 2, {"compare"}),
        ("train cifar100-resnet18 --help", 0, {"train"}),
        ("train cifar100-resnet81", 2, {"train"}),
        ("prepare --help", 0, {"prepare"}),
        ("methods --help", 0, {"methods"}),
        ("recipes --help", 0, {"recipes"}),
        ("recipes", 0, {"recipes"}),
        ("recipes imagenet-resnet50 --lr 0.4", 0, {"recipes"}),
    ],
)
def test_command_line_that_only_reads_loads_nothing_heavy(
    line: str, code: int, files: set[str]
) -> None:
    assert start(line)[0] == [(code, set(), files)]


def test_methods_loads_torch_at_most_and_plugins(tmp_path: Path) -> None:
    for name in ("mine", "theirs"):
        (tmp_path / f"{name}.py").write_text(
            "import dataclasses\n"
            "from maxsup.methods import get_method\n"
            f"METHOD = dataclasses.replace(get_method('maxsup'), name='maxsup-{name}')\n"
        )
    (found,), shown = start("methods --plugin mine.py --plugin theirs", directory=tmp_path)
    assert found.code == 0
    assert found.heavy <= {"torch", "numpy", "triton"}  # those that torch loads
    assert "maxsup-mine" in shown
    assert "maxsup-theirs" in shown


def test_train_and_compare_load_no_more_than_they_need(tmp_path: Path) -> None:
    (trained, compared), _ = start(
        "train digits --epochs 1 --out run",
        "compare digits --epochs 1 --out study --seeds 1 --methods maxsup",
        directory=tmp_path,
    )
    assert (trained.code, trained.files) == (0, {"train"})
    assert trained.heavy.isdisjoint({"jinja2", "ray"})
    assert (compared.code, compared.files) == (0, {"train", "compare"})
    assert "ray" not in compared.heavy


def test_completion_knows_commands_and_options_in_bash(tmp_path: Path) -> None:
    script = _completion("bash")
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    (tmp_path / "maxsup.bash").write_text(script)
    function = next(line for line in script.splitlines() if line.startswith("complete")).split()[2]

    def complete(*words: str) -> set[str]:
        line = " ".join(words)
        program = f"""
            source {tmp_path}/maxsup.bash
            COMP_WORDS=({" ".join(f"'{word}'" for word in words)})
            COMP_CWORD={len(words) - 1}
            COMP_LINE='{line}'
            COMP_POINT={len(line)}
            {function}
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        done = subprocess.run(
            [bash, "-c", program], capture_output=True, text=True, check=True, timeout=60
        )
        return {word.strip() for word in done.stdout.split()}

    assert complete("maxsup", "co") == {"compare"}
    assert {"--seeds", "--first-seed", "--label-noise"} <= complete("maxsup", "compare", "--")
    assert complete("maxsup", "train", "--see") == {"--seed"}
    assert "adamw" in complete("maxsup", "train", "digits", "--optimizer", "a")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_mentions_the_options_of_every_command(shell: str) -> None:
    script = _completion(shell)
    for word in ("compare", "train", "prepare", "first-seed", "weight-decay", "short-side"):
        assert word in script


def _completion(shell: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "maxsup", "--print-completion", shell],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout
