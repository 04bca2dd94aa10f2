"""Blur: each pixel from those around it."""

import math
from typing import Any

import numpy as np
from scipy import ndimage, signal

from maxsup.data.corruptions._draws import Draws, Images

_ANGLE = 45
"""Motion goes up to so many degrees from the horizontal."""


def gaussian_blur(images: Images, strength: Any, draws: Draws) -> Images:
    """A normal distribution's weights."""
    return smooth(images, strength)


def defocus_blur(images: Images, strength: Any, draws: Draws) -> Images:
    """The mean over a disk with a softened edge."""
    radius, softness = strength
    reach = max(8, math.ceil(radius))
    across = np.arange(-reach, reach + 1, dtype=np.float64)
    disk = (across[:, None] ** 2 + across**2 <= radius**2).astype(np.float64)
    disk = ndimage.gaussian_filter(disk / disk.sum(), softness, radius=1 if radius <= 8 else 2)
    filled = np.flatnonzero(disk.sum(axis=0))
    kernel = disk[filled[0] : filled[-1] + 1, filled[0] : filled[-1] + 1]
    half = len(kernel) // 2
    # In float64, so that how a transform is carried out does not show after rounding.
    padded = _padded(images.astype(np.float64), half)
    blurred = signal.fftconvolve(padded, kernel[None, None], mode="valid", axes=(2, 3))
    return np.asarray(blurred / kernel.sum(), dtype=np.float32)


def glass_blur(images: Images, strength: Any, draws: Draws) -> Images:
    """Pixels take the colours of others nearby, between two slight blurs.

    The published corruption exchanges pixels with others one after the other, so that some of them
    go farther.
    """
    softness, reach, times, moving = strength
    count, _, height, width = images.shape
    found = smooth(images, softness)
    which = np.arange(count)[:, None, None]
    rows, columns = np.arange(height)[:, None], np.arange(width)
    for _ in range(times):
        moves = draws.integers(-reach, reach, (2, height, width))
        moves *= (draws.uniform((1, height, width)) < moving).astype(np.int64)
        other_row = np.clip(rows + moves[:, 0], 0, height - 1)
        other_column = np.clip(columns + moves[:, 1], 0, width - 1)
        found = found.transpose(0, 2, 3, 1)[which, other_row, other_column].transpose(0, 3, 1, 2)
    return smooth(found, softness)


def motion_blur(images: Images, strength: Any, draws: Draws) -> Images:
    """The trace of a motion, in a direction of each image's own."""
    radius, deviation = strength
    angles = [each.uniform(-_ANGLE, _ANGLE) for each in draws.generators]
    return np.stack(
        [
            traced(image, radius, deviation, angle)
            for image, angle in zip(images, angles, strict=True)
        ]
    )


def zoom_blur(images: Images, strength: Any, draws: Draws) -> Images:
    """The mean of the image and of its centre, magnified by several factors."""
    total = images.astype(np.float64)
    for factor in strength:
        total += magnified(images, factor)
    return (total / (len(strength) + 1)).astype(np.float32)


def smooth(images: Images, deviation: float) -> Images:
    """Images (..., H, W) under a normal distribution's weights."""
    sigma = (0,) * (images.ndim - 2) + (deviation, deviation)
    return np.asarray(ndimage.gaussian_filter(images, sigma, mode="nearest"), dtype=np.float32)


def traced(image: Images, radius: int, deviation: float, angle: float) -> Images:
    """An image (C, H, W) that moved in a direction, in degrees, fading along the way."""
    steps = np.arange(2 * radius + 1)
    weights = np.exp(-(steps**2) / (2 * deviation**2))
    weights /= weights.sum()
    turned = math.radians(angle)
    down = np.rint(steps * math.sin(turned)).astype(int)
    right = np.rint(steps * math.cos(turned)).astype(int)
    height, width = image.shape[1:]
    rows, columns = np.arange(height), np.arange(width)
    total = np.zeros(image.shape, dtype=np.float64)
    for weight, dy, dx in zip(weights, down, right, strict=True):
        moved = image[:, np.clip(rows - dy, 0, height - 1)]
        total += weight * moved[:, :, np.clip(columns - dx, 0, width - 1)]
    return total.astype(np.float32)


def magnified(images: Images, factor: float) -> Images:
    """The centre of images (..., H, W), bilinearly brought to their size."""
    height, width = images.shape[-2:]
    down, across = (_interpolation(side, factor) for side in (height, width))
    return np.asarray(down @ images @ across.T, dtype=np.float32)


def _interpolation(side: int, factor: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    """(side, side) weights of the pixels of a line for those of its magnified centre."""
    middle = (side - 1) / 2
    place = middle + (np.arange(side) - middle) / factor
    below = np.clip(np.floor(place).astype(int), 0, max(side - 2, 0))
    weights = np.zeros((side, side), dtype=np.float32)
    weights[np.arange(side), below] = 1 - (place - below)
    weights[np.arange(side), np.minimum(below + 1, side - 1)] += place - below
    return weights


def _padded(images: Any, half: int) -> Any:
    return np.pad(images, ((0, 0), (0, 0), (half, half), (half, half)), mode="symmetric")
