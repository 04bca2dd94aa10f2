"""scikit-learn's digits, which need no network."""

import torch
from sklearn.datasets import load_digits

from maxsup.data.small._split import ResidentSplit


def read_digits() -> tuple[ResidentSplit, tuple[str, ...]]:
    """scikit-learn's 1,797 grey 8×8 digits with their classes."""
    bunch = load_digits()
    # 17 grey levels, 0..16.
    images = torch.from_numpy(bunch.images).mul(255 / 16).round().to(torch.uint8).unsqueeze(1)
    labels = torch.from_numpy(bunch.target).long()
    classes = tuple(str(name) for name in bunch.target_names)
    return ResidentSplit(images, labels, labels, name="digits"), classes
