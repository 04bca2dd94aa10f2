"""Photometric distortion: brightness, contrast, saturation and hue, changed at random.

As mmsegmentation's ``PhotoMetricDistortion`` does it (that of SSD, Liu et al. 2016), for a batch at
a time and in floating-point numbers: brightness, contrast, saturation, hue, each for every other
image; contrast comes last instead for every other image.
"""

import torch
from torch import Tensor

DRAWS = 9
"""Random numbers for an image."""
_BRIGHTNESS = 32.0
_LEAST, _MOST = 0.5, 1.5
_HUE = 18 / 180  # of the whole circle


def distort(images: Tensor, draws: Tensor) -> Tensor:
    """Change the colours of each image.

    Args:
        images: (B, 3, H, W) float, from 0 to 255.
        draws: (B, 9) float from 0 to 1, on the CPU.

    Returns:
        The same shape, from 0 to 255.
    """
    draws = draws.double()
    change = draws[:, :4] < 0.5
    contrast_first = draws[:, 4] < 0.5
    by = torch.where(change[:, 0], (2 * draws[:, 5] - 1) * _BRIGHTNESS, 0.0)
    contrast = torch.where(change[:, 1], _LEAST + (_MOST - _LEAST) * draws[:, 6], 1.0)
    saturation = torch.where(change[:, 2], _LEAST + (_MOST - _LEAST) * draws[:, 7], 1.0)
    hue = torch.where(change[:, 3], (2 * draws[:, 8] - 1) * _HUE, 0.0)

    images = (images + _of_each(by, images)).clamp(0, 255)
    first = torch.where(contrast_first, contrast, 1.0)
    images = (images * _of_each(first, images)).clamp(0, 255)
    index = (change[:, 2] | change[:, 3]).nonzero().flatten()
    if len(index):
        here = index.to(images.device, non_blocking=True)
        changed = _turn_colors(images[here], saturation[index], hue[index])
        images = images.index_copy(0, here, changed)
    last = torch.where(contrast_first, 1.0, contrast)
    return (images * _of_each(last, images)).clamp(0, 255)


def _of_each(values: Tensor, images: Tensor) -> Tensor:
    # Not every device has float64.
    here = values.to(images.dtype).to(images.device, non_blocking=True)
    return here.view(-1, 1, 1, 1)


def _turn_colors(images: Tensor, saturation: Tensor, hue: Tensor) -> Tensor:
    """Multiply the saturation of HSV, and add to its hue, which goes from 0 to 1."""
    red, green, blue = images.unbind(1)
    value, least = images.amax(1), images.amin(1)
    chroma = value - least
    safe = torch.where(chroma > 0, chroma, 1.0)
    sixth = torch.where(
        value == red,
        (green - blue) / safe,
        torch.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    sixth = sixth + 6 * _of_each(hue, images).squeeze(1)
    # At most as far from white as a colour can be.
    chroma = torch.minimum(chroma * _of_each(saturation, images).squeeze(1), value)
    channels = []
    for start in (5.0, 3.0, 1.0):
        at = (sixth + start) % 6
        channels.append(value - chroma * torch.minimum(at, 4 - at).clamp(0, 1))
    return torch.stack(channels, dim=1)
