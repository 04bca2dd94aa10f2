"""Maps of where a model looks against boxes and masks of what is to be found.

The rules are those of Choe et al. 2020 (*Evaluating weakly supervised object localization methods
right*): every map is scaled from 0 to 1, and one threshold counts for the whole set.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric

from maxsup.measures._check import check_at_least
from maxsup.measures._components import components

IOUS = (0.3, 0.5, 0.7)
"""From which overlap on a box counts as found, for MaxBoxAccV2; the middle one for MaxBoxAcc."""
_ROUNDING = 1e-9
"""A value this little below a threshold is at it: enlarging rounds what was equal."""


def enlarge_maps(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps as large as the images, bilinear, each cell in the middle of the pixels that it covers.

    That is ``align_corners=False``: a cell of a 7×7 map covers 32×32 pixels of 224×224.

    Args:
        maps: (N, h, w).
        size: Height and width.

    Returns:
        (N, H, W) float64, on the CPU.
    """
    large = torch.nn.functional.interpolate(
        maps.detach().cpu().double().unsqueeze(1), size, mode="bilinear", align_corners=False
    )
    return large.squeeze(1)


class BoxIous(NamedTuple):
    """How well boxes around what lies above each threshold meet the true ones; float64."""

    largest: Tensor
    """(N, T): intersection over union of the largest component's box and the true box that it meets
    best; 0 where no pixel is left."""
    best: Tensor
    """(N, T): that of the best pair of any component's box and any true box."""


def box_ious(
    maps: Tensor, boxes: Sequence[Tensor], size: tuple[int, int], thresholds: int = 1001
) -> BoxIous:
    """What boxes around the parts of a map above each threshold have in common with true ones.

    A map is brought to the size of the image, bilinear (``align_corners=False``), and scaled by its
    least and largest value to 0…1; a constant map is 0 everywhere. At the threshold t, one of 0,
    1/(T − 1), …, 1, the pixels of t or more fall into 8-connected components, around each of which
    there is a box that holds its outermost pixels whole. The largest has the most pixels; of
    equally large ones it is the one that comes first in reading order. ``best`` is the best over
    all pairs of a component's box and a true box.

    Args:
        maps: (N, h, w), finite, of any size and floating dtype; ``one.expand(N, -1, -1)`` for the
            same one for all images is looked at once.
        boxes: For each image (G, 4), G ≥ 1: left, top, right and bottom edge in pixels of the
            image, inside it; a box of the pixels 3 to 5 goes from 3 to 6.
        size: Height and width of the images.
        thresholds: T, at least 2.

    Raises:
        ValueError: An argument is not as described; the message names the sample.

    Example:
        >>> maps = torch.zeros(1, 4, 4)
        >>> maps[0, 1:3, 1:] = 1
        >>> found = box_ious(maps, [torch.tensor([[1.0, 1.0, 3.0, 3.0]])], (4, 4), thresholds=3)
        >>> [[round(float(each), 3) for each in found.largest[0]]]
        [[0.25, 0.667, 0.667]]
    """
    _check_maps(maps)
    check_at_least("thresholds", thresholds, 2)
    if len(boxes) != len(maps):
        raise ValueError(
            f"boxes must have the boxes of each of the {len(maps)} images; got {len(boxes)}."
        )
    for number, of_image in enumerate(boxes):
        _check_boxes(of_image, size, number)
    found = torch.zeros(2, len(maps), thresholds, dtype=torch.float64)
    # One map for all images is looked at once.
    alike = len(maps) > 1 and maps.stride(0) == 0
    all_values, all_levels = _levels(maps[:1] if alike else maps, size, thresholds)
    for number in range(len(maps)):
        if number == 0 or not alike:
            levels = all_levels[number]
            parts = components(all_values[number], levels, thresholds)
        ious = _ious(parts.boxes, boxes[number].detach().cpu()).amax(dim=1)
        found[1, number].scatter_reduce_(0, parts.threshold, ious, "amax")
        # Of equally large ones the first.
        rank = parts.area * levels.numel() + levels.numel() - 1 - parts.first
        largest = rank.new_full((thresholds,), -1)
        largest.scatter_reduce_(0, parts.threshold, rank, "amax")
        chosen = rank == largest[parts.threshold]
        found[0, number, parts.threshold[chosen]] = ious[chosen]
    return BoxIous(found[0], found[1])


class BoxLocalizationValues(NamedTuple):
    """How many objects are found; float64, NaN without samples."""

    max_box_acc: Tensor
    """MaxBoxAcc: the fraction of the images whose largest component's box overlaps a true box by
    half or more, at the threshold that is best for all of them together; 0-dimensional."""
    max_box_acc_v2: Tensor
    """MaxBoxAccV2: the mean over the overlaps .3, .5 and .7, each with its own best threshold, of
    the fraction of the images where any component's box meets any true box; 0-dimensional."""
    threshold: Tensor
    """The threshold of ``max_box_acc``; of equally good ones the lowest; 0-dimensional."""
    largest: Tensor
    """(3, T): the fraction by overlap and threshold, of the largest component."""
    best: Tensor
    """(3, T): likewise, of the best component."""


class BoxLocalization(Metric):
    """MaxBoxAcc and MaxBoxAccV2 (Choe et al. 2020), over batches and processes.

    See :func:`box_ious` for how boxes come from a map. Not as in the authors' code, maps are
    enlarged bilinearly and not rounded to 8 bits, a box ends with its last pixel and not one
    behind it, and the largest component is the one of most pixels, not of the largest outline.

    Maps are looked at on the CPU, one after the other.

    Args:
        size: Height and width of the images.
        thresholds: How many, evenly from 0 to 1.
        **kwargs: Of :class:`torchmetrics.Metric`, such as ``sync_on_compute``.

    Raises:
        ValueError: An argument is not as described; in ``update``, see :func:`box_ious`.

    Example:
        >>> metric = BoxLocalization((4, 4))
        >>> maps = torch.zeros(1, 4, 4)
        >>> maps[0, 1:3, 1:] = 1
        >>> metric.update(maps, [torch.tensor([[1.0, 1.0, 3.0, 3.0]])])
        >>> values = metric.compute()
        >>> float(values.max_box_acc), round(float(values.max_box_acc_v2), 3)
        (1.0, 0.667)
        >>> float(values.threshold)
        0.001
    """

    full_state_update = False
    higher_is_better = None
    is_differentiable = False
    hits: Tensor
    count: Tensor

    def __init__(self, size: tuple[int, int], thresholds: int = 1001, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_at_least("thresholds", thresholds, 2)
        self.size, self.thresholds = size, thresholds
        hits = torch.zeros(2, len(IOUS), thresholds, dtype=torch.int64)
        self.add_state("hits", hits, dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, maps: Tensor, boxes: Sequence[Tensor], *, ious: BoxIous | None = None) -> None:
        """Add a batch: maps (N, h, w) and for each image its boxes (G, 4).

        ``ious`` is what :func:`box_ious` gives of them, where it is known already.
        """
        if ious is None:
            ious = box_ious(maps, boxes, self.size, self.thresholds)
        for hits, values in zip(self.hits, ious, strict=True):
            hits += is_found(values).sum(dim=0).to(hits.device)
        self.count += len(ious.largest)

    def compute(self) -> BoxLocalizationValues:
        """The values of all that was added."""
        found = self.hits.double() / self.count
        if not self.count:
            found = torch.full_like(found, torch.nan)
        at_half = found[0, IOUS.index(0.5)]
        return BoxLocalizationValues(
            max_box_acc=at_half.amax(),
            max_box_acc_v2=found[1].amax(dim=1).mean(),
            threshold=torch.where(
                self.count > 0, at_half.argmax().double() / (self.thresholds - 1), torch.nan
            ),
            largest=found[0],
            best=found[1],
        )


def is_found(ious: Tensor) -> Tensor:
    """Which overlaps (N, T) are enough, (N, 3, T), for each of .3, .5 and .7.

    An overlap of exactly .7 is enough, whatever dividing two areas is rounded to.
    """
    return ious.unsqueeze(1) >= ious.new_tensor(IOUS).view(-1, 1) - 1e-12


class PixelLocalizationValues(NamedTuple):
    """How well the pixels of an object are told from others; float64, NaN where undefined."""

    pxap: Tensor
    """PxAP: the area under precision over recall of all pixels of the set, in steps; 0-dim."""
    energy: Tensor
    """Energy-based pointing game (Wang et al. 2020): the mean over the images of the share of the
    map's sum that lies on the object; 0-dimensional."""
    precision: Tensor
    """(T,): of the pixels at or above each threshold, the fraction on an object; NaN where there
    are none."""
    recall: Tensor
    """(T,): of the pixels on objects, the fraction at or above each threshold."""
    area: Tensor
    """(T,): of all pixels, the fraction at or above each threshold."""


class PixelLocalization(Metric):
    """Maps against masks, pixel by pixel: PxAP (Choe et al. 2020), precision, recall and energy.

    Maps are enlarged and scaled as for :func:`box_ious`. With P(t) and R(t) precision and recall of
    the pixels of all images whose value is at the threshold t or above::

        PxAP = Σ_t P(t)·(R(t) − R(t'))

    over the thresholds from the highest down, t' the one above t, and R = 0 above them all.

    The energy is of the enlarged map as it is, not scaled: taking away its least value would change
    the shares. A map of zeros has no energy, and none on the object: it counts as 0.

    Args:
        size: Height and width of the images.
        thresholds: How many, evenly from 0 to 1.
        **kwargs: Of :class:`torchmetrics.Metric`, such as ``sync_on_compute``.

    Raises:
        ValueError: An argument is not as described; in ``update``, a map or mask is not.

    Example:
        >>> metric = PixelLocalization((2, 2))
        >>> metric.update(torch.tensor([[[0.0, 1.0], [2.0, 1.0]]]),
        ...               torch.tensor([[[False, True], [True, False]]]))
        >>> values = metric.compute()
        >>> round(float(values.pxap), 4), float(values.energy)
        (0.8333, 0.75)
    """

    full_state_update = False
    higher_is_better = None
    is_differentiable = False
    pixels: Tensor
    energy: Tensor
    count: Tensor

    def __init__(self, size: tuple[int, int], thresholds: int = 1001, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_at_least("thresholds", thresholds, 2)
        self.size, self.thresholds = size, thresholds
        # How many pixels there are beside objects and on them, by the threshold that they reach.
        pixels = torch.zeros(2, thresholds, dtype=torch.int64)
        self.add_state("pixels", pixels, dist_reduce_fx="sum")
        self.add_state("energy", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, maps: Tensor, masks: Tensor) -> None:
        """Add a batch: maps (N, h, w), 0 or more, and masks (N, H, W) of bool, True on objects."""
        _check_maps(maps)
        _check_masks(masks, maps, self.size)
        masks = masks.cpu()
        _, levels = _levels(maps, self.size, self.thresholds)
        cells = (masks.long() * self.thresholds + levels).flatten()
        counts = torch.bincount(cells, minlength=2 * self.thresholds)
        self.pixels += counts.view(2, self.thresholds).to(self.pixels.device)
        self.energy += energy_on(maps, masks).sum().to(self.energy.device)
        self.count += len(maps)

    def compute(self) -> PixelLocalizationValues:
        """The values of all that was added."""
        beside, on = self.pixels.flip(1).cumsum(1).flip(1).double()
        total = self.pixels.sum()
        precision, recall = on / (beside + on), on / on[0]
        gained = recall - torch.cat([recall[1:], recall.new_zeros(1)])
        return PixelLocalizationValues(
            pxap=torch.where(
                on[0] > 0, torch.where(gained > 0, precision * gained, 0.0).sum(), torch.nan
            ),
            energy=self.energy / self.count,
            precision=precision,
            recall=recall,
            area=(beside + on) / total,
        )


def energy_on(maps: Tensor, masks: Tensor) -> Tensor:
    """The share of each map's sum that lies on the mask, (N,) float64; 0 of a map of zeros.

    Args:
        maps: (N, h, w), 0 or more.
        masks: (N, H, W) of bool.

    >>> energy_on(torch.tensor([[[1.0, 3.0]]]), torch.tensor([[[False, True]]]))
    tensor([0.7500], dtype=torch.float64)
    """
    large = enlarge_maps(maps, (masks.shape[1], masks.shape[2]))
    total = large.sum(dim=(1, 2))
    inside = torch.where(masks.cpu(), large, 0.0).sum(dim=(1, 2))
    return torch.where(total > 0, inside / total, 0.0)


def boxes_as_mask(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """The pixels whose centres lie in any of the boxes, (H, W) of bool.

    Args:
        boxes: (G, 4): left, top, right and bottom edge.
        size: Height and width.

    >>> boxes_as_mask(torch.tensor([[0.6, 0.0, 2.0, 1.0]]), (1, 3))
    tensor([[False,  True, False]])
    """
    row = torch.arange(size[0], dtype=torch.float64).view(1, -1, 1) + 0.5
    column = torch.arange(size[1], dtype=torch.float64).view(1, 1, -1) + 0.5
    left, top, right, bottom = boxes.detach().cpu().double().T.reshape(4, -1, 1, 1)
    inside = (row >= top) & (row < bottom) & (column >= left) & (column < right)
    mask: Tensor = inside.any(dim=0)
    return mask


def centre_map(size: tuple[int, int]) -> Tensor:
    """A map that has not seen the image: the nearer to the centre, the larger; (H, W) float64.

    Above each threshold lies a box at the centre, of the image's shape, so that the best threshold
    means the best size of such a box.

    >>> centre_map((1, 5))
    tensor([[0.2000, 0.6000, 1.0000, 0.6000, 0.2000]], dtype=torch.float64)
    """
    along = []
    for length in size:
        place = torch.arange(length, dtype=torch.float64)
        along.append(1 - (2 * place - (length - 1)).abs() / length)
    return torch.minimum(along[0].unsqueeze(1), along[1].unsqueeze(0))


def _levels(maps: Tensor, size: tuple[int, int], thresholds: int) -> tuple[Tensor, Tensor]:
    """The enlarged maps from 0 to 1, and the highest threshold that each pixel of them reaches."""
    values = enlarge_maps(maps, size)
    least = values.amin(dim=(1, 2), keepdim=True)
    span = values.amax(dim=(1, 2), keepdim=True) - least
    values = torch.where(span > 0, (values - least) / torch.where(span > 0, span, 1.0), 0.0)
    steps = torch.arange(thresholds, dtype=torch.float64) / (thresholds - 1) - _ROUNDING
    return values, torch.searchsorted(steps, values.contiguous(), right=True) - 1


def _ious(found: Tensor, true: Tensor) -> Tensor:
    """Intersection over union of boxes (M, 4) and (G, 4), (M, G) float64."""
    found, true = found.double().unsqueeze(1), true.double().unsqueeze(0)
    width = torch.minimum(found[..., 2], true[..., 2]) - torch.maximum(found[..., 0], true[..., 0])
    height = torch.minimum(found[..., 3], true[..., 3]) - torch.maximum(found[..., 1], true[..., 1])
    common = width.clamp(min=0) * height.clamp(min=0)
    return common / (_area(found) + _area(true) - common)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def _check_maps(maps: Tensor) -> None:
    if not isinstance(maps, Tensor) or not maps.is_floating_point():
        came = maps.dtype if isinstance(maps, Tensor) else type(maps).__name__
        raise ValueError(f"maps must be a floating-point tensor; got {came}.")
    if maps.dim() != 3 or 0 in maps.shape[1:]:
        raise ValueError(f"maps must have shape (N, h, w); got {tuple(maps.shape)}.")
    finite = maps.isfinite().flatten(1).all(dim=1)
    if not finite.all():
        raise ValueError(
            f"maps holds NaN or infinite values in {int((~finite).sum())} of {len(maps)} samples, "
            f"the first of them number {int((~finite).nonzero()[0])}."
        )


def _check_boxes(boxes: Tensor, size: tuple[int, int], number: int) -> None:
    what = f"boxes of sample {number}"
    if not isinstance(boxes, Tensor) or boxes.dim() != 2 or boxes.shape[1] != 4:
        came = tuple(boxes.shape) if isinstance(boxes, Tensor) else type(boxes).__name__
        raise ValueError(f"{what} must have shape (G, 4); got {came}.")
    if not len(boxes):
        raise ValueError(f"{what}: there is none; leave images without a box out beforehand.")
    left, top, right, bottom = boxes.detach().cpu().double().T
    height, width = size
    wrong = ~(
        (left >= 0) & (left < right) & (right <= width)
        & (top >= 0) & (top < bottom) & (bottom <= height)
    )  # fmt: skip
    if wrong.any():
        edges = [round(float(each), 2) for each in boxes[int(wrong.nonzero()[0])]]
        raise ValueError(
            f"{what}: the box {edges} (left, top, right, bottom) is empty or lies outside of its "
            f"image of {width}×{height} pixels."
        )


def _check_masks(masks: Tensor, maps: Tensor, size: tuple[int, int]) -> None:
    if not isinstance(masks, Tensor) or masks.dtype != torch.bool:
        came = masks.dtype if isinstance(masks, Tensor) else type(masks).__name__
        raise ValueError(f"masks must be a tensor of bool; got {came}.")
    if tuple(masks.shape) != (len(maps), *size):
        raise ValueError(
            f"masks must have the images' size, shape {(len(maps), *size)}; "
            f"got {tuple(masks.shape)}."
        )
    empty = ~masks.flatten(1).any(dim=1)
    if empty.any():
        raise ValueError(
            f"masks: sample {int(empty.nonzero()[0])} has no object; leave such images out "
            "beforehand."
        )
    negative = (maps < 0).flatten(1).any(dim=1)
    if negative.any():
        raise ValueError(
            f"maps must be 0 or more; sample {int(negative.nonzero()[0])} has negative values."
        )
