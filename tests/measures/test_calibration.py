import math

import pytest
import torch
from torchmetrics.classification import MulticlassCalibrationError

from maxsup.measures import Calibration, expected_calibration_error


def draw(seed=0, samples=500, classes=7, scale=2.0):
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(samples, classes, generator=generator)
    return logits, torch.randint(classes, (samples,), generator=generator)


def by_loops(logits, labels, bins):
    held = [[] for _ in range(bins)]
    for row, label in zip(logits.double().tolist(), labels.tolist(), strict=True):
        top = max(row)
        confidence = 1 / sum(math.exp(z - top) for z in row)
        place = next(b for b in range(bins) if confidence <= (b + 1) / bins or b == bins - 1)
        held[place].append((confidence, row.index(top) == label))
    ece = 0.0
    for members in held:
        if members:
            confidence = sum(c for c, _ in members) / len(members)
            accuracy = sum(right for _, right in members) / len(members)
            ece += len(members) / len(labels) * abs(accuracy - confidence)
    return ece, held


@pytest.mark.parametrize("bins", [2, 10, 15])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_equals_the_definition(bins, dtype):
    logits, labels = draw()
    logits = logits.to(dtype)
    expected, held = by_loops(logits, labels, bins)
    metric = Calibration(bins)
    metric.update(logits, labels)
    found = metric.compute()
    assert float(found.ece) == pytest.approx(expected, abs=1e-12)
    assert found.samples.tolist() == [len(members) for members in held]
    for b, members in enumerate(held):
        for values, position in ((found.confidence, 0), (found.accuracy, 1)):
            mean = sum(m[position] for m in members) / len(members) if members else 0.0
            assert float(values[b]) == pytest.approx(mean, abs=1e-12)


def test_equals_torchmetrics():
    logits, labels = draw(1, samples=3000)
    reference = MulticlassCalibrationError(num_classes=7, n_bins=15, norm="l1")(logits, labels)
    assert float(expected_calibration_error(logits, labels)) == pytest.approx(
        float(reference), abs=1e-6
    )


def test_belongs_to_the_whole_set_and_is_no_mean_over_batches():
    logits, labels = draw(2)
    metric = Calibration()
    of_batches = []
    for part in torch.arange(len(labels)).split(50):
        metric.update(logits[part], labels[part])
        of_batches.append(float(expected_calibration_error(logits[part], labels[part])))
    whole = float(expected_calibration_error(logits, labels))
    assert float(metric.compute().ece) == pytest.approx(whole, abs=1e-12)
    assert sum(of_batches) / len(of_batches) > whole + 0.01


@pytest.mark.parametrize(
    ("logits", "place"),
    [
        ([0.0, 0.0, 0.0, 0.0], 0),  # confidence 1/4
        ([1e-6, 0.0, 0.0, 0.0], 1),
        ([0.0, 0.0, -math.inf, -math.inf], 1),  # 1/2
        ([1e-6, 0.0, -math.inf, -math.inf], 2),
        ([0.0, -math.inf, -math.inf, -math.inf], 3),  # 1
        ([0.0, -1000.0, -1000.0, -1000.0], 3),
    ],
)
def test_bins_include_their_upper_end(logits, place):
    metric = Calibration(4)
    metric.update(torch.tensor([logits]), torch.tensor([0]))
    assert metric.compute().samples.tolist() == [int(b == place) for b in range(4)]


def test_merging_changes_nothing():
    logits, labels = draw(3)
    one, other = Calibration(), Calibration()
    one.update(logits[:123], labels[:123])
    other.update(logits[123:], labels[123:])
    one.merge_state(other)
    assert float(one.compute().ece) == pytest.approx(
        float(expected_calibration_error(logits, labels)), abs=1e-12
    )


def test_of_tied_logits_the_first_is_predicted():
    logits = torch.zeros(2, 4)
    assert float(expected_calibration_error(logits, torch.tensor([0, 0]))) == pytest.approx(0.75)
    assert float(expected_calibration_error(logits, torch.tensor([1, 3]))) == pytest.approx(0.25)


def test_without_samples_or_with_nan_it_is_nan():
    assert expected_calibration_error(torch.zeros(0, 3), torch.zeros(0).long()).isnan()
    assert expected_calibration_error(torch.tensor([[math.nan, 0.0]]), torch.tensor([1])).isnan()


@pytest.mark.parametrize("bins", [0, 1, 2.5])
def test_number_of_bins_is_checked(bins):
    with pytest.raises(ValueError, match=f"bins must be a whole number, 2 or more; got {bins}"):
        Calibration(bins)


def test_a_label_out_of_range_is_no_wrong_prediction_but_an_error():
    with pytest.raises(ValueError, match=r"labels holds -100, outside \[0, 3\)"):
        expected_calibration_error(torch.zeros(2, 3), torch.tensor([0, -100]))


def test_logits_of_another_shape_are_named():
    with pytest.raises(ValueError, match=r"logits must have shape \(N, D\), D >= 1; got \(2, 0\)"):
        expected_calibration_error(torch.zeros(2, 0), torch.tensor([0, 0]))
    with pytest.raises(ValueError, match="logits must be a floating-point tensor; got list"):
        expected_calibration_error([[0.0]], torch.tensor([0]))
