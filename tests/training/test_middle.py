"""Going on in the middle of an epoch, and training on photographs."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console
from safetensors.torch import load_file

from maxsup.data import DataSettings, ImageData
from maxsup.recipes import Recipe
from maxsup.training import (
    ProgressReport,
    RunResult,
    RunSettings,
    _accelerator,
    _classification,
    _model,
    build_accelerator,
    load_data,
    train,
)

from .conftest import StopAfter

Run = Callable[..., RunResult]

PHOTOGRAPHS = Recipe(
    name="photographs",
    model="test_vit",
    image_size=32,
    random_resized_crop=True,
    eval_size=32,
    eval_crop=0.875,
    epochs=2,
    batch_size=8,
    optimizer="adamw",
    lr=1e-3,
    drop_path=0.2,
    flip=True,
    erasing=0.25,
    rand_augment="rand-m9-mstd0.5-inc1",
    repeats=3,
    mixup=0.2,
    workers=0,
)


def without_times(result: RunResult) -> list[dict[str, float]]:
    return [
        {k: v for k, v in row.items() if k not in ("seconds", "images_per_second")}
        for row in result.history
    ]


def assert_same(first: Path, second: Path) -> None:
    results = [RunResult.load(place) for place in (first, second)]
    assert results[0] is not None
    assert results[1] is not None
    assert without_times(results[0]) == without_times(results[1])
    assert results[0].values == results[1].values
    weights = [load_file(place / "model.safetensors") for place in (first, second)]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


@pytest.mark.parametrize("saves", [1, 2, 4])
def test_stopped_in_the_middle_of_an_epoch(run_training: Run, tmp_path: Path, saves: int) -> None:
    """Nine steps an epoch, and a checkpoint after each four."""
    run_training(tmp_path / "whole", ema_decay=0.9)
    with pytest.raises(KeyboardInterrupt):
        run_training(
            tmp_path / "parts", ema_decay=0.9, checkpoint_steps=4, on_checkpoint=StopAfter(saves)
        )
    run_training(tmp_path / "parts", ema_decay=0.9)
    assert_same(tmp_path / "whole", tmp_path / "parts")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dark cats and bright dogs."""
    root = tmp_path_factory.mktemp("photographs")
    generator = np.random.default_rng(0)
    for split, count in (("train", 20), ("test", 9)):
        for name, level in (("cat", 60), ("dog", 190)):
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = generator.integers(level - 50, level + 50, (40, 60, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{number}.jpg")
    return root


def run_photographs(
    folder: Path,
    directory: Path,
    *,
    max_corrupt: int = 0,
    on_checkpoint: StopAfter | None = None,
    **changes: Any,
) -> tuple[RunResult, ImageData]:
    recipe = dataclasses.replace(PHOTOGRAPHS, **changes)
    settings = RunSettings("maxsup", 0, recipe, DataSettings(str(folder), max_corrupt=max_corrupt))
    data = load_data(settings.data, recipe)
    with ProgressReport(Console(quiet=True), recipe.epochs, quiet=True) as progress:
        result = train(
            settings, directory, data=data, progress=progress, on_checkpoint=on_checkpoint
        )
    return result, data


@pytest.mark.parametrize("saves", [1, 2, 3])
def test_photographs_stopped_in_the_middle_of_an_epoch(
    folder: Path, tmp_path: Path, saves: int
) -> None:
    """With every stream of random numbers in use, and other workers afterwards."""
    run_photographs(folder, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run_photographs(
            folder, tmp_path / "parts", checkpoint_steps=2, on_checkpoint=StopAfter(saves)
        )
    rows = (tmp_path / "parts" / "metrics.jsonl").read_text().splitlines()
    assert len(rows) == (0 if saves < 3 else 1)
    run_photographs(folder, tmp_path / "parts", workers=1)
    assert_same(tmp_path / "whole", tmp_path / "parts")


def test_a_model_learns_from_photographs(folder: Path, tmp_path: Path) -> None:
    plain = {"mixup": 0.0, "erasing": 0.0, "rand_augment": None, "repeats": 1, "drop_path": 0.0}
    changes = plain | {"model": "resnet10t", "epochs": 6, "lr_schedule": "constant"}
    result, _ = run_photographs(folder, tmp_path, **changes)
    assert result.history[-1]["train_loss"] < result.history[0]["train_loss"]
    assert result.values["test_accuracy"] > 0.8


def test_the_resolution_grows(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides: list[int] = []
    build = _classification.build_described

    def watched(*args: Any) -> Any:
        model, description = build(*args)
        model.register_forward_pre_hook(lambda _, inputs: sides.append(inputs[0].shape[-1]))
        return model, description

    monkeypatch.setattr(_classification, "build_described", watched)
    run_photographs(
        folder,
        tmp_path,
        model="resnet10t",
        epochs=3,
        mixup=0.0,
        drop_path=0.0,
        image_size=96,
        start_image_size=32,
        resolution_epochs=(0, 2),
        eval_size=48,
    )
    # Five steps an epoch, and one batch of the test set after each.
    assert sides == [32] * 5 + [48] + [64] * 5 + [48] + [96] * 5 + [48]


def test_images_that_cannot_be_read_are_reported(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    shutil.copytree(folder, tmp_path / "broken")
    (tmp_path / "broken" / "train" / "cat" / "3.jpg").write_bytes(b"")
    (tmp_path / "broken" / "test" / "dog" / "5.jpg").write_bytes(b"no photograph")
    changes = {"repeats": 1, "mixup": 0.0}
    with pytest.raises(ValueError, match="--max-corrupt allows 1"):
        run_photographs(tmp_path / "broken", tmp_path / "run", max_corrupt=1, **changes)
    result, data = run_photographs(tmp_path / "broken", tmp_path / "run", max_corrupt=2, **changes)
    assert [row["images_left_out"] for row in result.history] == [1, 1]
    assert result.history[0]["train_accuracy"] * 39 == pytest.approx(
        round(result.history[0]["train_accuracy"] * 39)
    )
    assert len(data.train.corrupt) == 2  # type: ignore[union-attr]
    rows = [json.loads(row) for row in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert rows[0]["images_left_out"] == 1


def test_synchronised_batch_norm_needs_nothing_of_one_process(folder: Path, tmp_path: Path) -> None:
    changes = {"model": "resnet10t", "epochs": 1, "drop_path": 0.0}
    plain, _ = run_photographs(folder, tmp_path / "plain", **changes)
    synchronised, _ = run_photographs(folder, tmp_path / "sync", sync_batchnorm=True, **changes)
    assert without_times(plain) == without_times(synchronised)


def test_batch_norm_cannot_be_synchronised_on_cpus() -> None:
    class Two:
        num_processes = 2
        device = torch.device("cpu")

    model = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1), torch.nn.BatchNorm2d(3))
    with pytest.raises(ValueError, match="add --no-sync-batchnorm to train with 2 processes"):
        _model.synchronised(model, Two())  # type: ignore[arg-type]

    class TwoGpus(Two):
        device = torch.device("cuda")

    synchronised = _model.synchronised(model, TwoGpus())  # type: ignore[arg-type]
    assert isinstance(synchronised[1], torch.nn.SyncBatchNorm)  # type: ignore[index]


def test_sharded_models_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from accelerate.utils import DistributedType

    class Sharded:
        distributed_type = DistributedType.FSDP

    monkeypatch.setattr(_accelerator, "Accelerator", lambda **options: Sharded())
    with pytest.raises(ValueError, match=r"set up for FSDP.*data parallelism"):
        build_accelerator(PHOTOGRAPHS)
