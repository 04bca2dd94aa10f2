"""The features before a model's last layer, and what they are compared with there."""

import torch
from torch import Tensor, nn


def features_and_logits(model: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """The penultimate features (N, D) and the logits (N, K) of a batch.

    The logits are those of ``model(images)`` in evaluation mode.

    Args:
        model: Of :func:`create_model`, not wrapped for distributed training.
        images: (N, C, H, W), normalised.

    Example:
        >>> import torch
        >>> from maxsup.models import SmallConvNet
        >>> model = SmallConvNet(num_classes=10, in_channels=1).eval()
        >>> features, logits = features_and_logits(model, torch.zeros(2, 1, 8, 8))
        >>> features.shape, logits.shape
        (torch.Size([2, 64]), torch.Size([2, 10]))
    """
    maps = model.forward_features(images)  # type: ignore[operator]
    features: Tensor = model.forward_head(maps, pre_logits=True)  # type: ignore[operator]
    return features, _answer(model.get_classifier(), features)  # type: ignore[operator]


def _answer(layer: nn.Module, features: Tensor) -> Tensor:
    if isinstance(layer, nn.Conv2d):
        # A convolution over the one place that is left after pooling, as older models have it.
        logits: Tensor = layer(features[:, :, None, None]).flatten(1)
    else:
        logits = layer(features)
    return logits


def last_layer(model: nn.Module) -> tuple[Tensor, Tensor | None] | None:
    """Weight (K, D) and bias (K,) of a model's last layer; none where this is not one linear layer.

    Example:
        >>> from maxsup.models import SmallConvNet
        >>> weight, bias = last_layer(SmallConvNet(num_classes=10, in_channels=1))
        >>> weight.shape, bias.shape
        (torch.Size([10, 64]), torch.Size([10]))
    """
    layer = model.get_classifier()  # type: ignore[operator]
    is_linear = isinstance(layer, nn.Linear) or (
        isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1) and layer.groups == 1
    )
    if not is_linear:
        return None
    weight = layer.weight.detach().flatten(1)
    return weight, None if layer.bias is None else layer.bias.detach()


def feature_width(model: nn.Module) -> int:
    """D, how many penultimate features a model has.

    Example:
        >>> from maxsup.models import SmallConvNet
        >>> feature_width(SmallConvNet(num_classes=10, in_channels=1))
        64
    """
    layer = last_layer(model)
    if layer is not None:
        return layer[0].shape[1]
    return int(getattr(model, "head_hidden_size", None) or model.num_features)  # type: ignore[arg-type]


@torch.no_grad()
def check_last_layer(name: str, model: nn.Module) -> None:
    """See that a model has one last layer, which is given the features and gives the logits.

    Raises:
        ValueError: It has several, as models trained by distillation have, or another kind.
    """
    layer = model.get_classifier()  # type: ignore[operator]
    if not isinstance(layer, nn.Module) or isinstance(layer, nn.ModuleList | nn.ModuleDict):
        raise ValueError(
            f"{name} has several last layers, as models trained by distillation have; take one "
            "with a single last layer."
        )
    modes = [(module, module.training) for module in layer.modules()]
    layer.eval()
    try:
        logits = _answer(layer, torch.zeros(1, feature_width(model)))
        fits = logits.dim() == 2
    except (RuntimeError, IndexError, TypeError, AttributeError, ValueError):
        fits = False
    finally:
        for module, mode in modes:
            module.training = mode
    if not fits:
        raise ValueError(
            f"{name} has a last layer ({type(layer).__name__}) that is not given its pooled "
            "features alone, so there are none to look at; take another model."
        )


def class_templates(model: nn.Module) -> Tensor:
    """The rows of the last layer's weight, (K, D): what a class's features are compared with.

    Raises:
        ValueError: The model does not end in one linear layer.

    Example:
        >>> from maxsup.models import SmallConvNet
        >>> class_templates(SmallConvNet(num_classes=10, in_channels=1)).shape
        torch.Size([10, 64])
    """
    layer = last_layer(model)
    if layer is None:
        found = type(model.get_classifier()).__name__  # type: ignore[operator]
        raise ValueError(
            f"model must end in one linear layer, whose rows are its classes' templates; it ends "
            f"in {found}."
        )
    return layer[0]
