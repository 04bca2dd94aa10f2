"""Which models are one group, what groups are called, and what is said of those passed over."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from maxsup.data import DataSettings
from maxsup.inspection import InspectionSettings, inspect
from maxsup.inspection._find import find_models
from maxsup.inspection._groups import in_groups
from maxsup.inspection._loader import Named
from maxsup.recipes import get_recipe
from maxsup.results import Results
from maxsup.study import record
from maxsup.training import RunSettings

Study = tuple[Results, Path]
Make = Callable[..., Named]


def named(
    seed: int, study: str = "a", *, epochs: int = 3, data_seed: int = 0, method: str = "maxsup"
) -> Named:
    """A run as it is found, without its files."""
    place = Path("/runs") / study / method / f"seed-{seed}"
    settings = RunSettings(
        method,
        seed,
        dataclasses.replace(get_recipe("digits"), epochs=epochs),
        DataSettings("digits", data_seed=data_seed),
    )
    return Named(
        method, method.capitalize(), seed, str(place), place.parts[:-2],
        lambda loader, own: pytest.fail("nothing is loaded"), "run", str(place), settings=settings,
    )  # fmt: skip


def names(*models: Named) -> list[str]:
    return [each.method for each in in_groups(models).models]


def test_runs_that_differ_in_their_seed_alone_are_one_group() -> None:
    assert names(named(0), named(1, "b"), named(2)) == ["maxsup"] * 3
    assert in_groups([named(0), named(1, "b")]).notes == []


def test_runs_of_other_settings_are_groups_of_their_own_with_a_word() -> None:
    found = in_groups([named(0), named(1, "b", epochs=5), named(1)])
    assert [each.method for each in found.models] == ["a/maxsup", "b/maxsup", "a/maxsup"]
    assert [each.label for each in found.models[:2]] == ["Maxsup (a)", "Maxsup (b)"]
    (note,) = found.notes
    assert "groups of their own" in note
    assert "recipe.epochs: 3 and 5" in note


def test_settings_tell_apart_what_lies_in_one_directory() -> None:
    found = in_groups([named(0), named(1, epochs=5)])
    assert [each.method for each in found.models] == ["settings-1/maxsup", "settings-2/maxsup"]


def test_seeds_with_parts_of_the_data_of_their_own_are_one_group() -> None:
    drawn = [named(seed, data_seed=7 + seed) for seed in range(3)]
    assert names(*drawn) == ["maxsup"] * 3
    assert len({*names(*drawn, named(3, data_seed=0))}) == 4


def test_a_copy_of_a_run_is_a_group_of_its_own() -> None:
    found = in_groups([named(0), named(0, "b"), named(1, "b"), named(1)])
    assert [each.method.partition("/")[0] for each in found.models] == ["a", "b", "b", "a"]
    assert "both have seed 0" in found.notes[0]


def test_one_place_by_two_names_is_named_twice(study: Study) -> None:
    run = study[1] / "label-smoothing" / "seed-0"
    for other in (f"{run}/../seed-0", f"mine={run}"):
        with pytest.raises(ValueError, match=r"is named twice"):
            find_models([str(run), other], InspectionSettings())


def test_groups_that_were_trained_otherwise_are_said_to_be() -> None:
    from maxsup.inspection._groups import notes_on_trainings

    (note,) = notes_on_trainings([named(0), named(0, "b", epochs=9, method="baseline")])
    assert "trained with other settings beside the method (recipe.epochs: 3 and 9)" in note
    assert notes_on_trainings([named(0), named(0, method="baseline")]) == []


def test_predictions_of_two_places_are_no_group(tmp_path: Path) -> None:
    labels = np.arange(20) % 2
    logits = np.random.default_rng(0).normal(size=(20, 2))
    for place, seed in (("one", 0), ("two", 1)):
        record(tmp_path / place, "mine", seed, logits, labels)
    found = find_models([str(tmp_path / "one"), str(tmp_path / "two")], InspectionSettings())
    assert [each.method for each in found.models] == ["one/mine", "two/mine"]
    assert "nothing says that they differ in their seed alone" in found.notes[0]


@pytest.mark.parametrize("suffix", [".npz", ".csv"])
def test_predictions_of_one_method_are_found_in_its_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    labels = np.arange(20) % 2
    place = tmp_path / "all"
    for method in ("mine", "maxsup:alpha=0.2"):
        for seed in (0, 1):
            record(place, method, seed, np.eye(2)[labels] + seed, labels)
    if suffix == ".csv":
        for path in [*place.glob("*/*.npz")]:
            path.unlink()
            path.with_suffix(".csv").write_text("id,label,logit_0,logit_1\n0,1,0.5,1.5\n1,0,2,1\n")
    everything = find_models([str(place)], InspectionSettings()).models
    both = find_models([str(place / each) for each in ("maxsup-alpha-0.2", "mine")],
                       InspectionSettings()).models  # fmt: skip
    assert [(each.method, each.seed, each.place) for each in both] == [
        (each.method, each.seed, each.place) for each in everything
    ]
    monkeypatch.chdir(place / "mine")
    here = find_models(["."], InspectionSettings()).models
    assert [(each.method, each.seed) for each in here] == [("mine", 0), ("mine", 1)]
    with pytest.raises(ValueError, match="is named twice"):
        find_models([str(place), str(place / "mine")], InspectionSettings())


def test_runs_that_have_failed_are_named(study: Study, tmp_path: Path) -> None:
    place = tmp_path / "study"
    shutil.copytree(study[1], place)
    failed = place / "maxsup-alpha-0.2" / "seed-1"
    (failed / "config.json").unlink()
    (failed / "failure.txt").write_text("KeyError: 'beta'\n")
    note, *_ = find_models([str(place)], InspectionSettings()).notes
    assert f"have failed: maxsup-alpha-0.2/seed-1 in {place}" in note
    assert "failure.txt" in note
    with pytest.raises(ValueError, match=r"seed-1 has failed.*seed-1/failure\.txt"):
        find_models([str(failed)], InspectionSettings())
    (failed / "settings.json").unlink()
    shutil.rmtree(failed.parent / "seed-0")
    with pytest.raises(ValueError, match=r"All runs in .* have failed"):
        find_models([str(failed.parent)], InspectionSettings())


def test_what_is_passed_over_is_named(study: Study, tmp_path: Path) -> None:
    place = tmp_path / "study"
    shutil.copytree(study[1], place)
    (place / "maxsup-alpha-0.2" / "seed-1" / "config.json").unlink()
    shutil.copytree(place / "label-smoothing", place / "focal")
    notes = find_models([str(place)], InspectionSettings()).notes
    assert f"not finished: maxsup-alpha-0.2/seed-1 in {place}" in notes[0]
    assert "focal/seed-0, focal/seed-1" in notes[1]

    labels = np.arange(20) % 2
    record(tmp_path / "mine", "mine", 0, np.eye(2)[labels] + 0.5, labels)
    (tmp_path / "mine" / "mine" / "notes.txt").write_text("of mine")
    found = inspect([str(tmp_path / "mine")], InspectionSettings(resamples=0))
    assert any("Passed over" in note and "mine/notes.txt" in note for note in found["notes"])


def test_names_that_are_no_directories_stay_within_theirs(tmp_path: Path) -> None:
    labels = np.arange(20) % 2
    record(tmp_path / "mine", "mine", 0, np.eye(2)[labels] + 0.5, labels)
    out = tmp_path / "out" / "within"
    for name in ("..", "a:b"):
        found = inspect([f"{name}={tmp_path / 'mine'}"], InspectionSettings(resamples=0), out)
        assert found["methods"][0]["name"] == name
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["within"]
    assert len(list((out / "models").iterdir())) == 2
