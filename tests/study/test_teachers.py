"""Which teacher teaches better, as a study."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from maxsup.commands import main
from maxsup.data import DataSettings
from maxsup.recipes import get_recipe
from maxsup.results import Results
from maxsup.study import StudySettings, TuningSettings, compare, with_teachers
from maxsup.training import Distillation, RunSettings

TINY = dataclasses.replace(get_recipe("digits"), epochs=1, batch_size=32)
FEW = DataSettings("digits", fraction=0.1)
Finished = tuple[Results, Path]


def taught(teacher: Path | str, *methods: str, seeds: tuple[int, ...] = (0, 1)) -> StudySettings:
    distillation = Distillation(str(teacher))
    return StudySettings(
        FEW, TINY, with_teachers(methods, distillation), seeds, distillation=distillation
    )


def run(settings: StudySettings, directory: Path) -> Results:
    return compare(settings, directory, command="maxsup compare", console=Console(quiet=True))


def settings_in(directory: Path) -> RunSettings:
    return RunSettings.load(directory / "settings.json")


@pytest.fixture(scope="module")
def teachers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two that are trained on all images."""
    place = tmp_path_factory.mktemp("teachers")
    study = StudySettings(
        DataSettings("digits"),
        dataclasses.replace(TINY, batch_size=256),
        ("maxsup:alpha=0.1", "baseline"),
        (0, 1),
    )
    run(study, place)
    return place


def test_each_method_of_a_study_teaches_students_of_its_own(teachers: Path, tmp_path: Path) -> None:
    study = taught(teachers, "baseline:teacher=none", "baseline")
    # In the order of the teachers' study.
    names = (
        "baseline:teacher=none",
        "baseline:teacher=maxsup-alpha-0.1",
        "baseline:teacher=baseline",
    )
    assert study.methods == names
    results = run(study, tmp_path / "out")
    assert [run["status"] for run in results["runs"]] == ["finished"] * 6
    assert [each["label"] for each in results["methods"]] == [
        "Baseline, no teacher",
        "Baseline, teacher maxsup-alpha-0.1",
        "Baseline, teacher Baseline",
    ]
    assert [(each["method"], each["against"]) for each in results["contrasts"]] == [
        (names[1], names[0]),
        (names[2], names[0]),
    ]
    # Each student learns from the teacher of its own seed; all of a seed start alike.
    found = settings_in(tmp_path / "out" / "baseline-teacher-baseline" / "seed-1").distillation
    assert found == Distillation(str(teachers / "baseline" / "seed-1"))
    assert settings_in(tmp_path / "out/baseline-teacher-none/seed-1").distillation is None
    nll = {(each["method"], each["seed"]): each["values"]["test_nll"] for each in results["runs"]}
    assert len({*nll.values()}) == 6
    note = next(each for each in results["verdict"]["notes"] if "Loss of a student" in each)
    assert "0.1·objective + 0.9·T²·KL(teacher ‖ student) with T = 4" in note
    assert "mean of 2 seeds" in note

    # It goes on, and what was finished and is not asked for now stays on the page.
    again = run(taught(teachers, "baseline:teacher=baseline"), tmp_path / "out")
    assert {each["method"] for each in again["runs"]} == {*names}
    assert json.loads((tmp_path / "out" / "study.json").read_text())["methods"] == [*names]
    with pytest.raises(ValueError, match=r"temperature: 4\.0 there, 2\.0 now"):
        run(
            dataclasses.replace(study, distillation=Distillation(str(teachers), 2.0)),
            tmp_path / "out",
        )


def test_one_run_teaches_all_and_a_method_each_seed(teachers: Path) -> None:
    one = taught(teachers / "baseline" / "seed-1", "baseline", "maxsup")
    assert one.methods == ("baseline", "maxsup")
    for method, seed in one.plan():
        assert one.run(method, seed).distillation == one.distillation
    each = taught(teachers / "baseline", "baseline", "maxsup")
    for method, seed in each.plan():
        taught_by = each.run(method, seed).distillation
        assert taught_by == Distillation(str(teachers / "baseline" / f"seed-{seed}"))


@pytest.mark.parametrize(
    ("teacher", "methods", "match"),
    [
        ("", ("baseline:teacher=focal",), "no such teacher lies in .*; there are maxsup-alpha-0.1"),
        ("baseline", ("baseline",), "has no run of seed 2, .*there are seeds 0, 1"),
        ("baseline", ("baseline:teacher=maxsup",), "teacher=maxsup says which of several teaches"),
        ("nothing", ("baseline",), "there is no "),
        ("maxsup-alpha-0.1/seed-0", ("baseline:teacher=2",), "teacher must be the name of a"),
    ],
)
def test_teachers_that_are_not_there_are_named_before_anything_is_written(
    teachers: Path, tmp_path: Path, teacher: str, methods: tuple[str, ...], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        run(taught(teachers / teacher, *methods, seeds=(0, 1, 2)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_study_as_teacher_has_to_be_told_which_method_teaches(teachers: Path) -> None:
    study = StudySettings(FEW, TINY, ("baseline",), distillation=Distillation(str(teachers)))
    with pytest.raises(ValueError, match=r"Say which one .*baseline:teacher=maxsup-alpha-0\.1"):
        study.run("baseline", 0)
    with pytest.raises(ValueError, match="name their directory with --teacher"):
        StudySettings(FEW, TINY, ("baseline:teacher=maxsup",))
    with pytest.raises(ValueError, match="trials have seeds of their own"):
        StudySettings(
            FEW,
            TINY,
            ("baseline",),
            tuning=TuningSettings(2),
            distillation=Distillation(str(teachers)),
        )


@pytest.mark.parametrize("command", ["train", "compare"])
def test_options_without_a_teacher_are_refused(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [command, "digits", "--temperature", "2", "--distill-weight", "0.5"]
    assert main(words) != 0
    assert "--temperature and --distill-weight: nobody teaches" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("stopped_at", "message"),
    [
        ("maxsup-alpha-0.1", r"has no run of maxsup-alpha-0.1 yet, of which its study.json speaks"),
        ("baseline/seed-1", "has no run of seed 1, which is to teach the student of that seed"),
        ("baseline/seed-1/result.json", r"the run in .*/baseline/seed-1 has not finished"),
    ],
)
def test_a_study_that_was_stopped_teaches_nobody(
    teachers: Path, tmp_path: Path, stopped_at: str, message: str
) -> None:
    stopped = tmp_path / "stopped"
    shutil.copytree(teachers, stopped)
    missing = stopped / stopped_at
    if missing.is_dir():
        shutil.rmtree(missing)
    else:
        missing.unlink()
    with pytest.raises(ValueError, match=message):
        run(taught(stopped, "baseline"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
