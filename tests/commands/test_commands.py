import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from maxsup.commands import main
from maxsup.recipes import get_recipe
from maxsup.results import read_results

QUICK = ["--epochs", "1", "--batch-size", "256"]


def run(*words: str) -> int:
    return main(list(words))


def test_compare_writes_table_page_and_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["compare", "digits", "--methods", "baseline", "maxsup", "--seeds", "2"]
    assert run(*words, "--label-noise", "0.4", *QUICK) == 0
    out, err = capsys.readouterr()
    directory = tmp_path / "runs" / "digits-noise-0.4"
    assert "maxsup" in out
    assert "The page: runs/digits-noise-0.4/report.html" in out
    assert {"report.html", "results.json", "results.csv", "study.json"} <= {
        path.name for path in directory.iterdir()
    }
    results = read_results(directory / "results.json")
    assert results["command"] == " ".join(
        ["maxsup", *words, "--label-noise", "0.4", "--epochs", "1", "--batch-size", "256"]
    )
    assert results["recipe"]["epochs"] == 1
    assert results["data"]["label_noise"] == 0.4
    (note,) = results["data"]["notes"]  # what was chosen in the data: said once, kept and shown
    assert err.count(f"Data: {note}") == 1
    assert note in results["verdict"]["notes"]
    page = (directory / "report.html").read_text(encoding="utf-8").replace("&#39;", "'")
    # On the page, each of its sentences is a paragraph.
    for sentence in results["verdict"]["sentence"].split(". "):
        assert sentence.removesuffix(".") in page


def test_compare_takes_all_methods_and_another_baseline(tmp_path: Path) -> None:
    assert (
        run(
            *("compare", "digits", "--methods", "all", "--seeds", "1", "--first-seed", "7"),
            *("--baseline", "label-smoothing", "--out", str(tmp_path / "s"), *QUICK),
        )
        == 0
    )
    results = read_results(tmp_path / "s" / "results.json")
    assert len(results["methods"]) >= 8
    assert (results["baseline"], results["seeds"]) == ("label-smoothing", [7])


def test_compare_tunes_and_says_beforehand_what_it_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("compare", "digits", "--methods", "baseline", "maxsup", "--seeds", "1", *QUICK)
    words = (*words, "--tune", "2", "--tune-seeds", "1", "--tune-by", "accuracy", "--out")
    assert run(*words, str(tmp_path / "s"), "--dry-run") == 0
    shown = capsys.readouterr().out
    assert "at most for its 4 trials" in shown
    assert "for its 4 trainings at most and the 4 trials" in shown
    assert run(*words, str(tmp_path / "s")) == 0
    tuning = read_results(tmp_path / "s" / "results.json")["tuning"]
    assert tuning is not None
    assert [len(each["trials"]) for each in tuning["methods"]] == [2, 2]
    assert tuning["by"] == "validation_accuracy"
    assert "How each method&#39;s strength was chosen" in (
        tmp_path / "s" / "report.html"
    ).read_text(encoding="utf-8")
    assert run("report", str(tmp_path / "s"), "--margin", "3") == 0
    assert "chosen" in capsys.readouterr().out


def test_compare_in_which_nothing_finished_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["compare", "digits", "--seeds", "1", "--out", str(tmp_path / "s")]
    diverge = ["--lr", "1e20", "--lr-schedule", "constant", "--warmup-epochs", "0"]
    assert run(*words, *diverge) == 1
    assert "failed: TrainingDiverged: the loss became nan" in capsys.readouterr().out


def test_compare_in_which_one_run_failed_writes_its_page_and_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["compare", "digits", "--seeds", "1", "--out", str(tmp_path / "s"), *QUICK]
    words += ["--lr-schedule", "constant", "--warmup-epochs", "0", "--methods", "baseline"]
    assert run(*words, "baseline:lr=1e20") == 1
    results = read_results(tmp_path / "s" / "results.json")
    assert [each["status"] for each in results["runs"]] == ["finished", "failed"]
    assert (tmp_path / "s" / "report.html").exists()
    # What is not asked for any more has not failed this command.
    assert run(*words) == 0


def test_compare_by_a_script_of_which_one_run_failed_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write = (
        "import sys, numpy; method, seed, out = sys.argv[1:]; method == 'crash' and sys.exit(3); "
        "numpy.savez(out, logits=numpy.array([[2.0, 1], [0, 1]]), labels=numpy.array([0, 1]))"
    )
    script = shlex.join([sys.executable, "-c", write]) + " {method} {seed} {out}"
    words = ["compare", "--script", script, "--seeds", "1", "--out", str(tmp_path / "s")]
    assert run(*words, "--methods", "fine", "crash") == 1
    assert "exit code 3" in capsys.readouterr().out
    assert (tmp_path / "s" / "report.html").exists()


@pytest.mark.usefixtures("registry")
def test_compare_refuses_a_plugin_that_cannot_be_used_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = Path(__file__).parents[2] / "docs" / "examples" / "own_method.py"
    own = tmp_path / "own.py"
    words = ["compare", "digits", "--methods", "baseline", "squared-maxsup"]
    words += ["--plugin", str(own), "--out", str(tmp_path / "s")]
    text = example.read_text(encoding="utf-8")
    own.write_text(text.replace("lambda training, beta:", "lambda beta:"), encoding="utf-8")
    assert run(*words) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"maxsup: Method 'squared-maxsup' of {own} cannot be built: TypeError: ")
    assert "build(training, beta=...)" in said
    own.write_text(text + "\n)", encoding="utf-8")
    assert run(*words) == 2
    line = len(text.splitlines()) + 2
    said = capsys.readouterr().err
    assert said == f"maxsup: {own} cannot be imported: line {line}: SyntaxError: unmatched ')'\n"
    assert not (tmp_path / "s").exists()


@pytest.mark.usefixtures("registry")
def test_train_names_the_line_of_a_plugin_that_refuses_its_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = Path(__file__).parents[2] / "docs" / "examples" / "own_method.py"
    lines = example.read_text(encoding="utf-8").splitlines()
    number = 1 + next(i for i, line in enumerate(lines) if line.startswith("    return reduce("))
    # Fine where it is tried before the training, of two classes; refused in it.
    lines[number - 1] += ' if logits.shape[1] < 9 else float("x")'
    own = tmp_path / "own.py"
    own.write_text("\n".join(lines), encoding="utf-8")
    words = ["train", "digits", "--method", "squared-maxsup", "--plugin", str(own)]
    assert run(*words, "--epochs", "1", "--out", str(tmp_path / "r")) == 2
    assert capsys.readouterr().err.endswith(
        f"maxsup: could not convert string to float: 'x' (own.py, line {number})\n"
    )


def test_compare_says_how_to_go_on_after_an_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("maxsup.study._run.train", interrupt)
    assert run("compare", "digits", "--out", str(tmp_path / "s"), *QUICK) == 130
    assert "The same command goes on" in capsys.readouterr().err


def test_train_repeats_a_run_from_its_settings_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    words = ["train", "digits", "--method", "label-smoothing", "--seed", "3", *QUICK]
    assert run(*words, "--label-noise", "0.2", "--out", str(first)) == 0
    assert "test accuracy" in capsys.readouterr().out
    settings = json.loads((first / "settings.json").read_text())
    assert (settings["method"], settings["seed"]) == ("label-smoothing", 3)
    assert settings["data"]["label_noise"] == 0.2
    assert run("train", str(first / "settings.json"), "--out", str(second)) == 0
    results = [json.loads((place / "result.json").read_text()) for place in (first, second)]
    assert results[0]["values"] == results[1]["values"]
    assert results[0]["initial_weights"] == results[1]["initial_weights"]


def test_train_leaves_another_runs_directory_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "digits", "--out", str(tmp_path / "run"), *QUICK]
    assert run(*words) == 0
    assert run(*words, "--seed", "1") == 2
    assert "holds a run with other settings" in capsys.readouterr().err


def test_methods_and_recipes_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("methods") == 0
    listed = capsys.readouterr().out
    for name in ("baseline", "label-smoothing", "maxsup", "logit-penalty", "ls-regularization"):
        assert name in listed
    assert run("methods", "maxsup") == 0
    shown = capsys.readouterr().out
    assert "largest logit" in shown
    assert "maxsup:alpha=0.1..0.2: alpha >= 0, by default 0.1..0.2" in " ".join(shown.split())
    assert run("recipes") == 0
    assert "cifar100-resnet18" in capsys.readouterr().out
    assert run("recipes", "cifar100-resnet18") == 0
    shown = capsys.readouterr().out
    assert "76.16" in shown
    assert "milestones (60, 120, 160)" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["methods", "maxsub"], "No method is called 'maxsub'. Did you mean 'maxsup'?"),
        (["recipes", "cifar100-resnet81"], "Did you mean 'cifar100-resnet18'?"),
        (["compare", "digits", "--recipe", "nope"], "No recipe is called 'nope'"),
        (["compare", "digits", "--methods", "baseline", "nope"], "No method is called 'nope'"),
        (["compare", "some/folder"], "no file or folder has this path"),
        (["compare", "some/folder", "--recipe", "digits"], "no file or folder has this path"),
        (
            ["compare", "digits", "--seeds", "0"],
            "--seeds must be at least 1 and at most 10,000",
        ),
        (["compare", "digits", "--seeds", "99999999999"], "--seeds must be at least 1 and at most"),
        (["compare", "digits", "--first-seed", "-1"], "seeds must lie in [0, 4294967295]; got -1"),
        (["compare", "digits", "--methods", "all", "maxsup"], "--methods all stands for every"),
        (["compare", "digits", "--methods", "maxsup", "maxsup"], "twice came maxsup"),
        (["compare", "digts"], "Did you mean 'digits'?"),
        (["train", "digits", "--data", "digts"], "Did you mean 'digits'?"),
        (["train", "digits", "--seed", str(2**64)], "seed must lie in [0, 4294967295]"),
        (["train", "digits", "--warmup-epochs", "inf"], "warmup_epochs must be a finite number"),
        (["train", "digits", "--label-noise", "nan"], "label_noise must be a finite number"),
        (["compare", "digits", "--lr", "-1"], "lr must be positive; got -1.0"),
        (["compare", "digits", "--label-noise", "1.5"], "label_noise must lie in [0, 1); got 1.5"),
        (["compare", "digits", "--baseline", "maxsub"], "'maxsub' is not among the methods"),
        (["compare", "digits", "--model", "resnet81"], "No model is called 'resnet81'"),
        (["compare", "digits", "--batch-size", "5000"], "a batch_size of at most 1257"),
        (["compare", "digits", "--methods", "baseline", "maxsup:beta=1"], "maxsup has: alpha >= 0"),
        (["compare", "digits", "--contrasts", "maxsup:alpha=1/baseline"], "none of the methods"),
        (["compare", "digits", "--dry-run", "--latex"], "no table to print with --dry-run"),
        (["compare", "digits", "--tune-lr", "3"], "--tune-lr: nothing is tuned without --tune N"),
        (["compare", "digits", "--tune", "1"], "strengths must be at least 2; got 1"),
        (["compare", "digits", "--tune", "3", "--tune-seeds", "0"], "seeds must be at least 1"),
        (["train", "digits", "--method", "label-smoothing:alpha=3"], "in [0, 1]; got 3"),
        (["train", "nope"], "No recipe is called 'nope'"),
        (["train", "digits", "--method", "nope"], "No method is called 'nope'"),
        (["train", "nowhere/settings.json"], "nowhere/settings.json"),
    ],
)
def test_commands_answer_bad_input_with_one_clear_line(
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*words) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert "Traceback" not in shown.err


def test_train_refuses_a_file_that_holds_no_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "settings.json").write_text('{"method": "maxsup"}')
    assert run("train", str(tmp_path / "settings.json")) == 2
    assert "no settings file of a run" in capsys.readouterr().err


def test_help_of_the_installed_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "maxsup", "compare", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "usage: maxsup compare" in done.stdout
    for option in ("--methods", "--seeds", "--label-noise", "--weight-decay", "--out"):
        assert option in done.stdout


def test_commands_without_the_lab_say_what_they_need(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tyro", None)
    for name in [name for name in sys.modules if name.startswith("maxsup.commands")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("maxsup.commands")
    from maxsup.__main__ import main as installed

    assert installed() == 2
    assert 'need tyro, which is not installed: pip install "maxsup[lab]"' in capsys.readouterr().err


def test_recipes_show_what_is_changed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    picture = tmp_path / "curves.png"
    changes = ("--lr", "0.4", "--image-size", "160", "--curves", str(picture))
    assert run("recipes", "imagenet-resnet50", *changes) == 0
    shown = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if line)
    assert shown["lr"] == "0.4  (changed from 0.85)"
    assert shown["image_size"] == "160  (changed from 224)"
    assert shown["batch_size"] == "2048"
    assert picture.read_bytes()[1:4] == b"PNG"
    assert run("recipes", "imagenet-resnet50", "--lr", "-1") == 2


def test_recipes_draw_the_curves_of_all(tmp_path: Path) -> None:
    assert run("recipes", "--curves", str(tmp_path / "all.png")) == 0
    assert (tmp_path / "all.png").stat().st_size > 50_000


def test_directory_name_differs_for_other_data() -> None:
    from maxsup.data import DataSettings
    from maxsup.study import StudySettings

    def name(**changes: float) -> str:
        data = DataSettings("digits", **changes)  # type: ignore[arg-type]
        return StudySettings(data, get_recipe("digits")).default_directory().as_posix()

    assert name() == "runs/digits"
    assert name(imbalance=20) == "runs/digits-imbalance-20"
    assert name(imbalance=20, label_noise=0.4) == "runs/digits-imbalance-20-noise-0.4"


def test_compare_needs_a_method(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("compare", "digits", "--methods") == 2
    assert "at least one method" in capsys.readouterr().err


def test_command_whose_output_nobody_reads_ends_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "maxsup", "compare", "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


def test_table_for_a_paper_stands_alone_on_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--methods", "baseline", "maxsup:alpha=.3", "--seeds", "2", "--out", str(tmp_path)]
    assert run("compare", "digits", *words, *QUICK, "--markdown") == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("| Method | Accuracy, % ↑ |")
    assert "| MaxSup, α 0.3 |" in shown.out
    assert "The page: " in shown.err
    assert run("report", str(tmp_path), "--latex", "--baseline", "maxsup:alpha=0.30") == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("% Needs")
    assert shown.out.endswith("\\end{table}\n")
    assert r"difference to MaxSup, $\alpha$ 0.3" in shown.out
    with pytest.raises(SystemExit):
        run("report", str(tmp_path), "--latex", "--markdown")
    assert "name one" in " ".join(capsys.readouterr().err.split())


def test_model_card_stands_alone_on_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--methods", "baseline", "maxsup:alpha=.3", "--seeds", "1", "--out", str(tmp_path)]
    assert run("compare", "digits", *words, *QUICK) == 0
    capsys.readouterr()
    for named in ("maxsup-alpha-0.3/seed-0", "maxsup:alpha=0.3/seed-0"):
        assert run("report", str(tmp_path), "--model-card", named) == 0
        shown = capsys.readouterr()
        assert shown.out.startswith("---\n")
        assert "# small-convnet on digits, MaxSup, α 0.3\n" in shown.out
        assert "The page: " in shown.err
    for wrong, said in {
        "maxsup": "takes METHOD/seed-N",
        "focal/seed-0": "no run focal/seed-0",
    }.items():
        elsewhere = tmp_path / "elsewhere"
        words = ("--model-card", wrong, "--out", str(elsewhere))
        assert run("report", str(tmp_path), *words) == 2
        assert not elsewhere.exists()
        assert said in " ".join(capsys.readouterr().err.split())
    with pytest.raises(SystemExit):
        run("report", str(tmp_path), "--model-card", "baseline/seed-0", "--latex")
    assert "name one" in " ".join(capsys.readouterr().err.split())


def test_train_takes_coefficients_and_its_settings_file_keeps_them(tmp_path: Path) -> None:
    words = ["train", "digits", "--method", "maxsup:alpha=0.30", *QUICK]
    assert run(*words, "--out", str(tmp_path / "first")) == 0
    file = tmp_path / "first" / "settings.json"
    assert json.loads(file.read_text())["method"] == "maxsup:alpha=0.3"
    assert run("train", str(file), "--out", str(tmp_path / "second")) == 0
    first, second = (
        json.loads((tmp_path / place / "result.json").read_text()) for place in ("first", "second")
    )
    assert first["values"] == second["values"]


def test_train_that_diverges_says_so_as_compare_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    diverge = ["--lr", "1e30", "--lr-schedule", "constant", "--warmup-epochs", "0"]
    assert run("train", "digits", *diverge, *QUICK, "--out", str(tmp_path / "run")) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("maxsup: failed: TrainingDiverged: the loss became nan in epoch 1 of 1")
    assert run("train", "digits", *diverge, *QUICK, "--dry-run") == 1
    assert "TrainingDiverged" in capsys.readouterr().err


def test_run_that_came_to_nothing_is_said_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = ["--lr", "10", "--lr-schedule", "constant", "--warmup-epochs", "0", "--method"]
    assert run("train", "digits", *lost, "baseline", *QUICK, "--out", str(tmp_path / "run")) == 0
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("baseline, seed 0 ended with a test accuracy of ")
    assert "as guessing among 10 classes gives, and an NLL of " in said
    assert "it diverged; a lower --lr" in said


def test_options_that_bring_others_along_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    def shown(*words: str) -> tuple[dict[str, str], list[str]]:
        assert run("recipes", *words) == 0
        found = capsys.readouterr()
        lines = (line.split(maxsplit=1) for line in found.out.splitlines() if line)
        return {name: rest for name, *(rest,) in lines if rest}, found.err.splitlines()

    settings, notes = shown("cifar100-resnet18", "--epochs", "30", "--batch-size", "64")
    assert settings["milestones"] == "(9, 18, 24)  (changed from (60, 120, 160))"
    assert settings["lr"] == "0.05  (changed from 0.1)"
    assert notes == [
        "--epochs 30 instead of 200 brings --milestones 9 18 24 instead of 60 120 160 (in the same "
        "ratio).",
        "--batch-size 64 instead of 128 brings --lr 0.05 instead of 0.1 (by linear scaling; --lr "
        "sets another).",
    ]
    # An option that is given is taken as it is, also where it repeats the recipe's value.
    words = ("--epochs", "250", "--batch-size=64", "--lr=0.1", "--milestones", "60", "120", "160")
    settings, notes = shown("cifar100-resnet18", *words)
    assert (settings["lr"], settings["milestones"], notes) == ("0.1", "(60.0, 120.0, 160.0)", [])
    assert shown("cifar100-resnet18", "--epochs", "200")[1] == []


def test_settings_file_of_an_adapted_recipe_repeats_it_exactly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert run("train", "digits", *QUICK, "--method", "baseline", "--out", str(first)) == 0
    assert "--epochs 1 instead of 15 brings --warmup-epochs" in capsys.readouterr().err
    assert run("train", str(first / "settings.json"), "--out", str(second)) == 0
    assert "brings" not in capsys.readouterr().err
    texts = [(place / "settings.json").read_text() for place in (first, second)]
    assert texts[0] == texts[1]
    assert json.loads(texts[0])["recipe"]["lr"] == 0.4


@pytest.mark.parametrize(
    ("part", "name", "value", "message"),
    [
        ("recipe", "lr", float("inf"), "lr must be a finite number; got inf"),
        ("recipe", "epochs", "15", "epochs must be a whole number; got '15'"),
        ("recipe", "milestones", [-1], "milestones must be rising epochs above 0; got -1"),
        ("recipe", "flip", 1, "flip must be True or False; got 1"),
        ("data", "label_noise", None, "label_noise must be a finite number; got None"),
        ("", "seed", -1, "seed must lie in [0, 4294967295]; got -1"),
        ("", "method", ["maxsup"], "method must be text; got ['maxsup']"),
    ],
)
def test_settings_file_is_checked_as_options_are(
    part: str,
    name: str,
    value: object,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from maxsup.data import DataSettings
    from maxsup.training import RunSettings

    settings = RunSettings("maxsup", 0, get_recipe("digits"), DataSettings("digits"))
    fields = json.loads(settings.to_json())
    (fields[part] if part else fields)[name] = value
    (tmp_path / "settings.json").write_text(json.dumps(fields))
    assert run("train", str(tmp_path / "settings.json"), "--out", str(tmp_path / "run")) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
