import gc

import pytest
import timm
import torch
from torch import nn

from maxsup.models import CifarResNet, SmallConvNet, create_model, grad_cam, scale_maps


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def small_vit(**options):
    torch.manual_seed(0)
    return timm.create_model(
        "vit_tiny_patch16_224",
        **{"img_size": (32, 48), "patch_size": 8, "embed_dim": 24, "depth": 2, **options},
        num_heads=2,
        num_classes=5,
    )


def small_swin():
    torch.manual_seed(0)
    return timm.create_model(
        "swin_tiny_patch4_window7_224",
        img_size=(32, 64),
        embed_dim=8,
        depths=(1, 2),
        num_heads=(1, 2),
        window_size=4,
        num_classes=5,
    )


class InPlace(nn.Module):
    """No model of timm's; what comes behind the layer changes its output in place."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3)
        self.second = nn.Conv2d(4, 6, 3, stride=2)
        self.head = nn.Linear(6, 5)

    def forward(self, images):
        return self.head(nn.functional.relu_(self.second(self.first(images))).mean(dim=(2, 3)))


def given(model, name, images, classes):
    """By the definition: image by image, the layer's output put in the layer's place."""
    model.eval()
    module = model.get_submodule(name)
    found = []
    for image, label in zip(images, classes, strict=True):
        kept = []
        handle = module.register_forward_hook(
            lambda m, i, output, kept=kept: kept.append(output.clone())
        )
        model(image[None])
        handle.remove()
        values = kept[0].detach().clone()

        def score(put, image=image, label=label):
            handle = module.register_forward_hook(lambda m, i, output: put.clone())
            logit = model(image[None])[0, label]
            handle.remove()
            return logit

        found.append((values[0], torch.func.grad(score)(values)[0]))
    return found


def weighted(values, slopes):
    """Channels last, by straight loops."""
    rows, columns, channels = values.shape
    expected = torch.zeros(rows, columns)
    for channel in range(channels):
        expected += slopes[..., channel].sum() / (rows * columns) * values[..., channel]
    return expected.clamp(min=0)


def test_of_pooling_and_one_linear_layer_it_is_the_layers_weights():
    torch.manual_seed(0)
    model = CifarResNet(8, num_classes=4).eval()
    images = draw(3, 3, 16, 24)
    classes = torch.tensor([2, 0, 3])
    found = grad_cam(model, images, classes)
    with torch.no_grad():
        features = model.forward_features(images)
    weights = model.get_classifier().weight[classes]
    expected = torch.einsum("nchw,nc->nhw", features, weights).relu() / features[0, 0].numel()
    assert torch.allclose(found.maps, expected, atol=1e-6)
    assert found.maps.max() > 0
    assert found.maps.dtype == torch.float32
    assert torch.equal(found.classes, classes)


def test_small_convnet_and_a_foreign_model_equal_the_definition():
    torch.manual_seed(0)
    for model, layer in ((SmallConvNet(5), "body"), (InPlace(), "second")):
        images, classes = draw(3, 3, 12, 16), [0, 4, 2]
        found = grad_cam(model, images, torch.tensor(classes))
        assert found.layer == layer
        reference = given(model, layer, images, classes)
        for map, (values, slopes) in zip(found.maps, reference, strict=True):
            expected = weighted(values.permute(1, 2, 0), slopes.permute(1, 2, 0))
            assert torch.allclose(map, expected.detach(), atol=1e-6)
        assert found.maps.max() > 0


@pytest.mark.parametrize("tokens", [1, 5])
def test_transformer_takes_the_last_first_norm_without_class_token(tokens):
    model = small_vit(reg_tokens=tokens - 1)
    images, classes = draw(2, 3, 32, 48), [1, 3]
    found = grad_cam(model, images, torch.tensor(classes))
    assert found.layer == "blocks.1.norm1"
    assert found.maps.shape == (2, 4, 6)
    for map, (values, slopes) in zip(
        found.maps, given(model, found.layer, images, classes), strict=True
    ):
        expected = weighted(values[tokens:].view(4, 6, -1), slopes[tokens:].view(4, 6, -1))
        assert torch.allclose(map, expected.detach(), atol=1e-7)
    assert found.maps.max() > 0


def test_transformer_that_pools_its_tokens_takes_what_it_pools():
    model = small_vit(class_token=False, global_pool="avg", fc_norm=False)
    found = grad_cam(model, draw(2, 3, 32, 48))
    assert (found.layer, found.maps.shape) == ("norm", (2, 4, 6))


def test_channels_last():
    model = small_swin()
    images, classes = draw(2, 3, 32, 64), [1, 3]
    found = grad_cam(model, images, torch.tensor(classes))
    assert (found.layer, found.maps.shape) == ("layers.1.blocks.1.norm2", (2, 4, 8))
    for map, (values, slopes) in zip(
        found.maps, given(model, found.layer, images, classes), strict=True
    ):
        expected = weighted(values.view(4, 8, -1), slopes.view(4, 8, -1))
        assert torch.allclose(map, expected.detach(), atol=1e-7)
    norm = grad_cam(model, images, layer="norm")
    assert (norm.layer, norm.maps.shape) == ("norm", (2, 4, 8))


@pytest.mark.parametrize(
    ("name", "layer"),
    [("resnet18", "layer4"), ("mobilenetv2_050", "bn2"), ("mobilenetv3_small_050", "blocks")],
)
def test_of_convolutional_networks_it_is_the_map_that_is_pooled(name, layer):
    torch.manual_seed(0)
    model = create_model(name, num_classes=3)
    images = draw(2, 3, 64, 96)
    found = grad_cam(model, images)
    assert (found.layer, found.maps.shape) == (layer, (2, 2, 3))
    with torch.inference_mode():
        assert torch.equal(found.classes, model.eval()(images).argmax(1))


@pytest.mark.parametrize("make", [lambda: CifarResNet(8, 5), small_vit, small_swin])
def test_a_map_does_not_depend_on_the_batch(make):
    model = make()
    size = (32, 64) if hasattr(model, "layers") else (32, 48)
    images = draw(5, 3, *size)
    whole = grad_cam(model, images)
    for parts in (images.split(1), images.split([2, 3])):
        found = [grad_cam(model, part) for part in parts]
        assert torch.allclose(torch.cat([each.maps for each in found]), whole.maps, atol=1e-6)
        assert torch.equal(torch.cat([each.classes for each in found]), whole.classes)


def test_the_model_is_afterwards_as_it_was():
    torch.manual_seed(0)
    model = CifarResNet(8, num_classes=4)
    model.train()
    first = next(module for module in model.modules() if isinstance(module, nn.BatchNorm2d))
    first.eval()
    modes = [module.training for module in model.modules()]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.get_classifier().weight.grad = torch.ones_like(model.get_classifier().weight)
    grad_cam(model, draw(2, 3, 16, 16))
    with pytest.raises(ValueError, match="outside"):
        grad_cam(model, draw(2, 3, 16, 16), target=4)
    assert [module.training for module in model.modules()] == modes
    assert not any(module._forward_hooks for module in model.modules())
    assert [p.grad is None for p in model.parameters()].count(False) == 1
    assert bool((model.get_classifier().weight.grad == 1).all())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.is_grad_enabled()


def test_in_inference_mode_frozen_and_under_autocast():
    model = small_vit()
    expected = grad_cam(model, draw(2, 3, 32, 48))
    model.requires_grad_(False)
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        found = grad_cam(model, draw(2, 3, 32, 48) * 1.0)
    assert torch.equal(found.maps, expected.maps)
    assert found.maps.dtype == torch.float32


def test_a_model_that_was_made_in_inference_mode():
    torch.manual_seed(0)
    expected = grad_cam(CifarResNet(8, num_classes=4), draw(2, 3, 16, 16))
    torch.manual_seed(0)
    with torch.inference_mode():
        target = expected.classes * 1
        found = grad_cam(CifarResNet(8, num_classes=4), draw(2, 3, 16, 16), target)
    assert torch.equal(found.maps, expected.maps)


def test_memory_stays_flat_over_many_images():
    model, images = SmallConvNet(5), draw(2, 3, 12, 12)

    def tensors():
        grad_cam(model, images)
        gc.collect()
        return sum(issubclass(type(each), torch.Tensor) for each in gc.get_objects())

    gc.collect()
    gc.freeze()  # what other tests left, and let go of in between, is not looked at
    try:
        assert tensors() == [tensors() for _ in range(5)][-1]
    finally:
        gc.unfreeze()


def test_a_layer_that_is_not_there_or_has_no_places():
    model, images = small_vit(), draw(1, 3, 32, 48)
    with pytest.raises(ValueError, match=r"called 'block\.1\.norm1'.*blocks\.1\.norm1"):
        grad_cam(model, images, layer="block.1.norm1")
    with pytest.raises(ValueError, match=r"output of head must be a grid.*it is \(1, 5\)"):
        grad_cam(model, images, layer="head")
    other = InPlace()
    other.spare = nn.Conv2d(3, 3, 1)
    with pytest.raises(ValueError, match="does not go through spare"):
        grad_cam(other, images, layer="spare")
    with pytest.raises(ValueError, match="no layer whose output is a grid"):
        grad_cam(nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 48, 2)), images)


def test_bad_images_and_targets():
    model = SmallConvNet(5)
    with pytest.raises(ValueError, match=r"images must be a floating-point tensor.*uint8"):
        grad_cam(model, torch.zeros(1, 3, 8, 8, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"shape \(N, C, H, W\).*\(3, 8, 8\)"):
        grad_cam(model, torch.zeros(3, 8, 8))
    for target, message in (
        (torch.tensor([0, 1, 2]), r"shape \(2,\); got \(3,\)"),
        (torch.tensor([0.5, 1.0]), "integers; got torch.float32"),
        (-1, r"holds -1, outside \[0, 5\)"),
    ):
        with pytest.raises(ValueError, match=message):
            grad_cam(model, draw(2, 3, 8, 8), target)


def test_scaled_maps():
    maps = draw(4, 3, 5).abs()
    maps[2] = 7.0
    scaled = scale_maps(maps)
    assert scaled[[0, 1, 3]].amin(dim=(1, 2)).tolist() == [0, 0, 0]
    assert scaled[[0, 1, 3]].amax(dim=(1, 2)).tolist() == [1, 1, 1]
    assert scaled[2].abs().max() == 0
