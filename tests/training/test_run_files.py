"""What a run finds in its directory: other files, other settings, damage, another process."""

import dataclasses
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from maxsup._digests import with_digest
from maxsup._lock import LOCK_FILE, Holder
from maxsup.data import DataSettings
from maxsup.evaluation import load_outputs
from maxsup.models import load_run
from maxsup.recipes import get_recipe
from maxsup.training import Position, RunResult, RunSettings, train

from .conftest import NOISY, TINY, StopAfter

Run = Callable[..., RunResult]


@pytest.fixture(scope="module")
def settings() -> RunSettings:
    recipe = dataclasses.replace(get_recipe("digits"), epochs=2, batch_size=512, checkpoint_steps=1)
    return RunSettings("maxsup", 0, recipe, DataSettings("digits"))


@pytest.fixture(scope="module")
def finished(settings: RunSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory: Path = tmp_path_factory.mktemp("runs") / "finished"
    train(settings, directory)
    return directory


@pytest.fixture(scope="module")
def stopped(settings: RunSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a checkpoint and the one before it."""
    directory: Path = tmp_path_factory.mktemp("runs") / "stopped"
    with pytest.raises(KeyboardInterrupt):
        train(settings, directory, on_checkpoint=StopAfter(3))
    return directory


def result_of(directory: Path) -> dict[str, object]:
    content = json.loads((directory / "result.json").read_text())
    for row in content["history"]:
        del row["seconds"], row["images_per_second"]
    del content["sha256"]
    weights = {k: v.tolist() for k, v in load_file(directory / "model.safetensors").items()}
    return content | {"weights": weights}


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def replace(path: Path) -> None:
    path.write_text('{"editor.fontSize": 13}')


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("checkpoint.pt", flip),
        ("checkpoint.pt", empty),
        ("checkpoint.pt", replace),
        ("checkpoint-before.pt", cut),
        ("settings.json", flip),
        ("settings.json", replace),
        ("settings.json", Path.unlink),
        ("metrics.jsonl", empty),
    ],
)
def test_damaged_file_of_a_stopped_run(
    settings: RunSettings,
    finished: Path,
    stopped: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    damage: Callable[[Path], None],
) -> None:
    run = tmp_path / "run"
    shutil.copytree(stopped, run)
    damage(run / name)
    reached: list[Position] = []
    train(settings, run, on_checkpoint=reached.append)
    assert result_of(run) == result_of(finished)
    said = capsys.readouterr().err
    # The third of four steps was the last; the checkpoint before it is good as well.
    first = (reached[0].epoch, reached[0].sums.step)
    assert first == ((1, 1) if name == "checkpoint.pt" else (2, 0))
    assert (f"{run / name} " in said) == (name in ("checkpoint.pt", "settings.json"))
    assert (run / "checkpoint-damaged.pt").exists() == (name == "checkpoint.pt")


def test_run_without_any_good_checkpoint_starts_anew(
    settings: RunSettings, finished: Path, stopped: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(stopped, run)
    flip(run / "checkpoint.pt")
    cut(run / "checkpoint-before.pt")
    train(settings, run)
    assert result_of(run) == result_of(finished)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("result.json", flip),
        ("result.json", empty),
        ("result.safetensors", flip),
        ("model.safetensors", cut),
        ("config.json", Path.unlink),
        ("outputs-test.safetensors", flip),
    ],
)
def test_finished_run_with_a_damaged_file_is_repeated(
    settings: RunSettings,
    finished: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    damage: Callable[[Path], None],
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    damage(run / name)
    train(settings, run)
    assert "The run is repeated." in capsys.readouterr().err
    assert result_of(run) == result_of(finished)


def test_finished_run_whose_large_files_were_removed_stays(
    settings: RunSettings, finished: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    for name in ("model.safetensors", "outputs-test.safetensors", "SHA256SUMS"):
        (run / name).unlink()
        before = (run / "result.json").stat().st_mtime_ns
        train(settings, run)
        assert (run / "result.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("damage", [flip, cut, empty, replace])
def test_readers_name_a_damaged_file(
    finished: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    for name in ("model.safetensors", "config.json", "outputs-test.safetensors"):
        run = tmp_path / name
        shutil.copytree(finished, run)
        damage(run / name)
        with pytest.raises(ValueError, match=rf"{name} is (damaged|empty).*Repeat its run"):
            load_outputs(run / name) if "outputs" in name else load_run(run)


def test_outputs_of_a_newer_version_say_so(finished: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    tensors = load_file(finished / "outputs-test.safetensors")
    for found, message in (("7", "newer version of maxsup, in format 7"), ("x", "names 'x' as")):
        save_file(tensors, tmp_path / "outputs.safetensors", {"maxsup": found})
        with pytest.raises(ValueError, match=message):
            load_outputs(tmp_path / "outputs.safetensors")


@pytest.mark.parametrize(
    "name", ["model.safetensors", "results.json", "notes.txt", "settings.json", "checkpoint.pt"]
)
def test_strangers_files_are_left_alone(run_training: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"mine": 1}')
    with pytest.raises(ValueError, match=rf"{name}.*--out"):
        run_training(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == '{"mine": 1}'


def test_what_systems_and_killed_processes_leave_is_no_hindrance(
    run_training: Run, tmp_path: Path
) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / ".DS_Store").touch()
    (tmp_path / ".settings.json.0123456789ab.tmp").touch()
    run_training(tmp_path, epochs=1)
    assert not list(tmp_path.glob(".*.tmp"))


def test_refused_call_leaves_no_directory(run_training: Run, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fewer than batch_size"):
        run_training(tmp_path / "run", batch_size=5000)
    assert not (tmp_path / "run").exists()


def test_run_that_has_not_trained_anything_can_be_another(
    run_training: Run, tmp_path: Path
) -> None:
    RunSettings("maxsup", 0, TINY, NOISY).save(tmp_path / "settings.json")
    run_training(tmp_path, epochs=1, lr=0.05)
    with pytest.raises(ValueError, match=r"other settings \(recipe\.lr: 0\.05 there, 0\.1 now\)"):
        run_training(tmp_path, epochs=1)


def test_settings_that_change_no_number_may_change(run_training: Run, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_training(tmp_path, on_checkpoint=StopAfter(1))
    run_training(tmp_path, checkpoint_steps=4, keep_outputs=False)
    kept = json.loads((tmp_path / "settings.json").read_text())["recipe"]
    assert (kept["checkpoint_steps"], kept["keep_outputs"]) == (4, False)


def test_fingerprint_is_that_of_what_decides() -> None:
    settings = RunSettings("maxsup", 0, TINY, NOISY)

    def changed(**changes: object) -> RunSettings:
        return dataclasses.replace(settings, recipe=dataclasses.replace(TINY, **changes))  # type: ignore[arg-type]

    same = (changed(lr=TINY.lr + 0), changed(keep_outputs=not TINY.keep_outputs))
    assert {each.fingerprint() for each in same} == {settings.fingerprint()}
    other = (changed(lr=0.3), changed(epochs=3), dataclasses.replace(settings, seed=1))
    assert len({each.fingerprint() for each in (settings, *other)}) == 4


def test_files_of_a_run_with_other_settings_are_not_used(
    settings: RunSettings, finished: Path, stopped: Path, tmp_path: Path
) -> None:
    """Put there by hand, beside this run's own settings."""
    for name, source in (("result.json", finished), ("checkpoint.pt", stopped)):
        run = tmp_path / name
        shutil.copytree(source, run)
        other = dataclasses.replace(settings, seed=1)
        other.save(run / "settings.json")
        with pytest.raises(ValueError, match="holds what a run with other settings has left"):
            train(other, run)


def test_run_in_use_is_refused_before_anything_is_loaded(
    settings: RunSettings, stopped: Path, tmp_path: Path
) -> None:
    run = tmp_path / "study" / "maxsup" / "seed-0"
    shutil.copytree(stopped, run)
    parent = psutil.Process(os.getppid())
    holder = dataclasses.replace(
        Holder.this_process(), pid=parent.pid, started=parent.create_time()
    )
    (tmp_path / "study" / LOCK_FILE).write_bytes(holder.to_bytes())
    missing = dataclasses.replace(settings, data=DataSettings("nowhere"))
    with pytest.raises(ValueError, match=r"study is in use: process \d+ on "):
        train(missing, run)
    assert sorted(path.name for path in run.iterdir()) == sorted(
        path.name for path in stopped.iterdir()
    )


def test_directory_that_was_removed_is_not_made_again(
    settings: RunSettings, tmp_path: Path
) -> None:
    run = tmp_path / "run"

    def remove(position: Position) -> None:
        shutil.rmtree(run, ignore_errors=True)

    with pytest.raises(FileNotFoundError, match="was removed or emptied while it was written to"):
        train(settings, run, on_checkpoint=remove)
    assert not run.exists()


def test_lock_is_gone_after_whatever_end(run_training: Run, tmp_path: Path) -> None:
    seen: list[bool] = []

    def fail(position: Position) -> None:
        seen.append((tmp_path / LOCK_FILE).exists())
        raise RuntimeError("my own")

    with pytest.raises(RuntimeError, match="my own"):
        run_training(tmp_path, on_checkpoint=fail)
    assert seen == [True]
    assert not (tmp_path / LOCK_FILE).exists()


def test_settings_file_that_was_edited_is_read_as_it_is(
    settings: RunSettings, tmp_path: Path
) -> None:
    content = json.loads(settings.to_json())
    assert content == with_digest({k: v for k, v in content.items() if k != "sha256"})
    (tmp_path / "settings.json").write_text(settings.to_json().replace('"seed": 0', '"seed": 5'))
    assert RunSettings.load(tmp_path / "settings.json").seed == 5
    with pytest.raises(ValueError, match=r"settings\.json is damaged, or was edited"):
        RunSettings.load_kept(tmp_path / "settings.json")


def test_checkpoint_of_an_earlier_version_is_not_taken_for_damage(
    settings: RunSettings, stopped: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(stopped, run)
    content = torch.load(run / "checkpoint.pt", weights_only=True)
    content["position"] |= {"format": 2}
    torch.save(content, run / "checkpoint.pt")
    with pytest.raises(ValueError, match=r"an earlier version .*format 2.*Remove it to train from"):
        train(settings, run)
