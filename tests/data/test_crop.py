import math

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp
from torchvision.transforms import RandomResizedCrop

from maxsup.data import centre_box, random_crop_box

DRAWS = 3000


@pytest.mark.parametrize(("width", "height"), [(500, 375), (375, 500), (30, 90), (64, 64)])
@pytest.mark.parametrize("scale", [(0.08, 1.0), (0.35, 0.4)])
def test_random_crop_box_is_distributed_as_torchvisions(
    width: int, height: int, scale: tuple[float, float]
) -> None:
    torch.manual_seed(0)
    image = torch.empty(3, height, width)
    theirs = [RandomResizedCrop.get_params(image, scale, [3 / 4, 4 / 3]) for _ in range(DRAWS)]
    generator = np.random.default_rng(0)
    ours = [random_crop_box(width, height, generator, scale) for _ in range(DRAWS)]
    for mine, other in zip(zip(*ours, strict=True), zip(*theirs, strict=True), strict=True):
        assert ks_2samp(mine, other).pvalue > 1e-4
    areas = [[box[2] * box[3] for box in boxes] for boxes in (ours, theirs)]
    assert ks_2samp(*areas).pvalue > 1e-4


@pytest.mark.parametrize(("width", "height"), [(1000, 10), (10, 1000), (1, 50), (7, 1), (1, 1)])
def test_random_crop_box_that_never_fits_is_torchvisions_centre(width: int, height: int) -> None:
    # A scale that no try can reach.
    theirs = RandomResizedCrop.get_params(
        torch.empty(3, height, width), [50.0, 60.0], [3 / 4, 4 / 3]
    )
    assert random_crop_box(width, height, 0, (50.0, 60.0)) == theirs


def test_random_crop_box_lies_inside() -> None:
    for seed in range(200):
        width, height = np.random.default_rng(seed).integers(1, 40, 2).tolist()
        box = random_crop_box(width, height, seed)
        assert min(box.top, box.left) >= 0
        assert min(box.height, box.width) >= 1
        assert box.top + box.height <= height
        assert box.left + box.width <= width
        assert box == random_crop_box(width, height, np.random.default_rng(seed))


def test_random_crop_box_draws_as_much_whatever_the_image() -> None:
    states = []
    for width, height in ((500, 375), (1000, 10)):
        generator = np.random.default_rng(0)
        random_crop_box(width, height, generator)
        states.append(generator.random())
    assert states[0] == states[1]


def test_centre_box_of_some_images() -> None:
    assert centre_box(256, 300, 224 / 256) == (38, 16, 224, 224)
    assert centre_box(5, 3) == (0, 1, 3, 3)
    assert centre_box(1, 1, 0.1) == (0, 0, 1, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 5, 0), "at least one pixel; got 0×5"),
        ((5, 5, 0, (0.0, 1.0)), "scale must be two positive"),
        ((5, 5, 0, (0.5, 0.1)), "scale must be two positive"),
        ((5, 5, 0, (0.5, 1.0), (-1.0, 1.0)), "ratio must be two positive"),
        ((5, 5, 0, (math.nan, 1.0)), "scale must be two positive"),
    ],
)
def test_random_crop_box_that_cannot_be(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        random_crop_box(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("fraction", [0.0, 1.1, -1.0, math.nan])
def test_centre_box_fraction_out_of_range(fraction: float) -> None:
    with pytest.raises(ValueError, match="fraction must lie"):
        centre_box(4, 4, fraction)
