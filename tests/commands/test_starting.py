"""What the commands load, each in a process of its own, and what shells are told of them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "PIL", "accelerate", "datasets", "fsspec", "jinja2", "matplotlib", "numpy", "pandas", "pyarrow",
    "ray", "safetensors", "scipy", "sklearn", "timm", "torch", "torchmetrics", "torchvision",
    "transformers", "triton", "upath",
)  # fmt: skip
PROGRAM = """
import contextlib, io, json, sys
from maxsup.__main__ import main
sys.argv = ["maxsup", *sys.argv[1:]]
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    try:
        code = main()
    except SystemExit as end:
        code = end.code
commands = [name for name in sys.modules if name.startswith("maxsup.commands.")]
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules}), commands]))
"""


def start(*words: str) -> tuple[int, set[str], set[str]]:
    """The exit code of a command line, the heavy packages and the commands' files it loads."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    code, packages, modules = json.loads(done.stdout)
    files = {name.removeprefix("maxsup.commands.") for name in modules}
    return code, set(HEAVY) & set(packages), {name for name in files if not name.startswith("_")}


@pytest.mark.parametrize(
    ("line", "code", "files"),
    [
        ("--version", 0, set()),
        ("", 2, set()),
        ("compair digits", 2, set()),
        ("--help", 0, {"compare", "train", "prepare", "methods", "recipes"}),
        ("--print-completion bash", 0, {"compare", "train", "prepare", "methods", "recipes"}),
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
    assert start(*line.split()) == (code, set(), files)


def test_methods_loads_torch_at_most() -> None:
    code, packages, _ = start("methods")
    assert code == 0
    assert packages <= {"torch", "numpy", "triton"}  # those that torch loads


def test_train_loads_no_more_than_training_needs(tmp_path: Path) -> None:
    code, packages, _ = start("train", "digits", "--epochs", "1", "--out", str(tmp_path / "run"))
    assert code == 0
    assert "torch" in packages
    assert packages.isdisjoint({"ray", "jinja2"})


def test_compare_loads_ray_only_for_ray(tmp_path: Path) -> None:
    words = ("compare", "digits", "--seeds", "1", "--methods", "maxsup", "--epochs", "1")
    code, packages, files = start(*words, "--out", str(tmp_path / "study"))
    assert (code, files) == (0, {"compare"})
    assert "ray" not in packages


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
