"""Files of weights that fit in part, or after a change: what is said of them."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

from maxsup.inspection import ANALYSES, Inspection, InspectionSettings, inspect

NOTHING = tuple(each.name for each in ANALYSES)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("images")
    generator = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (place / "test" / name).mkdir(parents=True)
        for number in range(3):
            pixels = generator.integers(0, 255, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(place / "test" / name / f"{number}.png")
    return str(place)


def look(file: Path, images: str, model: str = "test_resnet", **changes: bool) -> Inspection:
    settings = InspectionSettings(
        data=images, model=model, resamples=0, skip=NOTHING, **changes  # type: ignore[arg-type]
    )  # fmt: skip
    return inspect([str(file)], settings)


@pytest.mark.parametrize(
    ("lacks", "has", "said"),
    [
        (("conv1.0.weight",), (), "1 missing (conv1.0.weight)"),
        ((), ("extra.weight", "other"), "2 unknown (extra.weight, other)"),
    ],
)
def test_weights_that_are_missing_or_left_over(
    images: str, tmp_path: Path, lacks: tuple[str, ...], has: tuple[str, ...], said: str
) -> None:
    weights = timm.create_model("test_resnet", num_classes=2).state_dict()
    weights = {k: v for k, v in weights.items() if k not in lacks}
    save_file(weights | {name: torch.zeros(2) for name in has}, tmp_path / "mine.safetensors")
    file = tmp_path / "mine.safetensors"
    message = re.escape(said) + ".*add --partial-weights, to look at it with what fits"
    with pytest.raises(ValueError, match=message):
        look(file, images)
    first = look(file, images, partial_weights=True)
    assert any("fit in part" in note and said in note for note in first["notes"])
    torch.manual_seed(9)
    again = look(file, images, partial_weights=True)
    assert again["models"] == first["models"]


def test_position_embedding_that_was_resized_is_said(images: str, tmp_path: Path) -> None:
    small = timm.create_model("test_vit", num_classes=2, img_size=96)
    save_file(small.state_dict(), tmp_path / "small.safetensors")
    found = look(tmp_path / "small.safetensors", images, "test_vit")
    (note,) = (note for note in found["notes"] if "resized" in note)
    assert re.search(r"small: .*pos_embed \(1×37×64 there, 1×101×64 here\)", note)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["cat", "dog"], "model: images are read as"),
        (None, "as its file does not name them; images"),
        (["n02121808", "n02084071"], "as its file has other names for them (n02121808, n02084071)"),
    ],
)
def test_classes_that_a_configuration_names(
    images: str, tmp_path: Path, names: list[str] | None, said: str
) -> None:
    found = look(described(tmp_path, names), images)
    assert any(said in note for note in found["notes"]), found["notes"]


@pytest.mark.parametrize(
    ("names", "said"),
    [(["dog", "cat"], "in another order"), (["cat", "bird"], "lacks bird")],
)
def test_classes_in_another_order_are_refused(
    images: str, tmp_path: Path, names: list[str], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        look(described(tmp_path, names), images)


def described(place: Path, names: list[str] | None) -> Path:
    """A file of weights with a configuration beside it, as timm leaves them."""
    weights = timm.create_model("test_resnet", num_classes=2).state_dict()
    save_file(weights, place / "model.safetensors")
    config = {
        "architecture": "test_resnet",
        "num_classes": 2,
        "pretrained_cfg": {"input_size": [3, 32, 32]},
    }
    if names is not None:
        config["label_names"] = names
    (place / "config.json").write_text(json.dumps(config))
    return place / "model.safetensors"
