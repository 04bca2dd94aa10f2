"""What the tables and figures of the paper take: writes ``src/maxsup/paper/takes.json``.

python benchmarks/reproduction.py [--out DIRECTORY] [--scales paper smoke small]

At the scales smoke and small every step of every table is carried out, in DIRECTORY, with few
seeds, and its seconds are divided by the models that it trained or looked at. They are seconds of
the processor, with one thread, so that what else the machine does is not counted; what is there
from an earlier call is not timed again, so that DIRECTORY must be new. At the scale of the
paper nothing is trained: the FLOPs of a training follow from model, resolution, epochs and the
number of images, and a GPU's speed is the one that ``results/h200/training.json`` has. Scales that
are not named keep what the file has of them.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from rich.console import Console
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from maxsup._files import write_text
from maxsup.models import create_model
from maxsup.models.segmentation import create_segmentation_model
from maxsup.paper import Experiment, Request, Step, Study, all_entries, plan, steps_of
from maxsup.paper._takes import FILE, experiments_of
from maxsup.recipes import Recipe, get_recipe
from maxsup.results import RESULTS_FILE, read_results

MEASURED = Path(__file__).parent / "results" / "h200" / "training.json"
WORKLOAD = "ResNet-18, 32×32, batch 128"
BACKWARD = 2  # times what forward takes: gradients of the input and of the weights

SEEDS = 2
"""Of each method, where steps are carried out."""

IMAGES = {
    "ImageNet-1K": 1_281_167,
    "CIFAR-100": 50_000,
    "CIFAR-10": 50_000,
    "CUB-200-2011": 5_994,
    "Stanford Cars": 8_144,
}
CLASSES = {
    "ImageNet-1K": 1_000,
    "CIFAR-100": 100,
    "CIFAR-10": 10,
    "CUB-200-2011": 200,
    "Stanford Cars": 196,
    "ADE20K": 150,
}


def experiments() -> Iterator[Experiment]:
    """All of the paper, those that train backbones among them."""
    known = {each.key: each for entry in all_entries() for each in experiments_of(entry)}
    yield from known.values()


def recipe_of(experiment: Experiment) -> Recipe:
    return get_recipe(experiment.recipe).adapted(**experiment.changes)


def images_of(experiment: Experiment) -> int:
    """How many images an epoch has."""
    count = IMAGES[experiment.data]
    imbalance = experiment.data_changes.get("imbalance")
    if imbalance is None:
        return count
    classes = CLASSES[experiment.data]
    return sum(
        int(count / classes * imbalance ** (-each / (classes - 1))) for each in range(classes)
    )


def facts_of(experiment: Experiment) -> dict[str, object]:
    """What a training consists of, and its FLOPs."""
    recipe = recipe_of(experiment)
    if recipe.iterations is not None:
        assert recipe.crop_size is not None
        side = recipe.crop_size[0]
        seen = recipe.iterations * recipe.batch_size
    else:
        assert recipe.image_size is not None
        assert recipe.start_image_size is None
        side, seen = recipe.image_size, recipe.epochs * images_of(experiment)
    forward = forward_flops(recipe, CLASSES[experiment.data], side)
    return {
        "model": recipe.model,
        "side": side,
        "images": seen,
        "flops": (1 + BACKWARD) * forward * seen,
    }


@torch.inference_mode()
def forward_flops(recipe: Recipe, classes: int, side: int) -> int:
    """Of one image, with a multiplication and an addition counted as two."""
    model = build(recipe, classes, side).eval()
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, side, side))
    return int(counter.get_total_flops())


def build(recipe: Recipe, classes: int, side: int) -> nn.Module:
    if recipe.head is not None:
        return create_segmentation_model(
            recipe.model,
            num_classes=classes,
            head=recipe.head,
            image_size=(side, side),
            channels=recipe.head_channels,
        )
    return create_model(
        recipe.model,
        num_classes=classes,
        small_stem=recipe.small_stem,
        blur_pool=recipe.blur_pool,
        image_size=side,
    )


def paper() -> dict[str, object]:
    trainings = {each.key: facts_of(each) for each in experiments()}
    found = json.loads(MEASURED.read_text())
    rates = found["rows"][WORKLOAD]["images_per_second"]["maxsup's training"]
    resnet18 = get_recipe("cifar100-resnet18")
    each = (1 + BACKWARD) * forward_flops(resnet18, CLASSES["CIFAR-100"], 32)
    return {
        "device": found["setting"]["device"],
        "measured": WORKLOAD,
        "flops_per_second": round(statistics.median(rates) * each, -11),
        "trainings": trainings,
    }


def measured(scale: str, out: Path) -> dict[str, object]:
    """Seconds a model of every step, and on what."""
    seconds: dict[str, list[float]] = {}
    for entry in all_entries():
        for step in steps_of(plan(Request(entry, scale, seeds=SEEDS, out=out))):  # type: ignore[arg-type]
            models = missing_models(step)
            if not models:
                continue
            start = processor_seconds()
            step.run(Console(quiet=True))
            took = (processor_seconds() - start) / models
            seconds.setdefault(step.directory.name, []).extend([took] * models)
            print(f"{step.directory.name}: {took:.2f} s a model, of {models}", file=sys.stderr)
    return {
        "device": "one core of a CPU",
        "steps": {name: round(statistics.fmean(each), 2) for name, each in seconds.items()},
    }


def processor_seconds() -> float:
    """Of this process and those that it started and that have ended."""
    return sum(os.times()[:4])


def missing_models(step: Step) -> int:
    """How many models it has yet to train, or to look at."""
    study = step if isinstance(step, Study) else step.study
    count = len(study.methods) * study.seeds
    if not isinstance(step, Study):
        return 0 if step.directory.exists() else count
    if not (step.directory / RESULTS_FILE).exists():
        return count
    there = {
        (row["method"], row["seed"]) for row in read_results(step.directory / RESULTS_FILE)["runs"]
    }
    names = [step.name_in_study(method) for method in step.methods]
    return sum((name, seed) not in there for name in names for seed in range(step.seeds))


def main(words: list[str] | None = None) -> None:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--scales", nargs="+", default=["paper", "smoke", "small"])
    parser.add_argument("--file", type=Path, default=FILE)
    options = parser.parse_args(words)
    torch.set_num_threads(1)
    found = json.loads(options.file.read_text()) if options.file.exists() else {}
    for scale in options.scales:
        if scale == "paper":
            found[scale] = paper()
        else:
            out = options.out or Path(tempfile.mkdtemp())
            found[scale] = measured(scale, out / scale)
        write_text(options.file, json.dumps(found, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
