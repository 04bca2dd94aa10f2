"""Training for segmentation: by the same loop, with what masks need."""

import dataclasses
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from rich.console import Console
from safetensors.torch import load_file
from tests.data.masks import scene, write_pairs
from tests.forked import CommandProcess
from torch.nn.functional import cross_entropy

from maxsup.data import DataSettings
from maxsup.data.masks import VOID, MaskData
from maxsup.measures import boundary_iou
from maxsup.methods import all_methods
from maxsup.models.segmentation import SegmentationLogits, load_segmentation_run
from maxsup.recipes import Recipe, get_recipe
from maxsup.training import (
    Distillation,
    Position,
    ProgressReport,
    RunResult,
    RunSettings,
    TrainingDiverged,
    dry_run,
    load_data,
    train,
)
from maxsup.training._segmentation import class_weights
from maxsup.training._setup import set_up
from maxsup.training._step import train_step

from .conftest import StopAfter

TINY = Recipe(
    "tiny",
    "small-convnet",
    head="linear",
    crop_size=(16, 16),
    scale_range=(0.75, 1.5),
    iterations=48,
    epochs=2,
    batch_size=8,
    lr=0.1,
    flip=True,
)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("scenes")
    for split, count, first in (("train", 24, 0), ("test", 7, 100)):
        place = root / split
        found = [scene(seed) for seed in range(first, first + count)]
        write_pairs(place / "images", place / "masks", found)
    return root


@pytest.fixture(scope="session")
def scenes(folder: Path) -> MaskData:
    data = load_data(DataSettings(str(folder)), TINY)
    assert isinstance(data, MaskData)
    return data


@pytest.fixture
def run(folder: Path, scenes: MaskData) -> Callable[..., RunResult]:
    def run(
        directory: Path,
        method: str = "baseline",
        *,
        seed: int = 0,
        on_checkpoint: Callable[[Position], None] | None = None,
        **changes: Any,
    ) -> RunResult:
        recipe = dataclasses.replace(TINY, **changes)
        settings = RunSettings(method, seed, recipe, DataSettings(str(folder)))
        with ProgressReport(Console(quiet=True), recipe.epochs, quiet=True) as progress:
            return train(
                settings, directory, data=scenes, progress=progress, on_checkpoint=on_checkpoint
            )

    return run


def test_it_learns_and_its_matrix_is_that_of_the_kept_model(
    run: Callable[..., RunResult], scenes: MaskData, tmp_path: Path
) -> None:
    result = run(tmp_path, "maxsup", eval_scales=(0.5, 1.0))
    # One class everywhere gives less than a third.
    assert result.values["test_mean_iou"] > 0.8  # type: ignore[operator]
    assert len(result.history) == 2
    kept = load_segmentation_run(tmp_path)
    assert kept.classes == scenes.classes
    matrix = torch.zeros(3, 3, dtype=torch.int64)
    several = torch.zeros(3, 3, dtype=torch.int64)
    for _, pixels, truth in scenes.test.items():
        image = kept.normalization(pixels.unsqueeze(0))
        with torch.inference_mode():
            logits = kept.model(image)
            views = []
            for scale in (0.5, 1.0):
                size = [round(scale * side) for side in image.shape[2:]]
                small = torch.nn.functional.interpolate(image, size, mode="bilinear")
                for flipped in (False, True):
                    found = kept.model(small.flip(3) if flipped else small)
                    found = found.flip(3) if flipped else found
                    found = torch.nn.functional.interpolate(found, image.shape[2:], mode="bilinear")
                    views.append(found.softmax(1))
        for into, scores in ((matrix, logits), (several, torch.stack(views).mean(0))):
            for true, predicted in zip(truth.flatten(), scores.argmax(1).flatten(), strict=True):
                if true != VOID:
                    into[int(true), int(predicted)] += 1
    assert torch.equal(result.records["segmentation_matrix"], matrix)
    for of, suffix in ((matrix, ""), (several, "_multiscale")):
        right = of.diagonal().double()
        iou = right / (of.sum(0) + of.sum(1) - right)
        assert result.values[f"test_mean_iou{suffix}"] == pytest.approx(float(iou.mean()))
        accuracy = float(right.sum() / of.sum())
        assert result.values[f"test_pixel_accuracy{suffix}"] == pytest.approx(accuracy)
    shown = result.records["segmentation_shown_0"]
    truth = scenes.test.item(0)[1]
    assert torch.equal(shown == VOID, truth == VOID)


def test_a_stopped_training_ends_with_the_same_bytes(
    run: Callable[..., RunResult], tmp_path: Path
) -> None:
    """Stopped within an epoch, whose batches are parts of an endless row of images."""
    changes: dict[str, Any] = {"iterations": 20, "checkpoint_steps": 4, "head": "upernet"}
    changes |= {"head_channels": 8, "photometric_distortion": True, "cat_max_ratio": 0.75}
    run(tmp_path / "whole", "maxsup", **changes)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", "maxsup", on_checkpoint=StopAfter(4), **changes)
    run(tmp_path / "stopped", "maxsup", **changes)
    assert_same_bytes(tmp_path / "whole", tmp_path / "stopped")


def assert_same_bytes(first: Path, second: Path) -> None:
    """Two runs have left the same, but for how long they took."""
    for name in ("model.safetensors", "config.json", "settings.json", "result.safetensors"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    results = [RunResult.load(place) for place in (first, second)]
    assert results[0] is not None
    assert results[1] is not None
    assert results[0].values == results[1].values
    assert results[0].batches == results[1].batches
    times = ("seconds", "images_per_second")
    rows = [
        [{name: value for name, value in row.items() if name not in times} for row in each.history]
        for each in results
        if each is not None
    ]
    assert rows[0] == rows[1]


WAITING = """
import os
import time

from maxsup.losses import MaxSupLoss
from maxsup.methods import Method


class Waiting(MaxSupLoss):
    steps = 0

    def forward(self, input, target):
        self.steps += 1
        if self.steps == 6 and "WAIT_TO_BE_KILLED" in os.environ:
            time.sleep(600)
        return super().forward(input, target)


METHOD = Method("waiting", "Waiting", "waits", build=lambda training: Waiting())
"""
"""MaxSup that waits in the sixth step, to be killed, where it is told to."""


def test_a_killed_training_ends_with_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """Killed two steps behind its checkpoint, within an epoch, and started again."""
    (tmp_path / "waiting.py").write_text(WAITING)

    def start(out: str, **environment: str) -> CommandProcess:
        words = [
            *("train", "camvid-upernet", "--data", str(folder), "--model", "small-convnet"),
            *("--plugin", "waiting.py", "--method", "waiting", "--head", "linear"),
            *("--crop-size", "16", "16", "--batch-size", "8", "--iterations", "20"),
            *("--epochs", "2", "--checkpoint-steps", "4", "--photometric-distortion"),
            *("--cat-max-ratio", "0.75", "--ema-decay", "0.9", "--out", out),
        ]
        log = tmp_path / f"{out}.txt"
        return CommandProcess(words, cwd=tmp_path, log=log, environment=environment)

    killed = start("killed", WAIT_TO_BE_KILLED="1")
    killed.wait_until((tmp_path / "killed" / "checkpoint.pt").exists)
    killed.kill()
    assert not (tmp_path / "killed" / "metrics.jsonl").read_text()
    for process in (start("killed"), start("whole")):
        assert process.wait() == 0, process.output()
    assert "goes on" in (tmp_path / "killed.txt").read_text()
    assert_same_bytes(tmp_path / "whole", tmp_path / "killed")


def reference(
    output: SegmentationLogits, target: torch.Tensor, weight: torch.Tensor | None
) -> torch.Tensor:
    """Cross-entropy over labelled pixels, pixel by pixel, in float64."""
    total = torch.zeros((), dtype=torch.float64)
    for logits, part in ((output.main, 1.0), (output.auxiliary, 0.3)):
        assert logits is not None
        flat = logits.double().permute(0, 2, 3, 1).reshape(-1, logits.shape[1])
        labels = target.flatten()
        used = labels != VOID
        each = cross_entropy(flat[used], labels[used], reduction="none")
        weights = torch.ones_like(each) if weight is None else weight.double()[labels[used]]
        total = total + part * (weights * each).sum() / weights.sum()
    return total


@pytest.mark.parametrize("balance", [False, True])
def test_the_loss_is_the_mean_over_labelled_pixels_of_both_heads(
    folder: Path, scenes: MaskData, balance: bool
) -> None:
    recipe = dataclasses.replace(
        TINY, head="upernet", head_channels=8, auxiliary=0.3, balance_classes=balance
    )
    settings = RunSettings("baseline", 0, recipe, DataSettings(str(folder)))
    setup = set_up(settings, scenes, Accelerator(cpu=True))
    images, target = next(iter(setup.batches.epoch(0, 0)))
    assert bool((target == VOID).any())
    model = setup.state.model.train()
    output = model(images)
    loss = setup.task.loss(setup.state.criterion, output, target)
    weight = class_weights(scenes.class_pixels) if balance else None
    expected = reference(output, target, weight)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    parameters = [each for each in model.parameters() if each.requires_grad]
    ours = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    theirs = torch.autograd.grad(expected, parameters, allow_unused=True)
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine is None) == (other is None)
        if mine is not None:
            torch.testing.assert_close(mine, other.to(mine), rtol=1e-3, atol=1e-5)
    assert setup.task.look(output, target).counted == (target != VOID).sum()


@pytest.mark.parametrize("method", [method.name for method in all_methods()])
def test_every_objective_leaves_void_out(folder: Path, scenes: MaskData, method: str) -> None:
    """Void is of no account whatever the logits say there; where all is void, the loss is 0."""
    settings = RunSettings(method, 0, TINY, DataSettings(str(folder)))
    setup = set_up(settings, scenes, Accelerator(cpu=True))
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 4, 5, generator=generator)
    target = torch.randint(0, 3, (2, 4, 5), generator=generator)
    target[:, 1] = VOID
    other = logits.clone()
    other[:, :, 1] = 7 * torch.randn(2, 3, 5, generator=generator)
    found = []
    for each in (logits, other):
        leaf = each.requires_grad_()
        criterion = set_up(settings, scenes, Accelerator(cpu=True)).state.criterion
        loss = setup.task.loss(criterion, SegmentationLogits(leaf, None), target)
        loss.backward()
        assert leaf.grad is not None
        assert bool((leaf.grad[:, :, 1] == 0).all())
        found.append((loss.detach(), leaf.grad[:, :, [0, 2, 3]]))
    torch.testing.assert_close(found[0], found[1])
    leaf = logits.detach().requires_grad_()
    nothing = setup.task.loss(
        setup.state.criterion, SegmentationLogits(leaf, None), torch.full_like(target, VOID)
    )
    nothing.backward()
    assert nothing.item() == 0
    assert bool((leaf.grad == 0).all())


def test_online_label_smoothing_learns_from_the_main_head_on_labelled_pixels(
    folder: Path, scenes: MaskData
) -> None:
    recipe = dataclasses.replace(TINY, head="upernet", head_channels=4)
    settings = RunSettings("online-label-smoothing", 0, recipe, DataSettings(str(folder)))
    setup = set_up(settings, scenes, Accelerator(cpu=True))
    criterion: Any = setup.state.criterion
    # Class 0 everywhere, by both heads, and all is right or void.
    logits = torch.zeros(2, 3, 2, 2)
    logits[:, 0] = 1
    output = SegmentationLogits(logits.requires_grad_(), logits.detach().requires_grad_())
    nothing = torch.full((2, 2, 2), VOID)
    assert setup.task.loss(criterion, output, nothing).item() == 0
    assert criterion.correct.tolist() == [0, 0, 0]
    target = torch.stack((torch.zeros(2, 2).long(), nothing[0]))
    loss = setup.task.loss(criterion, output, target)
    assert criterion.correct.tolist() == [4, 0, 0]
    torch.testing.assert_close(criterion.sums[0], 4 * torch.tensor([1.0, 0, 0]).softmax(0))
    # The auxiliary head has its part of the loss all the same, in the first epoch of hard labels.
    each = -0.5 * torch.tensor([1.0, 0, 0]).log_softmax(0)[0]
    torch.testing.assert_close(loss, (1 + recipe.auxiliary) * each)
    assert criterion.training


def test_runs_of_one_seed_share_their_head_and_batches_whatever_the_backbone(
    run: Callable[..., RunResult], tmp_path: Path
) -> None:
    short = {"iterations": 2}
    first = run(tmp_path / "first", **short)
    for name, changes in {
        "other method": {"method": "label-smoothing"},
        "other backbone": {"weights": str(tmp_path / "first"), "partial_weights": False},
    }.items():
        method = changes.pop("method", "baseline")
        if "weights" in changes:
            # Weights of a classifier of the same architecture.
            from maxsup.models import Architecture, ModelDescription, create_model, save_model

            torch.manual_seed(9)
            description = ModelDescription(
                Architecture("small-convnet", 4, 3),
                classes=("a", "b", "c", "d"),
                mean=(0.1, 0.2, 0.3),
                std=(0.4, 0.5, 0.6),
                input_size=(3, 8, 8),
                reading="small",
            )
            model = create_model("small-convnet", num_classes=4, in_channels=3)
            (tmp_path / "weights").mkdir()
            save_model(tmp_path / "weights", model, description)
            changes = {"weights": str(tmp_path / "weights"), "freeze_backbone": True}
        result = run(tmp_path / name, method, **short, **changes)
        assert (result.initial_weights, result.batches) == (first.initial_weights, first.batches)
    trained = load_segmentation_run(tmp_path / "other backbone")
    assert trained.normalization.mean == (0.1, 0.2, 0.3)
    own = {f"backbone.model.{name}": each for name, each in model.state_dict().items()}
    kept = load_file(tmp_path / "other backbone" / "model.safetensors")
    backbone = [name for name in kept if name.startswith("backbone")]
    assert backbone
    assert all(torch.equal(kept[name], own[name]) for name in backbone)


def test_a_model_that_gives_nan_has_diverged(run: Callable[..., RunResult], tmp_path: Path) -> None:
    with pytest.raises(TrainingDiverged, match=r"--lr"):
        run(tmp_path, iterations=4, lr=1e20)


def test_nobody_teaches_it(folder: Path) -> None:
    with pytest.raises(ValueError, match="leave --teacher out"):
        RunSettings(
            "baseline", 0, TINY, DataSettings(str(folder)), distillation=Distillation("runs/x")
        )


def test_a_validation_part_is_measured_too(folder: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(TINY, iterations=2)
    data = DataSettings(str(folder), validation=0.25)
    with ProgressReport(Console(quiet=True), 2, quiet=True) as progress:
        result = train(RunSettings("baseline", 0, recipe, data), tmp_path, progress=progress)
    assert {"validation_mean_iou", "test_mean_iou"} <= result.history[0].keys()


def test_the_recipe_of_ade20k_has_the_public_setting() -> None:
    recipe = get_recipe("ade20k-upernet-deit-small")
    steps = recipe.iterations // recipe.epochs  # type: ignore[operator]
    assert recipe.warmup_epochs * steps == 1_500
    assert (recipe.head_channels, recipe.auxiliary) == (512, 0.4)


def test_steps_take_the_whole_set_of_images(folder: Path, scenes: MaskData) -> None:
    """Accumulated parts give the sums of the whole batch."""
    settings = RunSettings("baseline", 0, TINY, DataSettings(str(folder)))
    accelerator = Accelerator(cpu=True)
    setup = set_up(settings, scenes, accelerator)
    images, target = next(iter(setup.batches.epoch(0, 0)))
    sums = train_step(setup, accelerator, settings, 0, 1, images, target)
    assert int(sums.seen.counted) == int((target != VOID).sum())
    assert 0 <= int(sums.seen.correct) <= int(sums.seen.counted)


@pytest.mark.parametrize("scales", [(), (0.5, 1.0)])
def test_the_estimate_knows_of_boundaries(
    folder: Path, scenes: MaskData, monkeypatch: pytest.MonkeyPatch, scales: tuple[float, ...]
) -> None:
    """A fifth of a second for an image's boundaries, at the end once or twice."""
    from maxsup.evaluation import _segmentation_pass

    def slow(*given: Any) -> tuple[torch.Tensor, torch.Tensor]:
        time.sleep(0.2)
        return boundary_iou(*given)

    monkeypatch.setattr(_segmentation_pass, "boundary_iou", slow)
    accelerator = Accelerator(cpu=True)
    recipe = dataclasses.replace(TINY, eval_scales=scales)
    settings = RunSettings("baseline", 0, recipe, DataSettings(str(folder)))
    setup = set_up(settings, scenes, accelerator)
    evaluator = setup.task.evaluator(
        setup.state.model, setup.normalization, scenes, accelerator, recipe, "test"
    )
    estimate = evaluator.estimate(recipe)
    # Rounded to whole images.
    least = 0.95 * 0.2 * len(scenes.test) * (2 if scales else 1)
    assert estimate.images * estimate.seconds > least


def test_a_backbone_of_one_size_is_not_given_larger_images_at_the_end(
    folder: Path, scenes: MaskData, tmp_path: Path
) -> None:
    """It is refused before anything is written, and not after the training."""
    fixed = dataclasses.replace(
        TINY, model="mixer_s32_224", crop_size=(32, 32), iterations=2, epochs=1
    )

    def settings(**changes: Any) -> RunSettings:
        recipe = dataclasses.replace(fixed, **changes)
        return RunSettings("baseline", 0, recipe, DataSettings(str(folder)))

    said = r"no larger ones, and a test image of 16×24 is given to it with 32×48 at scale 2\."
    for refused in (settings(eval_scales=(1, 2)), settings(base_size=(48, 48))):
        with pytest.raises(ValueError, match="Add --window 32 32"):
            dry_run(refused, data=scenes, accelerator=Accelerator(cpu=True))
    with pytest.raises(ValueError, match=said):
        train(settings(eval_scales=(1, 2)), tmp_path / "run", data=scenes)
    assert not (tmp_path / "run").exists()
    result = train(settings(eval_scales=(1, 2), window=(32, 32)), tmp_path / "run", data=scenes)
    assert "test_mean_iou_multiscale" in result.values


@pytest.mark.parametrize(
    "changes",
    [
        {"head": "upernet", "head_channels": 4, "batch_size": 4, "accumulate": 4},
        {"head": "upernet", "head_channels": 4, "batch_size": 1},
        {"head": "linear", "crop_size": (4, 4), "batch_size": 1},
    ],
)
def test_one_image_at_a_time_is_too_few_for_batch_norm(
    folder: Path, scenes: MaskData, changes: dict[str, Any]
) -> None:
    recipe = dataclasses.replace(TINY, **changes)
    settings = RunSettings("baseline", 0, recipe, DataSettings(str(folder)))
    accelerator = Accelerator(cpu=True)
    with pytest.raises(ValueError, match="larger --batch-size, or a smaller --accumulate"):
        set_up(settings, scenes, accelerator)


def test_processes_share_the_images_that_batch_norm_sees(folder: Path, scenes: MaskData) -> None:
    recipe = dataclasses.replace(TINY, head="upernet", head_channels=4, batch_size=4)
    settings = RunSettings("baseline", 0, recipe, DataSettings(str(folder)))
    setup = set_up(settings, scenes, Accelerator(cpu=True))
    model = setup.state.model
    setup.task.check(model, recipe, scenes, 2)
    with pytest.raises(ValueError, match=r"one image to each .* of each process \(4\)"):
        setup.task.check(model, recipe, scenes, 4)
    together = dataclasses.replace(recipe, sync_batchnorm=True)
    setup.task.check(model, together, scenes, 4)


def test_one_image_at_a_time_is_enough_for_maps_of_several_cells(
    folder: Path, scenes: MaskData
) -> None:
    recipe = dataclasses.replace(TINY, batch_size=4, accumulate=4)
    settings = RunSettings("baseline", 0, recipe, DataSettings(str(folder)))
    found = dry_run(settings, data=scenes, accelerator=Accelerator(cpu=True))
    assert all(math.isfinite(loss) for loss in found.losses)
