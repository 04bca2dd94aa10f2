"""scikit-learn's digits, which need no network."""

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits

from maxsup.data.small._image import to_square
from maxsup.data.small._split import ResidentSplit


def read_digits(size: int | None = None) -> tuple[ResidentSplit, tuple[str, ...]]:
    """scikit-learn's 1,797 grey 8×8 digits with their classes.

    Args:
        size: Side that they are enlarged to, bicubic; ``None`` leaves them as they are.
    """
    bunch = load_digits()
    # 17 grey levels, 0..16.
    images = torch.from_numpy(bunch.images).mul(255 / 16).round().to(torch.uint8)
    if size is not None and tuple(images.shape[1:]) != (size, size):
        squares = [to_square(Image.fromarray(image), size) for image in images.numpy()]
        images = torch.from_numpy(np.stack([np.asarray(square) for square in squares]))
    labels = torch.from_numpy(bunch.target).long()
    classes = tuple(str(name) for name in bunch.target_names)
    return ResidentSplit(images.unsqueeze(1), labels, labels, name="digits"), classes
