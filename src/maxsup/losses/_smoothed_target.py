"""Targets that arrive smoothed, which an objective that regularises would smooth once more.

timm's ``Mixup`` smooths the targets that it mixes by 0.1 unless it is told not to.
"""

import sys
import warnings

import torch
from torch import Tensor

from maxsup.losses._inputs import values_can_be_seen

_ROWS = 8
# A floor that adds up to less than this is there to keep a logarithm finite.
_LEAST = 0.01

_targets_seen = 0
_told = False


def warn_of_smoothed_target(target: Tensor, coefficient: float | Tensor) -> None:
    """Warn, once in a process, of a target that has been smoothed before it came here.

    It looks at eight rows of the first target of probabilities, and of the second, fourth, eighth
    and so on, so that it costs nothing in the long run; and only where that makes no device wait,
    outside of compiled and transformed code.

    Args:
        target: As the caller of an objective gave it, not checked yet.
        coefficient: How much the objective itself smooths; with 0 there is nothing to warn of.
    """
    global _targets_seen, _told
    if torch.compiler.is_compiling() or _told:
        return
    if not isinstance(target, Tensor) or not target.is_floating_point():
        return
    _targets_seen += 1
    if _targets_seen & (_targets_seen - 1) or not _can_be_looked_at(target):
        return
    smoothing = smoothing_of(target)
    if smoothing is not None and not _is_zero(coefficient):
        _told = True
        warnings.warn(
            f"The target is smoothed already, by {smoothing:.2g} shared out over all classes, and "
            "this objective would smooth it a second time. Switch it off where the target is made: "
            "timm's Mixup(..., label_smoothing=0), or --smoothing 0 of its training script. Where "
            "both are meant, ignore this; it is said once.",
            stacklevel=_depth(),
        )


def smoothing_of(target: Tensor) -> float | None:
    """By how much one-hot labels, or mixtures of two, were smoothed to become a target.

    They are taken for smoothed if all rows that are looked at have the same least value, above 0,
    and all classes but one or two have exactly that. What a softmax gives, a teacher's or another,
    has a floor of its own in every row, if any.

    Args:
        target: Probabilities, shape (N, K, ...).

    Returns:
        What was shared out over all classes; None where the target does not look smoothed, or
        where fewer than two rows or four classes allow no answer.
    """
    if target.dim() < 2 or len(target) < 2 or target.shape[1] < 4 or target.numel() == 0:
        return None
    rows = target.detach()[:: -(-len(target) // _ROWS)]
    rows = rows.flatten(2)[:, :, 0] if rows.dim() > 2 else rows
    floors = rows.amin(dim=1, keepdim=True)
    lowest, highest = (float(floor) for floor in floors.aminmax())
    classes = rows.shape[1]
    # They were computed in float32 or less, whatever they have become since.
    rounding = 4 * max(torch.finfo(dtype).eps for dtype in (target.dtype, torch.float32))
    if not (lowest * classes >= _LEAST and highest - lowest <= rounding * highest):
        return None
    fewest, most = (int(count) for count in (rows == floors).sum(dim=1).aminmax())
    return lowest * classes if classes - 2 <= fewest and most < classes else None


def _can_be_looked_at(target: Tensor) -> bool:
    return type(target) in (Tensor, torch.nn.Parameter) and values_can_be_seen(target)


def _is_zero(coefficient: float | Tensor) -> bool:
    seen = not isinstance(coefficient, Tensor) or values_can_be_seen(coefficient)
    return seen and bool(coefficient == 0)


def _depth() -> int:
    """How many calls up the stack the first line outside of this package and torch stands."""
    depth, frame = 1, sys._getframe(1)
    while frame.f_back is not None:
        if frame.f_globals.get("__name__", "").split(".")[0] not in ("maxsup", "torch"):
            break
        depth, frame = depth + 1, frame.f_back
    return depth
