"""A residual network that learns 32×32 images in minutes without a GPU."""

from torch import Tensor, nn

NAME = "small-resnet"
_WIDTHS = (64, 128, 256)


class SmallResNet(nn.Module):
    """One basic block each of 64, 128 and 256 channels after a stem of stride 2.

    The images are halved at once, and again by the second and the third block: 32×32 pixels become
    4×4, at about a tenth of the arithmetic of a ResNet-18 with a small-image stem. Otherwise as He
    et al. 2016: a block's shortcut is a 1×1 convolution where its shape changes, convolutions start
    from Kaiming's normal distribution (fan-out).

    Args:
        num_classes: K.
        in_channels: Channels of the images.

    Example:
        >>> import torch
        >>> model = SmallResNet(num_classes=20)
        >>> model(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 20])
        >>> sum(parameter.numel() for parameter in model.parameters())
        1230164
    """

    def __init__(self, num_classes: int, in_channels: int = 3) -> None:
        super().__init__()
        first, *_ = _WIDTHS
        self.stem = _convolution(in_channels, first, stride=2)
        self.blocks = nn.Sequential()
        before = first
        for width in _WIDTHS:
            self.blocks.append(_Block(before, width, stride=1 if width == first else 2))
            before = width
        self.fc = nn.Linear(before, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward_features(self, images: Tensor) -> Tensor:
        """The last feature map."""
        features: Tensor = self.blocks(self.stem(images).relu())
        return features

    def levels(self, images: Tensor) -> list[Tensor]:
        """The map of each block, at 1/2, 1/4 and 1/8 of the resolution."""
        maps = self.stem(images).relu()
        found = []
        for block in self.blocks:
            maps = block(maps)
            found.append(maps)
        return found

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """From the feature map to the logits, or to what they are computed from."""
        pooled = features.mean(dim=(2, 3))
        return pooled if pre_logits else self.fc(pooled)

    def get_classifier(self) -> nn.Linear:
        """The last layer."""
        return self.fc

    def forward(self, images: Tensor) -> Tensor:
        """The logits."""
        return self.forward_head(self.forward_features(images))


class _Block(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.first = _convolution(in_channels, out_channels, stride=stride)
        self.second = _convolution(out_channels, out_channels)
        same = stride == 1 and in_channels == out_channels
        self.shortcut = (
            nn.Identity()
            if same
            else _convolution(in_channels, out_channels, side=1, stride=stride)
        )

    def forward(self, images: Tensor) -> Tensor:
        changed: Tensor = self.second(self.first(images).relu()) + self.shortcut(images)
        return changed.relu()


def _convolution(
    in_channels: int, out_channels: int, side: int = 3, stride: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, side, stride, padding=side // 2, bias=False),
        nn.BatchNorm2d(out_channels),
    )
