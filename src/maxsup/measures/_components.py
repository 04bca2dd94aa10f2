"""Connected components of a map at every threshold, found in one go.

Each pixel flows to the highest of its neighbours and so to a summit; at a threshold, two pixels are
connected just where their summits are, over passes between neighbouring basins that are as high.
So the few summits of a smooth map are joined pass by pass, the highest first, and what is known of
a basin at each threshold is added up, instead of labelling all pixels a thousand times.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Components(NamedTuple):
    """All components of a map at all thresholds, one row for a component at a threshold."""

    threshold: Tensor
    """(M,) int64: index of the threshold."""
    area: Tensor
    """(M,) int64: pixels."""
    boxes: Tensor
    """(M, 4) int64: left, top, right and bottom edge, right and bottom behind the last pixel."""
    first: Tensor
    """(M,) int64: the component's first pixel in reading order."""


def components(values: Tensor, levels: Tensor, thresholds: int) -> Components:
    """The 8-connected components of the pixels at or above each threshold.

    Args:
        values: (H, W), finite.
        levels: (H, W) int64: the index of the highest threshold that each value reaches; it does
            not fall where values rise. Pixels are in at this threshold and at all lower ones.
        thresholds: How many there are, T.

    Example:
        >>> levels = torch.tensor([[2, 0, 1], [0, 0, 1]])
        >>> found = components(levels.double(), levels, 3)
        >>> order = found.threshold.argsort(stable=True)
        >>> found.threshold[order].tolist(), found.area[order].tolist()
        ([0, 1, 1, 2], [6, 1, 2, 1])
        >>> found.boxes[found.area == 2].tolist()
        [[2, 0, 3, 2]]
    """
    basins, summits = _basins(values)
    count = len(summits)
    area, extremes = _by_level(basins, levels, count, thresholds)
    passes, between = _passes(basins, levels, count)
    upper = levels.flatten()[summits].tolist()
    owner = list(range(count))
    kept_area, kept_extremes, kept_at = [], [], []

    def keep(basin: int, lowest: int) -> None:
        """The component as it is between a threshold and the highest one that it is whole at."""
        if lowest <= upper[basin]:
            part = slice(lowest, upper[basin] + 1)
            kept_area.append(area[basin, part].clone())
            kept_extremes.append(extremes[basin, :, part].clone())
            kept_at.append(torch.arange(lowest, upper[basin] + 1))

    for height, (one, other) in zip(passes.tolist(), between.tolist(), strict=True):
        a, b = _find(owner, one), _find(owner, other)
        if a == b:
            continue
        keep(a, height + 1)
        keep(b, height + 1)
        area[a, : height + 1] += area[b, : height + 1]
        torch.maximum(
            extremes[a, :, : height + 1],
            extremes[b, :, : height + 1],
            out=extremes[a, :, : height + 1],
        )
        owner[b], upper[a] = a, height
    for basin in {_find(owner, each) for each in range(count)}:
        keep(basin, 0)
    left, top, right, bottom, first = torch.cat(kept_extremes, dim=1).long()
    boxes = torch.stack([-left, -top, right + 1, bottom + 1], dim=1)
    return Components(torch.cat(kept_at), torch.cat(kept_area).long(), boxes, -first)


def _basins(values: Tensor) -> tuple[Tensor, Tensor]:
    """The number of each pixel's basin, (H, W), and the pixel that is its summit, (basins,)."""
    height, width = values.shape
    place = torch.arange(height * width).view(height, width)
    padded = torch.nn.functional.pad(values, (1, 1, 1, 1), value=-torch.inf)
    padded_place = torch.nn.functional.pad(place, (1, 1, 1, 1), value=-1)
    best, goes_to = values.clone(), place.clone()
    for down in (0, 1, 2):
        for right in (0, 1, 2):
            value = padded[down : down + height, right : right + width]
            where = padded_place[down : down + height, right : right + width]
            # Of equal values the later pixel counts as the higher, so that none go in a circle.
            higher = (value > best) | ((value == best) & (where > goes_to))
            best = torch.where(higher, value, best)
            goes_to = torch.where(higher, where, goes_to)
    goes_to = goes_to.flatten()
    while True:
        further = goes_to[goes_to]
        if torch.equal(further, goes_to):
            break
        goes_to = further
    summits, basins = goes_to.unique(return_inverse=True)
    return basins.view(height, width), summits


def _by_level(basins: Tensor, levels: Tensor, count: int, thresholds: int) -> tuple[Tensor, Tensor]:
    """Of each basin's pixels at or above each threshold the number, (basins, T), and extremes.

    The extremes are (basins, 5, T): the largest of −column, −row, column, row and −pixel.
    """
    height, width = levels.shape
    row = torch.arange(height, dtype=torch.int32).unsqueeze(1).expand(height, width)
    column = torch.arange(width, dtype=torch.int32).expand(height, width)
    pixel = row * width + column
    cell = (basins * thresholds + levels).flatten()
    area = torch.bincount(cell, minlength=count * thresholds).view(count, thresholds)
    extremes = torch.full((5, count * thresholds), -height * width, dtype=torch.int32)
    for found, values in zip(extremes, (-column, -row, column, row, -pixel), strict=True):
        found.scatter_reduce_(0, cell, values.flatten(), "amax")
    extremes = extremes.view(5, count, thresholds).transpose(0, 1)
    return (
        area.flip(1).cumsum(1, dtype=torch.int32).flip(1),
        extremes.flip(2).cummax(2).values.flip(2),
    )


def _passes(basins: Tensor, levels: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The highest pass between each two neighbouring basins, (P,), and the two, (P, 2).

    The highest passes come first.
    """
    everything, but_last, but_first = slice(None), slice(None, -1), slice(1, None)
    neighbours = (
        ((everything, but_last), (everything, but_first)),
        ((but_last, everything), (but_first, everything)),
        ((but_last, but_last), (but_first, but_first)),
        ((but_last, but_first), (but_first, but_last)),
    )
    pairs, heights = [], []
    for one, other in neighbours:
        first, second = basins[one].flatten(), basins[other].flatten()
        differ = first != second
        first, second = first[differ], second[differ]
        pairs.append(torch.minimum(first, second) * count + torch.maximum(first, second))
        heights.append(
            torch.minimum(levels[one].flatten()[differ], levels[other].flatten()[differ])
        )
    found, group = torch.cat(pairs).unique(return_inverse=True)
    highest = torch.zeros(len(found), dtype=torch.int64)
    highest.scatter_reduce_(0, group, torch.cat(heights), "amax")
    order = highest.argsort(descending=True, stable=True)
    two = torch.stack([found // count, found % count], dim=1)
    return highest[order], two[order]


def _find(owner: list[int], basin: int) -> int:
    """The basin that stands for all that are connected with this one by now."""
    while owner[basin] != basin:
        owner[basin] = owner[owner[basin]]
        basin = owner[basin]
    return basin
