"""Colours of classes that colour-blind people can tell apart as well as any can."""

import functools
from typing import Any

import numpy as np

_Array = np.ndarray[Any, np.dtype[np.float64]]

_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = _TO_XYZ.sum(axis=1)
# Machado, Oliveira and Fernandes 2009, severity 1, in linear RGB.
_SEEN_AS = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
_LEVELS = 16
"""Values of each channel that colours are chosen of."""
_DARKEST, _BRIGHTEST = 28, 92
"""Between these lies CIELAB's luminance L* (0 to 100): void is black, and the page white."""
_MOST_CHROMA = 80
"""Of CIELAB; what is beyond glares."""
_LUMINANCE = 0.6
"""By how much of an even step the luminance of any two colours differs, which those who see no
colours see too; the rest leaves room for the colours."""


@functools.cache
def safe_palette(count: int) -> tuple[tuple[int, int, int], ...]:
    """Colours for so many classes, each as far as can be from all before it and from void's black.

    How far apart two colours are is the least of their distances in CIELAB, as seen by people with
    all cones and by those who lack one kind (Machado et al. 2009). Luminance differs between all.

    Args:
        count: How many.

    Example:
        >>> safe_palette(2)
        ((238, 119, 17), (0, 102, 187))
    """
    levels = np.linspace(0, 255, _LEVELS).round().astype(np.int64)
    grid = np.meshgrid(levels, levels, levels, indexing="ij")
    candidates = np.stack(grid, axis=-1).reshape(-1, 3)
    seen = as_seen(candidates)
    luminance, chroma = seen[0, :, 0], np.hypot(seen[0, :, 1], seen[0, :, 2])
    fits = (luminance >= _DARKEST) & (luminance <= _BRIGHTEST) & (chroma <= _MOST_CHROMA)
    least = _LUMINANCE * (_BRIGHTEST - _DARKEST) / max(count, 1)
    black, white = 0, len(candidates) - 1
    chosen: list[int] = []
    nearest = np.full(len(candidates), np.inf)
    steps = np.full(len(candidates), np.inf)
    for best in (black, white):
        nearest = np.minimum(nearest, _distances(seen, best))
        steps = np.minimum(steps, np.abs(luminance - luminance[best]))
    while len(chosen) < count:
        allowed = fits & (steps >= least)
        if not allowed.any():
            least *= 0.8
            continue
        best = int(np.where(allowed, nearest, -1).argmax())
        chosen.append(best)
        nearest = np.minimum(nearest, _distances(seen, best))
        steps = np.minimum(steps, np.abs(luminance - luminance[best]))
    return tuple((int(r), int(g), int(b)) for r, g, b in candidates[chosen])


def as_seen(colors: _Array | np.ndarray[Any, np.dtype[np.int64]]) -> _Array:
    """Colours (n, 3), from 0 to 255, in CIELAB as four kinds of people see them: (4, n, 3)."""
    scaled = np.asarray(colors, dtype=np.float64) / 255
    linear = np.where(scaled <= 0.04045, scaled / 12.92, ((scaled + 0.055) / 1.055) ** 2.4)
    views = [linear, *((linear @ np.array(m).T).clip(0, 1) for m in _SEEN_AS.values())]
    return np.stack([_lab(view) for view in views])


def _lab(linear: _Array) -> _Array:
    ratio = linear @ _TO_XYZ.T / _WHITE
    cut = 6 / 29
    root = np.where(ratio > cut**3, np.cbrt(ratio), ratio / (3 * cut**2) + 4 / 29)
    x, y, z = root[:, 0], root[:, 1], root[:, 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def _distances(seen: _Array, index: int) -> _Array:
    """From one colour to all others, by those who see the least of it."""
    difference = seen - seen[:, index : index + 1]
    distance: _Array = np.sqrt((difference**2).sum(axis=2)).min(axis=0)
    return distance
