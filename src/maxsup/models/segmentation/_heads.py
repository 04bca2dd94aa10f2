"""Heads that make logits of feature maps, as the field has them.

UperNet is that of Xiao et al. 2018 (*Unified perceptual parsing for scene understanding*), laid out
as in mmsegmentation and transformers: convolutions without bias, batch-norm, ReLU. Convolutions
start from Kaiming's normal distribution (fan-out), last layers from a normal one with a deviation
of 0.01 and zero bias, as there.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

POOLED_SIDES = (1, 2, 3, 6)
"""Sides of the grids that UperNet pools the deepest map to."""
_LAST_LAYER_DEVIATION = 0.01
_DROPOUT = 0.1


def resize(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Bilinear, each cell in the middle of what it covers (``align_corners=False``)."""
    if tuple(maps.shape[2:]) == tuple(size):
        return maps
    return interpolate(maps, tuple(size), mode="bilinear", align_corners=False)


class _Convolution(nn.Sequential):
    def __init__(self, in_channels: int, out_channels: int, side: int) -> None:
        convolution = nn.Conv2d(in_channels, out_channels, side, padding=side // 2, bias=False)
        nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
        super().__init__(convolution, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))


def _last_layer(in_channels: int, num_classes: int) -> nn.Conv2d:
    layer = nn.Conv2d(in_channels, num_classes, 1)
    nn.init.normal_(layer.weight, std=_LAST_LAYER_DEVIATION)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


class UperNetHead(nn.Module):
    """Pyramid pooling of the deepest map, a feature pyramid over all, and a 1×1 convolution.

    Args:
        in_channels: Channels of each level, the finest first.
        num_classes: K.
        channels: Channels within the head.
        dropout: Rate at which whole channels are left out before the last layer, in training.

    Example:
        >>> head = UperNetHead((8, 16), num_classes=5, channels=4).eval()
        >>> head([torch.zeros(1, 8, 12, 16), torch.zeros(1, 16, 6, 8)]).shape
        torch.Size([1, 5, 12, 16])
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        num_classes: int,
        channels: int = 512,
        dropout: float = _DROPOUT,
    ) -> None:
        super().__init__()
        *finer, deepest = in_channels
        self.pooled = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(side), _Convolution(deepest, channels, 1))
            for side in POOLED_SIDES
        )
        self.of_pooled = _Convolution(deepest + len(POOLED_SIDES) * channels, channels, 3)
        self.lateral = nn.ModuleList(_Convolution(each, channels, 1) for each in finer)
        self.smooth = nn.ModuleList(_Convolution(channels, channels, 3) for _ in finer)
        self.of_all = _Convolution(len(in_channels) * channels, channels, 3)
        self.dropout = nn.Dropout2d(dropout)
        self.last = _last_layer(channels, num_classes)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """Maps (N, C, h, w), the finest first, to logits (N, K, h, w) of the finest's size."""
        *finer, deepest = levels
        pooled = [resize(pool(deepest), deepest.shape[2:]) for pool in self.pooled]
        above = self.of_pooled(torch.cat([deepest, *pooled], dim=1))
        pyramid = [above]
        for maps, lateral, smooth in zip(
            reversed(finer), reversed(self.lateral), reversed(self.smooth), strict=True
        ):
            above = lateral(maps) + resize(above, maps.shape[2:])
            pyramid.insert(0, smooth(above))
        size = levels[0].shape[2:]
        together = self.of_all(torch.cat([resize(maps, size) for maps in pyramid], dim=1))
        logits: Tensor = self.last(self.dropout(together))
        return logits


class FcnHead(nn.Module):
    """A 3×3 convolution and a last layer on one level, which UperNet has beside it in training."""

    def __init__(
        self, in_channels: int, num_classes: int, channels: int = 256, dropout: float = _DROPOUT
    ) -> None:
        super().__init__()
        self.convolution = _Convolution(in_channels, channels, 3)
        self.dropout = nn.Dropout2d(dropout)
        self.last = _last_layer(channels, num_classes)

    def forward(self, maps: Tensor) -> Tensor:
        """A map (N, C, h, w) to logits (N, K, h, w)."""
        logits: Tensor = self.last(self.dropout(self.convolution(maps)))
        return logits


class LinearHead(nn.Module):
    """A 1×1 convolution of the deepest map, whose channels are brought to mean 0 and variance 1.

    Scaling by batch-norm without parameters is linear too once it is trained, and how large a
    backbone's features are does not decide how fast they are learnt from (as Oquab et al. 2023).
    """

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.scale = nn.BatchNorm2d(in_channels, affine=False)
        self.last = _last_layer(in_channels, num_classes)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """Maps (N, C, h, w), the finest first, to logits (N, K, h, w) of the deepest's size."""
        logits: Tensor = self.last(self.scale(levels[-1]))
        return logits
