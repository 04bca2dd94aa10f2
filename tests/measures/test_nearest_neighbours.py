import math

import pytest
import torch

import maxsup.measures._nearest_neighbours as module
from maxsup.measures import nearest_neighbours


def by_all_pairs(train, train_labels, test, k, classes, temperature=0.07):
    """What the k nearest say, sorting all pairs, ties by who comes first."""

    def cosine(a, b):
        a, b = a.double(), b.double()
        norms = a.norm() * b.norm()
        return float((a @ b / norms).float()) if norms else 0.0

    found = []
    for each in test:
        ranked = sorted((-cosine(each, other), index) for index, other in enumerate(train))[:k]
        votes = [0.0] * classes
        for minus, index in ranked:
            votes[int(train_labels[index])] += math.exp(-minus / temperature)
        found.append(votes.index(max(votes)))
    return found


def draw(seed=0, samples=60, dim=3, classes=4):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (samples,), generator=generator)
    centres = torch.randn(classes, dim, generator=generator)
    return centres[labels] + 0.7 * torch.randn(samples, dim, generator=generator), labels


@pytest.mark.parametrize("blocks", [(512, 8192), (4, 7)])
def test_equals_sorting_all_pairs(blocks, monkeypatch):
    monkeypatch.setattr(module, "_TEST_BLOCK", blocks[0])
    monkeypatch.setattr(module, "_TRAIN_BLOCK", blocks[1])
    features, labels = draw()
    train, test = features[:45], features[45:]
    found = nearest_neighbours(train, labels[:45], test, labels[45:], k=[1, 3, 10, 45])
    assert [each.k for each in found] == [1, 3, 10, 45]
    for each in found:
        expected = by_all_pairs(train, labels[:45], test, each.k, 4)
        assert each.predictions.tolist() == expected
        right = sum(a == b for a, b in zip(expected, labels[45:].tolist(), strict=True))
        assert each.accuracy == right / 15


def test_the_order_of_samples_does_not_matter():
    features, labels = draw(seed=3)
    order = torch.randperm(45, generator=torch.Generator().manual_seed(0))
    turned = torch.randperm(15, generator=torch.Generator().manual_seed(1))
    test, test_labels = features[45:], labels[45:]
    one = nearest_neighbours(features[:45], labels[:45], test, test_labels, k=[3, 12])
    other = nearest_neighbours(
        features[:45][order], labels[:45][order], test[turned], test_labels[turned], k=[3, 12]
    )
    for a, b in zip(one, other, strict=True):
        assert torch.equal(a.predictions[turned], b.predictions)


def test_among_equals_the_first_is_nearer_whatever_the_blocks(monkeypatch):
    # Each direction many times, a feature of zeros and opposite ones: ties everywhere.
    grid = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [0.0, 0.0], [-1.0, 0.0], [1.0, 1.0]])
    train = grid.repeat(20, 1)
    labels = torch.randint(3, (120,), generator=torch.Generator().manual_seed(0))
    for train_block in (1, 7, 64, 8192):
        monkeypatch.setattr(module, "_TRAIN_BLOCK", train_block)
        for each in nearest_neighbours(train, labels, grid, torch.zeros(6).long(), k=[5, 23, 50]):
            assert each.predictions.tolist() == by_all_pairs(train, labels, grid, each.k, 3)


def test_equal_votes_go_to_the_smaller_class():
    train = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    for labels in ([1, 2], [2, 1]):
        (found,) = nearest_neighbours(
            train, torch.tensor(labels), train[:1], torch.tensor([1]), k=[2]
        )
        assert found.predictions.tolist() == [1]


def test_more_neighbours_than_samples_asks_them_all():
    features, labels = draw(samples=15)
    found = nearest_neighbours(features[:9], labels[:9], features[9:], labels[9:], k=[9, 10, 200])
    assert [each.k for each in found] == [9, 9, 9]
    assert len({tuple(each.predictions.tolist()) for each in found}) == 1


def test_a_class_without_training_samples_is_never_right():
    train = torch.eye(2)
    (found,) = nearest_neighbours(train, torch.tensor([0, 1]), train, torch.tensor([0, 7]), k=[1])
    assert found.accuracy == 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": []}, "k must be one or more"),
        ({"k": [0]}, "k must be a whole number, 1 or more; got 0"),
        ({"temperature": 0.0}, "temperature must be above 0"),
        ({"test_features": torch.zeros(3, 5)}, r"test_features must have shape \(N, 3\)"),
        ({"test_features": torch.full((3, 3), math.nan)}, "test_features holds NaN"),
        ({"train_features": torch.zeros(0, 3), "train_labels": torch.zeros(0).long()}, "0 train"),
        ({"train_labels": torch.zeros(4).long()}, r"shape \(12,\)"),
        ({"test_labels": torch.tensor([0, 1, -1])}, "labels holds -1"),
    ],
)
def test_bad_input_is_named(change, message):
    features, labels = draw(samples=15)
    given = {
        "train_features": features[:12],
        "train_labels": labels[:12],
        "test_features": features[12:],
        "test_labels": labels[12:],
    } | change
    with pytest.raises(ValueError, match=message):
        nearest_neighbours(**given)
