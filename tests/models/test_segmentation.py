"""Heads against a restatement of their rules, backbones of all kinds, and what is kept of them."""

import dataclasses
from pathlib import Path

import pytest
import timm
import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, batch_norm, conv2d, interpolate

from maxsup.models import create_model
from maxsup.models.segmentation import (
    SegmentationArchitecture,
    SegmentationDescription,
    SegmentationLogits,
    SegmentationModel,
    UperNetHead,
    create_segmentation_model,
    load_segmentation_run,
    save_segmentation_model,
)


def build(name: str, **options: object) -> SegmentationModel:
    torch.manual_seed(0)
    settings: dict[str, object] = {"num_classes": 5, "channels": 8, **options}
    return create_segmentation_model(name, **settings)  # type: ignore[arg-type]


def bilinear(maps: Tensor, size: torch.Size) -> Tensor:
    return interpolate(maps, size, mode="bilinear", align_corners=False)


def upernet_by_hand(weights: dict[str, Tensor], levels: list[Tensor]) -> Tensor:
    """The rules of Xiao et al. 2018, from the names of the weights alone."""

    def block(name: str, x: Tensor) -> Tensor:
        kernel = weights[f"{name}.0.weight"]
        x = conv2d(x, kernel, padding=kernel.shape[-1] // 2)
        stored = (weights[f"{name}.1.{each}"] for each in ("running_mean", "running_var"))
        return batch_norm(x, *stored, weights[f"{name}.1.weight"], weights[f"{name}.1.bias"]).clamp(
            min=0
        )

    top = levels[3]
    stack = [top]
    for number, side in enumerate((1, 2, 3, 6)):
        pooled = block(f"pooled.{number}.1", adaptive_avg_pool2d(top, side))
        stack.append(bilinear(pooled, top.shape[2:]))
    p4 = block("of_pooled", torch.cat(stack, 1))
    p3 = block("lateral.2", levels[2]) + bilinear(p4, levels[2].shape[2:])
    p2 = block("lateral.1", levels[1]) + bilinear(p3, levels[1].shape[2:])
    p1 = block("lateral.0", levels[0]) + bilinear(p2, levels[0].shape[2:])
    outputs = [block("smooth.0", p1), block("smooth.1", p2), block("smooth.2", p3), p4]
    together = torch.cat([bilinear(each, levels[0].shape[2:]) for each in outputs], 1)
    return conv2d(block("of_all", together), weights["last.weight"], weights["last.bias"])


def test_upernet_follows_its_rules() -> None:
    torch.manual_seed(0)
    head = UperNetHead((3, 4, 5, 6), num_classes=7, channels=8).double()
    levels = [torch.randn(2, 3 + n, 24 // 2**n, 32 // 2**n, dtype=torch.float64) for n in range(4)]
    head(levels)  # statistics that are not those of a new batch-norm
    head.eval()
    for module in head.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    expected = upernet_by_hand(dict(head.state_dict()), levels)
    assert torch.allclose(head(levels), expected, atol=1e-12)


def test_upernet_has_as_many_parameters_as_the_field_counts() -> None:
    """mmsegmentation's and transformers' heads of a ResNet-18 with 150 classes, 512 channels."""

    def convolution(before: int, after: int, side: int) -> int:
        return before * after * side**2 + 2 * after

    expected = (
        4 * convolution(512, 512, 1)
        + convolution(512 + 4 * 512, 512, 3)
        + sum(convolution(each, 512, 1) for each in (64, 128, 256))
        + 3 * convolution(512, 512, 3)
        + convolution(4 * 512, 512, 3)
        + 512 * 150
        + 150
    )
    model = create_segmentation_model("resnet18", num_classes=150)
    assert sum(p.numel() for p in model.head.parameters()) == expected
    assert model.auxiliary is not None
    auxiliary = convolution(256, 256, 3) + 256 * 150 + 150
    assert sum(p.numel() for p in model.auxiliary.parameters()) == auxiliary


@pytest.mark.parametrize("head", ["upernet", "linear"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("test_resnet", {}),
        ("resnet10t", {}),
        ("test_vit", {"image_size": (64, 96)}),
        ("test_vit", {}),
        ("small-convnet", {}),
        ("small-resnet", {}),
        ("cifar-resnet20", {}),
        ("resnet18", {"small_stem": True}),
        ("swin_tiny_patch4_window7_224", {"image_size": (64, 64)}),
    ],
)
def test_every_parameter_learns_and_any_size_is_taken(
    name: str, options: dict[str, object], head: str
) -> None:
    model = build(name, head=head, **options)
    found = model(torch.randn(2, 3, 60, 62))
    assert isinstance(found, SegmentationLogits)
    assert found.main.shape == (2, 5, 60, 62)
    assert (found.auxiliary is None) == (head == "linear")
    sum(each.sum() for each in found if each is not None).backward()
    assert not [key for key, value in model.named_parameters() if value.grad is None]
    assert model.eval()(torch.zeros(1, 3, 70, 45)).shape == (1, 5, 70, 45)
    assert model.no_weight_decay() <= {key for key, _ in model.named_parameters()}
    if name == "test_vit":
        assert "backbone.model.pos_embed" in model.no_weight_decay()


def test_a_backbone_of_one_size_is_padded_to_it_and_says_so() -> None:
    model = build("swin_tiny_patch4_window7_224", image_size=(90, 60), head="linear").eval()
    assert model.backbone.padded((70, 45)) == (96, 64)
    model.backbone.fixed_size = (96, 64)
    assert model(torch.zeros(1, 3, 70, 45)).shape == (1, 5, 70, 45)
    with pytest.raises(ValueError, match="no larger ones; got 97×64"):
        model(torch.zeros(1, 3, 97, 64))


def test_levels_of_a_plain_transformer_are_its_quarters_resized() -> None:
    model = build("test_vit", image_size=(64, 96), drop_path=0.0).eval()
    images = torch.randn(1, 3, 64, 96)
    body = model.backbone.model
    blocks = len(body.blocks)  # type: ignore[arg-type]
    states: dict[int, Tensor] = {}
    for number, block in enumerate(body.blocks):  # type: ignore[arg-type]
        block.register_forward_hook(lambda m, i, o, n=number: states.update({n: o}))
    levels = model.levels(images)
    for level, part, scale in zip(levels, (1, 2, 3, 4), (4, 2, 1, 0.5), strict=True):
        tokens = states[-(-blocks * part // 4) - 1][:, body.num_prefix_tokens :]  # type: ignore[index]
        maps = tokens.transpose(1, 2).reshape(1, -1, 4, 6)
        size = torch.Size((int(4 * scale), int(6 * scale)))
        assert torch.allclose(level, bilinear(maps, size), atol=1e-6)


def test_frozen_backbone_stays_as_it_is() -> None:
    model = build("test_resnet", freeze_backbone=True, head="linear")
    before = {key: value.clone() for key, value in model.backbone.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.1)
    for _ in range(2):
        found = model.train()(torch.randn(2, 3, 64, 64))
        found.main.sum().backward()
        optimizer.step()
    after = model.backbone.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert all(p.grad is None for p in model.backbone.parameters())
    assert model.training
    assert not any(module.training for module in model.backbone.modules())


def test_pretrained_weights_are_all_used_or_named(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    torch.manual_seed(1)
    classifier = create_model("test_vit", num_classes=3)
    file = tmp_path / "weights.safetensors"
    save_file(classifier.state_dict(), file)
    said: list[str] = []
    grid = timm.create_model("test_vit", img_size=(64, 96)).patch_embed.grid_size
    model = build("test_vit", image_size=(64, 96), weights=str(file), announce=said.append)
    inside = model.backbone.model.state_dict()
    for key, value in classifier.state_dict().items():
        if key not in inside:
            assert any(key in sentence for sentence in said), key
        elif key != "pos_embed":
            assert torch.equal(inside[key], value), key
    expected = timm.layers.resample_abs_pos_embed(
        classifier.pos_embed, new_size=grid, num_prefix_tokens=classifier.num_prefix_tokens
    )
    assert torch.allclose(inside["pos_embed"], expected)
    assert any("position embedding" in sentence for sentence in said)


def test_position_embeddings_of_as_many_places_in_another_shape_are_resized(
    tmp_path: Path,
) -> None:
    from safetensors.torch import save_file

    torch.manual_seed(1)
    classifier = create_model("test_vit", num_classes=3)  # 160×160: 10×10 patches
    file = tmp_path / "weights.safetensors"
    save_file(classifier.state_dict(), file)
    model = build("test_vit", image_size=(80, 320), weights=str(file))
    expected = timm.layers.resample_abs_pos_embed(
        classifier.pos_embed,
        new_size=[5, 20],
        old_size=[10, 10],
        num_prefix_tokens=classifier.num_prefix_tokens,
    )
    assert torch.allclose(model.backbone.model.pos_embed, expected)  # type: ignore[arg-type]


@pytest.mark.parametrize("head", ["upernet", "linear"])
@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "small-convnet"])
def test_what_is_kept_comes_back(tmp_path: Path, name: str, head: str) -> None:
    size = (64, 96) if name == "test_vit" else None
    architecture = SegmentationArchitecture(name, 2, head=head, image_size=size, channels=4)
    description = SegmentationDescription(
        architecture, ("road", "sky"), ((0, 0, 0), (1, 2, 3)), (0.5,) * 3, (0.25,) * 3
    )
    model = architecture.build()
    model(torch.randn(2, 3, 64, 96))
    save_segmentation_model(tmp_path, model.eval(), description)
    state = torch.random.get_rng_state()
    found = load_segmentation_run(tmp_path)
    assert torch.equal(state, torch.random.get_rng_state())
    assert found.description == description
    images = torch.randn(1, 3, 50, 70)
    assert torch.equal(found.model(images), model(images))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="describes no segmentation model"):
        load_segmentation_run(tmp_path)


def test_bad_input_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="head must be one of upernet, linear; got 'unet'"):
        build("test_resnet", head="unet")
    with pytest.raises(ValueError, match="channels must be 2 or more; got 1"):
        build("test_resnet", channels=1)
    with pytest.raises(ValueError, match="image_size must be a height and a width"):
        build("test_vit", image_size=(0, 32))
    with pytest.raises(ValueError, match="No model is called 'resnett'"):
        build("resnett")
    monkeypatch.delattr(timm.models.ResNet, "forward_intermediates")
    with pytest.raises(ValueError, match="resnet10t gives no feature levels"):
        build("resnet10t")


def test_images_that_are_too_small_for_a_backbone_are_named() -> None:
    """Not in the first step of a training."""
    with pytest.raises(ValueError, match="inception_v3 gives no feature levels of an image of 38×"):
        build("inception_v3", head="linear", image_size=(32, 32))


def test_a_backbone_may_fail_at_larger_images_in_its_own_way() -> None:
    """MViTv2 looks positions up in a table, and an index that it has not is no RuntimeError."""
    model = build("mvitv2_tiny", head="linear", image_size=(64, 64)).eval()
    assert model.backbone.fixed_size == (64, 64)
    assert model(torch.zeros(1, 3, 50, 40)).shape == (1, 5, 50, 40)


def test_a_description_has_a_colour_for_each_class() -> None:
    architecture = SegmentationArchitecture("test_resnet", 2)
    black, white = (0, 0, 0), (255, 255, 255)
    right = SegmentationDescription(architecture, ("a", "b"), (black, white), (0.5,), (0.5,))
    assert SegmentationDescription.from_config(right.to_config()) == right
    with pytest.raises(ValueError, match="an entry for each of 2 classes; got 2 and 1"):
        dataclasses.replace(right, palette=(black,))
