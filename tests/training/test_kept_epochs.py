import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from maxsup.models import kept_epochs, load_epoch, load_run
from maxsup.training import RunResult, RunSettings, train

from .conftest import NOISY, TINY, StopAfter

Run = Callable[..., RunResult]


def weights_in(directory: Path) -> dict[int, dict[str, torch.Tensor]]:
    return {epoch: load_file(path) for epoch, path in kept_epochs(directory).items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_epochs_are_kept_also_across_a_stop_and_change_no_number(
    run_training: Run, tmp_path: Path
) -> None:
    plain = run_training(tmp_path / "plain", epochs=5)
    kept = run_training(tmp_path / "kept", epochs=5, keep_every=2)
    with pytest.raises(KeyboardInterrupt):
        run_training(tmp_path / "parts", epochs=5, keep_every=2, on_checkpoint=StopAfter(2))
    assert list(kept_epochs(tmp_path / "parts")) == [1, 2]
    run_training(tmp_path / "parts", epochs=5, keep_every=2)
    assert plain.values == kept.values
    assert not kept_epochs(tmp_path / "plain")
    found, parts = weights_in(tmp_path / "kept"), weights_in(tmp_path / "parts")
    assert list(found) == [1, 2, 4]
    assert all(same(found[epoch], parts[epoch]) for epoch in found)
    last = load_file(tmp_path / "kept" / "model.safetensors")
    assert found[1].keys() == last.keys()
    assert not any(same(one, last) for one in found.values())
    assert not same(found[1], found[2])


def test_weights_of_an_epoch_are_those_that_were_measured(
    run_training: Run, tmp_path: Path
) -> None:
    """Of a training that keeps an average, this; and they are the model of a shorter one."""
    changes = {"lr_schedule": "constant", "warmup_epochs": 0.0, "ema_decay": 0.9}
    run = functools.partial(run_training, method="baseline", evaluate_ema=True, **changes)
    run(tmp_path / "long", epochs=3, keep_every=2)
    run(tmp_path / "short", epochs=2)
    short = load_file(tmp_path / "short" / "model.safetensors")
    assert same(weights_in(tmp_path / "long")[2], short)


def test_what_was_not_kept_when_it_could_be_is_said(
    run_training: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_training(tmp_path, epochs=2)
    settings = RunSettings("maxsup", 0, dataclasses.replace(TINY, keep_every=1), NOISY)
    plain = RunSettings("maxsup", 0, TINY, NOISY)
    assert settings.fingerprint() == plain.fingerprint()
    capsys.readouterr()
    train(settings, tmp_path)
    said = " ".join(capsys.readouterr().err.split())
    assert "has not kept the weights after epoch 1, which --keep-every now asks for" in said


def test_a_trial_that_something_is_chosen_by_keeps_none(tmp_path: Path) -> None:
    recipe = dataclasses.replace(TINY, keep_every=1)
    data = dataclasses.replace(NOISY, validation=0.2)
    train(RunSettings("maxsup", 0, recipe, data, measured_on="validation"), tmp_path)
    assert not kept_epochs(tmp_path)


def test_a_damaged_epoch_is_named(run_training: Run, tmp_path: Path) -> None:
    run_training(tmp_path, epochs=2, keep_every=1)
    model = load_run(tmp_path).model
    path = kept_epochs(tmp_path)[1]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ValueError, match=r"epoch-0001\.safetensors is damaged.* Remove it"):
        load_epoch(path, model)
