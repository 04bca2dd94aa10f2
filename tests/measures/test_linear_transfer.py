import math

import pytest
import torch

from maxsup.measures import linear_transfer, logistic_path
from maxsup.measures._linear_transfer import hold_out_by_class

GRID = [1e-6, 1e-4, 1e-2, 1.0, 1e2, 1e4]


def draw(samples=240, classes=4, dim=5, spread=0.8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(samples) % classes
    centres = torch.randn(classes, dim, generator=generator)
    return centres[labels] + spread * torch.randn(samples, dim, generator=generator), labels


def test_is_what_the_protocol_says_done_step_by_step():
    features, labels = draw()
    train, test = (features[:160], labels[:160]), (features[160:], labels[160:])
    found = linear_transfer(*train, *test, l2=GRID, seed=3)

    held = hold_out_by_class(train[1], 0.1, seed=3)
    accuracies = {}
    for fit in logistic_path(train[0][~held], train[1][~held], GRID):
        accuracies[fit.l2] = float((fit.predict(train[0][held]) == train[1][held]).double().mean())
    assert found.l2.tolist() == GRID
    assert found.validation_accuracy.tolist() == [accuracies[each] for each in GRID]
    best = max(accuracies.values())
    # Of equals the strongest.
    l2 = max(each for each, accuracy in accuracies.items() if accuracy == best)
    assert (found.chosen.l2, found.chosen.validation_accuracy) == (l2, best)
    (fit,) = logistic_path(*train, [l2])
    right = fit.predict(test[0]) == test[1]
    assert torch.equal(found.chosen.correct, right)
    assert found.chosen.test_accuracy == float(right.double().mean())


def test_test_samples_choose_nothing():
    features, labels = draw()
    one = linear_transfer(features[:160], labels[:160], features[160:], labels[160:], l2=GRID)
    wrong = linear_transfer(
        features[:160], labels[:160], -features[160:], (labels[160:] + 1) % 4, l2=GRID
    )
    assert torch.equal(one.validation_accuracy, wrong.validation_accuracy)
    assert one.chosen.l2 == wrong.chosen.l2


def test_a_range_that_ends_too_early_is_said():
    # What tells the classes apart is small beside what does not: 0.01 is strong for it.
    features, labels = draw(spread=0.3)
    noise = torch.randn(240, 5, generator=torch.Generator().manual_seed(1))
    features = torch.cat([0.1 * features, noise], dim=1)
    found = linear_transfer(features[:160], labels[:160], features[160:], labels[160:])
    assert found.chosen.edge is None
    assert found.chosen.l2 < 1e-2
    assert found.narrow.edge == "weakest"
    assert found.narrow.l2 == pytest.approx(1e-2)
    assert found.narrow.test_accuracy < found.chosen.test_accuracy
    # And a value that both ranges lead to is fitted once, its edge being the range's own.
    both = linear_transfer(
        *(features[:160], labels[:160], features[160:], labels[160:]),
        l2=[1e-6, 1e-4, 1e-2],
        narrow=(1e-6, 1e-6),
    )
    assert both.narrow.edge is None
    # Equals further in: nothing says that the end is better than what lies within.
    features, labels = draw(spread=0.01)
    plateau = linear_transfer(
        features[:160], labels[:160], features[160:], labels[160:], l2=[0.1, 1.0, 10.0]
    )
    assert plateau.validation_accuracy.tolist() == [1.0] * 3
    assert (plateau.chosen.l2, plateau.chosen.edge) == (10.0, None)


def test_the_part_held_out_is_a_tenth_of_each_class_and_seeded():
    labels = torch.tensor([0] * 50 + [1] * 14 + [2] * 3 + [3])
    held = hold_out_by_class(labels, 0.1, seed=0)
    assert labels[held].bincount(minlength=4).tolist() == [5, 1, 1, 0]
    assert torch.equal(held, hold_out_by_class(labels, 0.1, seed=0))
    assert not torch.equal(held, hold_out_by_class(labels, 0.1, seed=1))
    assert hold_out_by_class(labels, 0.99, seed=0)[labels == 2].sum() == 2


def test_numbers_without_samples_are_no_classes():
    features, labels = draw()
    packed = linear_transfer(features[:160], labels[:160], features[160:], labels[160:], l2=GRID)
    spread = linear_transfer(
        features[:160], labels[:160] * 7, features[160:], labels[160:] * 7, l2=GRID
    )
    assert torch.equal(packed.chosen.correct, spread.chosen.correct)


def test_progress_is_told():
    features, labels = draw()
    told = []
    linear_transfer(
        *(features[:160], labels[:160], features[160:], labels[160:]),
        l2=GRID,
        progress=lambda done, of: told.append((done, of)),
    )
    assert told == [(done, 6) for done in range(1, 7)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test_labels": torch.tensor([0, 1, 9, 9])}, r"2 samples of 1 classes .*: 9\."),
        ({"test_features": torch.zeros(4, 3)}, r"test_features must have shape \(N, 5\)"),
        ({"test_features": torch.full((4, 5), math.nan)}, "test_features holds NaN .* row 0"),
        ({"test_features": torch.zeros(0, 5)}, "test_features holds no sample"),
        ({"validation": 1.0}, r"validation must lie in \(0, 1\)"),
        ({"train_labels": torch.arange(40)}, "one sample of each class"),
        ({"train_labels": torch.zeros(40).long()}, "0 samples|two classes or more|of 3 classes"),
        ({"narrow": (1e7, 1e8)}, r"narrow must hold a value of the grid, 1e-06 … 100000"),
        ({"l2": []}, "l2 must be one or more"),
        ({"train_labels": torch.zeros(40)}, "labels must be a tensor of integers"),
    ],
)
def test_bad_input_is_named(change, message):
    features, labels = draw(samples=44)
    given = {
        "train_features": features[:40],
        "train_labels": labels[:40],
        "test_features": features[40:],
        "test_labels": labels[40:],
    } | change
    with pytest.raises(ValueError, match=message):
        linear_transfer(**given)
