"""The features before a model's last layer, and what they are compared with there."""

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
    logits: Tensor = model.get_classifier()(features)  # type: ignore[operator]
    return features, logits


def class_templates(model: nn.Module) -> Tensor:
    """The rows of the last layer's weight, (K, D): what a class's features are compared with.

    Example:
        >>> from maxsup.models import SmallConvNet
        >>> class_templates(SmallConvNet(num_classes=10, in_channels=1)).shape
        torch.Size([10, 64])
    """
    weight: Tensor = model.get_classifier().weight  # type: ignore[operator]
    return weight.detach()
