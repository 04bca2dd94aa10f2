import math
import warnings

import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch.nn import functional

from maxsup.measures import WIDE_GRID, logistic_path


def draw(classes=4, samples=120, dim=6, spread=1.0, seed=0, offset=0.0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(samples) % classes
    centres = torch.randn(classes, dim, generator=generator)
    scales = torch.arange(1, dim + 1).pow(-1.0)
    noise = spread * torch.randn(samples, dim, generator=generator)
    return (centres[labels] + noise) * scales + offset, labels


def loss_of(weight, intercept, features, labels, l2):
    logits = features.double() @ weight.T + intercept
    return float(functional.cross_entropy(logits, labels) + l2 / 2 * weight.square().sum())


def by_dense_newton(features, labels, classes, l2):
    """The smallest loss, by damped Newton steps with the whole Hessian from autograd."""
    rows = torch.cat([features.double(), torch.ones(len(features), 1)], dim=1)

    def loss(flat):
        weight = flat.view(classes, -1)
        penalty = l2 / 2 * weight[:, :-1].square().sum()
        return functional.cross_entropy(rows @ weight.T, labels) + penalty

    at = torch.zeros(classes * rows.shape[1], dtype=torch.float64)
    for _ in range(100):
        slope = torch.autograd.functional.jacobian(loss, at)
        hessian = torch.autograd.functional.hessian(loss, at)
        step, fraction = torch.linalg.lstsq(hessian, -slope.unsqueeze(1), driver="gelsd")[0], 1.0
        while loss(at + fraction * step[:, 0]) > loss(at) + 1e-15 and fraction > 1e-9:
            fraction /= 2
        at = at + fraction * step[:, 0]
        if slope.norm() < 1e-13:
            break
    return float(loss(at))


@pytest.mark.parametrize("classes", [2, 4])
def test_equals_the_least_loss_by_dense_newton_steps(classes):
    features, labels = draw(classes)
    fits = list(logistic_path(features, labels, [1e-5, 1e-3, 0.1, 10.0]))
    assert [fit.l2 for fit in fits] == [10.0, 0.1, 1e-3, 1e-5]
    for fit in fits:
        least = by_dense_newton(features, labels, classes, fit.l2)
        assert fit.loss == pytest.approx(least, rel=2e-9)
        assert fit.loss - least <= fit.gap + 1e-13
        assert fit.gap <= 1e-9 * fit.loss
        again = loss_of(fit.weight, fit.intercept, features, labels, fit.l2)
        assert again == pytest.approx(fit.loss, rel=1e-12)


@pytest.mark.parametrize("classes", [2, 5])
def test_equals_scikit_learn_at_every_value_of_the_grid(classes):
    # Separable, so that the optimum is far away where l2 is weak.
    features, labels = draw(classes, samples=150, dim=4, spread=0.4, offset=3.0)
    assert len(WIDE_GRID) == 45
    assert WIDE_GRID[0] == pytest.approx(1e-6)
    assert WIDE_GRID[-1] == pytest.approx(1e5)
    fits = list(logistic_path(features, labels, WIDE_GRID))
    for fit in fits[::4]:
        # The sum of the losses is what C multiplies; of two classes it has the difference alone.
        inverse = (2 if classes == 2 else 1) / (len(labels) * fit.l2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            peer = LogisticRegression(C=inverse, tol=1e-12, max_iter=5000, solver="newton-cholesky")
            peer.fit(features.double().numpy(), labels.numpy())
        weight = torch.from_numpy(peer.coef_).double()
        intercept = torch.from_numpy(peer.intercept_).double()
        if classes == 2:
            weight, intercept = torch.cat([-weight, weight]) / 2, torch.cat([-intercept, intercept])
            intercept = intercept / 2
        there = loss_of(weight, intercept, features, labels, fit.l2)
        assert fit.loss == pytest.approx(there, rel=1e-8)
        assert fit.loss <= there * (1 + 1e-9)


def test_the_same_whatever_the_order_of_samples_and_whoever_came_before():
    features, labels = draw()
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))
    fit, other = (
        list(logistic_path(*given, l2))[-1]
        for given, l2 in (
            ((features, labels), [1e-4]),
            ((features[order], labels[order]), [1e3, 1.0, 0.3, 1e-4]),
        )
    )
    assert fit.loss == pytest.approx(other.loss, rel=2e-9)
    assert torch.allclose(fit.weight, other.weight, rtol=1e-3, atol=1e-3)


def test_a_fit_to_begin_with_changes_the_way_alone():
    features, labels = draw(samples=200)
    (start,) = logistic_path(features[:150], labels[:150], [1e-3])
    (begun,) = logistic_path(features, labels, [1e-3], start=start)
    (fresh,) = logistic_path(features, labels, [1e-3])
    assert begun.loss == pytest.approx(fresh.loss, rel=2e-9)


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_the_scale_of_features_is_taken_up_by_l2(scale):
    features, labels = draw()
    (plain,) = logistic_path(features.double(), labels, [1e-3])
    (scaled,) = logistic_path(features.double() * scale, labels, [1e-3 * scale**2])
    assert scaled.loss == pytest.approx(plain.loss, rel=2e-9)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_any_floating_dtype(dtype):
    features, labels = draw()
    (fit,) = logistic_path(features.to(dtype), labels, [1e-2])
    (same,) = logistic_path(features.to(dtype).double(), labels, [1e-2])
    assert fit.loss == same.loss
    assert fit.weight.dtype == torch.float64


def test_features_without_variance_leave_the_frequencies():
    labels = torch.tensor([0, 0, 0, 1, 2, 2])
    fits = list(logistic_path(torch.ones(6, 3), labels, [1.0, 1e-6]))
    frequencies = torch.tensor([3, 1, 2]).double() / 6
    for fit in fits:
        assert fit.loss == pytest.approx(float(-(frequencies * frequencies.log()).sum()))
        assert fit.weight.abs().max() == 0
        assert torch.allclose(fit.intercept.softmax(0), frequencies)


def test_more_features_than_samples():
    features, labels = draw(3, samples=12, dim=40)
    for fit in logistic_path(features, labels, [1.0, 1e-6]):
        assert fit.gap <= 1e-9 * fit.loss
    assert torch.equal(fit.predict(features), labels)


def clusters(kind):
    """Features that are hard on an optimiser."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(300, 8, generator=generator)
    labels = torch.arange(300) % 10
    centres = torch.randn(10, 8, generator=generator)
    if kind == "wrong labels within tight clusters":
        wrong = torch.rand(300, generator=generator) < 0.3
        at_random = torch.randint(10, (300,), generator=generator)
        return centres[labels] + 0.1 * noise, torch.where(wrong, at_random, labels)
    if kind == "fine classes within tight coarse ones":
        return centres[labels // 5] + 0.1 * noise + 0.03 * centres[labels], labels
    if kind == "many magnitudes":
        return (centres[labels] + noise) * torch.logspace(-3, 3, 8), labels
    assert kind == "an outlier"
    features = centres[labels] + noise
    features[7] *= 1e6
    return features, labels


@pytest.mark.parametrize(
    "kind",
    [
        "wrong labels within tight clusters",
        "fine classes within tight coarse ones",
        "many magnitudes",
        "an outlier",
    ],
)
def test_what_is_hard_is_reached_too(kind):
    features, labels = clusters(kind)
    for fit in logistic_path(features, labels, WIDE_GRID[::2]):
        assert fit.gap <= 1e-9 * fit.loss
        again = loss_of(fit.weight, fit.intercept, features, labels, fit.l2)
        assert again == pytest.approx(fit.loss, rel=1e-9)


def test_what_cannot_be_reached_is_said():
    features, labels = draw()
    with pytest.warns(RuntimeWarning, match="l2 = 0.001 is within .* and no closer"):
        list(logistic_path(features, labels, [1e-3], tolerance=1e-300))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"l2": []}, "l2 must be one or more"),
        ({"l2": [0.0, 1.0]}, r"above 0; got \[0.0, 1.0\]"),
        ({"l2": [math.nan]}, "l2 must be one or more"),
        ({"tolerance": 0.0}, "tolerance must lie in"),
        ({"num_classes": 6}, r"no sample of 2 of 6 classes: 4, 5\. Number the classes"),
        ({"labels": torch.zeros(120, dtype=torch.int64)}, "two classes or more; got 1"),
        ({"labels": torch.zeros(120)}, "labels must be a tensor of integers"),
        ({"labels": torch.arange(9)}, r"shape \(120,\); got \(9,\)"),
        ({"features": torch.zeros(120)}, "must have shape"),
    ],
)
def test_bad_input_is_named(change, message):
    features, labels = draw()
    given = {"features": features, "labels": labels, "l2": [1.0]} | change
    with pytest.raises(ValueError, match=message):
        logistic_path(given.pop("features"), given.pop("labels"), given.pop("l2"), **given)


def test_features_that_are_not_finite_are_counted():
    features, labels = draw()
    features[7, 2], features[9, 0] = math.nan, math.inf
    with pytest.raises(ValueError, match="in 2 of 120 rows, the first of them row 7"):
        logistic_path(features, labels, [1.0])


def test_a_start_of_another_width_is_refused():
    features, labels = draw()
    (start,) = logistic_path(features[:, :3], labels, [1.0])
    with pytest.raises(ValueError, match=r"4 classes and 6 features; got one for \(4, 3\)"):
        logistic_path(features, labels, [1.0], start=start)
