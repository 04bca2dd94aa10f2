"""A trained backbone on the command line of a training."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from tests.data.masks import scene, write_pairs

from maxsup.commands import main

TINY = ("--iterations", "1", "--epochs", "1", "--batch-size", "2", "--crop-size", "8", "8")


def test_backbones_of_a_directory_and_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for split in ("train", "test"):
        found = [scene(seed) for seed in range(2)]
        write_pairs(Path("scenes", split, "images"), Path("scenes", split, "masks"), found)
    torch.manual_seed(0)
    weights = timm.create_model("test_resnet", num_classes=5).state_dict()
    torch.save(weights, "w.pth")
    Path("timm").mkdir()
    save_file(weights, "timm/model.safetensors")
    published = {"input_size": [3, 64, 64], "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}
    config = {"architecture": "test_resnet", "num_classes": 5, "pretrained_cfg": published}
    Path("timm/config.json").write_text(json.dumps(config))
    words = ["train", "camvid-upernet", "--data", "scenes", "--head", "linear", *TINY]
    for place, more in (("./timm", []), ("w.pth", ["--model", "test_resnet"])):
        out = Path("out", Path(place).stem)
        frozen = ["--freeze-backbone", "--backbone", place, *more, "--out", str(out)]
        assert main([*words, *frozen]) == 0
        assert "left out: fc.bias, fc.weight" in " ".join(capsys.readouterr().err.split())
        kept = load_file(out / "model.safetensors")
        for name, value in kept.items():
            if name.startswith("backbone.model."):
                assert torch.equal(value, weights[name.removeprefix("backbone.model.")]), name
    recipe = json.loads(Path("out/timm/settings.json").read_text())["recipe"]
    assert recipe["mean"] == [0.1, 0.2, 0.3]
    # What came of it has backbone and head in one, and is no backbone, nor looked at.
    assert main([*words, "--backbone", "out/timm", "--out", "other"]) == 2
    assert "out/timm holds a model for segmentation" in capsys.readouterr().err
    assert main(["inspect", "out/timm", "--out", "other"]) == 2
    assert "describes a model for segmentation" in capsys.readouterr().err
    assert main(["train", "small-images", "--data", "scenes", "--out", "other"]) == 2
    assert "holds images and masks of them" in capsys.readouterr().err
    assert not Path("other").exists()


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        (None, "test_resnet gives no feature levels (timm's forward_intermediates), so it cannot"),
        (
            lambda model, images, **options: [images.mean((2, 3))],
            "test_resnet gives no feature levels: its stages' outputs are no maps. Take another",
        ),
        (
            lambda model, images, **options: {}["stage"],
            "test_resnet gives no feature levels of an image of 160×160 pixels (KeyError: 'stage')",
        ),
    ],
    ids=["no levels", "no maps", "an error"],
)
def test_a_network_without_feature_levels_is_refused(
    levels: Callable[..., object] | None,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As those that timm has not yet given levels, by name or as a file; nothing is written."""
    monkeypatch.chdir(tmp_path)
    for split, seeds in (("train", range(2)), ("test", range(100, 102))):
        place = Path("scenes", split)
        write_pairs(place / "images", place / "masks", [scene(seed) for seed in seeds])
    torch.save(timm.create_model("test_resnet", num_classes=5).state_dict(), "w.pth")
    if levels is None:
        monkeypatch.delattr(timm.models.ResNet, "forward_intermediates")
    else:
        monkeypatch.setattr(timm.models.ResNet, "forward_intermediates", levels)
    before = set(tmp_path.rglob("*"))
    for more in ([], ["--backbone", "w.pth"]):
        words = ["train", "camvid-upernet", "--data", "scenes", "--model", "test_resnet"]
        assert main([*words, *TINY, *more, "--out", "out"]) == 2
        assert message in " ".join(capsys.readouterr().err.split())
    assert set(tmp_path.rglob("*")) == before
