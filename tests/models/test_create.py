from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from maxsup.models import class_templates, create_model, features_and_logits


def parameters(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("resnet18", {"num_classes": 1000}, 11_689_512),
        ("resnet50", {"num_classes": 1000}, 25_557_032),
        ("resnet101", {"num_classes": 1000}, 44_549_160),
        ("mobilenetv2_100", {"num_classes": 1000}, 3_504_872),
        ("deit_small_patch16_224", {"num_classes": 1000}, 22_050_664),
        ("resnet50", {"num_classes": 1000, "blur_pool": True}, 25_557_032),
        ("resnet18", {"num_classes": 100, "small_stem": True}, 11_220_132),
    ],
)
def test_parameters_are_as_published(name: str, options: dict, expected: int) -> None:  # type: ignore[type-arg]
    assert parameters(create_model(name, **options)) == expected


@pytest.mark.parametrize(
    ("name", "options", "side"),
    [
        ("resnet18", {"small_stem": True}, 32),
        ("resnet50", {}, 64),
        ("mobilenetv2_100", {"small_stem": True}, 32),
        ("deit_tiny_patch16_224", {"image_size": 32}, 32),
        ("convnext_atto", {}, 32),
        ("small-convnet", {}, 8),
        ("small-convnet", {}, 5),
        ("small-resnet", {}, 32),
    ],
)
def test_features_give_the_models_own_logits(name: str, options: dict, side: int) -> None:  # type: ignore[type-arg]
    torch.manual_seed(0)
    model = create_model(name, num_classes=7, **options).eval()
    images = torch.randn(3, 3, side, side)
    with torch.inference_mode():
        features, logits = features_and_logits(model, images)
        expected = model(images)
    templates = class_templates(model)
    assert templates.shape == (7, features.shape[1])
    assert torch.allclose(logits, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "side"), [("resnet18", 4), ("resnet50", 4), ("mobilenetv2_100", 2)]
)
def test_the_small_stem_keeps_the_resolution(name: str, side: int) -> None:
    """A 32-pixel image is not shrunk by the stem; the last feature map is that much larger."""
    model = create_model(name, num_classes=10, small_stem=True).eval()
    with torch.inference_mode():
        maps = model.forward_features(torch.zeros(1, 3, 32, 32))  # type: ignore[operator]
    assert maps.shape[2:] == (side, side)


def test_initial_weights_are_a_function_of_the_seed() -> None:
    def weights(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        model = create_model("resnet18", num_classes=10, in_channels=1, small_stem=True)
        return torch.cat([p.flatten() for p in model.parameters()])

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


def test_residual_branches_start_at_zero_or_not() -> None:
    def last_norms(**options: bool) -> list[float]:
        model = create_model("resnet18", num_classes=10, **options)  # type: ignore[arg-type]
        weights = [w for name, w in model.state_dict().items() if name.endswith("bn2.weight")]
        return [float(weight.abs().sum()) for weight in weights]

    assert set(last_norms()) == {0.0}
    assert 0.0 not in last_norms(zero_init=False)
    # Other models have no such choice, and do not mind.
    create_model("mobilenetv2_100", num_classes=10, zero_init=False)


def test_blur_comes_before_strides_of_enough_channels() -> None:
    torch.manual_seed(0)
    model = create_model("resnet18", num_classes=10, blur_pool=True)
    torch.manual_seed(0)
    plain = create_model("resnet18", num_classes=10)
    blurred = [n for n, m in model.named_modules() if type(m).__name__ == "BlurPool2d"]
    places = ("layer2.0", "layer3.0", "layer4.0")
    expected = {f"{p}.{n}" for p in places for n in ("conv1", "downsample.0")}
    assert {name.removesuffix(".0") for name in blurred} == expected

    images = torch.randn(2, 64, 9, 7)
    kernel = torch.tensor([1.0, 2.0, 1.0])
    kernel = (kernel.outer(kernel) / 16).expand(64, 1, 3, 3)
    reference = torch.nn.functional.conv2d(images, kernel, padding=1, groups=64)
    found = model.get_submodule("layer2.0.conv1")(images)
    assert torch.allclose(found, plain.get_submodule("layer2.0.conv1")(reference), atol=1e-5)


def test_drop_path_reaches_the_model() -> None:
    plain = create_model("resnet18", num_classes=10)
    dropping = create_model("resnet18", num_classes=10, drop_path=0.5)
    assert str(dropping) != str(plain)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resnet81", {}, r"No model is called 'resnet81'. Close to it are .*resnet18"),
        ("convnext_atto", {"small_stem": True}, "convnext_atto has no stem for small images"),
        ("resnet18d", {"small_stem": True}, "resnet18d has no stem for small images"),
        ("small-convnet", {"small_stem": True}, "small-convnet has no small_stem"),
        ("small-convnet", {"blur_pool": True}, "small-convnet has no blur_pool"),
        ("deit_tiny_patch16_224", {"blur_pool": True}, "has no strided convolution of at least 16"),
        ("small-convnet", {"drop_path": 0.1}, "small-convnet has no drop_path"),
    ],
)
def test_what_a_model_does_not_have(name: str, options: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=message):
        create_model(name, num_classes=10, **options)


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85)])
def test_cifar_resnets_have_the_papers_parameters(depth: int, millions: float) -> None:
    """Table 6 of He et al. 2016."""
    model = create_model(f"cifar-resnet{depth}", num_classes=10)
    assert round(sum(p.numel() for p in model.parameters()) / 1e6, 2) == millions
    images = torch.randn(2, 3, 32, 32)
    assert model.stem(images).shape == (2, 16, 32, 32)  # type: ignore[operator]
    assert model.forward_features(images).shape == (2, 64, 8, 8)  # type: ignore[operator]
    features, logits = features_and_logits(model.eval(), images)
    assert torch.equal(logits, model(images))
    assert features.shape == (2, 64)
    model.train()(images).sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_small_resnet_halves_its_images_three_times() -> None:
    model = create_model("small-resnet", num_classes=20)
    images = torch.randn(2, 3, 32, 32)
    shapes = [tuple(maps.shape[1:]) for maps in model.levels(images)]  # type: ignore[operator]
    assert shapes == [(64, 16, 16), (128, 8, 8), (256, 4, 4)]
    features, logits = features_and_logits(model.eval(), images)
    assert torch.equal(logits, model(images))
    assert features.shape == (2, 256)
    model.train()(images).sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_cifar_resnets_have_no_other_settings() -> None:
    for setting in ({"small_stem": True}, {"blur_pool": True}, {"drop_path": 0.1}):
        with pytest.raises(ValueError, match=f"has no {next(iter(setting))}"):
            create_model("cifar-resnet32", num_classes=10, **setting)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="has no weights"):
        create_model("cifar-resnet32", num_classes=10, weights="timm")


def save_weights_of(model: torch.nn.Module, path: Path) -> Path:
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, path)
    return path


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("resnet10t", {"blur_pool": True}),
        ("test_vit", {}),
        ("cifar-resnet20", {}),
        ("small-convnet", {}),
        ("small-resnet", {}),
    ],
)
def test_starting_from_a_file(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    source = create_model(name, num_classes=7, **options)
    path = save_weights_of(source, tmp_path / "weights.safetensors")
    same = create_model(name, num_classes=7, weights=str(path), **options)
    for key, value in same.state_dict().items():
        assert torch.equal(value, source.state_dict()[key]), key
    other = create_model(name, num_classes=3, weights=str(path), **options)
    assert class_templates(other).shape[0] == 3
    before = source.state_dict()
    differing = [k for k, v in other.state_dict().items() if v.shape != before[k].shape]
    assert len(differing) == 2
    for key, value in other.state_dict().items():
        if key not in differing:
            assert torch.equal(value, before[key]), key


def test_weights_that_do_not_fit(tmp_path: Path) -> None:
    path = save_weights_of(create_model("resnet10t", num_classes=3), tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match="does not fit resnet10t as it is set up here"):
        create_model("resnet10t", num_classes=3, blur_pool=True, weights=str(path))
    with pytest.raises(ValueError, match=r"does not fit resnet18.*missing.*unknown"):
        create_model("resnet18", num_classes=3, weights=str(path))
    with pytest.raises(ValueError, match=r"there is no file .*a finished run"):
        create_model("resnet18", num_classes=3, weights=str(tmp_path / "none.safetensors"))
    (tmp_path / "broken.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(ValueError, match="is no safetensors file"):
        create_model("resnet18", num_classes=3, weights=str(tmp_path / "broken.safetensors"))
    with pytest.raises(ValueError, match="timm publishes no weights of coatnet_0_224"):
        create_model("coatnet_0_224", num_classes=3, weights="timm")


def test_the_weights_that_timm_publishes_are_named_by_their_tag(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tagged = create_model("resnet18.tv_in1k", num_classes=3, zero_init=False)
    plain = create_model("resnet18", num_classes=3, zero_init=False)
    assert [p.shape for p in tagged.parameters()] == [p.shape for p in plain.parameters()]
    with pytest.raises(ValueError, match=r"tag 'nope'; there are .*resnet18\.tv_in1k"):
        create_model("resnet18.nope", num_classes=3)
    with pytest.raises(ValueError, match="No model is called 'resnet1'"):
        create_model("resnet1.tv_in1k", num_classes=3)

    asked = []

    def unreachable(name: str, **options: object) -> None:
        asked.append((name, options["pretrained"]))
        raise FileNotFoundError("There is no connection.")

    monkeypatch.setattr("timm.create_model", unreachable)
    with pytest.raises(ValueError, match="tv_in1k cannot be downloaded: There is no connection"):
        create_model("resnet50.tv_in1k", num_classes=3, weights="timm")
    assert asked == [("resnet50.tv_in1k", True)]
