import torch

from maxsup.data import Normalization, ResidentSplit


def images(count: int) -> ResidentSplit:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(1, 256, (count, 3, 6, 7), generator=generator).byte()
    return ResidentSplit(pixels, torch.arange(count), torch.arange(count))


def test_normalization_gives_mean_0_and_deviation_1() -> None:
    split = images(50)
    pixels = Normalization.of(split)(split.images)
    assert pixels.dtype == torch.float32
    assert pixels.mean(dim=(0, 2, 3)).abs().max() < 1e-5
    deviation = pixels.double().std(dim=(0, 2, 3), correction=0)
    assert (deviation - 1).abs().max() < 1e-5


def test_normalization_leaves_a_channel_without_contrast_unscaled() -> None:
    split = ResidentSplit(
        torch.full((4, 1, 2, 2), 7).byte(), torch.zeros(4).long(), torch.zeros(4).long()
    )
    assert torch.allclose(Normalization.of(split)(split.images), torch.zeros(4, 1, 2, 2))


def test_normalization_to_channels_last_changes_the_layout_alone() -> None:
    split = images(8)
    plain, last = Normalization.of(split), Normalization.of(split, channels_last=True)
    assert torch.equal(plain(split.images), last(split.images))
    assert last(split.images).is_contiguous(memory_format=torch.channels_last)
