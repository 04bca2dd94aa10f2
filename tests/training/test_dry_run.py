import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from maxsup.data import ImageData
from maxsup.recipes import get_recipe
from maxsup.training import RunSettings, build_accelerator, dry_run

from .conftest import NOISY


def settings(**changes: object) -> RunSettings:
    recipe = dataclasses.replace(get_recipe("digits"), **changes)  # type: ignore[arg-type]
    return RunSettings("maxsup", 0, recipe, NOISY)


def test_what_two_steps_show(noisy_digits: ImageData) -> None:
    run = settings(epochs=4, batch_size=100)
    found = dry_run(run, data=noisy_digits, accelerator=build_accelerator(run.recipe))
    # By hand: four layers of 3·3·cin·cout·h·w and two linear ones, a multiply-add being two.
    pixels = (64, 64, 16)
    channels = ((1, 16), (16, 32), (32, 32))
    convolutions = sum(
        9 * before * after * area for (before, after), area in zip(channels, pixels, strict=True)
    )
    assert found.flops == 2 * (convolutions + 32 * 64 + 64 * 10)
    assert found.image_size == (8, 8)
    assert (found.steps_per_epoch, found.epochs) == (12, 4)
    assert found.parameters == 16_890
    assert len(found.losses) == 2
    assert found.memory > 10**8
    assert found.step_seconds > 0
    assert found.reading_seconds > 0
    assert found.seconds >= 48 * (found.step_seconds + found.reading_seconds)


@pytest.mark.parametrize("readers", [0, 2])
def test_reading_is_timed_beside_the_first_batch(
    noisy_digits: ImageData, monkeypatch: pytest.MonkeyPatch, readers: int
) -> None:
    """A batch a tenth of a second, or so many in it as there are readers; the first takes one."""
    from maxsup.training import _dry_run

    run = settings(epochs=1)
    setup = _dry_run.set_up(run, noisy_digits, build_accelerator(run.recipe))
    taken = 0

    def epoch(number: int) -> Iterator[int]:
        nonlocal taken
        for taken in range(1, 100):
            if readers == 0 or taken % readers == 1:
                time.sleep(0.1)
            yield taken

    monkeypatch.setattr(setup.batches, "readers", readers)
    monkeypatch.setattr(setup.batches, "epoch", epoch)
    found = _dry_run._seconds_to_read_a_batch(setup, 0)
    # A busy machine takes longer, none less.
    assert 0.09 / max(1, readers) < found
    assert taken == 1 + 2 * max(1, readers)


def test_it_is_the_training_that_is_tried(noisy_digits: ImageData) -> None:
    """The same first loss as the objective has on the first batch of the last epoch."""
    from maxsup import MaxSupLoss
    from maxsup.training._setup import set_up

    run = settings(epochs=1)
    accelerator = build_accelerator(run.recipe)
    found = dry_run(run, data=noisy_digits, accelerator=accelerator)
    setup = set_up(run, noisy_digits, accelerator)
    images, target = next(setup.batches.epoch(0))
    with torch.no_grad():
        loss = MaxSupLoss(alpha=0.1)(setup.state.model.train()(images), target)
    assert found.losses[0] == pytest.approx(float(loss), rel=1e-5)


def test_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from maxsup.commands import main

    monkeypatch.chdir(tmp_path)
    assert main(["compare", "digits", "--seeds", "2", "--epochs", "3", "--dry-run"]) == 0
    shown, said = capsys.readouterr()
    assert said.count("Data: Of scikit-learn's digits, 30 % of each class are the test set.") == 1
    assert "0.02 M parameters" in shown
    assert "19 of 64 images in each of 3 epochs: 57" in shown
    assert "for its 6 trainings" in shown
    assert main(["train", "digits", "--epochs", "3", "--dry-run"]) == 0
    assert "trainings" not in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_advice_against_bf16_where_it_is_emulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from maxsup.training import _advice, advice

    recipe = dataclasses.replace(get_recipe("digits"), precision="bf16")
    accelerator = build_accelerator(get_recipe("digits"))
    monkeypatch.setattr(_advice, "_CPU", tmp_path / "cpuinfo")
    assert advice(recipe, accelerator) == []
    (tmp_path / "cpuinfo").write_text("flags : sse avx2 avx512f")
    assert "--precision fp32 is better" in str(advice(recipe, accelerator))
    assert advice(get_recipe("digits"), accelerator) == []
    (tmp_path / "cpuinfo").write_text("flags : sse avx512_bf16")
    assert advice(recipe, accelerator) == []
