"""Weights in the layouts that people have them in."""

import argparse
import json
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from maxsup.models import (
    Architecture,
    ModelDescription,
    create_model,
    digest_of_weights,
    expected_by,
    save_model,
)

State = dict[str, Tensor]
NAME = "test_resnet"


def random_model(num_classes: int = 7, name: str = NAME) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model: nn.Module = timm.create_model(name, num_classes=num_classes)
        for value in model.state_dict().values():
            if value.is_floating_point():
                value.add_(torch.rand_like(value))  # what a model does not begin with by itself
    return model


def contiguous(state: State) -> State:
    return {name: value.contiguous() for name, value in state.items()}


def prefixed(prefix: str, state: State) -> State:
    return {prefix + name: value for name, value in state.items()}


def zeros(state: State) -> State:
    return {name: torch.zeros_like(value) for name, value in state.items()}


LAYOUTS: dict[str, tuple[str, Callable[[State], Any]]] = {
    "a state_dict": ("w.pth", lambda state: state),
    "a checkpoint of torch's examples": ("w.pth.tar", lambda s: {"epoch": 3, "state_dict": s}),
    "under model": ("w.pt", lambda state: {"model": state, "epoch": 1}),
    "timm's, with averaged weights and arguments": (
        "last.pth.tar",
        lambda state: {
            "epoch": 9,
            "arch": NAME,
            "state_dict": zeros(state),
            "state_dict_ema": state,
            "args": argparse.Namespace(model=NAME, lr=0.1),
        },
    ),
    "model_ema": ("w.pth", lambda state: {"model": zeros(state), "model_ema": state}),
    "of several GPUs": ("w.bin", lambda state: {"state_dict": prefixed("module.", state)}),
    "compiled, of several GPUs": ("w.pt", lambda s: prefixed("_orig_mod.module.", s)),
    "Lightning's": ("w.ckpt", lambda s: {"state_dict": prefixed("model.", s), "loops": {}}),
    "a backbone of a larger model": (
        "w.pth",
        lambda s: prefixed("backbone.", {k: v for k, v in s.items() if k[:2] != "fc"}),
    ),
    "torchvision's, without counters": (
        "resnet.pth",
        lambda s: {k: v for k, v in s.items() if "num_batches" not in k},
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout: str, tmp_path: Path) -> None:
    file, lay_out = LAYOUTS[layout]
    source = contiguous(random_model().state_dict())
    torch.save(lay_out(source), tmp_path / file)
    said: list[str] = []
    model = create_model(NAME, num_classes=7, weights=str(tmp_path / file), announce=said.append)
    has_head = "backbone" not in layout
    for name, value in model.state_dict().items():
        if "num_batches" not in name and (has_head or not name.startswith("fc.")):
            assert torch.equal(value, source[name]), name
    assert ("The last layer starts anew: the file has none." in said) is not has_head
    averaged = [note for note in said if "entry" in note and "ema" in note]
    assert bool(averaged) is ("averaged" in layout or layout == "model_ema")


def test_new_last_layer_tells_nothing_at_first(tmp_path: Path) -> None:
    save_file(contiguous(random_model(1000).state_dict()), tmp_path / "w.safetensors")
    said: list[str] = []
    model = create_model(
        NAME, num_classes=2, weights=str(tmp_path / "w.safetensors"), announce=said.append
    )
    assert said == ["The last layer starts anew: the file has one for other classes."]
    head = model.get_classifier()  # type: ignore[operator]
    assert 0 < float(head.weight.detach().std()) < 0.02
    assert not head.bias.any()


def test_weights_that_fit_in_part_are_refused_unless_it_is_said(tmp_path: Path) -> None:
    state = contiguous(random_model().state_dict())
    gone = [name for name in state if name.startswith("layer1.")]
    for name in gone:
        del state[name]
    state["aux.weight"] = torch.zeros(3)
    state["conv1.0.weight"] = torch.zeros(5, 3, 3, 3)
    path = tmp_path / "w.pth"
    torch.save(state, path)
    weights = len([name for name in gone if "num_batches" not in name])
    with pytest.raises(ValueError, match="does not fit") as raised:
        create_model(NAME, num_classes=7, weights=str(path))
    message = str(raised.value)
    assert f"{weights} missing (layer1." in message
    assert "1 unknown (aux.weight)" in message
    assert "1 of another shape (conv1.0.weight (5×3×3×3 there, " in message
    assert "--partial-weights" in message
    said: list[str] = []
    model = create_model(
        NAME, num_classes=7, weights=str(path), partial_weights=True, announce=said.append
    )
    assert said[0] == "The last layer is taken along: the file has one for as many classes."
    assert "fit in part" in said[1]
    assert "aux.weight" in said[1]
    found = model.state_dict()
    assert all(torch.equal(found[k], v) for k, v in state.items() if k[:3] not in ("aux", "con"))
    torch.save({"x": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match=r"does not fit.*blur_pool with which they were trained\."):
        create_model(NAME, num_classes=7, weights=str(path), partial_weights=True)


class _Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return (open, ("trap", "w"))


def test_files_that_hold_no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def refused(name: str) -> str:
        with pytest.raises(ValueError, match=r"^weights: ") as raised:
            create_model(NAME, num_classes=7, weights=name)
        return str(raised.value)

    torch.save({"state_dict": random_model().state_dict(), "more": _Trap()}, "trap.pth")
    assert "objects that only running its code would make" in refused("trap.pth")
    assert not Path("trap").exists()
    torch.save(random_model(), "whole.pth")
    assert "state_dict(), NEW" in refused("whole.pth")
    Path("pickled.pth").write_bytes(pickle.dumps(_Trap()))
    refused("pickled.pth")
    assert not Path("trap").exists()
    Path("empty.pth").write_bytes(b"")
    assert "damaged, or no file of torch's" in refused("empty.pth")
    Path("text.pt").write_text("<html>not found</html>")
    refused("text.pt")
    content = Path("whole.pth").read_bytes()
    Path("cut.pth").write_bytes(content[: len(content) // 2])
    assert "damaged" in refused("cut.pth")
    torch.save([1, 2], "list.pt")
    assert "it is of type list" in refused("list.pt")
    torch.save({"epoch": 1, "lr": 0.1}, "numbers.pt")
    assert "it has epoch, lr" in refused("numbers.pt")
    Path("w.onnx").write_bytes(b"")
    assert "of no kind that is known here" in refused("w.onnx")
    Path("folder").mkdir()
    assert "holds no model.safetensors or pytorch_model.bin" in refused("folder")
    assert "there is no file none.pth" in refused("none.pth")
    assert "Download the file" in refused("https://example.org/w.pth")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch is about to give it up
        torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), "script.pt")
    assert "is a TorchScript archive" in refused("script.pt")


def write_export(directory: Path, name: str = NAME, **config: Any) -> Path:
    directory.mkdir()
    save_file(contiguous(random_model(5, name).state_dict()), directory / "model.safetensors")
    (directory / "config.json").write_text(json.dumps({"architecture": name} | config))
    return directory


def test_hub_export_says_what_it_expects(tmp_path: Path) -> None:
    fields = {
        "input_size": [3, 96, 96], "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6],
        "crop_pct": 0.9, "interpolation": "bilinear",
    }  # fmt: skip
    new = write_export(tmp_path / "new", pretrained_cfg=fields, num_classes=5)
    old = write_export(tmp_path / "old", **fields, num_classes=5)
    for place in (new, old, new / "model.safetensors"):
        expected = expected_by(None, str(place))
        assert (expected.model, expected.image_size, expected.crop) == (NAME, 96, 0.9)
        assert (expected.mean, expected.std) == ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
        assert (expected.interpolation, expected.reading) == ("bilinear", "photographs")
        create_model(NAME, num_classes=2, weights=str(place))
    assert expected_by(f"{NAME}.some_tag", str(new)).model == NAME
    with pytest.raises(ValueError, match="--model resnet18 does not go with"):
        expected_by("resnet18", str(new))
    (new / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json is no JSON file"):
        expected_by(None, str(new))
    (new / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ValueError, match="names no architecture"):
        expected_by(None, str(new))


def test_file_alone_needs_its_model_and_timm_knows_its_images(tmp_path: Path) -> None:
    torch.save(random_model().state_dict(), tmp_path / "w.pth")
    with pytest.raises(ValueError, match="Name it with --model"):
        expected_by(None, str(tmp_path / "w.pth"))
    expected = expected_by(NAME, str(tmp_path / "w.pth"))
    assert (expected.model, expected.image_size) == (NAME, 160)
    assert expected.source == f"timm of {NAME}"


def test_run_of_ours_brings_its_model_along(tmp_path: Path) -> None:
    architecture = Architecture("resnet10t", num_classes=3, blur_pool=True, zero_init=False)
    description = ModelDescription(
        architecture, ("a", "b", "c"), (0.5,) * 3, (0.2,) * 3, (3, 64, 64), "photographs", 0.8
    )
    save_model(tmp_path, architecture.build(), description)
    (tmp_path / "alone.safetensors").write_bytes((tmp_path / "model.safetensors").read_bytes())
    for place in (tmp_path, tmp_path / "alone.safetensors"):
        expected = expected_by(None, str(place))
        assert expected.model == "resnet10t"
        assert (expected.blur_pool, expected.zero_init) == (True, False)
        assert (expected.mean, expected.crop, expected.image_size) == ((0.5,) * 3, 0.8, 64)
    create_model("resnet10t", num_classes=2, blur_pool=True, weights=str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 16)
    with pytest.raises(ValueError, match=r"model\.safetensors"):
        create_model("resnet10t", num_classes=2, blur_pool=True, weights=str(tmp_path))


def test_other_image_size_of_a_vision_transformer_is_brought_along(tmp_path: Path) -> None:
    torch.save(random_model(name="test_vit").state_dict(), tmp_path / "w.pth")
    model = create_model("test_vit", num_classes=2, weights=str(tmp_path / "w.pth"), image_size=96)
    assert model(torch.zeros(1, 3, 96, 96)).shape == (1, 2)


def test_digest_is_of_the_content(tmp_path: Path) -> None:
    first, second = tmp_path / "a.pth", tmp_path / "b.pt"
    first.write_bytes(b"1")
    second.write_bytes(b"1")
    assert digest_of_weights(str(first)) == digest_of_weights(str(second))
    before = digest_of_weights(str(first))
    first.write_bytes(b"2")
    assert digest_of_weights(str(first)) != before


def test_model_with_two_last_layers_is_refused() -> None:
    with pytest.raises(ValueError, match="has several last layers"):
        create_model("deit_tiny_distilled_patch16_224", num_classes=2)
