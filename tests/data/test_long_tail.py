from pathlib import Path

import pytest
import torch

from maxsup.data import DataSettings, load_images

from .folders import image_folder


def test_long_tail_thins_classes_exponentially() -> None:
    whole = load_images(DataSettings("digits"))
    data = load_images(DataSettings("digits", imbalance=50))
    least = int(whole.train.labels.bincount().min())
    counts = data.train.labels.bincount().tolist()
    assert counts == [int(least * 50 ** (-k / 9)) for k in range(10)]
    assert counts[0] / counts[-1] > 50
    assert torch.equal(data.test.labels, whole.test.labels)
    assert "from 122 images of 0 to 2 of 9" in " ".join(data.notes)


def test_long_tail_keeps_the_same_samples_for_a_seed() -> None:
    first, again, other = (
        load_images(DataSettings("digits", imbalance=10, data_seed=seed)) for seed in (0, 0, 1)
    )
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_long_tail_comes_before_label_noise() -> None:
    data = load_images(DataSettings("digits", imbalance=10, label_noise=0.5))
    noisy = data.train.labels != data.train.true_labels
    assert int(noisy.sum()) == round(0.5 * len(data.train))


def test_long_tail_longer_than_there_is(tmp_path: Path) -> None:
    image_folder(tmp_path, {"train": 5, "test": 2})
    with pytest.raises(ValueError, match=r"has 5 training images.*Take at most 5"):
        load_images(DataSettings(str(tmp_path), imbalance=6))
    data = load_images(DataSettings(str(tmp_path), imbalance=5))
    assert data.train.labels.bincount().tolist() == [5, 1]
    with pytest.raises(ValueError, match=r"imbalance must be at least 1; got 0.5"):
        DataSettings("digits", imbalance=0.5)
