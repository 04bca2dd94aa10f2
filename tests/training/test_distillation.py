"""A model that learns from a trained one beside its labels."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from PIL import Image
from rich.console import Console
from safetensors.torch import load_file, save_file

from maxsup.data import DataSettings, ImageData, load_images
from maxsup.models import load_run
from maxsup.recipes import get_recipe
from maxsup.training import (
    Distillation,
    Position,
    ProgressReport,
    RunResult,
    RunSettings,
    train,
)
from maxsup.training._setup import set_up
from maxsup.training._step import train_step

from .conftest import StopAfter

FEW = DataSettings("digits", fraction=0.1)
TINY = dataclasses.replace(get_recipe("digits"), epochs=8, batch_size=32, lr=0.05)


@pytest.fixture(scope="module")
def few_digits() -> ImageData:
    return load_images(FEW)


def settings_of(taught: Distillation | None, method: str = "baseline", **changes: Any) -> Any:
    data = changes.pop("data", FEW)
    recipe = dataclasses.replace(TINY, **changes)
    return RunSettings(method, 0, recipe, data, distillation=taught)


def run(
    settings: RunSettings,
    directory: Path,
    data: ImageData | None = None,
    on_checkpoint: Callable[[Position], None] | None = None,
) -> RunResult:
    with ProgressReport(Console(quiet=True), settings.recipe.epochs, quiet=True) as progress:
        return train(settings, directory, data=data, progress=progress, on_checkpoint=on_checkpoint)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good one, trained on all images; it normalises them by other numbers than its student."""
    place = tmp_path_factory.mktemp("teacher") / "seed-0"
    settings = settings_of(
        None, data=DataSettings("digits"), epochs=4, batch_size=64, mean=(0.4,), std=(0.5,)
    )
    assert run(settings, place).values["test_accuracy"] > 0.9  # type: ignore[operator]
    return place


@pytest.mark.parametrize("mixup", [0.0, 1.0])
def test_a_step_follows_the_formula(teacher: Path, few_digits: ImageData, mixup: float) -> None:
    """Loss and gradient of a batch against T²·KL in float64, on what the teacher is to be given."""
    taught = Distillation(str(teacher), temperature=3.0, weight=0.7)
    settings = settings_of(taught, "maxsup:alpha=0.1", mixup=mixup, lr=1e-3, weight_decay=0.0)
    accelerator = Accelerator(cpu=True)
    setup = set_up(settings, few_digits, accelerator)
    images, target = next(iter(setup.batches.epoch(0, 0)))
    student = setup.state.model.train()
    kept = {name: each.clone() for name, each in student.state_dict().items()}
    their = load_run(teacher)
    own = setup.normalization
    pixels = images.double() * torch.tensor(own.std).double() + torch.tensor(own.mean).double()
    theirs = ((pixels - 0.4) / 0.5).float()
    with torch.no_grad():
        p = (their.model(theirs).double() / 3.0).softmax(1)
    logits = student(images)
    z = logits.double()
    t = target if target.dim() == 2 else torch.nn.functional.one_hot(target, 10)
    log_q = z.log_softmax(1)
    objective = (-(t * log_q).sum(1) + 0.1 * (z.amax(1) - z.mean(1))).mean()
    lost = 9.0 * (p * (p.log() - (z / 3.0).log_softmax(1))).sum(1).mean()
    expected = 0.3 * objective + 0.7 * lost
    gradients = torch.autograd.grad(expected, list(student.parameters()))
    student.load_state_dict(kept)

    logits = student(images)
    assert setup.teacher is not None
    loss = setup.teacher.taught(setup.state.criterion(logits, target), logits, images, accelerator)
    found = torch.autograd.grad(loss, list(student.parameters()))
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    for own_gradient, gradient in zip(found, gradients, strict=True):
        torch.testing.assert_close(own_gradient, gradient, rtol=1e-3, atol=1e-5)
    student.load_state_dict(kept)
    sums = train_step(setup, accelerator, settings, 0, 1, images, target)
    assert float(sums.loss) / len(images) == pytest.approx(expected.item(), rel=1e-5)
    # What teaches does not learn, and keeps its statistics.
    for name, each in setup.teacher.model.state_dict().items():
        assert torch.equal(each, their.model.state_dict()[name])


def test_a_good_teacher_helps_where_labels_are_few(
    teacher: Path, few_digits: ImageData, tmp_path: Path
) -> None:
    alone = run(settings_of(None), tmp_path / "alone", few_digits)
    taught = run(settings_of(Distillation(str(teacher))), tmp_path / "taught", few_digits)
    assert taught.initial_weights == alone.initial_weights
    assert taught.batches == alone.batches
    assert taught.values["test_nll"] < 0.9 * alone.values["test_nll"]  # type: ignore[operator]


def test_an_interrupted_student_ends_as_if_it_had_not_been(
    teacher: Path, few_digits: ImageData, tmp_path: Path
) -> None:
    settings = settings_of(Distillation(str(teacher)), "maxsup", epochs=3, mixup=0.5)
    whole = run(settings, tmp_path / "whole", few_digits)
    with pytest.raises(KeyboardInterrupt):
        run(settings, tmp_path / "stopped", few_digits, StopAfter(2))
    resumed = run(settings, tmp_path / "stopped", few_digits)
    assert resumed.values == whole.values
    weights = [
        (tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "stopped")
    ]
    assert weights[0] == weights[1]
    # The settings file repeats it, teacher and all.
    assert RunSettings.load(tmp_path / "whole" / "settings.json") == settings


def test_another_teacher_in_the_same_place_is_another_run(
    teacher: Path, few_digits: ImageData, tmp_path: Path
) -> None:
    place = tmp_path / "teacher"
    shutil.copytree(teacher, place)
    settings = settings_of(Distillation(str(place)), epochs=1)
    before = settings.fingerprint()
    run(settings, tmp_path / "student", few_digits)
    shutil.rmtree(place)
    other = settings_of(None, data=DataSettings("digits"), epochs=1)
    run(other, place)
    assert settings.fingerprint() != before
    with pytest.raises(ValueError, match=r"learnt from another teacher than .*teacher now holds"):
        run(settings, tmp_path / "student", few_digits)
    with pytest.raises(ValueError, match=r"temperature: 4\.0 there, 2\.0 now"):
        run(
            settings_of(Distillation(str(place), temperature=2.0), epochs=1),
            tmp_path / "student",
            few_digits,
        )


def test_a_teacher_that_cannot_teach_is_refused_before_anything_is_written(
    teacher: Path, few_digits: ImageData, tmp_path: Path
) -> None:
    def refused(place: Path, match: str, images: ImageData = few_digits, **changes: Any) -> None:
        with pytest.raises(ValueError, match=match):
            run(settings_of(Distillation(str(place)), **changes), tmp_path / "student", images)
        assert not (tmp_path / "student").exists()

    refused(tmp_path / "nowhere", "there is no .*nowhere. Name the directory of a finished run")
    refused(tmp_path, "is not the directory of a run")
    copy = tmp_path / "copy"
    shutil.copytree(teacher, copy)
    (copy / "result.json").unlink()
    refused(copy, "has not finished")
    shutil.copy(teacher / "result.json", copy)
    weights = load_file(copy / "model.safetensors")
    save_file({name: each + 1 for name, each in weights.items()}, copy / "model.safetensors")
    refused(copy, "model.safetensors is damaged, or was changed")
    (copy / "model.safetensors").unlink()
    refused(copy, "holds no trained model any more")
    renamed = dataclasses.replace(few_digits, classes=(*few_digits.classes[:9], "nine"))
    refused(teacher, r"digits lacks 9; the teacher does not know nine", renamed)
    turned = dataclasses.replace(few_digits, classes=few_digits.classes[::-1])
    refused(teacher, "in another order", turned)
    larger = load_images(FEW, image_size=16)
    refused(teacher, r"8×8 pixels.*16×16 here.*--image-size 8", larger, image_size=16)
    # Another test set: some of its images have taught the teacher.
    seeded = DataSettings("digits", fraction=0.1, data_seed=3)
    refused(
        teacher, "has another test set of digits.*data_seed: 0", load_images(seeded), data=seeded
    )


def test_teachers_of_other_images_are_refused(teacher: Path, tmp_path: Path) -> None:
    for split in ("train", "test"):
        for number in range(10):
            (tmp_path / "coloured" / split / str(number)).mkdir(parents=True)
            for each in range(2):
                colour = (20 * number, 255 * each, number)
                path = tmp_path / "coloured" / split / str(number) / f"{each}.png"
                Image.new("RGB", (8, 8), colour).save(path)
    data = DataSettings(str(tmp_path / "coloured"))
    settings = settings_of(Distillation(str(teacher)), data=data, batch_size=10)
    with pytest.raises(ValueError, match=r"trained on images of 1 channel, and those of .* have 3"):
        run(settings, tmp_path / "student")
    assert not (tmp_path / "student").exists()


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="temperature must be above 0; got 0"):
        Distillation("runs/t", temperature=0)
    for weight in (0, -1, 1.5):
        with pytest.raises(ValueError, match=r"distill_weight must lie in \(0, 1\]"):
            Distillation("runs/t", weight=weight)
    with pytest.raises(ValueError, match="leaves nothing of the objective, so that maxsup"):
        settings_of(Distillation("runs/t", weight=1), "maxsup")
    settings_of(Distillation("runs/t", weight=1))
    untaught = json.loads(settings_of(None).to_json())
    assert untaught["distillation"] is None
    assert Distillation("runs//t/") == Distillation("runs/t")
