"""Weather, and what sticks to the lens."""

from typing import Any

import numpy as np

from maxsup.data.corruptions._blur import magnified, smooth, traced
from maxsup.data.corruptions._draws import Draws, Images

_GREY = (0.299, 0.587, 0.114)
_ICE = (0.85, 0.93, 1.0)
_WATER = (175 / 255, 238 / 255, 238 / 255)
_MUD = (63 / 255, 42 / 255, 20 / 255)


def snow(images: Images, strength: Any, draws: Draws) -> Images:
    """Flakes that fall aslant, before an image that is paler and greyer."""
    mean, deviation, size, threshold, radius, along, left = strength
    flakes = magnified(mean + deviation * draws.normal(images.shape[2:]), size)
    flakes = np.where(flakes < threshold, 0, np.clip(flakes, 0, 1)).astype(np.float32)
    angles = [each.uniform(-135, -45) for each in draws.generators]
    fallen = np.stack(
        [
            traced(of_image[None], radius, along, angle)
            for of_image, angle in zip(flakes, angles, strict=True)
        ]
    )
    pale = left * images + (1 - left) * np.maximum(images, 1.5 * _grey(images) + 0.5)
    return pale + fallen + fallen[:, :, ::-1, ::-1]


def frost(images: Images, strength: Any, draws: Draws) -> Images:
    """A sheet of ice.

    It is computed: ridges of fractal noise, in a bluish white. The published corruption lays
    photographs of frost over the image, so frost differs from the published one, and its strengths
    too.
    """
    left, added = strength
    coarse = plasma(draws, images.shape[2:], 1.6)
    fine = plasma(draws, images.shape[2:], 1.2)
    crystals = 0.15 + 0.35 * (1 - np.abs(2 * coarse - 1)) + 0.5 * (1 - np.abs(2 * fine - 1)) ** 2
    return left * images + added * _coloured(crystals[:, None], _ICE, images.shape[1])


def fog(images: Images, strength: Any, draws: Draws) -> Images:
    """Clouds of fractal noise."""
    added, decay = strength
    brightest = images.max(axis=(1, 2, 3), keepdims=True)
    # The published program divides by it twice at each scale: what it draws from, and a factor.
    clouds = plasma(draws, images.shape[2:], decay**2)[:, None]
    # A black image has nothing to keep its brightness by.
    scale = np.where(brightest > 0, brightest / (brightest + added), 1 / (1 + added))
    return ((images + added * clouds) * scale).astype(np.float32)


def spatter(images: Images, strength: Any, draws: Draws) -> Images:
    """Drops of water, or of mud from severity 4.

    The wettest parts of smooth noise are covered in one colour; the published corruption also
    draws the drops' edges.
    """
    covered, opacity, is_mud = strength
    height, width = images.shape[2:]
    wet = smooth(draws.normal((height, width)), max(0.7, min(height, width) / 64))
    limit = np.quantile(wet, 1 - covered, axis=(1, 2), keepdims=True)
    drops = opacity * (wet > limit)[:, None]
    colour = _coloured(np.ones((1, 1, 1, 1), np.float32), _MUD if is_mud else _WATER,
                       images.shape[1])  # fmt: skip
    return (images * (1 - drops) + colour * drops).astype(np.float32)


def plasma(draws: Draws, shape: tuple[int, ...], decay: float) -> Images:
    """Fractal noise (B, H, W) in [0, 1], by midpoint displacement on a torus.

    Args:
        draws: Of the images.
        shape: H, W.
        decay: By what the displacement is divided at each finer scale.
    """
    size = 1 << max(1, (max(shape) - 1).bit_length())
    # Each place is displaced once, so that one number for each is all that is drawn.
    displacement = (2 * draws.uniform((size, size)) - 1).astype(np.float64)
    field = np.zeros_like(displacement)
    step, reach = size, 1.0
    while step >= 2:
        half = step // 2
        corners = field[:, ::step, ::step]
        centres = _mean_of_squares(corners) + reach * displacement[:, half::step, half::step]
        field[:, half::step, half::step] = centres
        # The middles of the sides, from two corners and two centres each.
        below, right = np.roll(corners, -1, axis=1), np.roll(corners, -1, axis=2)
        above, before = np.roll(centres, 1, axis=1), np.roll(centres, 1, axis=2)
        field[:, ::step, half::step] = (
            corners + right + centres + above
        ) / 4 + reach * displacement[:, ::step, half::step]
        field[:, half::step, ::step] = (
            corners + below + centres + before
        ) / 4 + reach * displacement[:, half::step, ::step]
        step, reach = half, reach / decay
    low, high = (end(field, axis=(1, 2), keepdims=True) for end in (np.min, np.max))
    scaled = (field - low) / np.maximum(high - low, 1e-12)
    return scaled[:, : shape[0], : shape[1]].astype(np.float32)


def _mean_of_squares(corners: Any) -> Any:
    sides = corners + np.roll(corners, -1, axis=1)
    return (sides + np.roll(sides, -1, axis=2)) / 4


def _grey(images: Images) -> Images:
    """(B, 1, H, W)."""
    if images.shape[1] == 1:
        return images
    weights = np.array(_GREY, np.float32).reshape(1, 3, 1, 1)
    return (images * weights).sum(axis=1, keepdims=True)


def _coloured(light: Images, colour: tuple[float, ...], channels: int) -> Images:
    """(B, C, H, W) of (B, 1, H, W): in a colour, or as bright in grey."""
    values = np.array(colour, np.float32)
    if channels == 1:
        values = np.array([values @ np.array(_GREY, np.float32)], np.float32)
    return light * values.reshape(1, -1, 1, 1)
