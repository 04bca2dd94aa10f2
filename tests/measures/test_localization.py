import math
import warnings

import numpy as np
import pytest
import torch
from scipy import ndimage

from maxsup.measures import (
    BoxLocalization,
    PixelLocalization,
    box_ious,
    boxes_as_mask,
    centre_map,
    energy_on,
)

SIZE, STEPS = (12, 16), 38
"""No multiple of a map's steps is a threshold, where rounding would decide."""


def draw(samples=9, grid=(4, 5), seed=0):
    """Maps with zeros, and one to three boxes an image, the first of them where its map is high."""
    generator = torch.Generator().manual_seed(seed)
    maps = torch.randn(samples, *grid, generator=generator).relu()
    boxes = []
    for number, map in enumerate(maps):
        row, column = divmod(int(map.argmax()), grid[1])
        corner = torch.rand(number % 3 + 1, 2, generator=generator) * torch.tensor([11.0, 8.0])
        corner[0] = torch.tensor([column * 16 / 5 - 2, row * 3 - 2]).clamp(0, 8)
        extent = torch.rand(number % 3 + 1, 2, generator=generator) * 3 + 1
        extent[0] += 3
        far = torch.minimum(corner + extent, torch.tensor([16.0, 12.0]))
        boxes.append(torch.cat([corner, far], dim=1))
    return maps, boxes


def masks_of(boxes):
    return torch.stack([boxes_as_mask(each, SIZE) for each in boxes])


def enlarged(map, size):
    """Bilinear by straight loops, from the middles of cells."""
    large = np.zeros(size)
    for row, column in np.ndindex(*size):
        parts = []
        for place, cells, pixels in ((row, map.shape[0], size[0]), (column, map.shape[1], size[1])):
            at = min(max((place + 0.5) * cells / pixels - 0.5, 0), cells - 1)
            low = min(int(at), cells - 1)
            parts.append(((low, 1 - (at - low)), (min(low + 1, cells - 1), at - low)))
        for r, down in parts[0]:
            for c, right in parts[1]:
                large[row, column] += map[r, c] * down * right
    return large


def scaled(map, size=SIZE):
    large = enlarged(map.double().numpy(), size)
    span = large.max() - large.min()
    return (large - large.min()) / span if span else 0 * large


def iou(one, other):
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return common / (sum(areas) - common)


def by_loops(map, boxes, size=SIZE, steps=STEPS):
    """For each threshold, of the largest component and of the best one."""
    values = scaled(map, size)
    largest, best = [], []
    for step in range(steps):
        labels, count = ndimage.label(
            values >= step / (steps - 1) - 1e-9, structure=np.ones((3, 3))
        )
        sizes, ious = [], []
        for number in range(1, count + 1):
            rows, columns = np.nonzero(labels == number)
            box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            sizes.append(len(rows))
            ious.append(max(iou(box, true) for true in boxes.tolist()))
        largest.append(ious[sizes.index(max(sizes))] if sizes else 0)
        best.append(max(ious, default=0))
    return largest, best


def test_overlaps_equal_straight_loops():
    maps, boxes = draw()
    found = box_ious(maps, boxes, SIZE, STEPS)
    for number, (map, of_image) in enumerate(zip(maps, boxes, strict=True)):
        largest, best = by_loops(map, of_image)
        assert found.largest[number].tolist() == pytest.approx(largest, abs=1e-12)
        assert found.best[number].tolist() == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("size", [(1, 7), (9, 1), (6, 8)])
def test_maps_of_noise_with_ties(size):
    generator = torch.Generator().manual_seed(1)
    box = [torch.tensor([[0.0, 0.0, float(size[1]), float(size[0])]])]
    for levels in (2, 3, 50):
        maps = torch.randint(levels, (1, *size), generator=generator).double()
        found = box_ious(maps, box, size, 11)
        largest, best = by_loops(maps[0], box[0], size, 11)
        assert found.largest[0].tolist() == pytest.approx(largest, abs=1e-12)
        assert found.best[0].tolist() == pytest.approx(best, abs=1e-12)


def test_one_threshold_for_the_whole_set():
    maps, boxes = draw()
    metric = BoxLocalization(SIZE, STEPS)
    for part in (slice(0, 4), slice(4, 9)):
        metric.update(maps[part], boxes[part])
    values = metric.compute()
    loops = [by_loops(map, of_image) for map, of_image in zip(maps, boxes, strict=True)]
    for kind, curves in enumerate((values.largest, values.best)):
        for place, least in enumerate((0.3, 0.5, 0.7)):
            hits = [
                sum(each[kind][step] >= least for each in loops) / len(maps)
                for step in range(STEPS)
            ]
            assert curves[place].tolist() == pytest.approx(hits)
            if (kind, least) == (0, 0.5):
                assert float(values.max_box_acc) == max(hits) > 0
                assert float(values.threshold) == hits.index(max(hits)) / (STEPS - 1)
    v2 = sum(float(curve.max()) for curve in values.best) / 3
    assert float(values.max_box_acc_v2) == pytest.approx(v2)
    # Each image at its own best threshold would find more.
    assert values.max_box_acc < sum(max(each[0]) >= 0.5 for each in loops) / len(maps)


def test_pixels_equal_straight_loops():
    maps, boxes = draw()
    masks = masks_of(boxes)
    metric = PixelLocalization(SIZE, STEPS)
    metric.update(maps[:5], masks[:5])
    metric.update(maps[5:], masks[5:])
    values = metric.compute()
    pixels = np.stack([scaled(map) for map in maps])
    truth = masks.numpy()
    last, area = 0.0, 0.0
    for step in reversed(range(STEPS)):
        chosen = pixels >= step / (STEPS - 1) - 1e-9
        precision = (chosen & truth).sum() / chosen.sum()
        recall = (chosen & truth).sum() / truth.sum()
        assert float(values.precision[step]) == pytest.approx(precision)
        assert float(values.recall[step]) == pytest.approx(recall)
        assert float(values.area[step]) == pytest.approx(chosen.mean())
        area, last = area + precision * (recall - last), recall
    assert float(values.pxap) == pytest.approx(area)
    raw = [enlarged(map.double().numpy(), SIZE) for map in maps]
    shares = [each[mask].sum() / each.sum() for each, mask in zip(raw, truth, strict=True)]
    assert float(values.energy) == pytest.approx(sum(shares) / len(shares))
    assert energy_on(maps, masks).tolist() == pytest.approx(shares)


def flat(values):
    return torch.cat([value.double().flatten() for value in values])


def measured(order):
    maps, boxes = draw()
    box, pixel = BoxLocalization(SIZE, STEPS), PixelLocalization(SIZE, STEPS)
    if len(order):
        box.update(maps[order], [boxes[each] for each in order])
        pixel.update(maps[order], masks_of([boxes[each] for each in order]))
    return torch.cat([flat(box.compute()), flat(pixel.compute())])


def test_order_of_the_samples_never_matters():
    expected = measured(list(range(9)))
    for seed in range(3):
        order = torch.randperm(9, generator=torch.Generator().manual_seed(seed)).tolist()
        assert torch.allclose(measured(order), expected, rtol=0, atol=1e-12)


def test_a_map_of_one_value_is_the_whole_image_at_threshold_0_alone():
    box = torch.tensor([[0.0, 0.0, 16.0, 9.0]])
    found = box_ious(torch.ones(1, 3, 3), [box], SIZE, STEPS)
    assert found.largest[0, 0] == 0.75
    assert found.largest[0, 1:].abs().max() == 0
    metric = PixelLocalization(SIZE, STEPS)
    metric.update(torch.ones(1, 3, 3), boxes_as_mask(box, SIZE)[None])
    values = metric.compute()
    assert (float(values.pxap), float(values.energy)) == (0.75, 0.75)
    assert values.precision[1:].isnan().all()
    metric.reset()
    metric.update(torch.zeros(1, 3, 3), boxes_as_mask(box, SIZE)[None])
    assert (float(metric.compute().pxap), float(metric.compute().energy)) == (0.75, 0)


def test_a_map_that_is_the_object_finds_it():
    box = torch.tensor([[4.0, 3.0, 9.0, 8.0]])
    mask = boxes_as_mask(box, SIZE)
    found = box_ious(mask[None].double(), [box], SIZE, STEPS)
    assert found.largest[0, 1:].min() == 1
    metric = PixelLocalization(SIZE, STEPS)
    metric.update(mask[None].double(), mask[None])
    assert float(metric.compute().energy) == 1
    # At the threshold 0 all pixels are in: precision falls to the object's share, recall stays.
    assert float(metric.compute().pxap) == 1


def test_the_map_of_the_centre_holds_boxes_of_all_sizes():
    for size in ((5, 8), (8, 5), (6, 6)):
        map = centre_map(size)
        assert (float(map.min()) > 0, float(map.max()) <= 1) == (True, True)
        for threshold in map.unique().tolist():
            rows, columns = np.nonzero((map >= threshold).numpy())
            height, width = rows.max() - rows.min() + 1, columns.max() - columns.min() + 1
            assert len(rows) == height * width
            assert rows.min() + rows.max() == size[0] - 1
            assert columns.min() + columns.max() == size[1] - 1


def test_without_samples():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        box, pixel = BoxLocalization(SIZE).compute(), PixelLocalization(SIZE).compute()
    assert all(value.isnan().all() for value in (*box, *pixel))


def test_one_map_for_all_images():
    maps, boxes = draw()
    expected = box_ious(maps[:1].repeat(9, 1, 1), boxes, SIZE, STEPS)
    found = box_ious(maps[:1].expand(9, -1, -1), boxes, SIZE, STEPS)
    assert torch.equal(found.largest, expected.largest)
    assert torch.equal(found.best, expected.best)


def test_bad_boxes_and_maps_name_the_sample():
    maps = torch.rand(2, 3, 3)
    good = torch.tensor([[0.0, 0.0, 16.0, 12.0]])
    for bad, message in (
        (
            torch.tensor([[1.0, 1.0, 17.0, 5.0]]),
            r"sample 1: the box \[1.0, 1.0, 17.0, 5.0\].*16×12",
        ),
        (torch.tensor([[3.0, 1.0, 3.0, 5.0]]), "sample 1: the box .* is empty"),
        (torch.tensor([[1.0, math.nan, 3.0, 5.0]]), "sample 1: the box"),
        (torch.zeros(0, 4), "sample 1: there is none"),
        (torch.zeros(4), r"sample 1 must have shape \(G, 4\); got \(4,\)"),
    ):
        with pytest.raises(ValueError, match=message):
            box_ious(maps, [good, bad], SIZE)
    with pytest.raises(ValueError, match="each of the 2 images; got 1"):
        box_ious(maps, [good], SIZE)
    maps[1, 0, 0] = math.nan
    with pytest.raises(ValueError, match="in 1 of 2 samples, the first of them number 1"):
        box_ious(maps, [good, good], SIZE)
    with pytest.raises(ValueError, match=r"shape \(N, h, w\); got \(3, 3\)"):
        box_ious(maps[0], [good], SIZE)


def test_bad_masks_name_the_sample():
    metric = PixelLocalization(SIZE)
    masks = torch.ones(2, *SIZE, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"shape \(2, 12, 16\); got \(2, 11, 16\)"):
        metric.update(torch.rand(2, 3, 3), masks[:, :11])
    with pytest.raises(ValueError, match=r"tensor of bool; got torch\.int64"):
        metric.update(torch.rand(2, 3, 3), masks.long())
    masks[1] = False
    with pytest.raises(ValueError, match="sample 1 has no object"):
        metric.update(torch.rand(2, 3, 3), masks)
    with pytest.raises(ValueError, match="sample 0 has negative values"):
        metric.update(torch.rand(2, 3, 3) - 1, masks | True)
