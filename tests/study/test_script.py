"""Studies whose runs are those of somebody's own script."""

import contextlib
import io
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from tests.forked import CommandProcess

from maxsup.commands import main
from maxsup.results import Results, read_results
from maxsup.study import ScriptStudy, compare_script

PYTHON = sys.executable

SCRIPT = """
import os, subprocess, sys, time
import numpy as np

method, seed, out = sys.argv[1:] or [os.environ[f"MAXSUP_{n}"] for n in ("METHOD", "SEED", "OUT")]
with open("started.txt", "a") as file:
    file.write(f"{method} {seed}\\n")
print("training with", method, flush=True)
if method == "crash" and seed == "1":
    sys.exit("no memory left")
if method == "killed":
    os.kill(os.getpid(), 9)
if method == "silent":
    sys.exit(0)
if method == "wait" and not os.path.exists("go"):
    np.savez(out, logits=np.eye(2), labels=[0, 1])  # of an early epoch, say
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open("pids.txt", "w") as file:
        file.write(f"{os.getpid()} {child.pid}")
    time.sleep(600)
labels = np.arange(40 + (method == "other")) % 2
rng = np.random.default_rng(int(seed))
logits = rng.normal(size=(len(labels), 2)) + (method != "baseline") * np.eye(2)[labels]
np.savez(out, logits=logits, labels=labels)
"""
COMMAND = f"{PYTHON} train.py {{method}} {{seed}} {{out}}"


@pytest.fixture(autouse=True)
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(SCRIPT)


def run(*methods: str, seeds: int = 2, jobs: int = 2, script: str = COMMAND) -> tuple[Results, str]:
    """The results of a study in ``study``, and what it showed."""
    shown = io.StringIO()
    study = ScriptStudy(script, methods, tuple(range(seeds)))
    results = compare_script(
        study, "study", jobs=jobs, console=Console(file=shown, width=300), command="again"
    )
    return results, shown.getvalue()


def started() -> list[str]:
    """What was run, since the last call."""
    file = Path("started.txt")
    lines = sorted(file.read_text().splitlines()) if file.exists() else []
    file.unlink(missing_ok=True)
    return lines


def statuses(results: Results) -> dict[tuple[str, int], str]:
    return {(run["method"], run["seed"]): run["status"] for run in results["runs"]}


def comparable(results: Results) -> dict[str, Any]:
    return {name: value for name, value in results.items() if name not in ("timings", "asked")}


def test_every_method_is_run_with_every_seed_and_judged() -> None:
    results, shown = run("baseline", "my loss:alpha=0.10")
    assert started() == ["baseline 0", "baseline 1", *(f"my loss:alpha=0.10 {s}" for s in (0, 1))]
    assert set(statuses(results).values()) == {"finished"}
    assert [method["name"] for method in results["methods"]] == ["baseline", "my loss:alpha=0.1"]
    assert results["predictions"] == {"made_by": COMMAND, "form": "logits"}
    assert (results["data"]["test"], results["command"]) == (40, "again")
    assert results["timings"]["training_seconds"] > 0
    directory = Path("study/my loss-alpha-0.1/seed-1")
    assert (directory / "log.txt").read_text() == "training with my loss:alpha=0.10\n"
    assert "baseline, seed 0: done (" in shown
    with np.load(directory / "predictions.npz") as kept:
        right = (kept["logits"].argmax(axis=1) == kept["labels"]).mean()
    of_run = next(
        r for r in results["runs"] if (r["method"], r["seed"]) == ("my loss:alpha=0.1", 1)
    )
    assert of_run["values"]["test_accuracy"] == pytest.approx(right)
    assert read_results("study/results.json")["runs"] == results["runs"]
    # The same command has nothing left to do; what was asked for before stays.
    again, _ = run("baseline", "my loss:alpha=.1")
    assert started() == []
    assert comparable(again) == comparable(results)
    fewer, _ = run("baseline", "third", seeds=1)
    assert started() == ["third 0"]
    assert len(fewer["runs"]) == 5
    assert fewer["asked"]["methods"] == ["baseline", "third"]


def test_failures_are_noted_and_tried_again() -> None:
    results, shown = run("baseline", "crash", "killed", "silent")
    causes = {(run["method"], run["seed"]): run["cause"] or "" for run in results["runs"]}
    assert causes["crash", 0] == ""
    assert causes["crash", 1] == "exit code 1: training with crash | no memory left"
    assert "ended by SIGKILL (out of memory, perhaps): training with killed" in causes["killed", 0]
    assert "wrote no predictions to {out}" in causes["silent", 1]
    assert "crash, seed 1 failed (" in shown
    assert len(started()) == 8
    run("baseline", "crash", "killed", "silent")
    assert started() == ["crash 1", "killed 0", "killed 1", "silent 0", "silent 1"]


def test_script_may_read_its_environment() -> None:
    results, _ = run("a", "b", seeds=1, script=f"{PYTHON} train.py")
    assert started() == ["a 0", "b 0"]
    assert set(statuses(results).values()) == {"finished"}


def test_damaged_predictions_are_made_again() -> None:
    whole, _ = run("baseline", seeds=2)
    started()
    Path("study/baseline/seed-0/predictions.npz").write_bytes(b"PK")
    Path("study/baseline/seed-1/predictions.npz").unlink()
    again, shown = run("baseline", seeds=2)
    assert started() == ["baseline 0", "baseline 1"]
    assert "baseline, seed 0 is run again: " in shown
    assert "predictions.npz is damaged, or was changed" in shown
    assert comparable(again) == comparable(whole)


def test_runs_that_predict_other_samples_stop_the_study() -> None:
    with pytest.raises(ValueError, match=r"other/seed-0/predictions.npz has 41 samples, and base"):
        run("baseline", "other", "third", seeds=3, jobs=1)
    assert started() == ["baseline 0", "other 0"]


def test_directory_of_another_command_is_left_alone() -> None:
    run("baseline", seeds=1)
    with pytest.raises(ValueError, match="holds a study of another command"):
        run("baseline", script=f"{COMMAND} --more")
    Path("mine").mkdir()
    Path("mine/thesis.tex").write_text("")
    with pytest.raises(ValueError, match=r"holds files that are no study \(thesis.tex\)"):
        compare_script(ScriptStudy(COMMAND, ("a",)), "mine")
    with pytest.raises(ValueError, match="A script writes to this machine's disks"):
        compare_script(ScriptStudy(COMMAND, ("a",)), "memory://mine", console=Console(quiet=True))
    assert main(["compare", "digits", "--epochs", "1", "--out", "study"]) == 2
    assert started() == ["baseline 0"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"script": "python train.py {loss}"}, "{loss}, which stands for nothing; there are {met"),
        ({"script": "python t.py {seed} {out}"}, "but not {method}, so its runs would not differ"),
        ({"script": "python 'train.py"}, "No closing quotation"),
        ({"script": " "}, "--script is empty"),
        ({"methods": ()}, "at least one method"),
        ({"methods": ("a", "A")}, "'a' and 'A' would have one directory"),
        ({"methods": ("a/b",)}, "cannot be the name of a directory"),
        ({"methods": ("a:b",)}, "write METHOD:NAME=VALUE"),
        ({"seeds": ()}, "at least one seed"),
        ({"seeds": (1, 1)}, "twice came 1"),
        ({"baseline": "nope"}, "'nope' is not among the methods"),
        ({"margin": -1.0}, "larger than 0"),
        ({"primary": "speed"}, "there are accuracy"),
        ({"contrasts": ("a/c",)}, "none of the methods"),
    ],
)
def test_study_that_makes_no_sense(changes: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"script": COMMAND, "methods": ("a", "b"), **changes}
    with pytest.raises(ValueError) as error:  # noqa: PT011
        ScriptStudy(**given)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--lr", "0.1"], "--lr would have no effect: with --script"),
        (["--recipe", "digits"], "--recipe would have no effect"),
        (["--no-nesterov", "--label-noise=0.2"], "--no-nesterov, --label-noise would have no"),
        (["--tracker", "tensorboard"], "--tracker would have no effect"),
        (["--jobs", "0"], "--jobs must be at least 1"),
        (["--on", "ray", "--jobs", "2"], "--jobs is for this machine"),
        (["--cpus-per-run", "2"], "are for Ray"),
        (["--methods", "all"], "have to be named"),
        (["--seeds", "0"], "--seeds must be at least 1"),
        (["--dry-run", "--latex"], "no table to print with --dry-run"),
    ],
)
def test_options_without_effect_are_errors(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", "--script", COMMAND, "--methods", "a", *words]) == 2
    assert message in capsys.readouterr().err
    assert started() == []
    assert not Path("runs").exists()


def test_what_cannot_be_started_is_told_before_anything_is_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for script, message in (
        ("pyhton train.py", "no program 'pyhton'"),
        (f"{PYTHON} trian.py", "no file trian.py"),
    ):
        assert main(["compare", "--script", script, "--methods", "a", "--out", "study"]) == 2
        assert message in capsys.readouterr().err
    assert main(["compare", "digits", "--script", COMMAND, "--methods", "a"]) == 2
    assert "there is no DATA to name; got 'digits'" in capsys.readouterr().err
    assert main(["compare", "digits", "--jobs", "2"]) == 2
    assert "there is none" in capsys.readouterr().err
    assert not Path("study").exists()


def test_command_writes_the_page_and_can_be_asked_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["compare", "--script", COMMAND, "--methods", "baseline", "a b", "--seeds", "1"]
    assert main([*words, "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == (
        f"{PYTHON} train.py 'a b' 0 '{Path.cwd()}/runs/train/a b/seed-0/predictions.npz'"
    )
    assert started() == []
    assert main([*words, "--jobs", "2"]) == 0
    capsys.readouterr()
    html = Path("runs/train/report.html").read_text()
    assert "The same command repeats the study" in html
    assert main([*words, "--dry-run"]) == 0
    assert capsys.readouterr().out.count("# has finished") == 2
    assert main(["report", "runs/train", "--baseline", "a b", "--margin", "3"]) == 0
    assert Path("runs/train/report-again.html").exists()


def is_alive(pid: int) -> bool:
    """Whether it runs; one that has ended and is waited for by nobody does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill"])
def test_study_that_was_stopped_takes_its_script_along_and_goes_on(
    number: signal.Signals, tmp_path: Path
) -> None:
    words = ["compare", "--script", COMMAND, "--methods", "baseline", "wait", "--seeds", "1"]
    words += ["--out", "study"]
    process = CommandProcess(words, cwd=tmp_path, log=tmp_path / "log.txt")
    process.wait_until(lambda: bool(_pids(tmp_path)))
    pids = _pids(tmp_path)
    os.kill(process.pid, number)
    code = process.wait()
    assert code == (130 if number == signal.SIGINT else -signal.SIGKILL), process.output()
    end = time.monotonic() + 60
    while any(map(is_alive, pids)):
        assert time.monotonic() < end, "the script outlives the study"
        time.sleep(0.05)
    # What the script had written half-way is not taken for its end.
    assert (tmp_path / "study/wait/seed-0/predictions.npz").exists()
    assert not (tmp_path / "study/results.json").exists()
    (tmp_path / "go").touch()
    started()
    assert main(words) == 0
    assert started() == ["wait 0"]
    assert read_results("study/results.json")["data"]["test"] == 40


def _pids(directory: Path) -> list[int]:
    with contextlib.suppress(FileNotFoundError):
        return [int(pid) for pid in (directory / "pids.txt").read_text().split()]
    return []


def test_example_that_uses_timm_alone_makes_a_study(tmp_path: Path) -> None:
    from PIL import Image

    example = Path(__file__).parents[2] / "docs" / "examples" / "timm_script.py"
    assert "import maxsup" not in example.read_text()
    rng = np.random.default_rng(0)
    for split, count in {"train": 32, "validation": 6}.items():
        for name, shade in {"dark": 40, "light": 200}.items():
            place = tmp_path / "images" / split / name
            place.mkdir(parents=True)
            for k in range(count):
                pixels = rng.normal(shade, 20, size=(32, 32, 3)).clip(0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(place / f"{k}.png")
    command = f"{PYTHON} {example} images --loss {{method}} --seed {{seed}} --out {{out}}"
    command += " --model resnet10t --size 32 --epochs 1"
    results, shown = run("label-smoothing", "maxsup", seeds=1, script=command)
    assert set(statuses(results).values()) == {"finished"}, shown
    assert [method["label"] for method in results["methods"]] == ["Label smoothing", "MaxSup"]
    assert results["data"]["test"] == 12
    assert len(results["runs"][0]["history"]) == 1
    assert json.loads(Path("study/study.json").read_text())["script"] == command
