"""The index of the largest logit."""

import functools

import torch
from torch import Tensor

from maxsup.losses._inputs import values_can_be_seen

# Wide enough that the maxima of the blocks are few, narrow enough that one block is few logits, and
# a multiple of four, which loads fastest.
_BLOCKS = range(64, 132, 4)


def top_class(logits: Tensor) -> tuple[Tensor, Tensor]:
    """The class with the largest logit, the first of several, and that logit.

    On the CPU torch finds a maximum without its index ten times as fast as with it. So long rows
    are first reduced to the maxima of short blocks, and the index is sought in one block only.

    Args:
        logits: Shape (N, K, ...).

    Returns:
        Index (int64) and value (the logits' dtype), each of shape (N, 1, ...).

    Example:
        >>> index, value = top_class(torch.tensor([[2.0, 5.0, 5.0]]))
        >>> index, value
        (tensor([[1]]), tensor([[5.]]))
    """
    num_classes = logits.shape[1]
    by_blocks = (  # on the CPU, and not where operations are recorded for later
        values_can_be_seen(logits)
        and logits.dim() == 2
        and logits.is_contiguous()
        and num_classes >= 4 * _BLOCKS[0]
        and logits.shape[0] > 0
    )
    if not by_blocks:
        # Not max(dim), which finds the first of equal logits only where a row lies in one piece.
        index = logits.argmax(dim=1, keepdim=True)
        return index, logits.gather(1, index)

    width = _block_width(num_classes)
    whole = num_classes // width
    examples = len(logits)
    if num_classes % width == 0:
        blocks = logits.detach().view(-1, width)
        block = blocks.amax(dim=1).view(examples, whole).max(dim=1).indices
        start = block * width
        chosen = blocks.index_select(
            0, block + torch.arange(0, examples * whole, whole, device="cpu")
        )
    else:
        maxima = logits[:, : whole * width].unflatten(1, (whole, width)).amax(dim=2)
        # The last block overlaps the one before, and is chosen only if that does not hold the top.
        maxima = torch.cat((maxima, logits[:, -width:].amax(dim=1, keepdim=True)), dim=1)
        start = (maxima.max(dim=1).indices * width).clamp_(max=num_classes - width)
        windows = logits.detach().view(-1).unfold(0, width, 1)
        chosen = windows.index_select(
            0, start + torch.arange(0, logits.numel(), num_classes, device="cpu")
        )
    value, inside = chosen.max(dim=1)
    return (start + inside).unsqueeze(1), value.unsqueeze(1)


@functools.cache
def _block_width(num_classes: int) -> int:
    """The first width without a remainder, if there is one."""
    even = (width for width in _BLOCKS if num_classes % width == 0)
    return next(even, _BLOCKS[0])
