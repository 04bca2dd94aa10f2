"""Mixup and CutMix."""

from dataclasses import dataclass

import numpy as np
import torch
from timm.data import Mixup
from torch import Tensor


@dataclass(frozen=True)
class Mixing:
    """Mixup and CutMix; with both, each batch takes one of them by lot."""

    mixup: float = 0.0
    """Alpha of Mixup; 0 for none."""
    cutmix: float = 0.0
    """Alpha of CutMix; 0 for none."""

    def __bool__(self) -> bool:
        return self.mixup > 0 or self.cutmix > 0


def mix(
    images: Tensor, labels: Tensor, mixing: Mixing, num_classes: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Mix each image with its mirror in the batch, by timm's ``Mixup``.

    timm smooths the labels by 0.1 unless told otherwise; here they are never smoothed, that being
    the objective's part.

    Args:
        images: (N, C, H, W) floating-point, N even; changed in place.
        labels: (N,) class indices.
        mixing: How to mix.
        num_classes: K.
        seed: Decides λ and where the cut lies.

    Returns:
        The images, and probabilities (N, K) float32: λ for one label, 1 − λ for the other.

    Raises:
        ValueError: N is odd.

    Example:
        >>> images, target = mix(torch.rand(2, 1, 4, 4), torch.tensor([0, 1]), Mixing(1.0), 3, 0)
        >>> torch.allclose(target.sum(dim=1), torch.ones(2)), float(target[0, 2])
        (True, 0.0)
    """
    if len(images) % 2:
        raise ValueError(f"Mixing takes an even number of images; got {len(images)}.")
    mixer = Mixup(
        mixup_alpha=mixing.mixup,
        cutmix_alpha=mixing.cutmix,
        label_smoothing=0.0,
        num_classes=num_classes,
    )
    # timm draws from numpy's global generator: give it a state of our own, and the old one back.
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        mixed, target = mixer(images, labels)
    finally:
        np.random.set_state(before)
    return mixed, target.to(torch.float32)
