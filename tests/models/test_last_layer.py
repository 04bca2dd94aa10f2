"""Models whose last layer is no single linear one: used where that is possible, else refused."""

import pytest
import timm
import torch

from maxsup.inspection import InspectionSettings
from maxsup.inspection._find import find_models
from maxsup.inspection._weights import published
from maxsup.models import (
    check_last_layer,
    class_templates,
    create_model,
    feature_width,
    features_and_logits,
    last_layer,
)


@pytest.mark.parametrize("name", ["test_resnet", "resnetv2_18", "repvit_m0_9", "caformer_s18"])
def test_logits_are_those_of_the_model(name: str) -> None:
    model = create_model(name, num_classes=3).eval()
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        features, logits = features_and_logits(model, images)
        torch.testing.assert_close(logits, model(images))
    assert features.shape == (2, feature_width(model))
    layer = last_layer(model)
    if name in ("test_resnet", "resnetv2_18"):  # linear, and a convolution of one place
        assert layer is not None
        assert layer[1] is not None
        torch.testing.assert_close(features @ layer[0].T + layer[1], logits)
    else:
        assert layer is None
        with pytest.raises(ValueError, match="must end in one linear layer"):
            class_templates(model)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("deit_tiny_distilled_patch16_224", "has several last layers"),
        ("levit_128s", "has several last layers"),
        ("crossvit_tiny_240", "has several last layers"),
        ("sequencer2d_s", r"has a last layer \(ClassifierHead\)"),
    ],
)
def test_other_last_layers_are_refused(name: str, message: str) -> None:
    with torch.device("meta"):
        model = timm.create_model(name)
    if name == "sequencer2d_s":
        model = model.to_empty(device="cpu")
    with pytest.raises(ValueError, match=f"{name} {message}.*take"):
        check_last_layer(name, model)
    assert model.training


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet18.nothing", "timm publishes no weights of resnet18 with the tag 'nothing'"),
        ("vit_giant_patch14_224", "timm publishes no weights of vit_giant_patch14_224"),
    ],
)
def test_published_weights_that_there_are_not(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        published(name)


def test_published_model_with_several_last_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    create = timm.create_model
    monkeypatch.setattr("timm.create_model", lambda name, pretrained: create(name, num_classes=10))
    from maxsup.inspection._loader import Loader

    settings = InspectionSettings(data="digits")
    (named,) = find_models(["deit_tiny_distilled_patch16_224"], settings).models
    with pytest.raises(ValueError, match="has several last layers"):
        named.load(Loader(settings, device=torch.device("cpu")), named)
