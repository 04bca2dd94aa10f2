import colorsys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.data.folders import picture
from tests.data.masks import mask, mask_parquet, pairs
from torch import Tensor
from torch.nn.functional import interpolate

from maxsup.data import DataSettings, Normalization
from maxsup.data.masks import MaskBatches, MaskBatchSettings, MaskSplit, load_masks
from maxsup.data.masks._distortion import distort
from maxsup.data.masks._geometry import resized_to

PLAIN = Normalization((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255))
"""Leaves pixels as they are, as floats."""


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> MaskSplit:
    """Images of several sizes."""
    root = tmp_path_factory.mktemp("masks")
    sizes = [(16, 12), (9, 20), (31, 17), (8, 8)]
    found = [(picture(seed, sizes[seed % 4]), mask(seed, sizes[seed % 4])) for seed in range(22)]
    data = load_masks(DataSettings(mask_parquet(root, {"train": found, "test": pairs(2, 50)})))
    return data.train


def batches(split: MaskSplit, rank: int = 0, processes: int = 1, **changes: Any) -> MaskBatches:
    options: dict[str, Any] = {"batch_size": 4, "seed": 0, "normalization": PLAIN, "crop": (10, 14)}
    settings = MaskBatchSettings(**(options | changes))
    found = split.training_batches(settings, rank=rank, processes=processes)
    assert isinstance(found, MaskBatches)
    return found


def joined(split: MaskSplit, processes: int = 1, epoch: int = 0, **changes: Any) -> list[Tensor]:
    parts = [list(batches(split, r, processes, **changes).epoch(epoch)) for r in range(processes)]
    return [
        torch.cat([part[step][which] for part in parts])
        for step in range(len(parts[0]))
        for which in (0, 1)
    ]


def reference(
    image: Tensor,
    labels: Tensor,
    size: tuple[int, int],
    corner: tuple[int, int],
    crop: tuple[int, int],
    flip: bool,
) -> tuple[Tensor, Tensor]:
    """Resize everything, then pad, crop and mirror it, by torch's own functions."""
    pixels = interpolate(image[None].double(), size, mode="bilinear", align_corners=False)[0]
    found = interpolate(labels[None, None].double(), size, mode="nearest-exact")[0, 0].long()
    down, across = (max(c - s, 0) for c, s in zip(crop, size, strict=True))
    pixels = torch.nn.functional.pad(pixels, (0, across, 0, down))
    found = torch.nn.functional.pad(found, (0, across, 0, down), value=255)
    top, left = corner
    pixels = pixels[:, top : top + crop[0], left : left + crop[1]]
    found = found[top : top + crop[0], left : left + crop[1]]
    return (pixels.flip(2), found.flip(1)) if flip else (pixels, found)


@pytest.mark.parametrize("resize", [None, (20, 10)])
@pytest.mark.parametrize("scale", [(0.5, 2.0), (1.0, 1.0)])
def test_batches_are_what_resizing_cropping_and_mirroring_give(
    split: MaskSplit, scale: tuple[float, float], resize: tuple[int, int] | None
) -> None:
    made = batches(split, scale=scale, resize=resize)
    order, draws = made._draws(3)
    place = 0
    flips, padded = 0, 0
    for images, labels in made.epoch(3):
        assert images.dtype == torch.float32
        assert labels.dtype == torch.int64
        for image, found in zip(images, labels, strict=True):
            stored, truth = split.item(int(order[place]))
            factor, flip, down, across = draws[place, :4].tolist()
            size = resized_to(*truth.shape, scale[0] + (scale[1] - scale[0]) * factor, resize)
            room = [max(side - c, 0) + 1 for side, c in zip(size, (10, 14), strict=True)]
            corner = int(down * room[0]), int(across * room[1])
            expected = reference(stored, truth, size, corner, (10, 14), flip < 0.5)
            assert torch.allclose(image.double(), expected[0], atol=1e-3)
            assert torch.equal(found, expected[1])
            flips += flip < 0.5
            padded += size[0] < 10 or size[1] < 14
            place += 1
    assert place == 20
    assert 0 < flips < 20
    assert padded


def test_images_at_their_own_size_stay_what_they_are(split: MaskSplit) -> None:
    whole = split.select(torch.arange(0, 20, 4))  # 16×12 each
    made = batches(whole, crop=(12, 16), scale=(1.0, 1.0), flip=False, batch_size=5)
    order = made._draws(0)[0]
    ((images, labels),) = made.epoch(0)
    for image, found, index in zip(images, labels, order.tolist(), strict=True):
        stored, truth = whole.item(index)
        assert torch.equal(image, stored.float())
        assert torch.equal(found, truth.long())


def test_no_label_is_invented_by_interpolation(tmp_path: Path) -> None:
    """Between labels 0 and 200 there is no 100."""
    found = [(picture(seed), mask(seed, (8, 8), (0, 200))) for seed in range(8)]
    names = [f"class {label}" for label in range(201)]
    from maxsup.data.masks import MaskSettings

    data = load_masks(
        DataSettings(mask_parquet(tmp_path, {"train": found, "test": found[:1]})),
        mask=MaskSettings(classes=tuple(names)),
    )
    for epoch in range(5):
        for _, labels in batches(data.train, crop=(13, 13), scale=(0.3, 3.0)).epoch(epoch):
            assert set(labels.unique().tolist()) <= {0, 200, 255}


def test_beyond_the_image_is_void_and_the_mean(split: MaskSplit) -> None:
    mean = Normalization((0.5, 0.4, 0.3), (0.2, 0.2, 0.2))
    changes = {"crop": (40, 40), "normalization": mean, "photometric_distortion": True}
    for images, labels in batches(split, **changes).epoch(0):
        rows = (images != 0).any(dim=1)
        assert not rows.all()
        assert (labels[~rows] == 255).float().mean() > 0.999


@pytest.mark.parametrize("processes", [1, 2, 4])
@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_the_same_for_any_processes_and_readers(
    split: MaskSplit, processes: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"photometric_distortion": True, "cat_max_ratio": 0.75}
    expected = joined(split, **changes)
    if workers:
        monkeypatch.setattr(split.files, "keep", False)
        monkeypatch.setattr(split.files, "_kept", {})
    assert batches(split, workers=workers).readers == workers
    found = joined(split, processes, workers=workers, **changes)
    assert len(found) == 10
    assert all(map(torch.equal, found, expected))


def test_batches_go_on_in_the_middle_of_an_epoch(split: MaskSplit) -> None:
    whole = list(batches(split, photometric_distortion=True).epoch(2))
    rest = list(batches(split, photometric_distortion=True).epoch(2, start=3))
    assert len(rest) == 2
    for ours, theirs in zip(rest, whole[3:], strict=True):
        assert all(map(torch.equal, ours, theirs))


def test_digests_tell_seeds_epochs_and_augmentation(split: MaskSplit) -> None:
    made = batches(split)
    others: list[dict[str, Any]] = [
        {"seed": 1}, {"crop": (11, 14)}, {"scale": (0.5, 1.0)}, {"flip": False},
        {"photometric_distortion": True}, {"cat_max_ratio": 0.75}, {"resize": (20, 10)},
    ]  # fmt: skip
    digests = [made.digest(0), made.digest(1), *(batches(split, **o).digest(0) for o in others)]
    assert len(set(digests)) == len(digests)
    assert made.digest(0) == batches(split, 1, 2).digest(0) == batches(split, workers=3).digest(0)


def test_crops_avoid_a_single_class(tmp_path: Path) -> None:
    """Nine of ten columns are of one class: a crop that has another is found where there is one."""
    labels = np.zeros((10, 100), dtype=np.uint8)
    labels[:, 90:] = 1
    image = picture(0, (100, 10))
    found = [(image, Image.fromarray(labels))] * 64
    data = load_masks(DataSettings(mask_parquet(tmp_path, {"train": found, "test": found[:1]})))

    def varied(ratio: float) -> float:
        made = batches(data.train, crop=(10, 10), scale=(1.0, 1.0), cat_max_ratio=ratio)
        each = [len(crop.unique()) for _, batch in made.epoch(0) for crop in batch]
        return sum(count > 1 for count in each) / len(each)

    assert varied(1.0) < 0.3
    assert varied(0.95) > 0.4


def test_void_alone_is_a_crop_like_others(tmp_path: Path) -> None:
    void = Image.fromarray(np.full((12, 16), 255, dtype=np.uint8))
    found = [*pairs(3), (picture(9, (16, 12)), void)]
    data = load_masks(DataSettings(mask_parquet(tmp_path, {"train": found, "test": found[:1]})))
    ((_, labels),) = batches(data.train, crop=(5, 5), cat_max_ratio=0.75).epoch(0)
    assert sum(bool((crop == 255).all()) for crop in labels) == 1


def pixel_reference(pixel: Sequence[float], draws: Sequence[float]) -> list[float]:
    """One pixel from 0 to 255, changed by Python's own colours."""
    changes = [draw < 0.5 for draw in draws[:4]]
    contrast = 0.5 + draws[6]

    def scaled(values: Sequence[float]) -> list[float]:
        return [min(max(value * contrast, 0), 255) for value in values]

    values = list(pixel)
    if changes[0]:
        values = [min(max(value + (2 * draws[5] - 1) * 32, 0), 255) for value in values]
    if changes[1] and draws[4] < 0.5:
        values = scaled(values)
    hue, saturation, value = colorsys.rgb_to_hsv(*(each / 255 for each in values))
    if changes[2]:
        saturation = min(saturation * (0.5 + draws[7]), 1)
    if changes[3]:
        hue = (hue + (2 * draws[8] - 1) * 0.1) % 1
    values = [255 * each for each in colorsys.hsv_to_rgb(hue, saturation, value)]
    return scaled(values) if changes[1] and draws[4] >= 0.5 else values


def test_distortion_is_that_of_single_pixels() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (40, 3, 3, 5), generator=generator).float()
    images[:, :, 0, 0], images[:, :, 0, 1], images[:, 1:, 0, 2] = 0, 128, 0
    draws = torch.rand(40, 9, generator=generator)
    found = distort(images, draws)
    for image, changed, draw in zip(images, found, draws.tolist(), strict=True):
        for pixel, ours in zip(image.flatten(1).T, changed.flatten(1).T, strict=True):
            expected = pixel_reference(pixel.tolist(), draw)
            assert ours.tolist() == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 23}, "22 training images, fewer than batch_size"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"crop": (0, 5)}, "crop must be at least 1 pixel"),
        ({"scale": (2.0, 0.5)}, "scale must be the least and the most"),
        ({"scale": (0.0, 0.5)}, "scale must be the least and the most"),
        ({"cat_max_ratio": 0.0}, "cat_max_ratio must lie in"),
        ({"resize": (0, 512)}, "resize must be sides"),
        ({"workers": -1}, "workers must not be negative"),
        ({"batch_size": 5, "processes": 2}, "multiple of the 2 processes"),
    ],
)
def test_batches_that_cannot_be_made(
    split: MaskSplit, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        batches(split, **changes)
