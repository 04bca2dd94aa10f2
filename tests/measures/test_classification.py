import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from maxsup.measures import Classification, ClassificationValues


def mean(values):
    return sum(values) / len(values) if values else math.nan


def by_loops(logits, labels):
    right, nll, brier, confidence = [], [], [], []
    for row, label in zip(logits.double().tolist(), labels.tolist(), strict=True):
        top = max(row)
        total = sum(math.exp(z - top) for z in row)
        probs = [math.exp(z - top) / total for z in row]
        right.append(row.index(top) == label)
        nll.append(top + math.log(total) - row[label])
        brier.append(sum((q - (k == label)) ** 2 for k, q in enumerate(probs)))
        confidence.append(max(probs))
    return ClassificationValues(
        accuracy=mean(right),
        nll=mean(nll),
        brier=mean(brier),
        confidence_right=mean([c for c, r in zip(confidence, right, strict=True) if r]),
        confidence_wrong=mean([c for c, r in zip(confidence, right, strict=True) if not r]),
    )


def measure(logits, labels, parts=1):
    metric = Classification()
    for part in torch.arange(len(labels)).tensor_split(parts):
        metric.update(logits[part], labels[part])
    return metric.compute()


def floats(values):
    return [float(value) for value in values]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    samples=st.integers(1, 30),
    classes=st.integers(1, 6),
    scale=st.sampled_from([0.0, 1.0, 30.0, 1e4]),
    dtype=st.sampled_from([torch.float64, torch.float32, torch.bfloat16, torch.float16]),
    parts=st.integers(1, 4),
)
def test_equals_the_definitions(seed, samples, classes, scale, dtype, parts):
    generator = torch.Generator().manual_seed(seed)
    logits = (scale * torch.randn(samples, classes, generator=generator)).to(dtype)
    labels = torch.randint(classes, (samples,), generator=generator)
    expected = by_loops(logits, labels)
    assert floats(measure(logits, labels, parts)) == pytest.approx(
        list(expected), rel=1e-11, abs=1e-12, nan_ok=True
    )


def test_small_losses_keep_their_digits():
    # In float32, 1 − q_true is 0 here and the loss with it.
    values = measure(torch.tensor([[20.0, 0.0]]), torch.tensor([0]))
    assert float(values.nll) == pytest.approx(math.log1p(math.exp(-20)), rel=1e-6)


def test_confidence_of_a_group_without_samples_is_nan():
    logits = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    assert measure(logits, torch.tensor([0, 1])).confidence_wrong.isnan()
    assert measure(logits, torch.tensor([1, 0])).confidence_right.isnan()
    assert torch.stack(measure(logits[:0], torch.tensor([], dtype=torch.int64))).isnan().all()


def test_a_class_that_is_not_available_has_no_probability():
    logits = torch.tensor([[1.0, 0.0, -math.inf], [0.0, 1.0, -math.inf]])
    labels = torch.tensor([0, 0])
    assert floats(measure(logits, labels)) == pytest.approx(floats(measure(logits[:, :2], labels)))
    values = measure(logits, torch.tensor([2, 0]))
    assert float(values.nll) == math.inf
    assert float(values.brier) < 2


def test_nan_stays_visible():
    values = measure(torch.tensor([[math.nan, 0.0], [1.0, 0.0]]), torch.tensor([0, 0]))
    assert torch.stack(values[1:]).isnan().all()


def test_of_tied_logits_the_first_is_predicted():
    assert float(measure(torch.ones(3, 3), torch.tensor([0, 1, 2])).accuracy) == pytest.approx(
        1 / 3
    )


def test_merging_changes_nothing():
    logits, labels = (
        torch.randn(11, 3, generator=torch.Generator().manual_seed(0)),
        torch.arange(11) % 3,
    )
    one, other = Classification(), Classification()
    one.update(logits[:4], labels[:4])
    other.update(logits[4:], labels[4:])
    one.merge_state(other)
    assert floats(one.compute()) == pytest.approx(floats(measure(logits, labels)), rel=1e-12)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (
            torch.zeros(2, 3, 4),
            torch.zeros(2).long(),
            r"logits must have shape \(N, D\).*\(2, 3, 4\)",
        ),
        (torch.zeros(2, 3), torch.zeros(2, 3).long(), r"labels must have .*\(2,\); got \(2, 3\)"),
        (torch.zeros(2, 3), torch.zeros(2).bool(), "labels must be a tensor of integers.*bool"),
        (torch.zeros(2, 3), None, "labels must be a tensor of integers.*NoneType"),
        (torch.zeros(2, 3), torch.tensor([0, 3]), r"labels holds 3, outside \[0, 3\).*1 of 2"),
    ],
)
def test_bad_input_is_named(logits, labels, message):
    with pytest.raises(ValueError, match=message):
        Classification().update(logits, labels)
