"""What segmentation costs beside transformers' UperNet on the same backbone, and whether it agrees.

    python benchmarks/segmentation.py [--backbone resnet18] [--size 240x180] [--rounds 5]

Needs ``pip install transformers`` beside maxsup. In one process, in turn, with the same weights:
a training step (forward, cross-entropy of both heads, backward), and an evaluation at six scales
from 0.5 to 1.75 with mirror images. What is shown are ratios of medians to transformers'; below 1
is faster. Parameter counts and outputs of both heads are compared, too. At the end, the confusion
matrix in million pixels per second on one core. Run it with ``OMP_WAIT_POLICY=passive`` where other
programs share the cores.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from rich import box
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate

from maxsup.evaluation.segmentation import predict
from maxsup.measures import VOID, ConfusionMatrix
from maxsup.models.segmentation import SegmentationModel, create_segmentation_model

SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
AUXILIARY_WEIGHT = 0.4


def theirs_of(backbone: str, ours: SegmentationModel, classes: int, channels: int) -> nn.Module:
    """transformers' model with the weights of ours."""
    from transformers import TimmBackboneConfig, UperNetConfig, UperNetForSemanticSegmentation

    levels = len(ours.backbone.channels)
    config = UperNetConfig(
        backbone_config=TimmBackboneConfig(
            backbone=backbone,
            out_indices=list(range(-levels, 0)),
            use_pretrained_backbone=False,
            freeze_batch_norm_2d=False,
        ),
        hidden_size=channels,
        num_labels=classes,
        auxiliary_channels=channels // 2,
        auxiliary_in_channels=None,
        auxiliary_loss_weight=AUXILIARY_WEIGHT,
    )
    model: nn.Module = UperNetForSemanticSegmentation(config)
    copy_head(ours, model)
    body = {key.replace(".", "_"): value for key, value in ours.backbone.model.state_dict().items()}
    inner: Any = model.get_submodule("backbone")
    inner = inner._backbone
    inner.load_state_dict({key: body[key.replace(".", "_")] for key in inner.state_dict()})
    return model


def copy_head(ours: SegmentationModel, theirs: nn.Module) -> None:
    """Bring our heads' weights into theirs, whose modules come in another order."""
    assert ours.auxiliary is not None
    names = {
        "last": "classifier",
        "of_pooled": "bottleneck",
        "lateral": "lateral_convs",
        "smooth": "fpn_convs",
        "of_all": "fpn_bottleneck",
    }
    renamed = {}
    for key, value in ours.head.state_dict().items():
        first, _, rest = key.partition(".")
        if first == "pooled":
            number, _, rest = rest.partition(".1.")
            target = f"psp_modules.{number}.1"
        elif first in ("lateral", "smooth"):
            number, _, rest = rest.partition(".")
            target = f"{names[first]}.{number}"
        else:
            target = names[first]
        if first != "last":
            part, _, rest = rest.partition(".")
            rest = f"{('conv', 'batch_norm')[int(part)]}.{rest}"
        renamed[f"decode_head.{target}.{rest}"] = value
    for key, value in ours.auxiliary.state_dict().items():
        key = key.replace("convolution.0", "convs.0.conv").replace("last", "classifier")
        renamed["auxiliary_head." + key.replace("convolution.1", "convs.0.batch_norm")] = value
    # The same tensors stand under two names in theirs.
    result = theirs.load_state_dict(renamed, strict=False)
    wanted = [key for key in result.missing_keys if "head." in key and ".layers." not in key]
    if result.unexpected_keys or wanted:
        raise SystemExit(f"Heads differ: {result.unexpected_keys}, {wanted}")


def compare_outputs(
    ours: SegmentationModel, theirs: nn.Module, images: Tensor
) -> dict[str, float | int]:
    """Counts of the heads' parameters, and the largest difference of logits beside their size."""

    def count(module: Any) -> int:
        return sum(parameter.numel() for parameter in module.parameters())

    ours.eval(), theirs.eval()
    with torch.inference_mode():
        levels = ours.levels(images)
        mine = ours(images)
        assert ours.auxiliary is not None
        mine_beside = ours.auxiliary(levels[max(len(levels) - 2, 0)])
        their: Any = theirs
        found = their(images).logits
        beside = their.auxiliary_head(levels)
        head = (ours.head(levels) - their.decode_head(levels)).abs().max()
    return {
        "parameters": count(ours.head),
        "their parameters": count(their.decode_head),
        "auxiliary parameters": count(ours.auxiliary),
        "their auxiliary parameters": count(their.auxiliary_head),
        "largest logit": float(found.abs().max()),
        "head differs by": float(head),
        "auxiliary head differs by": float((mine_beside - beside).abs().max()),
        "model differs by": float((mine - found).abs().max()),
    }


def multi_scale(model: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
    """As one writes it: image after image, probabilities added."""
    total: Any = 0
    with torch.inference_mode():
        for scale in SCALES:
            size = [round(side * scale) for side in image.shape[1:]]
            view = interpolate(image[None], size, mode="bilinear")
            for mirrored in (False, True):
                logits = model(view.flip(3) if mirrored else view)
                logits = logits.flip(3) if mirrored else logits
                logits = interpolate(logits, image.shape[1:], mode="bilinear")
                total = total + logits.softmax(1)[0]
    found: Tensor = total / (2 * len(SCALES))
    return found


def medians(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    took: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        # In turn first, since the second finds the first's memory still in the caches.
        order = list(calls.items())[:: -1 if number % 2 else 1]
        for name, call in order:
            start = time.perf_counter()
            call()
            if number:  # the first warms up
                took[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in took.items()}


def pixels_per_second(classes: int, rounds: int, side: int = 1024) -> dict[str, float]:
    """Million pixels a second into the confusion matrix, on one core."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)

    def labels(cell: int) -> Tensor:
        shape = (4, side // cell, side // cell)
        found = torch.randint(classes, shape, generator=generator, dtype=torch.uint8)
        return found.repeat_interleave(cell, 1).repeat_interleave(cell, 2)

    speeds = {}
    for name, cell in (("noise", 1), ("areas of 64×64", 64)):
        target, predicted = labels(cell), labels(cell)
        target[:, :20] = VOID
        metric = ConfusionMatrix(classes)
        took = medians({name: lambda m=metric, p=predicted, t=target: m.update(p, t)}, rounds)
        speeds[name] = target.numel() / took[name] / 1e6
    torch.set_num_threads(threads)
    return speeds


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", default="resnet18")
    parser.add_argument("--size", default="192x256", help="height x width, multiples of 32")
    parser.add_argument("--batch-size", type=int, default=2)
    parser.add_argument("--channels", type=int, default=512)
    parser.add_argument("--classes", type=int, default=11)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--matrix-only", action="store_true", help="needs no transformers")
    options = parser.parse_args(words)
    height, width = (int(side) for side in options.size.split("x"))
    found: dict[str, Any] = {
        "million pixels per second": pixels_per_second(options.classes, options.rounds)
    }
    if not options.matrix_only:
        torch.manual_seed(0)
        ours = create_segmentation_model(
            options.backbone, num_classes=options.classes, channels=options.channels
        )
        theirs = theirs_of(options.backbone, ours, options.classes, options.channels)
        images = torch.randn(options.batch_size, 3, height, width)
        labels = torch.randint(options.classes, (options.batch_size, height, width))
        found["agreement"] = compare_outputs(ours, theirs, images)

        def my_step() -> None:
            main, auxiliary = ours(images)
            loss = cross_entropy(main, labels) + AUXILIARY_WEIGHT * cross_entropy(auxiliary, labels)
            ours.zero_grad()
            loss.backward()

        def their_step() -> None:
            theirs.zero_grad()
            theirs(images, labels=labels).loss.backward()

        ours.train(), theirs.train()
        training = medians({"theirs": their_step, "ours": my_step}, options.rounds)
        ours.eval(), theirs.eval()
        evaluation = medians(
            {
                "theirs": lambda: multi_scale(lambda x: theirs(x).logits, images[0]),
                "ours": lambda: predict(ours, images[0], scales=SCALES, flip=True),
            },
            options.rounds,
        )
        found["ratios"] = {
            "training step": training["ours"] / training["theirs"],
            "multi-scale evaluation": evaluation["ours"] / evaluation["theirs"],
        }
    table = Table(box=box.SIMPLE)
    table.add_column("what")
    table.add_column("value", justify="right")
    for group, rows in found.items():
        for name, value in rows.items():
            shown = f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
            table.add_row(f"{group}: {name}", shown)
    Console().print(table)
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
