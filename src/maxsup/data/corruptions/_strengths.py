"""How strong each corruption is at each severity, for small images and for photographs.

The numbers are those of the programs that made CIFAR-10-C and ImageNet-C (Hendrycks and Dietterich
2019; ``make_cifar_c.py`` and ``make_imagenet_c.py`` in ``ImageNet-C/create_c/`` of
github.com/hendrycks/robustness), but for four kinds that are drawn in another way here, so that
published numbers would mean something else (see their functions): elastic, frost, spatter, and of
small images glass blur, whose published severity 4 blurs less than its 3. Lengths are in pixels.

Some of the published strengths do hardly more damage at one severity than at the one before it:
the motion blur of small images at 4, the zoom blur of photographs at 3 and 5.
"""

from typing import Any, NamedTuple

_SMALL = 64
"""The longest side in pixels of an image that is small."""


class Strengths(NamedTuple):
    """For severities 1 to 5."""

    small: tuple[Any, ...]
    photographs: tuple[Any, ...]

    def at(self, severity: int, longest: int) -> Any:
        """The strength for images whose longer side has so many pixels."""
        return (self.small if longest <= _SMALL else self.photographs)[severity - 1]


def is_small(image_shape: tuple[int, int, int]) -> bool:
    """Whether images (C, H, W) are corrupted as those of CIFAR-10-C are, not of ImageNet-C.

    >>> is_small((3, 64, 48)), is_small((3, 224, 224))
    (True, False)
    """
    return max(image_shape[1:]) <= _SMALL


def _zooms(*steps: tuple[int, float]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(1 + step * each for each in range(count)) for count, step in steps)


STRENGTHS = {
    "gaussian_noise": Strengths((0.04, 0.06, 0.08, 0.09, 0.1), (0.08, 0.12, 0.18, 0.26, 0.38)),
    "shot_noise": Strengths((500, 250, 100, 75, 50), (60, 25, 12, 5, 3)),
    "impulse_noise": Strengths((0.01, 0.02, 0.03, 0.05, 0.07), (0.03, 0.06, 0.09, 0.17, 0.27)),
    "speckle_noise": Strengths((0.06, 0.1, 0.12, 0.16, 0.2), (0.15, 0.2, 0.35, 0.45, 0.6)),
    # Standard deviation.
    "gaussian_blur": Strengths((0.4, 0.6, 0.7, 0.8, 1.0), (1, 2, 3, 4, 6)),
    # Radius of the disk, standard deviation of its softened edge.
    "defocus_blur": Strengths(
        ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
        ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
    ),
    # Standard deviation of the blur, how far pixels go, how often, which fraction of them.
    "glass_blur": Strengths(
        ((0.05, 1, 1, 0.3), (0.25, 1, 1, 0.45), (0.4, 1, 1, 0.7), (0.4, 1, 1, 1), (0.4, 1, 2, 1)),
        ((0.7, 1, 2, 1), (0.9, 2, 1, 1), (1, 2, 3, 1), (1.1, 3, 2, 1), (1.5, 4, 2, 1)),
    ),
    # Radius, standard deviation along the way.
    "motion_blur": Strengths(
        ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
        ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
    ),
    # How many factors the mean is taken over, and their step; as the published ranges came out,
    # two of which end one step late by rounding.
    "zoom_blur": Strengths(
        _zooms((7, 0.01), (12, 0.01), (16, 0.01), (21, 0.01), (26, 0.01)),
        _zooms((12, 0.01), (16, 0.01), (11, 0.02), (13, 0.02), (11, 0.03)),
    ),
    # Mean and standard deviation of the flakes, their size, threshold, radius and standard
    # deviation of their motion, how much of the image is left.
    "snow": Strengths(
        (
            (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
            (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
            (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
            (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
            (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
        ),
        (
            (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
            (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
            (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
            (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
            (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ),
    ),
    # How much of the image is left, how much frost is added.
    "frost": Strengths(
        ((0.98, 0.15), (0.94, 0.25), (0.88, 0.35), (0.8, 0.45), (0.7, 0.55)),
        ((0.9, 0.3), (0.8, 0.4), (0.7, 0.5), (0.6, 0.6), (0.5, 0.7)),
    ),
    # How much fog is added, how fast it gets finer.
    "fog": Strengths(
        ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
        ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
    ),
    # Fraction of the image that is covered, opacity, whether by mud instead of water.
    "spatter": Strengths(
        (
            (0.05, 0.5, False),
            (0.1, 0.6, False),
            (0.15, 0.7, False),
            (0.25, 1.0, True),
            (0.35, 1.0, True),
        ),
        (
            (0.08, 0.6, False),
            (0.14, 0.7, False),
            (0.2, 0.8, False),
            (0.3, 1.0, True),
            (0.42, 1.0, True),
        ),
    ),
    "brightness": Strengths((0.05, 0.1, 0.15, 0.2, 0.3), (0.1, 0.2, 0.3, 0.4, 0.5)),
    "contrast": Strengths((0.75, 0.5, 0.4, 0.3, 0.15), (0.4, 0.3, 0.2, 0.1, 0.05)),
    # Factor, what is added.
    "saturate": Strengths(
        ((0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)),
        ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)),
    ),
    # Root mean square of the displacement, and its smoothness, in sides of the image.
    "elastic": Strengths(
        ((0.012, 0.08), (0.02, 0.08), (0.028, 0.08), (0.036, 0.08), (0.045, 0.08)),
        ((0.004, 0.012), (0.006, 0.012), (0.009, 0.012), (0.012, 0.012), (0.016, 0.012)),
    ),
    # Factor of the sides.
    "pixelate": Strengths((0.95, 0.9, 0.85, 0.75, 0.65), (0.6, 0.5, 0.4, 0.3, 0.25)),
    # Quality.
    "jpeg": Strengths((80, 65, 58, 50, 40), (25, 18, 15, 10, 7)),
}
"""By kind; what the numbers mean is said where they are used."""
