"""An image and a name of what befalls it, to the image after that."""

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from maxsup._seeds import check_seed
from maxsup.data.corruptions import _blur, _digital, _noise, _weather
from maxsup.data.corruptions._draws import Draws, Images
from maxsup.data.corruptions._kinds import SEVERITIES, check_kind
from maxsup.data.corruptions._strengths import STRENGTHS

_CORRUPTIONS: dict[str, Callable[[Images, Any, Draws], Images]] = {
    "gaussian_noise": _noise.gaussian_noise,
    "shot_noise": _noise.shot_noise,
    "impulse_noise": _noise.impulse_noise,
    "defocus_blur": _blur.defocus_blur,
    "glass_blur": _blur.glass_blur,
    "motion_blur": _blur.motion_blur,
    "zoom_blur": _blur.zoom_blur,
    "snow": _weather.snow,
    "frost": _weather.frost,
    "fog": _weather.fog,
    "brightness": _digital.brightness,
    "contrast": _digital.contrast,
    "elastic": _digital.elastic,
    "pixelate": _digital.pixelate,
    "jpeg": _digital.jpeg,
    "speckle_noise": _noise.speckle_noise,
    "gaussian_blur": _blur.gaussian_blur,
    "spatter": _weather.spatter,
    "saturate": _digital.saturate,
}


def corrupt(images: Tensor, kind: str, severity: int, *, ids: Tensor, seed: int = 0) -> Tensor:
    """Images after a common corruption (Hendrycks and Dietterich 2019).

    What is drawn is a function of ``seed``, the image's id, ``kind`` and ``severity`` alone, so an
    image is corrupted in the same way in whatever batch and process it comes. Images of up to 64
    pixels a side are corrupted as strongly as those of CIFAR-10-C, larger ones as those of
    ImageNet-C, which have 224. Frost, elastic, spatter and the glass blur are drawn in another way
    than the published ones, and all are computed anew, so errors on them are not those on the
    published files. Saturate leaves a grey image as it is.

    Args:
        images: Shape (B, C, H, W), uint8, of one channel or of three.
        kind: Its name, one of ``KINDS``.
        severity: 1 to 5.
        ids: (B,) whole numbers, 0 or more: which image of its split each is.
        seed: Seed of all that is drawn.

    Returns:
        Shape (B, C, H, W), uint8, on the device of ``images``.

    Raises:
        ValueError: An argument is not as described; the message says what there is.

    Example:
        >>> grey = torch.full((1, 3, 32, 32), 100, dtype=torch.uint8)
        >>> corrupt(grey, "brightness", 4, ids=torch.tensor([0]))[0, 0, 0, :3]
        tensor([151, 151, 151], dtype=torch.uint8)
    """
    _check(images, kind, severity, ids, seed)
    if not len(images):
        return images.clone()
    number = zlib.crc32(kind.encode())
    draws = Draws([(seed, image, number, severity) for image in ids.tolist()])
    pixels = images.cpu().numpy().astype(np.float32) / np.float32(255)
    strength = STRENGTHS[kind].at(severity, max(images.shape[2:]))
    found = np.clip(_CORRUPTIONS[kind](pixels, strength, draws), 0, 1)
    # Not cut off: a value that rounding errors bring just below a whole number would fall by one.
    rounded = np.rint(found * np.float32(255)).astype(np.uint8)
    return torch.from_numpy(np.ascontiguousarray(rounded)).to(images.device)


def _check(images: Tensor, kind: str, severity: int, ids: Tensor, seed: int) -> None:
    check_kind("kind", kind)
    check_seed("seed", seed)
    if severity not in SEVERITIES:
        raise ValueError(f"severity must be 1, 2, 3, 4 or 5; got {severity!r}.")
    if images.dtype != torch.uint8 or images.dim() != 4 or images.shape[1] not in (1, 3):
        raise ValueError(
            "images must be uint8 of shape (B, C, H, W) with one channel or three; got "
            f"{images.dtype} of shape {tuple(images.shape)}."
        )
    if ids.shape != images.shape[:1] or ids.is_floating_point() or bool((ids < 0).any()):
        raise ValueError(
            f"ids must be {len(images)} whole numbers, 0 or more, one for each image; got "
            f"{ids.dtype} of shape {tuple(ids.shape)}."
        )
