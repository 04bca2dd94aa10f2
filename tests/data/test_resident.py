import itertools

import pytest
import torch

from maxsup.data import (
    Augmentation,
    BatchSettings,
    Mixing,
    Normalization,
    PhotographAugmentation,
    ResidentBatches,
    ResidentSplit,
)

PLAIN = Normalization((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255))
"""Leaves pixels as they are, as floats."""


def images(count: int, side: int = 6) -> ResidentSplit:
    """Each pixel of image n has the value n + 1 in the first channel, so crops can be told."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(1, 256, (count, 3, side, side + 1), generator=generator).byte()
    labels = torch.arange(count)
    return ResidentSplit(pixels, labels, labels)


def batches(
    split: ResidentSplit, rank: int = 0, processes: int = 1, **changes: object
) -> ResidentBatches:
    options: dict[str, object] = {"batch_size": 8, "seed": 0, "normalization": PLAIN}
    settings = BatchSettings(**(options | changes))  # type: ignore[arg-type]
    return split.training_batches(settings, rank=rank, processes=processes)


def collect(source: ResidentBatches, epoch: int) -> tuple[torch.Tensor, torch.Tensor]:
    found = list(source.epoch(epoch))
    return torch.cat([each[0] for each in found]), torch.cat([each[1] for each in found])


def test_resident_batches_have_each_image_once_without_augmentation() -> None:
    split = images(24)
    pixels, labels = collect(batches(split), 0)
    assert sorted(labels.tolist()) == list(range(24))
    assert torch.equal(pixels, split.images[labels].float())


def test_resident_batches_drop_what_is_left_over_and_it_changes() -> None:
    source = batches(images(20))
    assert source.steps == 2
    seen = [frozenset(collect(source, epoch)[1].tolist()) for epoch in range(6)]
    assert all(len(each) == 16 for each in seen)
    assert len(set(seen)) > 1


@pytest.mark.parametrize("padding", [1, 2])
@pytest.mark.parametrize("flip", [False, True])
def test_resident_batches_crop_and_flip_as_single_images(padding: int, flip: bool) -> None:
    split = images(32)
    source = batches(split, augmentation=Augmentation(crop_padding=padding, horizontal_flip=flip))
    pixels, labels = collect(source, 0)
    height, width = split.images.shape[2:]
    kinds = set()
    for image, label in zip(pixels, labels, strict=True):
        padded = torch.nn.functional.pad(split.images[label], (padding,) * 4).float()
        matches = [
            (y, x, mirrored)
            for y, x, mirrored in itertools.product(
                range(2 * padding + 1), range(2 * padding + 1), (False, True)
            )
            if torch.equal(
                image,
                padded[:, y : y + height, x : x + width].flip(2)
                if mirrored
                else padded[:, y : y + height, x : x + width],
            )
        ]
        assert len(matches) == 1
        kinds |= set(matches)
    assert {y for y, _, _ in kinds} == {x for _, x, _ in kinds} == set(range(2 * padding + 1))
    assert {mirrored for _, _, mirrored in kinds} == ({False, True} if flip else {False})


def test_cutout_blackens_a_square_cut_off_at_the_border() -> None:
    split = images(64)
    pixels, labels = collect(batches(split, augmentation=Augmentation(cutout=3)), 0)
    areas = set()
    for image, label in zip(pixels, labels, strict=True):
        black = (image == 0).all(dim=0)
        rows, columns = black.any(dim=1), black.any(dim=0)
        assert torch.equal(black, rows.unsqueeze(1) & columns.unsqueeze(0))
        assert torch.equal(image[:, ~black], split.images[label][:, ~black].float())
        for line in (rows, columns):
            places = line.nonzero().flatten()
            assert places[-1] - places[0] + 1 == len(places) <= 3
        areas.add(int(black.sum()))
    assert 9 in areas
    assert min(areas) < 9


def test_resident_batches_are_a_function_of_seed_and_epoch() -> None:
    split = images(24)
    options = {"augmentation": Augmentation(2, True, 2)}
    first, again = batches(split, **options), batches(split, **options)
    list(first.epoch(3))  # what came before changes nothing
    torch.manual_seed(5)
    pixels, labels = collect(first, 1)
    torch.manual_seed(6)
    torch.rand(3)
    assert torch.equal(collect(again, 1)[0], pixels)
    assert not torch.equal(collect(again, 2)[1], labels)
    assert not torch.equal(collect(batches(split, seed=1, **options), 1)[1], labels)


def test_resident_batches_digest_tells_order_and_augmentation_apart() -> None:
    split = images(24)
    digests = [
        batches(split, seed=seed, augmentation=augmentation, mixing=mixing).digest(epoch)
        for seed, epoch, augmentation, mixing in (
            (0, 0, Augmentation(), Mixing()),
            (1, 0, Augmentation(), Mixing()),
            (0, 1, Augmentation(), Mixing()),
            (0, 0, Augmentation(crop_padding=1), Mixing()),
            (0, 0, Augmentation(horizontal_flip=True), Mixing()),
            (0, 0, Augmentation(cutout=2), Mixing()),
            (0, 0, Augmentation(), Mixing(cutmix=1.0)),
        )
    ]
    assert len(set(digests)) == len(digests)
    assert batches(split).digest(0) == digests[0]


@pytest.mark.parametrize("processes", [2, 4])
def test_resident_batches_of_processes_are_parts_of_those_of_one(processes: int) -> None:
    split = images(24)
    options = {"augmentation": Augmentation(2, True, 2)}
    whole = list(batches(split, **options).epoch(0))
    parts = [
        list(batches(split, rank=rank, processes=processes, **options).epoch(0))
        for rank in range(processes)
    ]
    for step, (pixels, labels) in enumerate(whole):
        assert torch.equal(torch.cat([part[step][0] for part in parts]), pixels)
        assert torch.equal(torch.cat([part[step][1] for part in parts]), labels)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 25}, r"24 training images, fewer than batch_size \(25\)"),
        ({"processes": 3}, r"batch_size \(8\) must be a multiple of the 3 processes"),
        ({"batch_size": 3, "mixing": Mixing(1.0)}, "Mixing takes an even number"),
        ({"augmentation": PhotographAugmentation()}, "give an Augmentation in place of Photogr"),
    ],
)
def test_batch_settings_that_cannot_be(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        batches(images(24), **options)


@pytest.mark.parametrize("wrong", [{"crop_padding": -1}, {"cutout": -1}])
def test_augmentation_of_negative_lengths(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        Augmentation(**wrong)


@pytest.mark.parametrize("processes", [1, 2, 3, 7])
def test_evaluation_batches_have_every_sample_once(processes: int) -> None:
    split = images(23)
    seen = [
        (label, identity)
        for rank in range(processes)
        for part in split.evaluation_batches(4, rank=rank, processes=processes)
        for label, identity in zip(part.labels.tolist(), part.ids.tolist(), strict=True)
    ]
    assert seen == [(number, number) for number in range(23)]


def test_resident_batches_of_mixed_images() -> None:
    source = batches(images(24), mixing=Mixing(mixup=1.0), num_classes=24)
    pixels, target = next(source.epoch(0))
    assert target.shape == (8, 24)
    assert torch.equal(next(source.epoch(0))[0], pixels)
