import itertools
import math

import pytest
import torch

from maxsup.measures import SoftConfusion, three_confused


def test_rows_are_mean_probabilities():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(40, 4, generator=generator)
    labels = torch.randint(3, (40,), generator=generator)  # class 3 has no samples
    one, other = SoftConfusion(4), SoftConfusion(4)
    for metric, part in ((one, slice(0, 9)), (one, slice(9, 30)), (other, slice(30, 40))):
        metric.update(logits[part], labels[part])
    one.merge_state(other)
    found = one.compute()
    for label in range(3):
        expected = logits[labels == label].double().softmax(dim=1).mean(dim=0)
        assert torch.allclose(found[label], expected, atol=1e-14)
    assert found[3].tolist() == [0.0] * 4


def test_bfloat16_is_summed_in_float64():
    logits = torch.tensor([[1.0, 0.0]], dtype=torch.bfloat16).repeat(5000, 1)
    metric = SoftConfusion(2)
    metric.update(logits, torch.zeros(5000, dtype=torch.int64))
    assert float(metric.compute()[0, 0]) == pytest.approx(1 / (1 + math.exp(-1)), rel=1e-12)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="num_classes must be a whole number, 2 or more; got 1"):
        SoftConfusion(1)
    with pytest.raises(ValueError, match=r"logits must have shape \(N, 3\); got \(2, 4\)"):
        SoftConfusion(3).update(torch.zeros(2, 4), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match=r"labels holds 3, outside \[0, 3\)"):
        SoftConfusion(3).update(torch.zeros(2, 3), torch.tensor([0, 3]))


def by_loops(confusion):
    classes = range(len(confusion))

    def between(i, j):
        return float(confusion[i, j] + confusion[j, i])

    first, second = max(itertools.combinations(classes, 2), key=lambda pair: between(*pair))
    others = (k for k in classes if k not in (first, second))
    return first, second, max(others, key=lambda k: between(first, k) + between(second, k))


@pytest.mark.parametrize("classes", [3, 4, 10])
@pytest.mark.parametrize("seed", range(5))
def test_three_confused_against_loops(classes, seed):
    generator = torch.Generator().manual_seed(seed)
    confusion = torch.rand(classes, classes, generator=generator, dtype=torch.float64)
    assert three_confused(confusion) == by_loops(confusion)


def test_three_confused_counts_both_directions_and_no_diagonal():
    confusion = torch.diag(torch.tensor([9.0, 9.0, 9.0, 9.0]))
    confusion[3, 1] = 0.5
    confusion[0, 2], confusion[2, 0] = 0.4, 0.4
    confusion[1, 2] = 0.1
    before = confusion.clone()
    assert three_confused(confusion) == (0, 2, 1)
    assert torch.equal(confusion, before)


@pytest.mark.parametrize("confusion", [torch.eye(5), torch.ones(5, 5), torch.zeros(5, 5).long()])
def test_of_equally_confused_classes_the_lowest_are_taken(confusion):
    assert three_confused(confusion) == (0, 1, 2)


@pytest.mark.parametrize(
    ("confusion", "message"),
    [
        (torch.eye(2), r"K >= 3 classes; got \(2, 2\)"),
        (torch.zeros(3, 4), r"confusion must have shape \(K, K\).*\(3, 4\)"),
        (torch.full((3, 3), math.nan), "confusion holds NaN"),
    ],
)
def test_three_confused_names_bad_input(confusion, message):
    with pytest.raises(ValueError, match=message):
        three_confused(confusion)
