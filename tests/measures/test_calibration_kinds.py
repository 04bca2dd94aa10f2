"""Calibration by its sign, by classes, by bins of equal mass, and without bins."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm

from maxsup.measures import Calibration, ClasswiseCalibration, StoredCalibration


def draw(seed=0, samples=450, classes=5, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    logits = (2 * torch.randn(samples, classes, generator=generator)).to(dtype)
    return logits, torch.randint(classes, (samples,), generator=generator)


def confidences(logits, labels):
    confidence, predicted = logits.double().softmax(1).max(1)
    return confidence.numpy(), (predicted == labels).double().numpy()


def stored(logits, labels, bins=15):
    metric = StoredCalibration(bins)
    metric.update(logits, labels)
    return metric.compute()


def test_over_and_under_confidence_are_the_signed_parts_of_the_error():
    logits, labels = draw(1)
    unsure = logits.softmax(1).amax(1) < 0.6
    labels = torch.where(unsure, logits.argmax(1), labels)
    metric = Calibration()
    metric.update(logits, labels)
    found = metric.compute()
    confidence, right = confidences(logits, labels)
    over = under = 0.0
    places = np.ceil(confidence * 15) - 1
    for place in range(15):
        held = places == place
        gap = (confidence[held] - right[held]).sum() / 450
        over, under = over + max(gap, 0), under + max(-gap, 0)
    assert float(found.overconfidence) == pytest.approx(over, abs=1e-12)
    assert float(found.underconfidence) == pytest.approx(under, abs=1e-12)
    assert min(over, under) > 0
    assert over + under == pytest.approx(float(found.ece), abs=1e-12)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bins", [2, 15])
def test_classwise_equals_the_definition(bins, dtype):
    logits, labels = draw(2, dtype=dtype)
    probs, true = logits.double().softmax(1).numpy(), labels.numpy()
    expected = 0.0
    for k in range(5):
        places = np.clip(np.ceil(probs[:, k] * bins) - 1, 0, bins - 1)
        for place in range(bins):
            held = places == place
            expected += abs((true[held] == k).sum() - probs[held, k].sum()) / 450 / 5
    metric = ClasswiseCalibration(5, bins)
    for part in torch.arange(450).split(97):
        metric.update(logits[part], labels[part])
    assert float(metric.compute()) == pytest.approx(expected, abs=1e-12)


def test_equal_mass_equals_the_definition():
    logits, labels = draw(3)
    confidence, right = confidences(logits, labels)
    assert len(set(confidence)) == 450
    parts = np.array_split(np.argsort(confidence), 15)
    expected = sum(abs((right[part] - confidence[part]).sum()) for part in parts) / 450
    assert float(stored(logits, labels).equal_mass) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("samples", [1, 7, 100])
def test_equal_mass_divides_samples_and_ties_by_fractions(samples):
    """As if there were fifteen copies of each sample, all with the mean residual of its ties."""
    logits, labels = draw(4, samples=samples)
    logits = logits.round()
    confidence, right = confidences(logits, labels)
    confidence = confidence.round(12)
    mean = [(right - confidence)[confidence == each].mean() for each in confidence]
    copies = np.repeat(np.array(mean)[np.argsort(confidence)], 15)
    expected = np.abs(copies.reshape(15, samples).sum(1)).sum() / 15 / samples
    assert float(stored(logits, labels).equal_mass) == pytest.approx(expected, abs=1e-10)


def smoothed(confidence, right, bandwidth, points=4000):
    """The smoothed error, with a Gaussian for each sample and for its mirror images."""
    at = (np.arange(points) + 0.5) / points
    kernel = sum(
        norm.pdf(at[:, None], mirror + 2 * turn, bandwidth)
        for mirror in (confidence, -confidence)
        for turn in range(-3, 4)
    )
    return float(np.abs(kernel @ (right - confidence) / len(right)).mean())


@pytest.mark.parametrize("mostly_right", [True, False])
def test_smooth_equals_the_definition(mostly_right):
    logits, labels = draw(5, samples=100)
    if mostly_right:
        labels = torch.where(torch.arange(100) % 5 > 0, logits.argmax(1), labels)
    value = float(stored(logits, labels).smooth)
    assert smoothed(*confidences(logits, labels), value) == pytest.approx(value, abs=1e-5)


def test_smooth_of_a_single_confidence_is_its_distance_from_the_accuracy():
    labels = (torch.arange(10) >= 3).long()
    assert float(stored(torch.zeros(10, 2), labels).smooth) == pytest.approx(0.2, abs=1e-6)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_finite_at_every_scale_and_nan_without_samples(scale):
    logits, labels = draw(7)
    found = stored(logits * scale, labels)
    assert all(0 <= value <= 1 for value in found)
    confidence, right = confidences(logits * scale, labels)
    assert float(found.equal_mass) >= abs((right - confidence).mean()) - 1e-12
    assert all(value.isnan() for value in stored(logits[:0], labels[:0]))
    assert all(value.isnan() for value in stored(logits * math.nan, labels))


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="bins must be a whole number, 2 or more; got 1"):
        StoredCalibration(1)
    with pytest.raises(ValueError, match="num_classes must be a whole number, 1 or more; got 0"):
        ClasswiseCalibration(0)
    with pytest.raises(ValueError, match=r"logits must have shape \(N, 3\); got \(2, 4\)"):
        ClasswiseCalibration(3).update(torch.zeros(2, 4), torch.zeros(2).long())
