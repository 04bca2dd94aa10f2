from dataclasses import dataclass

import torch
from torch import Tensor

from maxsup.data._images import AnySplit, Split

_AT_ONCE = 4096
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Normalization:
    """From uint8 pixels to what a model is given: (pixel/255 − mean)/std for each channel."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    channels_last: bool = False
    """The memory layout of the result."""

    @classmethod
    def of(cls, split: AnySplit, *, channels_last: bool = False) -> "Normalization":
        """The exact mean and standard deviation of a split's pixels.

        A channel without any contrast is left unscaled. Photographs on disk are not read for it:
        they are given ImageNet's.

        Example:
            >>> from maxsup.data import DataSettings, load_images
            >>> normalization = Normalization.of(load_images(DataSettings("digits")).train)
            >>> [round(value, 3) for value in (*normalization.mean, *normalization.std)]
            [0.307, 0.377]
        """
        if not isinstance(split, Split):
            return cls(IMAGENET_MEAN, IMAGENET_STD, channels_last)
        channels = split.images.shape[1]
        counts = torch.zeros(channels, 256, dtype=torch.int64)
        for images in split.images.split(_AT_ONCE):
            for channel in range(channels):
                counts[channel] += torch.bincount(images[:, channel].flatten(), minlength=256)
        levels = torch.arange(256, dtype=torch.float64) / 255
        share = counts.double() / counts.sum(dim=1, keepdim=True)
        mean = share @ levels
        variance = (share * (levels - mean.unsqueeze(1)).square()).sum(dim=1)
        std = torch.where(variance > 0, variance.sqrt(), 1.0)
        return cls(tuple(mean.tolist()), tuple(std.tolist()), channels_last)

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
