"""What is done at random to photographs that a model is trained on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PhotographAugmentation:
    """What is done to training photographs, at random for each."""

    # How it is written is part of a batch's digest: a new field must not change the old ones' text.
    crop_scale: tuple[float, float] = (0.08, 1.0)
    """Least and most fraction of the area that is cropped."""
    crop_ratio: tuple[float, float] = (3 / 4, 4 / 3)
    """Least and most width by height of the crop."""
    horizontal_flip: bool = False
    """Mirror every other image."""
    rand_augment: str | None = None
    """timm's description of a RandAugment, ``rand-m9-mstd0.5-inc1`` for example."""
    erasing: float = 0.0
    """Fraction of the images in which a rectangle is replaced by noise."""
    repeats: int = 1
    """Each image so many times in a row, in an epoch of that many fewer images (Hoffer 2020)."""
