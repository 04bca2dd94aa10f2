import math

import pytest
import torch
from scipy.optimize import minimize_scalar

from maxsup.measures import Classification, Temperature, TemperatureScaling, fit_temperature

SCALES = [1e-3, 0.03, 1.0, 30.0, 1e3]


def draw(seed=0, samples=400, classes=6):
    """Logits whose best temperature is about 1."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(samples, classes, generator=generator, dtype=torch.float64)
    return logits, logits.softmax(1).multinomial(1, generator=generator)[:, 0]


def nll(logits, labels, temperature):
    return float(torch.nn.functional.cross_entropy(logits.double() / temperature, labels))


def by_search(logits, labels, around):
    found = minimize_scalar(
        lambda log: nll(logits, labels, around * math.exp(log)),
        bounds=(-3, 3),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return around * math.exp(found.x)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("scale", SCALES)
def test_fit_is_the_minimum_at_every_scale(scale, dtype):
    logits, labels = draw()
    scaled = (logits * scale).to(dtype)
    temperature = float(fit_temperature(scaled, labels))
    assert temperature == pytest.approx(by_search(scaled, labels, scale), rel=1e-6)
    if dtype == torch.float64:
        expected = scale * float(fit_temperature(logits, labels))
        assert temperature == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("away", [1e-6, 1e-3, 0.03, 30.0])
def test_fit_where_one_is_wrong_by_much_or_little(away):
    """One of two hundred; the others are right by 1."""
    logits = torch.zeros(200, 3, dtype=torch.float64)
    logits[:, 0] = 1
    logits[0] = torch.tensor([0, away, 0])
    labels = torch.zeros(200).long()
    temperature = fit_temperature(logits, labels)
    assert 0 < temperature < math.inf
    inverse = (1 / temperature).requires_grad_()
    loss = torch.nn.functional.cross_entropy(logits * inverse, labels)
    (slope,) = torch.autograd.grad(loss, inverse)
    assert abs(float(slope)) < 1e-9


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("samples", [1, 8, 500])
def test_fit_where_all_are_right_is_as_sure_as_so_many_samples_allow(scale, samples):
    logits = torch.eye(4, dtype=torch.float64).repeat(samples, 1)[:samples] * scale
    labels = torch.arange(samples) % 4
    temperature = float(fit_temperature(logits, labels))
    rule_of_succession = math.log((samples + 2) / (samples + 1))
    assert nll(logits, labels, temperature) == pytest.approx(rule_of_succession, rel=1e-9)


def test_fit_where_all_are_wrong_makes_them_uniform():
    logits = 8 * torch.eye(4, dtype=torch.float64)
    labels = torch.tensor([1, 2, 3, 0])
    temperature = float(fit_temperature(logits, labels))
    assert temperature == pytest.approx(8e6)
    assert nll(logits, labels, temperature) == pytest.approx(math.log(4), abs=1e-5)


def test_fit_of_ties_at_the_top_and_of_logits_that_are_all_the_same():
    ties = torch.tensor([[1.0, 1.0, 0.0]] * 3 + [[2.0, 0.0, 0.0]] * 2)
    assert 0 < fit_temperature(ties, torch.zeros(5).long()) < math.inf
    assert float(fit_temperature(torch.ones(4, 3), torch.tensor([0, 1, 2, 0]))) == 1
    assert float(fit_temperature(torch.ones(4, 1), torch.zeros(4).long())) == 1


def test_fit_leaves_out_what_no_temperature_helps():
    logits, labels = draw(1)
    expected = float(fit_temperature(logits, labels))
    hopeless = torch.tensor([[-math.inf, 0, 0, 0, 0, 0]], dtype=torch.float64)
    more = torch.cat([logits, hopeless]), torch.cat([labels, torch.zeros(1).long()])
    assert float(fit_temperature(*more)) == pytest.approx(expected, rel=1e-12)
    wider = torch.cat([logits, torch.full((400, 2), -math.inf).double()], dim=1)
    assert float(fit_temperature(wider, labels)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_fit_without_samples_or_numbers_is_nan(wrong):
    assert fit_temperature(torch.zeros(0, 3), torch.zeros(0).long()).isnan()
    assert fit_temperature(torch.tensor([[wrong, 0.0]]), torch.tensor([0])).isnan()


def test_fit_does_not_depend_on_the_order():
    logits, labels = draw(2)
    order = torch.randperm(400, generator=torch.Generator().manual_seed(0))
    expected = float(fit_temperature(logits, labels))
    shuffled = float(fit_temperature(logits[order], labels[order]))
    assert shuffled == pytest.approx(expected, rel=1e-12)
    first, second = Temperature(6), Temperature(6)
    first.update(logits, labels, torch.arange(400))
    second.update(logits[order], labels[order], order)
    assert torch.equal(first.compute(), second.compute())


@pytest.mark.parametrize("scale", SCALES)
def test_scaling_takes_the_level_of_confidence_out(scale):
    logits, labels = draw(3)
    found = []
    for factor in (1.0, scale):
        metric = TemperatureScaling(6)
        metric.update(logits * factor, labels, torch.arange(400))
        found.append(metric.compute())
    assert float(found[1].temperature) == pytest.approx(scale * float(found[0].temperature))
    for one, other in zip(found[0][1:], found[1][1:], strict=True):
        assert float(one) == pytest.approx(float(other), abs=1e-9)


def test_scaling_by_what_is_given_is_that_of_divided_logits():
    logits, labels = draw(4)
    metric, plain = TemperatureScaling(6, temperature=1.7), Classification()
    metric.update(logits, labels, torch.arange(400))
    plain.update(logits / 1.7, labels)
    assert float(metric.compute().nll) == pytest.approx(float(plain.compute().nll), rel=1e-12)
    assert float(metric.compute().temperature) == pytest.approx(1.7)


def test_cross_fit_divides_no_sample_by_a_temperature_of_its_own():
    """The label of a sample has no influence on the temperature that divides it."""
    logits, labels = draw(5, samples=20)

    def used(labels):
        return TemperatureScaling(6)._temperatures(logits, labels)

    before = used(labels)
    assert len(set(before.tolist())) == 2
    for sample in range(20):
        changed = labels.clone()
        changed[sample] = (changed[sample] + 1) % 6
        after = used(changed)
        assert after[sample] == before[sample]
        assert (after != before).sum() == 10
    metric = TemperatureScaling(6)
    metric.update(logits, labels, torch.arange(20))
    expected = torch.nn.functional.cross_entropy(logits / before[:, None], labels)
    assert float(metric.compute().nll) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("samples", [0, 1])
def test_scaling_of_no_sample_or_a_single_one_is_nan(samples):
    metric = TemperatureScaling(6)
    metric.update(torch.zeros(samples, 6), torch.zeros(samples).long(), torch.arange(samples))
    assert all(value.isnan() for value in metric.compute())


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="temperature must be more than 0; got 0"):
        TemperatureScaling(6, temperature=0.0)
    with pytest.raises(ValueError, match=r"ids must have one number .* got \(3,\)"):
        Temperature(2).update(torch.zeros(2, 2), torch.zeros(2).long(), torch.arange(3))
