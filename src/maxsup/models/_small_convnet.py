from torch import Tensor, nn

NAME = "small-convnet"


class SmallConvNet(nn.Module):
    """Three 3×3 convolutions for images of some 8×8 pixels; 17,000 parameters for one channel.

    Args:
        num_classes: K.
        in_channels: Channels of the images.
        width: Channels of the first convolution.

    Example:
        >>> import torch
        >>> SmallConvNet(num_classes=10, in_channels=1)(torch.zeros(2, 1, 8, 8)).shape
        torch.Size([2, 10])
    """

    def __init__(self, num_classes: int, in_channels: int = 3, width: int = 16) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _block(in_channels, width),
            _block(width, 2 * width),
            nn.MaxPool2d(2, ceil_mode=True),
            _block(2 * width, 2 * width),
            nn.MaxPool2d(2, ceil_mode=True),
        )
        self.head = nn.Linear(2 * width, 4 * width)
        self.fc = nn.Linear(4 * width, num_classes)

    def forward_features(self, images: Tensor) -> Tensor:
        """The last feature map."""
        features: Tensor = self.body(images)
        return features

    def levels(self, images: Tensor) -> list[Tensor]:
        """The maps at whole, half and quarter resolution, as segmentation takes them."""
        whole = self.body[:2](images)
        half = self.body[2:4](whole)
        return [whole, half, self.body[4:](half)]

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """From the feature map to the logits, or to what they are computed from."""
        hidden: Tensor = self.head(features.mean(dim=(2, 3))).relu()
        return hidden if pre_logits else self.fc(hidden)

    def get_classifier(self) -> nn.Linear:
        """The last layer."""
        return self.fc

    def forward(self, images: Tensor) -> Tensor:
        """The logits."""
        return self.forward_head(self.forward_features(images))


def _block(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )
