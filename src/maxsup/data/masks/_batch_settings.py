"""What training batches of images with masks are made of."""

from dataclasses import dataclass

from maxsup._fields import settle_fields
from maxsup.data._normalization import Normalization


@dataclass(frozen=True)
class MaskBatchSettings:
    """What training batches of images with masks are made of.

    An image and its mask are resized by one random factor, cropped at one random place and
    mirrored together; colours change in the image alone.

    Raises:
        ValueError: A setting is out of its range; the message names it.
    """

    # How it is written is part of a batch's digest, but for the first three and the last two.
    batch_size: int
    """Images in a batch of all processes together."""
    seed: int
    """Decides order and augmentation."""
    normalization: Normalization
    """From uint8 to what the model is given, after augmentation."""
    crop: tuple[int, int]
    """Height and width of the images in a batch, in pixels."""
    scale: tuple[float, float] = (0.5, 2.0)
    """Least and most factor that an image is resized by, the same for both sides."""
    resize: tuple[int, int] | None = None
    """Longer and shorter side that an image is fitted into first, as (2048, 512) is for ADE20K;
    by default factors are of its own size."""
    flip: bool = True
    """Mirror every other image."""
    photometric_distortion: bool = False
    """Change brightness, contrast, saturation and hue at random, as mmsegmentation does."""
    cat_max_ratio: float = 1.0
    """Most of a crop's labelled pixels that one class may have; another place is tried up to ten
    times. 1 takes the first."""
    steps: int | None = None
    """Batches in an epoch, however many images there are: they are taken in one random order after
    the other. By default as many as there are images for, each once."""
    workers: int | None = None
    """Processes that read beside this one, where images do not fit into memory; by default one
    for each core that it may use."""

    def __post_init__(self) -> None:
        settle_fields(self)
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be at least 1; got {self.batch_size}.")
        if self.steps is not None and self.steps < 1:
            raise ValueError(f"steps must be at least 1; got {self.steps}.")
        if min(self.crop) < 1:
            raise ValueError(f"crop must be at least 1 pixel high and wide; got {self.crop}.")
        if not 0 < self.scale[0] <= self.scale[1]:
            raise ValueError(
                f"scale must be the least and the most factor, greater than 0; got {self.scale}."
            )
        if self.resize is not None and min(self.resize) < 1:
            raise ValueError(f"resize must be sides of at least 1 pixel; got {self.resize}.")
        if not 0 < self.cat_max_ratio <= 1:
            raise ValueError(f"cat_max_ratio must lie in (0, 1]; got {self.cat_max_ratio}.")
        if self.workers is not None and self.workers < 0:
            raise ValueError(f"workers must not be negative; got {self.workers}.")
