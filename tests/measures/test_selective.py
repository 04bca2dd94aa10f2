import itertools
import math
import statistics

import pytest
import torch
from sklearn.metrics import roc_auc_score

from maxsup.measures import SelectiveClassification, StoredCalibration


def values(logits, labels, **options):
    metric = SelectiveClassification(**options)
    metric.update(logits, labels)
    return metric.compute()


def draw(seed=0, samples=400, classes=6):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(samples, classes, generator=generator)
    return logits, (logits / 2).softmax(1).multinomial(1, generator=generator)[:, 0]


def by_loops(wrong):
    """AURC and AUGRC of errors in order."""
    count, errors, area, generalised = len(wrong), 0, 0.0, 0.0
    for place, each in enumerate(wrong, start=1):
        generalised += (errors + each / 2) / count**2
        errors += each
        area += errors / place / count
    return area, generalised


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_without_ties_equals_the_definition(dtype):
    # Whole steps apart, so that bf16 has no ties either.
    logits = torch.zeros(100, 3)
    logits[:, 0] = torch.arange(100) / 16 + 0.5
    labels = (torch.rand(100, generator=torch.Generator().manual_seed(0)) < 0.3).long()
    order = torch.randperm(100, generator=torch.Generator().manual_seed(1))
    found = values(logits[order].to(dtype), labels[order])
    area, generalised = by_loops(labels.flip(0).tolist())
    assert float(found.aurc) == pytest.approx(area, abs=1e-12)
    assert float(found.augrc) == pytest.approx(generalised, abs=1e-12)


def test_of_ties_it_is_the_mean_over_all_orders():
    logits = torch.tensor([[2.0, 0.0]] * 4 + [[1.0, 0.0]] * 2 + [[0.0, 1.0]])
    labels = torch.tensor([0, 1, 0, 1, 1, 0, 0])
    wrong = [0, 1, 0, 1, 1, 0, 1]
    found = values(logits, labels)
    every = [
        by_loops([wrong[i] for i in (*first, *second)])
        for first in itertools.permutations(range(4))
        for second in itertools.permutations(range(4, 7))
    ]
    assert float(found.aurc) == pytest.approx(statistics.fmean(a for a, _ in every), abs=1e-12)
    assert float(found.augrc) == pytest.approx(statistics.fmean(g for _, g in every), abs=1e-12)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_order_of_the_samples_never_matters(scale):
    logits, labels = draw(1)
    logits = (logits * 2).round() / 2 * scale  # many ties
    logits[:240] = torch.tensor([60.0, 0, 0, 0, 0, 0]) * scale
    kept = StoredCalibration()
    kept.update(logits, labels)
    first = (*values(logits, labels), *kept.compute())
    for seed in range(5):
        order = torch.randperm(400, generator=torch.Generator().manual_seed(seed))
        kept = StoredCalibration()
        kept.update(logits[order], labels[order])
        again = (*values(logits[order], labels[order]), *kept.compute())
        for one, other in zip(first, again, strict=True):
            assert torch.allclose(one, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("scale", [2.0**-10, 1.0, 2.0**10])
def test_two_classes_are_ordered_alike_at_every_scale(scale, dtype):
    """Softmax gives 1.0 to most of them at the largest one; their order is still known."""
    logits, labels = draw(2, classes=2)
    logits = logits.to(dtype).double()
    reference = values(logits, labels)
    for one, other in zip(reference, values(logits * scale, labels), strict=True):
        assert torch.allclose(one, other, rtol=0, atol=1e-12)


def test_auroc_equals_scikit_learn_and_gives_augrc():
    logits, labels = draw(3)
    logits = (logits * 4).round() / 4
    found = values(logits, labels)
    confidence, predicted = logits.double().softmax(1).max(1)
    right = predicted == labels
    expected = roc_auc_score(right, confidence.numpy().round(13))
    assert float(found.auroc) == pytest.approx(expected, abs=1e-12)
    accuracy = float(right.double().mean())
    augrc = (1 - expected) * accuracy * (1 - accuracy) + (1 - accuracy) ** 2 / 2
    assert float(found.augrc) == pytest.approx(augrc, abs=1e-12)


def test_the_same_logits_in_another_order_of_the_classes_tie():
    row = [3.0, 0.1, 0.7, -0.3, 0.2]
    logits = torch.tensor([[row[0], *rest] for rest in itertools.permutations(row[1:])])
    assert float(values(logits, torch.arange(24) % 2).auroc) == 0.5


def test_curve_and_coverage():
    logits = torch.zeros(20, 2)
    logits[:, 0] = torch.arange(20, 0, -1)
    labels = torch.zeros(20).long()
    labels[[10, 12, 19]] = 1
    found = values(logits, labels, risks=(0.0, 0.1, 0.15), points=4)
    assert found.coverage.tolist() == pytest.approx([10 / 20, 12 / 20, 1.0])
    assert found.risk.tolist() == pytest.approx([0, 0, 2 / 15, 3 / 20])


def test_coverage_cannot_divide_ties():
    logits = torch.tensor([[2.0, 0.0]] * 3 + [[1.0, 0.0]] * 3)
    found = values(logits, torch.tensor([0, 0, 0, 0, 0, 1]), risks=(0.0, 0.1))
    assert found.coverage.tolist() == [0.5, 0.5]
    nothing = values(logits, torch.tensor([0, 0, 1, 0, 0, 1]), risks=(0.0, 0.1))
    assert nothing.coverage.tolist() == [0, 0]


def test_where_all_are_right_or_wrong_or_there_are_none():
    logits = torch.tensor([[2.0, 0.0], [1.0, 0.0]])
    right = values(logits, torch.tensor([0, 0]))
    assert right.auroc.isnan()
    assert (float(right.aurc), float(right.augrc), right.coverage.tolist()) == (0, 0, [1, 1])
    wrong = values(logits, torch.tensor([1, 1]))
    assert (float(wrong.aurc), float(wrong.augrc), wrong.coverage.tolist()) == (1, 0.5, [0, 0])
    spoilt = values(torch.tensor([[math.nan, 0.0], [1.0, 0.0]]), torch.tensor([0, 0]))
    assert all(each.isnan().all() for each in spoilt)
    none = values(torch.zeros(0, 2), torch.zeros(0).long())
    assert all(each.isnan().all() for each in none)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match=r"risks must lie in \[0, 1\]; got \[5\]"):
        SelectiveClassification(risks=[5])
    with pytest.raises(ValueError, match="points must be a whole number, 2 or more; got 1"):
        SelectiveClassification(points=1)
