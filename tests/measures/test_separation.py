import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from maxsup.measures import (
    ClassSeparation,
    _blocks,
    class_separation,
    class_spread,
    extreme_samples,
)


def by_all_pairs(features, labels):
    """d_within and d_total as the double sums over samples that define them."""

    def distance(a, b):
        norms = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(x * x for x in b))
        return 1 - (sum(x * y for x, y in zip(a, b, strict=True)) / norms if norms else 0)

    classes = sorted(set(labels.tolist()))
    members = [features[labels == k].double().tolist() for k in classes]
    means = [
        [
            sum(distance(a, b) for a in one for b in other) / (len(one) * len(other))
            for other in members
        ]
        for one in members
    ]
    within = sum(means[k][k] for k in range(len(classes))) / len(classes)
    total = sum(map(sum, means)) / len(classes) ** 2
    return within, total


def draw(seed, sizes, dim=5, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    centres = torch.randn(len(sizes), dim, generator=generator)
    features = centres[labels] + torch.randn(len(labels), dim, generator=generator)
    order = torch.randperm(len(labels), generator=generator)
    return features[order].to(dtype), labels[order]


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    sizes=st.lists(st.integers(0, 6), min_size=1, max_size=5).filter(lambda s: sum(s) > 1),
    dtype=st.sampled_from([torch.float64, torch.float32, torch.bfloat16, torch.float16]),
)
def test_equals_the_double_sum_over_pairs(seed, sizes, dtype):
    features, labels = draw(seed, sizes, dtype=dtype)
    within, total = by_all_pairs(features, labels)
    found = class_separation(features, labels, num_classes=len(sizes))
    assert float(found.within) == pytest.approx(within, abs=1e-12)
    assert float(found.total) == pytest.approx(total, abs=1e-12)
    assert float(found.r2) == pytest.approx(1 - within / total, abs=1e-9)
    assert found.r2.dtype == torch.float64
    assert found.r2.shape == ()


def test_classes_weigh_the_same_whatever_their_size():
    features, labels = draw(0, [40, 2, 5])
    sized = class_separation(features, labels)
    pooled = class_separation(
        torch.cat([features, features[labels == 0].repeat(3, 1)]),
        torch.cat([labels, torch.zeros(120, dtype=torch.int64)]),
    )
    assert torch.allclose(torch.stack(sized), torch.stack(pooled), atol=1e-12)


def test_absent_classes_are_left_out():
    features, labels = draw(1, [3, 4])
    packed = class_separation(features, labels)
    spread = class_separation(features, labels * 7, num_classes=20)
    assert torch.equal(torch.stack(packed), torch.stack(spread))


def test_length_of_a_feature_does_not_matter():
    features, labels = draw(2, [5, 5, 5])
    scaled = features * torch.logspace(-15, 15, len(features)).unsqueeze(1)
    one, other = class_separation(features, labels), class_separation(scaled, labels)
    assert torch.allclose(torch.stack(one), torch.stack(other), atol=1e-6)


def test_a_feature_of_zeros_is_at_cosine_0_to_all():
    features = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 1.0]])
    found = class_separation(features, torch.tensor([0, 0, 1]))
    # Pairs within class 0: three of four at distance 1. Class means (1/2, 0) and (0, 1).
    assert float(found.within) == pytest.approx((3 / 4 + 0) / 2)
    assert float(found.total) == pytest.approx(1 - (1 / 16 + 1 / 4))


@pytest.mark.parametrize("direction", [[1.0, 1.0, 0.0], [1.0, 2.0, 3.0]])
def test_one_direction_has_no_r2(direction):
    features = torch.tensor(direction).repeat(30, 1) * torch.arange(1, 31).unsqueeze(1)
    found = class_separation(features, torch.arange(30) % 3)
    assert 0 <= float(found.within) < 1e-12
    assert 0 <= float(found.total) < 1e-12
    assert found.r2.isnan()


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_feature_that_is_not_finite_stays_visible(bad):
    features, labels = draw(3, [4, 4])
    features[2, 1] = bad
    assert torch.stack(class_separation(features, labels)).isnan().all()


def test_without_samples_all_is_nan():
    found = class_separation(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64))
    assert torch.stack(found).isnan().all()


def test_batches_and_merging_change_nothing():
    features, labels = draw(4, [9, 1, 14])
    whole = torch.stack(class_separation(features, labels))
    streamed, other = ClassSeparation(3, 5), ClassSeparation(3, 5)
    for metric, part in ((streamed, slice(0, 7)), (streamed, slice(7, 8)), (other, slice(8, 24))):
        metric.update(features[part], labels[part])
    streamed.merge_state(other)
    assert torch.allclose(torch.stack(streamed.compute()), whole, atol=1e-12)


def test_small_integer_labels_do():
    features, labels = draw(5, [4, 4])
    assert class_separation(features, labels.to(torch.uint8)) == class_separation(features, labels)


@pytest.mark.parametrize(
    ("features", "labels", "num_classes", "message"),
    [
        (torch.zeros(4), torch.zeros(4).long(), None, r"features must have shape \(N, D\).*\(4,\)"),
        (torch.zeros(4, 2).int(), torch.zeros(4).long(), None, "features must be a floating-point"),
        (torch.zeros(4, 2), torch.zeros(4), None, "labels must be a tensor of integers.*float32"),
        (torch.zeros(2, 2), [0, 1], None, "labels must be a tensor of integers.*got list"),
        (torch.zeros(4, 2), torch.zeros(3).long(), None, r"labels must have .*\(4,\); got \(3,\)"),
        (torch.zeros(1, 2), torch.tensor([2]), 2, r"labels holds 2, outside \[0, 2\)"),
        (torch.zeros(1, 2), torch.tensor([-1]), None, "labels holds -1"),
        (torch.zeros(1, 2), torch.tensor([0]), 0, "num_classes must be a whole number, 1 or more"),
    ],
)
def test_bad_input_is_named(features, labels, num_classes, message):
    with pytest.raises(ValueError, match=message):
        class_separation(features, labels, num_classes)


def test_metric_wants_the_width_it_was_made_for():
    with pytest.raises(ValueError, match=r"features must have shape \(N, 5\); got \(2, 4\)"):
        ClassSeparation(3, 5).update(torch.zeros(2, 4), torch.tensor([0, 1]))


def test_many_rows_are_taken_block_by_block(monkeypatch):
    features, labels = draw(6, [20, 30, 7])
    whole = torch.stack(class_separation(features, labels))
    monkeypatch.setattr(_blocks, "_CPU_NUMBERS", 8 * 5)
    assert torch.allclose(torch.stack(class_separation(features, labels)), whole, atol=1e-12)


def test_the_spread_of_each_class():
    features, labels = draw(7, [6, 0, 9, 1])
    found = class_spread(features, labels, num_classes=5)
    assert found.samples.tolist() == [6, 0, 9, 1, 0]
    assert found.within.isnan().tolist() == [False, True, False, False, True]
    for k in (0, 2, 3):
        of_class = labels == k
        within, _ = by_all_pairs(features[of_class], labels[of_class])
        assert float(found.within[k]) == pytest.approx(within, abs=1e-12)
    mean = found.within[[0, 2, 3]].mean()
    assert float(mean) == pytest.approx(float(class_separation(features, labels).within))


def test_extreme_samples_are_those_of_the_smallest_and_largest_cosine():
    features, labels = draw(8, [12, 7])
    found = extreme_samples(features, labels, 0, count=3)
    of_class = (labels == 0).nonzero().flatten().tolist()
    units = {i: features[i].double() / features[i].double().norm() for i in of_class}
    direction = sum(units.values())
    cosines = {i: float(units[i] @ direction / direction.norm()) for i in of_class}
    ranked = sorted(of_class, key=cosines.get, reverse=True)
    assert found.nearest.tolist() == ranked[:3]
    assert found.farthest.tolist() == ranked[:-4:-1]
    assert found.nearest_cosines.tolist() == pytest.approx([cosines[i] for i in ranked[:3]])
    assert found.farthest_cosines.tolist() == pytest.approx([cosines[i] for i in ranked[:-4:-1]])


def test_of_equally_far_samples_the_first_come_first():
    features = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0], [0.0, 3.0]])
    found = extreme_samples(features, torch.zeros(4).long(), 0, count=9)
    assert found.nearest.tolist() == found.farthest.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("label", "count", "message"),
    [
        (1, 3, "No sample has the label 1"),
        (-1, 3, "label must be a whole number, 0 or more"),
        (0, 0, "count must be a whole number, 1 or more"),
    ],
)
def test_no_extreme_samples_of_nothing(label, count, message):
    with pytest.raises(ValueError, match=message):
        extreme_samples(torch.ones(2, 2), torch.zeros(2).long(), label, count)
