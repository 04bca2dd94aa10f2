"""The ResNets for 32×32 images of the original paper, which timm does not have."""

from torch import Tensor, nn
from torch.nn.functional import pad

NAMES = ("cifar-resnet20", "cifar-resnet32", "cifar-resnet44", "cifar-resnet56")
_WIDTHS = (16, 32, 64)


class CifarResNet(nn.Module):
    """Three stages of 16, 32 and 64 channels at 32, 16 and 8 pixels (He et al. 2016, section 4.2).

    Shortcuts have no parameters: where a stage begins, they leave out every other pixel and fill
    the new channels with zeros. Convolutions and the last layer start from Kaiming's normal
    distribution.

    Args:
        depth: Layers with weights, 6n + 2: 20, 32, 44, 56 and so on.
        num_classes: K.
        in_channels: Channels of the images.

    Raises:
        ValueError: There is no such depth.

    Example:
        >>> import torch
        >>> model = CifarResNet(32, num_classes=10)
        >>> model(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
        >>> sum(parameter.numel() for parameter in model.parameters())
        464154
    """

    def __init__(self, depth: int, num_classes: int, in_channels: int = 3) -> None:
        super().__init__()
        if depth < 8 or depth % 6 != 2:
            raise ValueError(f"depth must be 6n + 2, 20 or 32 for example; got {depth}.")
        blocks = (depth - 2) // 6
        self.stem = _convolution(in_channels, _WIDTHS[0])
        self.stages = nn.Sequential()
        before = _WIDTHS[0]
        for width in _WIDTHS:
            for number in range(blocks):
                stride = 2 if number == 0 and width != _WIDTHS[0] else 1
                self.stages.append(_Block(before, width, stride))
                before = width
        self.fc = nn.Linear(_WIDTHS[-1], num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    def forward_features(self, images: Tensor) -> Tensor:
        """The last feature map."""
        features: Tensor = self.stages(self.stem(images).relu())
        return features

    def levels(self, images: Tensor) -> list[Tensor]:
        """The last map of each stage, at whole, half and quarter resolution."""
        maps = self.stem(images).relu()
        found = []
        blocks = len(self.stages) // len(_WIDTHS)
        for number, block in enumerate(self.stages, start=1):
            maps = block(maps)
            if number % blocks == 0:
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
        self.first = _convolution(in_channels, out_channels, stride)
        self.second = _convolution(out_channels, out_channels)
        self._stride = stride
        self._new_channels = out_channels - in_channels

    def forward(self, images: Tensor) -> Tensor:
        changed: Tensor = self.second(self.first(images).relu())
        before = self._new_channels // 2
        kept = images[:, :, :: self._stride, :: self._stride]
        kept = pad(kept, (0, 0, 0, 0, before, self._new_channels - before))
        return (changed + kept).relu()


def _convolution(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
    )
