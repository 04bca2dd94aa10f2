import numpy as np
import pytest
import torch

from maxsup.data import Mixing, mix


@pytest.mark.parametrize("mixing", [Mixing(mixup=0.8), Mixing(cutmix=1.0), Mixing(0.8, 1.0)])
def test_mix_makes_probabilities_without_smoothing(mixing: Mixing) -> None:
    labels = torch.tensor([0, 1, 2, 3])
    _, target = mix(torch.rand(4, 3, 8, 8), labels, mixing, 10, seed=0)
    assert target.dtype == torch.float32
    assert torch.allclose(target.sum(dim=1), torch.ones(4))
    # timm smooths by 0.1 unless told not to: then no entry would be 0.
    assert int((target > 0).sum(dim=1).max()) <= 2
    assert torch.equal(target[:, 4:], torch.zeros(4, 6))


def test_mix_treats_images_as_targets() -> None:
    pixels = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 1, 2, 2).clone()
    mixed, target = mix(pixels, torch.arange(4), Mixing(mixup=1.0), 4, seed=3)
    expected = target @ torch.arange(4.0)
    assert torch.allclose(mixed[:, 0, 0, 0], expected)


def test_mix_is_a_function_of_its_seed_and_leaves_numpys_generator_alone() -> None:
    np.random.seed(1)
    expected = np.random.rand()
    np.random.seed(1)
    draws = [
        mix(torch.ones(2, 1, 4, 4), torch.tensor([0, 1]), Mixing(mixup=1.0), 2, seed=seed)[1]
        for seed in (0, 0, 1)
    ]
    assert np.random.rand() == expected
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_mix_of_an_odd_number_of_images() -> None:
    with pytest.raises(ValueError, match="even number of images; got 3"):
        mix(torch.ones(3, 1, 2, 2), torch.arange(3), Mixing(1.0), 3, seed=0)
