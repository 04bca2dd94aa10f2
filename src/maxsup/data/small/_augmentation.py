"""What is done at random to small training images."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Augmentation:
    """What is done to training images in memory, at random for each.

    Raises:
        ValueError: A length is negative.
    """

    # How it is written is part of a batch's digest: a new field must not change the old ones' text.
    crop_padding: int = 0
    """Crop to the images' size after padding with so many black pixels on each side."""
    horizontal_flip: bool = False
    """Mirror every other image."""
    cutout: int = 0
    """Blacken a square of this side at a random place, cut off at the border; 0 for none."""

    def __post_init__(self) -> None:
        if min(self.crop_padding, self.cutout) < 0:
            raise ValueError(f"Lengths must not be negative; got {self}.")
