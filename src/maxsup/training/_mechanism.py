"""What label smoothing does to the logits that a model is trained on, whatever its objective.

Label smoothing's penalty splits in two (MaxSup paper, Corollary 3.4):
α·(z_gt − z̄) = (α/K)·Σ_{z_m<z_gt} (z_gt − z_m) + (α/K)·Σ_{z_n>z_gt} (z_gt − z_n).
The first sum, the regularization, is at least 0; the second, the error enhancement, is at most 0,
and is 0 exactly where the model is right. MaxSup's penalty, α·(z_max − z̄), has no second sum.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

REGULARIZATION = "train_regularization"
ERROR_ENHANCEMENT = "train_error_enhancement"
LOGIT_GAP = "train_logit_gap_wrong"
CONFIDENCE = "train_confidence_wrong"
WRONG = "train_wrong"

SUMS = 4
"""How many numbers :attr:`Seen.sums` holds."""


class Seen(NamedTuple):
    """Sums over the images of a batch, still on the device."""

    correct: Tensor
    """0-dimensional int64: how many labels are predicted right."""
    counted: Tensor
    """0-dimensional int64: how many labels there are."""
    sums: Tensor
    """(4,) float64: both terms of Corollary 3.4 with α = 1, and z_max − z_gt and the confidence
    where the model is wrong."""


@torch.no_grad()
def look_at(logits: Tensor, target: Tensor) -> Seen:
    """Add up the mechanism over a batch, without waiting for the device.

    The true class of a mixed target (Mixup, CutMix) is its larger part, the first one of equal
    parts.

    Args:
        logits: (B, K).
        target: (B,) class indices, or (B, K) probabilities.

    Example:
        >>> logits = torch.tensor([[2.0, 0.0, 1.0], [0.0, 3.0, 1.0]])
        >>> correct, _, sums = look_at(logits, torch.tensor([0, 2]))
        >>> int(correct), [round(each, 3) for each in sums.tolist()]
        (1, [1.333, -0.667, 2.0, 0.844])
    """
    labels = target.argmax(dim=1) if target.is_floating_point() else target
    logits = logits.float()
    top, predicted = logits.max(dim=1)
    true = logits.gather(1, labels.unsqueeze(1))
    right = predicted == labels
    above = true - logits
    # Each sum by itself: as the rest of another it would be off by that one's rounding.
    regularization = above.relu().sum() / logits.shape[1]
    enhancement = above.clamp_(max=0).sum() / logits.shape[1]
    gap = (top - true.squeeze(1)).sum()  # 0 where the model is right
    confidence = logits.softmax(dim=1).amax(dim=1).masked_fill_(right, 0.0).sum()
    sums = torch.stack((regularization, enhancement, gap, confidence)).double()
    return Seen(right.sum(), torch.full_like(right.sum(), len(labels)), sums)


def mechanism_figures(sums: Sequence[Sequence[float]], correct: int, seen: int) -> dict[str, float]:
    """An epoch's figures from its sums; what does not exist is left out.

    Args:
        sums: :attr:`Seen.sums` of each process's images.
        correct: How many were predicted right.
        seen: How many there were.
    """
    regularization, enhancement, gap, confidence = map(sum, zip(*sums, strict=True))
    wrong = seen - correct
    figures = {
        WRONG: wrong / seen,
        REGULARIZATION: regularization / seen,
        ERROR_ENHANCEMENT: enhancement / seen,
    }
    if wrong:
        figures |= {LOGIT_GAP: gap / wrong, CONFIDENCE: confidence / wrong}
    return {name: value for name, value in figures.items() if math.isfinite(value)}
