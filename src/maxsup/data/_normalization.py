"""From uint8 pixels to what a model is given."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class ChannelStatistics(NamedTuple):
    """Mean and standard deviation of each channel, with pixels from 0 to 1."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


class _Measured(Protocol):
    def channel_statistics(self) -> ChannelStatistics: ...


@dataclass(frozen=True)
class Normalization:
    """From uint8 pixels to what a model is given: (pixel/255 − mean)/std for each channel."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    channels_last: bool = False
    """Whether the result has the memory layout torch.channels_last."""

    @classmethod
    def of(cls, split: _Measured, *, channels_last: bool = False) -> "Normalization":
        """The mean and standard deviation of the pixels of an :class:`ImageSplit`.

        They are exact for images in memory, and a channel without any contrast is left unscaled.
        Photographs are not read for it: they are given ImageNet's.

        Example:
            >>> from maxsup.data import DataSettings, load_images
            >>> normalization = Normalization.of(load_images(DataSettings("digits")).train)
            >>> [round(value, 3) for value in (*normalization.mean, *normalization.std)]
            [0.307, 0.377]
        """
        mean, std = split.channel_statistics()
        return cls(mean, std, channels_last)

    def __call__(self, images: Tensor) -> Tensor:
        """Normalise a batch (N, C, H, W) uint8 on its device; float32."""
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        scale = torch.tensor([1 / (255 * s) for s in self.std])
        shift = torch.tensor([-m / s for m, s in zip(self.mean, self.std, strict=True)])
        scale, shift = (t.to(images.device, non_blocking=True) for t in (scale, shift))
        return torch.addcmul(
            shift.view(-1, 1, 1),
            images.to(torch.float32, memory_format=layout),
            scale.view(-1, 1, 1),
        )
