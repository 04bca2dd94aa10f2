"""A part of every class to train on."""

from pathlib import Path
from typing import Any

import pytest
import torch

from maxsup.data import DataSettings, PhotographSettings, load_images

from .folders import image_folder


def ids(**settings: Any) -> set[int]:
    train = load_images(DataSettings("digits", **settings)).train.labelled
    assert train is not None
    return set(train.ids.tolist())


def test_a_fraction_is_of_every_class_and_leaves_the_test_set_whole() -> None:
    whole, part = (load_images(DataSettings("digits", fraction=f)) for f in (1.0, 0.1))
    train, before = part.train.labelled, whole.train.labelled
    assert train is not None
    assert before is not None
    expected = (before.labels.bincount() * 0.1).round().long()
    assert train.labels.bincount().tolist() == expected.tolist()
    assert len(part.test) == len(whole.test)
    assert "10 % of the training images are taken: 126 of 1,257" in " ".join(part.notes)
    assert part.fingerprint != whole.fingerprint


def test_fractions_depend_on_the_seed_alone_and_hold_the_smaller_ones() -> None:
    assert ids(fraction=0.1) == ids(fraction=0.1) < ids(fraction=0.3) < ids()
    assert ids(fraction=0.1) != ids(fraction=0.1, data_seed=1)


def test_a_fraction_of_photographs_has_one_of_each_class_at_least(tmp_path: Path) -> None:
    folder = image_folder(tmp_path, {"train": 10, "test": 3})
    image_folder(tmp_path, {"train": 2, "test": 3}, ["emu"])
    data = load_images(
        DataSettings(str(folder), fraction=0.2), photographs=PhotographSettings(8, workers=0)
    )
    train = data.train.labelled
    assert train is not None
    assert torch.bincount(train.labels).tolist() == [2, 2, 1]
    assert len(data.test) == 9


@pytest.mark.parametrize("wrong", [0.0, -0.1, 1.1])
def test_fractions_out_of_range(wrong: float) -> None:
    with pytest.raises(ValueError, match=r"fraction must lie in \(0, 1\]"):
        DataSettings("digits", fraction=wrong)


def test_a_fraction_is_not_for_streams(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--fraction needs all labels before training"):
        load_images(
            DataSettings(str(image_folder(tmp_path, {"train": 2})), streaming=True, fraction=0.5),
            photographs=PhotographSettings(8),
        )
