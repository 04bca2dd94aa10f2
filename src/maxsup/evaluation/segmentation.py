"""What a segmentation model predicts of an image: at several scales, mirrored, in windows."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

_WINDOWS_AT_ONCE = 8


@torch.inference_mode()
def predict(
    model: Callable[[Tensor], Tensor],
    image: Tensor,
    *,
    scales: Sequence[float] = (1.0,),
    flip: bool = False,
    window: tuple[int, int] | None = None,
    stride: tuple[int, int] | None = None,
) -> Tensor:
    """The probabilities of each pixel's classes, averaged over views.

    At each scale the image is resized (bilinear), the model's logits are resized back, and their
    softmax is averaged over scales and mirrored views. With a window, logits of windows are
    averaged where they overlap; the last window of a row lies at its end. Where the resized image
    is smaller than the window, the window is the image.

    Args:
        model: In evaluation mode: images (N, C, H, W) to logits (N, K, H, W).
        image: (C, H, W), normalised, on the model's device.
        scales: Each above 0.
        flip: Whether each scale is seen mirrored, too.
        window: Height and width.
        stride: From a window to the next; two thirds of the window by default.

    Returns:
        (K, H, W) float32; ``.argmax(0)`` is the prediction.

    Raises:
        ValueError: A scale, window or stride is not as described.
    """
    if image.dim() != 3:
        raise ValueError(f"image must have shape (C, H, W); got {tuple(image.shape)}.")
    if not scales or min(scales) <= 0:
        raise ValueError(f"scales must be one or more numbers above 0; got {tuple(scales)}.")
    stride = _check_stride(window, stride)
    height, width = image.shape[1:]
    total: Tensor | None = None
    for scale in scales:
        views = _resize(image.unsqueeze(0), resized((height, width), scale))
        if flip:
            views = torch.cat([views, views.flip(3)])
        logits = (
            model(views).float()
            if window is None or stride is None
            else _in_windows(model, views, window, stride)
        )
        for number, view in enumerate(logits):
            shown = view.flip(2) if number else view
            found = _resize(shown.unsqueeze(0), (height, width))[0].softmax(dim=0)
            total = found if total is None else total.add_(found)
    assert total is not None
    return total / (len(scales) * (2 if flip else 1))


def resized(sides: Sequence[int], scale: float) -> tuple[int, int]:
    """The height and width at a scale of an image of this height and width.

    >>> resized((45, 60), 0.5)
    (22, 30)
    """
    height, width = sides
    return max(1, round(height * scale)), max(1, round(width * scale))


def _check_stride(
    window: tuple[int, int] | None, stride: tuple[int, int] | None
) -> tuple[int, int] | None:
    if window is None:
        if stride is not None:
            raise ValueError(f"stride {stride} has no effect without a window; give one.")
        return None
    if len(window) != 2 or min(window) < 1:
        raise ValueError(f"window must be a height and a width, each 1 or more; got {window}.")
    if stride is None:
        return max(1, window[0] * 2 // 3), max(1, window[1] * 2 // 3)
    if len(stride) != 2 or min(stride) < 1 or stride[0] > window[0] or stride[1] > window[1]:
        raise ValueError(
            f"stride must lie from 1 to the window's {window[0]}×{window[1]}, or pixels between "
            f"windows were not seen; got {stride}."
        )
    return stride


def _in_windows(
    model: Callable[[Tensor], Tensor],
    views: Tensor,
    window: tuple[int, int],
    stride: tuple[int, int],
) -> Tensor:
    """Logits of views (V, C, H, W), averaged over the windows that see a pixel."""
    height, width = views.shape[2:]
    tall, wide = min(window[0], height), min(window[1], width)
    corners = [
        (top, left)
        for top in _starts(height, tall, stride[0])
        for left in _starts(width, wide, stride[1])
    ]
    total: Tensor | None = None
    seen = views.new_zeros(height, width)
    at_once = max(1, _WINDOWS_AT_ONCE // len(views))
    for first in range(0, len(corners), at_once):
        some = corners[first : first + at_once]
        parts = torch.cat([views[:, :, y : y + tall, x : x + wide] for y, x in some])
        logits = model(parts).float()
        if total is None:
            total = logits.new_zeros(len(views), logits.shape[1], height, width)
        for (y, x), found in zip(some, logits.split(len(views)), strict=True):
            total[:, :, y : y + tall, x : x + wide] += found
            seen[y : y + tall, x : x + wide] += 1
    assert total is not None
    return total.div_(seen)


def _starts(length: int, window: int, stride: int) -> Iterator[int]:
    yield from range(0, length - window, stride)
    yield length - window


def _resize(maps: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(maps.shape[2:]) == size:
        return maps
    return interpolate(maps, size, mode="bilinear", align_corners=False)
