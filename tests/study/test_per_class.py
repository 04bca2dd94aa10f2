"""What is counted of classes and images, against loops over all of them."""

import base64
import io
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

from maxsup.data import ResidentSplit, data_url
from maxsup.study import _per_class
from maxsup.study._per_class import Predictions, per_class

CLASSES, IMAGES = 4, 60
METHODS, SEEDS = ("a", "b", "c"), (0, 1, 7)


@pytest.fixture
def split() -> ResidentSplit:
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(CLASSES, (IMAGES,), generator=generator)
    images = torch.randint(256, (IMAGES, 3, 8, 8), generator=generator, dtype=torch.uint8)
    return ResidentSplit(images, labels, labels, ids=100 + 3 * torch.arange(IMAGES))


def drawn(split: ResidentSplit, classes: int = CLASSES) -> dict[tuple[str, int], Predictions]:
    """Predictions that are right or wrong together in most of a method's seeds."""
    random = np.random.default_rng(1)
    true = split.true_labels.numpy()
    usual = {
        method: np.where(random.random(IMAGES) < 0.5, true, random.integers(classes, size=IMAGES))
        for method in METHODS
    }
    return {
        (method, seed): Predictions(
            split.ids.numpy(),
            true,
            np.where(
                random.random(IMAGES) < 0.9, usual[method], random.integers(classes, size=IMAGES)
            ),
        )
        for method in METHODS
        for seed in SEEDS
    }


def test_counts_agree_with_loops(split: ResidentSplit) -> None:
    predictions = drawn(split)
    found = per_class(predictions, CLASSES, split, [("b", "a")])
    assert found is not None
    true = split.true_labels.tolist()
    assert found["images"] == [true.count(k) for k in range(CLASSES)]
    for method in METHODS:
        assert found["seeds"][method] == list(SEEDS)
        confusions: Counter[tuple[int, int]] = Counter()
        for seed, right in zip(SEEDS, found["right"][method], strict=True):
            pairs = list(zip(true, predictions[method, seed].predicted.tolist(), strict=True))
            assert right == [pairs.count((k, k)) for k in range(CLASSES)]
            confusions.update(pair for pair in pairs if pair[0] != pair[1])
        assert {(t, p): n for t, p, n in found["confused"][method]} == confusions
        counts = [n for *_, n in found["confused"][method]]
        assert counts == sorted(counts, reverse=True)
    for method in METHODS:
        for against in METHODS:
            if method != against:
                number = len(disagreeing(predictions, true, method, against))
                assert found["differing"][method][against] == number


def disagreeing(
    predictions: dict[tuple[str, int], Predictions], true: list[int], right: str, wrong: str
) -> list[int]:
    return [
        index
        for index, label in enumerate(true)
        if all(predictions[right, seed].predicted[index] == label for seed in SEEDS)
        and all(predictions[wrong, seed].predicted[index] != label for seed in SEEDS)
    ]


def test_shown_images_are_those_on_which_methods_disagree(split: ResidentSplit) -> None:
    predictions = drawn(split)
    found = per_class(predictions, CLASSES, split, [("b", "a")])
    assert found is not None
    true = split.true_labels.tolist()
    by_id = {number: index for index, number in enumerate(split.ids.tolist())}
    shown = {by_id[each["id"]]: each for each in found["shown"]}
    assert len(shown) == len(found["shown"])
    for index, each in shown.items():
        assert each["true"] == true[index]
        for method in METHODS:
            guesses = [int(predictions[method, seed].predicted[index]) for seed in SEEDS]
            assert (method in each["right"]) == all(g == true[index] for g in guesses)
            assert (method in each["wrong"]) == all(g != true[index] for g in guesses)
            if method in each["wrong"]:
                assert guesses.count(each["wrong"][method]) == max(map(guesses.count, guesses))
        pixels = decoded(each["picture"])
        assert np.array_equal(pixels, split.images[index].permute(1, 2, 0).numpy())
    for right in METHODS:
        for wrong in METHODS:
            if right != wrong:
                all_of = disagreeing(predictions, true, right, wrong)
                there = [index for index in all_of if index in shown]
                assert len(there) >= min(6, len(all_of))
    assert any(each["wrong"] for each in shown.values())


def decoded(url: str) -> np.ndarray:
    head, _, content = url.partition(";base64,")
    image = Image.open(io.BytesIO(base64.b64decode(content)))
    assert head == f"data:image/{str(image.format).lower()}"
    return np.asarray(image)


def test_order_of_methods_and_runs_of_other_images(split: ResidentSplit) -> None:
    predictions = drawn(split)
    backwards = dict(reversed(predictions.items()))
    one, other = (per_class(each, CLASSES, None, []) for each in (predictions, backwards))
    assert one is not None
    assert other is not None
    assert one["differing"] == other["differing"]
    assert one["shown"] == []
    strange = predictions["a", 0]._replace(ids=predictions["a", 0].ids + 1)
    found = per_class({**predictions, ("c", 7): strange}, CLASSES, split, [])
    assert found is not None
    assert found["seeds"]["c"] == [0, 1]
    assert per_class({}, CLASSES, split, []) is None


def test_of_many_classes_the_first_confusions_are_kept(split: ResidentSplit) -> None:
    found = per_class(drawn(split, 500), 500, None, [])
    assert found is not None
    assert all(len(each) == 10 for each in found["confused"].values())


def test_pictures_together_stay_small(
    split: ResidentSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_per_class, "_MOST_BYTES", 1500)
    found = per_class(drawn(split), CLASSES, split, [("a", "b")])
    assert found is not None
    assert 0 < sum(len(each["picture"]) for each in found["shown"]) <= 1500


@pytest.mark.parametrize(
    ("shape", "size", "mode"),
    [((1, 8, 6), (6, 8), "L"), ((3, 300, 200), (43, 64), "RGB"), ((4, 8, 8), (8, 8), "L")],
)
def test_picture_is_small_and_of_its_kind(
    shape: tuple[int, int, int], size: tuple[int, int], mode: str
) -> None:
    image = torch.arange(256, dtype=torch.uint8).repeat(shape[0] * shape[1] * shape[2] // 256 + 1)
    url = data_url(image[: shape[0] * shape[1] * shape[2]].view(shape))
    picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
    assert (picture.size, picture.mode) == (size, mode)
    assert len(url) < 16_000
