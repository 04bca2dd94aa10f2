"""Noise: each pixel by itself."""

from typing import Any

import numpy as np

from maxsup.data.corruptions._draws import Draws, Images


def gaussian_noise(images: Images, strength: Any, draws: Draws) -> Images:
    """Adds normal noise with a standard deviation of ``strength``."""
    return images + strength * draws.normal(images.shape[1:])


def speckle_noise(images: Images, strength: Any, draws: Draws) -> Images:
    """Adds normal noise in proportion to the pixel."""
    return images + images * strength * draws.normal(images.shape[1:])


def shot_noise(images: Images, strength: Any, draws: Draws) -> Images:
    """Counts of ``strength`` photons at full brightness (Poisson)."""
    counted = [
        each.poisson(image * strength)
        for each, image in zip(draws.generators, images.astype(np.float64), strict=True)
    ]
    return (np.stack(counted) / strength).astype(np.float32)


def impulse_noise(images: Images, strength: Any, draws: Draws) -> Images:
    """Sets a fraction of ``strength`` of the values to 0 or 1, half each."""
    drawn = draws.uniform(images.shape[1:])
    return np.where(drawn < strength / 2, 0, np.where(drawn < strength, 1, images)).astype(
        np.float32
    )
