import numpy as np
import pytest
import torch
from torch import Tensor

from maxsup.data import DataSettings, load_images
from maxsup.data.corruptions import COMMON, EXTRA, KINDS, CorruptedSplit, corrupt
from maxsup.data.corruptions._strengths import STRENGTHS


def natural(count: int, channels: int, side: int) -> Tensor:
    """Images with the spectrum of photographs, 1/f, whose channels differ a little."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(count, channels + 1, side, side, generator=generator)
    noise = noise[:, :1] + 0.3 * noise[:, 1:]
    across = torch.fft.fftfreq(side)
    frequency = (across.unsqueeze(1).square() + across.square()).sqrt()
    spectrum = torch.fft.fft2(noise) / frequency.clamp(min=1 / side)
    images = torch.fft.ifft2(spectrum).real
    images = 0.45 + 0.22 * images / images.std(dim=(1, 2, 3), keepdim=True)
    return (255 * images.clamp(0, 1)).to(torch.uint8)


def damage(images: Tensor, kind: str, severity: int) -> float:
    spoiled = corrupt(images, kind, severity, ids=torch.arange(len(images))).double()
    if kind == "fog":
        return haze(images, spoiled)
    return float((spoiled - images.double()).square().mean())


def haze(images: Tensor, spoiled: Tensor) -> float:
    """The variance that is not the image's by what is left of the image's: an even haze is none."""
    before, after = (
        each.double().flatten(1) - each.double().flatten(1).mean(dim=1, keepdim=True)
        for each in (images, spoiled)
    )
    left = (before * after).sum(dim=1, keepdim=True) / before.square().sum(dim=1, keepdim=True)
    added = (after - left * before).square().sum(dim=1) / (left * before).square().sum(dim=1)
    return float(added.median())


def test_there_are_fifteen_and_four() -> None:
    assert (len(COMMON), len(EXTRA), len(set(KINDS))) == (15, 4, 19)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_is_the_same_in_any_batch(kind: str, channels: int) -> None:
    images, ids = natural(5, channels, 32), torch.tensor([7, 3, 500, 0, 2**40])
    together = corrupt(images, kind, 4, ids=ids, seed=1)
    assert together.dtype == torch.uint8
    assert together.shape == images.shape
    order = torch.tensor([3, 0, 4, 1, 2])
    assert torch.equal(corrupt(images[order], kind, 4, ids=ids[order], seed=1), together[order])
    for each in range(5):
        alone = corrupt(images[each : each + 1], kind, 4, ids=ids[each : each + 1], seed=1)
        assert torch.equal(alone[0], together[each])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("side", "count"), [(32, 24), (96, 8)])
def test_damage_grows_with_the_severity(kind: str, side: int, count: int) -> None:
    images = natural(count, 3, side)
    found = [damage(images, kind, severity) for severity in range(1, 6)]
    assert found[0] > 0
    if kind == "saturate":  # less colour at severities 1 and 2, more at the others
        return
    if (kind, side) == ("motion_blur", 32):  # as published: 3 and 4 differ in what hardly counts
        assert found.pop(3) == pytest.approx(found[2], rel=0.02)
    assert found == sorted(found), found


PUBLISHED = {
    "gaussian_noise": ((0.04, 0.06, 0.08, 0.09, 0.1), (0.08, 0.12, 0.18, 0.26, 0.38)),
    "shot_noise": ((500, 250, 100, 75, 50), (60, 25, 12, 5, 3)),
    "impulse_noise": ((0.01, 0.02, 0.03, 0.05, 0.07), (0.03, 0.06, 0.09, 0.17, 0.27)),
    "speckle_noise": ((0.06, 0.1, 0.12, 0.16, 0.2), (0.15, 0.2, 0.35, 0.45, 0.6)),
    "motion_blur": (
        ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
        ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
    ),
    "fog": (
        ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
        ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
    ),
    "zoom_blur": (
        tuple(tuple(np.arange(1, end, 0.01)) for end in (1.06, 1.11, 1.16, 1.21, 1.26)),
        tuple(
            tuple(np.arange(1, end, step))
            for end, step in ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))
        ),
    ),
    "brightness": ((0.05, 0.1, 0.15, 0.2, 0.3), (0.1, 0.2, 0.3, 0.4, 0.5)),
    "contrast": ((0.75, 0.5, 0.4, 0.3, 0.15), (0.4, 0.3, 0.2, 0.1, 0.05)),
    "pixelate": ((0.95, 0.9, 0.85, 0.75, 0.65), (0.6, 0.5, 0.4, 0.3, 0.25)),
    "jpeg": ((80, 65, 58, 50, 40), (25, 18, 15, 10, 7)),
}
"""Of CIFAR-10-C and of ImageNet-C, as their programs have them."""


@pytest.mark.parametrize("kind", PUBLISHED)
def test_strengths_are_the_published_ones(kind: str) -> None:
    for ours, published in zip(STRENGTHS[kind], PUBLISHED[kind], strict=True):
        for one, other in zip(ours, published, strict=True):
            assert one == pytest.approx(other, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 8, 8), (1, 1, 1), (3, 5, 12), (3, 70, 33)])
def test_any_size_comes_back_as_it_went(kind: str, shape: tuple[int, int, int]) -> None:
    images = torch.randint(256, (2, *shape), generator=torch.Generator().manual_seed(0))
    for severity in (1, 5):
        spoiled = corrupt(images.to(torch.uint8), kind, severity, ids=torch.arange(2))
        assert spoiled.shape == images.shape


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.endswith("noise")])
def test_seed_image_and_severity_each_change_what_is_drawn(kind: str) -> None:
    images = torch.full((2, 1, 32, 32), 128, dtype=torch.uint8)
    first = corrupt(images, kind, 3, ids=torch.tensor([0, 1]))
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, corrupt(images, kind, 3, ids=torch.tensor([0, 1]), seed=1))
    assert not torch.equal(first, corrupt(images, kind, 4, ids=torch.tensor([0, 1])))


def test_noise_is_as_strong_as_it_says() -> None:
    images = torch.full((4, 1, 64, 64), 128, dtype=torch.uint8)
    ids = torch.arange(4)
    gaussian = corrupt(images, "gaussian_noise", 5, ids=ids).double() / 255
    assert abs(float(gaussian.std()) - 0.1) < 0.003
    impulse = corrupt(images, "impulse_noise", 5, ids=ids)
    assert abs(float(((impulse == 0) | (impulse == 255)).double().mean()) - 0.07) < 0.006
    shot = corrupt(images, "shot_noise", 5, ids=ids).double() / 255
    assert abs(float(shot.std()) - (128 / 255 / 50) ** 0.5) < 0.004


@pytest.mark.parametrize("kind", ["defocus_blur", "gaussian_blur", "glass_blur", "motion_blur",
                                  "zoom_blur", "contrast", "elastic", "pixelate"])  # fmt: skip
def test_a_plain_image_is_not_changed_by_moving_its_pixels(kind: str) -> None:
    images = torch.full((2, 3, 32, 32), 100, dtype=torch.uint8)
    assert torch.equal(corrupt(images, kind, 5, ids=torch.arange(2)), images)


def test_a_corrupted_split_is_the_same_whatever_the_batches_and_processes() -> None:
    split = CorruptedSplit(load_images(DataSettings("digits")).test, "elastic", 3, seed=5)
    whole = torch.cat([batch.images for batch in split.evaluation_batches(1000)])
    parts = [
        batch.images
        for rank in range(2)
        for batch in split.evaluation_batches(77, rank=rank, processes=2)
    ]
    assert torch.equal(torch.cat(parts), whole)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kind": "rain"}, "no corruption is called 'rain'; there are gaussian_noise, "),
        ({"severity": 6}, "severity must be 1, 2, 3, 4 or 5; got 6"),
        ({"images": torch.zeros(2, 3, 8, 8)}, "images must be uint8 .* got torch.float32"),
        ({"images": torch.zeros(2, 4, 8, 8, dtype=torch.uint8)}, r"got torch.uint8 of shape \(2,"),
        ({"ids": torch.arange(3)}, "ids must be 2 whole numbers"),
        ({"ids": torch.tensor([-1, 0])}, "ids must be 2 whole numbers"),
        ({"seed": -1}, "seed must lie in"),
    ],
)
def test_bad_input_is_named(changed: dict[str, object], message: str) -> None:
    arguments = {
        "images": torch.zeros(2, 3, 8, 8, dtype=torch.uint8),
        "kind": "fog",
        "severity": 1,
        "ids": torch.arange(2),
        **changed,
    }
    with pytest.raises(ValueError, match=message):
        corrupt(**arguments)  # type: ignore[arg-type]
