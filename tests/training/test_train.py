import dataclasses
import json
import math
import resource
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from maxsup.data import ImageData, Normalization, ResidentSplit
from maxsup.evaluation import RECORDS
from maxsup.methods import all_methods
from maxsup.models import create_model
from maxsup.recipes import get_recipe
from maxsup.training import Position, RunResult, RunSettings, TrainingDiverged, _train, build_model

from .conftest import StopAfter

Run = Callable[..., RunResult]


def without_times(result: RunResult) -> list[dict[str, float]]:
    return [
        {k: v for k, v in row.items() if k not in ("seconds", "images_per_second")}
        for row in result.history
    ]


def test_a_model_learns(run_training: Run, tmp_path: Path) -> None:
    result = run_training(tmp_path, epochs=6)
    losses = [row["train_loss"] for row in result.history]
    assert losses[-1] < losses[0]
    # 40 % of the training labels are wrong, so half of them is far above chance.
    assert result.values["test_accuracy"] > 0.5


def test_what_a_run_leaves_behind(run_training: Run, tmp_path: Path) -> None:
    result = run_training(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "SHA256SUMS",
        "config.json",
        "metrics.jsonl",
        "model.safetensors",
        "outputs-test.safetensors",
        "result.json",
        "result.safetensors",
        "settings.json",
    ]
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert rows == result.history
    assert [row["epoch"] for row in rows] == [1, 2]
    assert {"lr", "alpha", "train_loss", "test_accuracy", "images_per_second"} <= set(rows[0])
    kept = RunResult.load(tmp_path)
    assert kept is not None
    assert kept.values == result.values
    # There is no validation part here.
    of_splits = {record.name for record in RECORDS if record.splits != ("validation",)}
    assert set(kept.records) == of_splits
    assert all(torch.equal(kept.records[name], each) for name, each in result.records.items())


def test_saved_weights_give_the_reported_accuracy(
    run_training: Run, tmp_path: Path, noisy_digits: ImageData
) -> None:
    result = run_training(tmp_path)
    settings = RunSettings.load(tmp_path / "settings.json")
    model = build_model(settings.recipe, noisy_digits).eval()
    model.load_state_dict(load_file(tmp_path / "model.safetensors"))
    with torch.inference_mode():
        logits = model(Normalization.of(noisy_digits.train)(noisy_digits.test.images))
    accuracy = (logits.argmax(1) == noisy_digits.test.true_labels).double().mean()
    assert result.values["test_accuracy"] == pytest.approx(float(accuracy))
    nll = torch.nn.functional.cross_entropy(logits.double(), noisy_digits.test.true_labels)
    assert result.values["test_nll"] == pytest.approx(float(nll), rel=1e-5)


def test_the_settings_file_alone_repeats_a_run(run_training: Run, tmp_path: Path) -> None:
    first = run_training(tmp_path / "a", method="label-smoothing", seed=3, cutout=2)
    settings = RunSettings.load(tmp_path / "a" / "settings.json")
    second = run_training(
        tmp_path / "b", method=settings.method, seed=settings.seed, recipe=settings.recipe
    )
    assert without_times(second) == without_times(first)
    assert second.values == first.values


def test_methods_of_a_seed_share_start_and_batches(run_training: Run, tmp_path: Path) -> None:
    names = [method.name for method in all_methods()]
    results = [run_training(tmp_path / name, method=name, epochs=1) for name in names]
    assert len({(result.initial_weights, result.batches) for result in results}) == 1
    # And yet they are trained differently, but for those whose margin is wider than the logits of
    # so short a training differ.
    found = {name: result.values["train_r2"] for name, result in zip(names, results, strict=True)}
    for asleep in ("margin-label-smoothing", "acls"):
        assert found.pop(asleep) == found["baseline"]
    assert len(set(found.values())) == len(found)
    other = run_training(tmp_path / "other", seed=1, epochs=1)
    assert other.initial_weights != results[0].initial_weights
    assert other.batches != results[0].batches


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "optimizer": "adamw",
            "nesterov": False,
            "lr": 1e-3,
            "ema_decay": 0.9,
            "evaluate_ema": True,
        },
        {"mixup": 0.4, "cutmix": 1.0, "flip": True, "crop_padding": 2, "clip_norm": 1.0},
        {"accumulate": 2, "precision": "bf16"},
    ],
    ids=["sgd", "adamw-ema", "mixing", "accumulate-bf16"],
)
def test_an_interrupted_run_ends_as_if_it_had_not_been(
    run_training: Run, tmp_path: Path, changes: dict[str, object]
) -> None:
    whole = run_training(tmp_path / "whole", epochs=3, **changes)

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run_training(tmp_path / "parts", epochs=3, on_checkpoint=StopAfter(1), **changes)
    epochs: list[int] = []
    parts = run_training(
        tmp_path / "parts",
        epochs=3,
        on_checkpoint=lambda position: epochs.append(position.epoch),
        **changes,
    )

    assert epochs == [3]
    assert without_times(parts) == without_times(whole)
    assert parts.values == whole.values
    assert (parts.initial_weights, parts.batches) == (whole.initial_weights, whole.batches)
    weights = [load_file(tmp_path / name / "model.safetensors") for name in ("whole", "parts")]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


def test_a_row_without_its_checkpoint_is_dropped(run_training: Run, tmp_path: Path) -> None:
    """Killed between the row of an epoch and its checkpoint: the epoch is trained again."""
    whole = run_training(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run_training(tmp_path / "parts", on_checkpoint=StopAfter(1))
    rows = tmp_path / "parts" / "metrics.jsonl"
    assert len(rows.read_text().splitlines()) == 1
    with rows.open("a") as file:
        file.write('{"epoch": 2, "train_loss": 0.0}\n')
    parts = run_training(tmp_path / "parts")
    assert without_times(parts) == without_times(whole)
    assert [json.loads(line) for line in rows.read_text().splitlines()] == parts.history


def test_a_finished_run_is_not_trained_again(
    run_training: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run_training(tmp_path)

    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("was trained again")

    monkeypatch.setattr(_train, "train_epoch", refuse)
    assert run_training(tmp_path).values == result.values


def test_accumulated_parts_add_up_to_the_batch(tmp_path: Path, run_training: Run) -> None:
    """Without batch-norm in the way, the parts of a batch give the gradient of the whole."""
    changes = {"model": "test_vit", "image_size": None, "epochs": 1, "lr": 0.01}
    data = _tiny_images(64)
    whole = run_training(tmp_path / "1", data=data, batch_size=32, **changes)
    parts = run_training(tmp_path / "4", data=data, batch_size=32, accumulate=4, **changes)
    assert parts.history[0]["train_loss"] == pytest.approx(whole.history[0]["train_loss"], rel=1e-5)
    assert parts.values["test_nll"] == pytest.approx(whole.values["test_nll"], rel=1e-4)


def test_alpha_follows_the_papers_schedule(run_training: Run, tmp_path: Path) -> None:
    result = run_training(tmp_path, epochs=4)
    alphas = [row["alpha"] for row in result.history]
    assert alphas == pytest.approx([0.1, 0.125, 0.15, 0.175])


def test_ema_is_measured_where_asked(run_training: Run, tmp_path: Path) -> None:
    raw = run_training(tmp_path / "raw", ema_decay=0.99)
    averaged = run_training(tmp_path / "ema", ema_decay=0.99, evaluate_ema=True)
    assert without_times(raw)[0]["train_loss"] == without_times(averaged)[0]["train_loss"]
    assert raw.values["test_nll"] != averaged.values["test_nll"]
    weights = [load_file(tmp_path / name / "model.safetensors") for name in ("raw", "ema")]
    assert any(not torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


def test_measures_of_mirrored_pairs(
    run_training: Run, tmp_path: Path, noisy_digits: ImageData
) -> None:
    plain = run_training(tmp_path / "plain", epochs=1)
    result = run_training(tmp_path / "flip", epochs=1, evaluate_flip=True)
    assert result.history[0]["train_loss"] == plain.history[0]["train_loss"]
    model = build_model(RunSettings.load(tmp_path / "flip" / "settings.json").recipe, noisy_digits)
    model.load_state_dict(load_file(tmp_path / "flip" / "model.safetensors"))
    images = Normalization.of(noisy_digits.train)(noisy_digits.test.images)
    with torch.inference_mode():
        logits = (model.eval()(images) + model(images.flip(3))) / 2
    nll = torch.nn.functional.cross_entropy(logits.double(), noisy_digits.test.true_labels)
    assert result.values["test_nll"] == pytest.approx(float(nll), rel=1e-5)
    assert result.history[-1]["test_nll"] == pytest.approx(float(nll), rel=1e-5)
    assert result.values["test_nll"] != plain.values["test_nll"]


def test_channels_last_trains_the_same_model(run_training: Run, tmp_path: Path) -> None:
    plain = run_training(tmp_path / "plain", epochs=1)
    last = run_training(tmp_path / "last", epochs=1, channels_last=True)
    assert last.history[0]["train_loss"] == pytest.approx(plain.history[0]["train_loss"], rel=1e-3)


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_model_trains_alike(run_training: Run, tmp_path: Path) -> None:
    plain = run_training(tmp_path / "plain", epochs=1)
    compiled = run_training(tmp_path / "compiled", epochs=1, compile=True)
    assert compiled.history[0]["train_loss"] == pytest.approx(
        plain.history[0]["train_loss"], rel=1e-3
    )
    names = [set(load_file(tmp_path / run / "model.safetensors")) for run in ("plain", "compiled")]
    assert names[0] == names[1]


def test_divergence_is_an_error_with_its_cause(run_training: Run, tmp_path: Path) -> None:
    with pytest.raises(TrainingDiverged, match=r"the loss became (nan|inf) in epoch \d of 2"):
        run_training(tmp_path, lr=1e20, warmup_epochs=0.0, lr_schedule="constant")


def test_a_validation_part_is_measured_each_epoch(
    run_training: Run, tmp_path: Path, noisy_digits: ImageData
) -> None:
    part = noisy_digits.test.select(torch.arange(100))
    data = dataclasses.replace(noisy_digits, validation=part)
    result = run_training(tmp_path, data=data, epochs=1)
    assert {"validation_accuracy", "validation_nll"} <= set(result.history[0])


def test_the_earlier_checkpoint_survives_a_full_disk(run_training: Run, tmp_path: Path) -> None:
    whole = run_training(tmp_path / "whole")
    former = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_the_disk(position: Position) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, former[1]))

    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(OSError, match="its former version is intact") as caught:
            run_training(tmp_path / "parts", on_checkpoint=fill_the_disk)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.filename == str(tmp_path / "parts" / "checkpoint.pt")
    assert not list((tmp_path / "parts").glob(".*.tmp"))
    assert without_times(run_training(tmp_path / "parts")) == without_times(whole)


def test_a_directory_of_other_settings_or_data_is_left_alone(
    run_training: Run, tmp_path: Path, noisy_digits: ImageData
) -> None:
    run_training(tmp_path)
    with pytest.raises(ValueError, match="holds a run with other settings"):
        run_training(tmp_path, lr=0.05)
    changed = dataclasses.replace(noisy_digits, test=noisy_digits.test.select(torch.arange(9)))
    with pytest.raises(ValueError, match="holds a run on other data"):
        run_training(tmp_path, data=changed)


def test_a_checkpoint_of_other_data_is_not_resumed(
    run_training: Run, tmp_path: Path, noisy_digits: ImageData
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_training(tmp_path, on_checkpoint=StopAfter(1))
    changed = dataclasses.replace(noisy_digits, test=noisy_digits.test.select(torch.arange(9)))
    with pytest.raises(ValueError, match="holds a run on other data"):
        run_training(tmp_path, data=changed)


def test_a_batch_that_processes_and_parts_cannot_share(run_training: Run, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"batch_size \(128\) must be a multiple of accumulate"):
        run_training(tmp_path, accumulate=3)


def test_values_that_do_not_exist_are_none(run_training: Run, tmp_path: Path) -> None:
    """A model that gets everything right has no confidence where it is wrong."""
    images = torch.zeros(64, 1, 8, 8, dtype=torch.uint8)
    labels = torch.arange(64) % 2
    images[labels == 1] = 255
    part = ResidentSplit(images, labels, labels)
    data = ImageData("black and white", ("black", "white"), part, None, part)
    result = run_training(tmp_path, data=data, batch_size=32, epochs=8)
    assert result.values["test_accuracy"] == 1
    assert result.values["test_confidence_wrong"] is None
    assert "NaN" not in (tmp_path / "result.json").read_text()


def _tiny_images(count: int) -> ImageData:
    generator = torch.Generator().manual_seed(0)
    size = create_model("test_vit", num_classes=2).pretrained_cfg["input_size"][-1]
    images = torch.randint(0, 256, (count, 3, size, size), generator=generator, dtype=torch.uint8)
    labels = torch.arange(count) % 2
    part = ResidentSplit(images, labels, labels)
    return ImageData("random", ("a", "b"), part, None, part)


def test_recipes_learning_rates_are_finite_and_positive() -> None:
    from maxsup.training._optimizer import learning_rate

    recipe = get_recipe("digits")
    rates = [learning_rate(recipe, step, 10) for step in range(recipe.epochs * 10)]
    assert all(math.isfinite(rate) and rate > 0 for rate in rates)
