"""Ties, classes that are not available, overflow, NaN."""

import contextlib
import math

import pytest
import torch

from maxsup import losses

from .cases import (
    ACLS,
    CROSS_ENTROPY,
    IGNORE,
    LOGIT_NORMALIZATION,
    LOGIT_PENALTY,
    LS_ERROR_ENHANCEMENT,
    LS_REGULARIZATION,
    MAXSUP,
    SHIFTING,
    TERMS,
    assert_equals_reference,
    every_loss,
    every_objective,
    every_objective_but,
    make,
    one_hot,
)

ALPHA = 0.3


def penalty_gradient(objective, logits, labels):
    """The gradient of the penalty alone, of a sum over the batch."""
    logits = logits.detach().clone().requires_grad_()
    options = {"reduction": "sum"}
    penalty = objective(logits, labels, ALPHA, **options) - objective(
        logits, labels, 0.0, **options
    )
    return torch.autograd.grad(penalty, logits)[0]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("tied", [[0, 1], [1, 3], [0, 1, 2, 3, 4]])
def test_maxsup_takes_the_first_of_tied_logits(tied, dtype):
    logits = torch.arange(5.0).div(10).to(dtype).unsqueeze(0)
    logits[:, tied] = 2.0
    expected = torch.full((1, 5), -ALPHA / 5, dtype=dtype)
    expected[:, tied[0]] = ALPHA * (1 - 1 / 5)
    found = penalty_gradient(MAXSUP, logits, torch.tensor([4]))
    torch.testing.assert_close(found, expected, rtol=0, atol=4 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("lower", [0.0, 1.0, -3.0])
def test_maxsup_takes_the_largest_logit_however_close_the_next(lower):
    # One unit in the last place above: gone after a log-softmax in float32.
    lower = torch.tensor(lower)
    upper = torch.nextafter(lower, torch.tensor(math.inf))
    logits = torch.stack([lower, upper, lower]).unsqueeze(0)
    found = penalty_gradient(MAXSUP, logits, torch.tensor([0]))
    expected = ALPHA * (one_hot(logits.argmax(1), 3) - 1 / 3)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    "objective", [LS_REGULARIZATION, LS_ERROR_ENHANCEMENT, *TERMS], ids=lambda o: o.name
)
@pytest.mark.parametrize(
    "row",
    [[0.0, 1e-9, -1e-9], [1e4, 0.25, 0.2502, 0.2498], [-1e4, 3.0, 3.0000005, 2.9999995]],
    ids=str,
)
def test_objective_counts_logits_just_beside_the_true_one(objective, row):
    logits = torch.tensor([row])
    label = torch.tensor([0 if len(row) == 3 else 1])
    assert_equals_reference(objective, objective.reference, logits, label, ALPHA)


@every_objective
def test_objective_of_equal_logits(objective):
    logits = torch.full((1, 4), 2.0, dtype=torch.float64)
    value = objective(logits, torch.tensor([1]), ALPHA)
    expected = {
        "confidence-penalty": (1 - ALPHA) * math.log(4),
        "logit-penalty": math.log(4) + ALPHA / 2 * 16,
        "acls": math.log(4) + ALPHA,
        "focal": math.log(4) * 0.75**ALPHA,
        "dual-focal": math.log(4) * 0.75**ALPHA,
        "poly-1": math.log(4) + ALPHA * 0.75,
    }.get(objective.name, math.log(4) if objective.has_cross_entropy else 0.0)
    assert float(value) == pytest.approx(expected)


@every_objective
def test_objective_of_one_class_is_always_right(objective):
    logits, labels, _ = make((3, 1))
    value = objective(logits, labels, ALPHA, reduction="none")
    if objective is LOGIT_PENALTY:
        value = value - ALPHA / 2 * logits[:, 0].square()
    if objective is ACLS:
        value = value - ALPHA * (logits[:, 0] - 1).relu().square()
    assert torch.equal(value, torch.zeros(3, dtype=torch.float64))


@pytest.mark.parametrize("kind", ["index", "soft"])
@every_objective
def test_objective_takes_a_class_that_is_not_available_as_if_absent(objective, kind):
    logits, target, weight = make((4, 5), kind)
    wider = torch.full((4, 6), -torch.inf, dtype=torch.float64)
    index = torch.tensor([0, 1, 3, 4, 5])
    wider[:, index] = logits
    if kind == "soft":
        wider_target = torch.zeros_like(wider)
        wider_target[:, index] = target
    else:
        wider_target = index[target]
    for absent_weight in (0.0, 9.0):
        wider_weight = torch.full((6,), absent_weight, dtype=torch.float64)
        wider_weight[index] = weight
        for mine, theirs in ((None, None), (wider_weight, weight)):
            wider.requires_grad_()
            value = objective(wider, wider_target, ALPHA, weight=mine)
            expected_logits = logits.clone().requires_grad_()
            expected = objective(expected_logits, target, ALPHA, weight=theirs)
            torch.testing.assert_close(value, expected)
            (found,) = torch.autograd.grad(value, wider)
            (wanted,) = torch.autograd.grad(expected, expected_logits)
            torch.testing.assert_close(found[:, index], wanted)
            assert torch.count_nonzero(found[:, 2]) == 0


@pytest.mark.parametrize("weight", [None, torch.ones(3)], ids=["", "weighted"])
@every_loss
def test_objective_of_a_true_class_that_is_not_available_is_infinite(objective, weight):
    # (1 − α)·∞ + a finite rest, never ∞ − ∞; torch's own smoothing says +inf as well.
    logits = torch.tensor([[0.0, 1.0, -torch.inf], [0.0, 1.0, 2.0]])
    for target in (torch.tensor([2, 2]), one_hot(torch.tensor([2, 2]), 3)):
        value = objective(logits, target, ALPHA, weight=weight, reduction="none")
        assert float(value[0]) == math.inf
        assert math.isfinite(float(value[1]))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("kind", ["index", "one-hot", "soft"])
@every_objective
def test_objective_lets_nan_and_infinity_be_seen(objective, kind, bad):
    logits, target, _ = make((4, 5), kind)
    for k in range(5):
        spoilt = logits.clone()
        spoilt[1, k] = bad
        value = objective(spoilt, target, ALPHA, reduction="none")
        assert not bool(value[1].isfinite())
        assert bool(value[[0, 2, 3]].isfinite().all())
        assert not bool(objective(spoilt, target, ALPHA).isfinite())


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("objective", [MAXSUP, ACLS], ids=lambda o: o.name)
def test_read_inputs_lets_nothing_out_of_ignored_positions(objective, reduction, bad):
    check_ignored(objective, reduction, bad)


@every_objective
def test_objective_lets_nothing_out_of_ignored_positions(objective):
    for bad in (math.nan, math.inf):
        check_ignored(objective, "mean", bad)


def check_ignored(objective, reduction, bad):
    logits, labels, weight = make((4, 5, 2))
    labels[1] = IGNORE
    logits = logits.requires_grad_()
    spoilt = logits.detach().clone()
    spoilt[1] = bad
    spoilt.requires_grad_()
    options = {"weight": weight, "reduction": reduction}
    value = objective(spoilt, labels, ALPHA, **options)
    expected = objective(logits, labels, ALPHA, **options)
    torch.testing.assert_close(value, expected)
    (found,) = torch.autograd.grad(value.sum(), spoilt)
    (wanted,) = torch.autograd.grad(expected.sum(), logits)
    assert torch.equal(found[1], torch.zeros(5, 2, dtype=torch.float64))
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("size", [1e4, 6e4])
@every_objective
def test_objective_of_logits_near_the_end_of_float16(objective, size):
    logits = torch.tensor([[size, -size, 0.0], [-size, size, size / 2]], dtype=torch.float16)
    labels = torch.tensor([0, 2])
    assert_equals_reference(objective, objective.reference, logits, labels, ALPHA)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@every_objective
def test_objective_s_sums_over_many_classes_fit(objective, dtype):
    # 20,000 logits near −10 add up to −200,000, beyond float16; in bfloat16 they would round.
    logits, labels, _ = make((2, 20_000))
    logits = (logits - 10).to(dtype)
    assert_equals_reference(objective, objective.reference, logits, labels, ALPHA)


@pytest.mark.parametrize("offset", [1e3, 1e6, -1e6])
@every_objective_but(*SHIFTING)
def test_objective_loses_no_precision_by_a_large_common_offset(objective, offset):
    row = torch.tensor([[0.0, 3.0, 1.5, -2.0]])
    found = objective(row + offset, torch.tensor([2]), ALPHA)
    torch.testing.assert_close(found, objective(row, torch.tensor([2]), ALPHA))


SPREAD = (
    [1.0, -1.0, 0.0, 0.0],
    [0.0, 1.0, -1.0, 0.0],
    [-1.0, 0.0, 1.0, 1.0],
    [-1.0, -1.0, -1.0, 1.0],
    [1.0, 1.0, -1.0, -1.0],
)


def value_and_gradient(function, logits, *args, **options):
    leaf = logits.clone().requires_grad_()
    value = function(leaf, *args, **options)
    return value.detach(), torch.autograd.grad(value.sum(), leaf)[0]


@pytest.mark.parametrize("backend", [None, "plain", "closed_form", "compiled"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@every_objective
def test_objective_of_logits_too_far_apart_for_a_number(objective, dtype, backend):
    logits = torch.tensor(SPREAD, dtype=torch.float64) * torch.finfo(dtype).max
    logits = logits.to(dtype)
    for k in range(4):
        labels = torch.full((5,), k)
        exact = logits if dtype == torch.float64 else logits.float()
        torch_s = value_and_gradient(
            torch.nn.functional.cross_entropy, exact, labels, reduction="none"
        )
        encoded = one_hot(labels, 4, exact.dtype)
        for target in (labels, encoded, 0.7 * encoded + 0.075):
            for coefficient in (ALPHA, objective.smallest):
                for reduction in ("none", "mean"):
                    with losses.backend(backend) if backend else contextlib.nullcontext():
                        value, gradient = value_and_gradient(
                            objective, logits, target, coefficient, reduction=reduction
                        )
                    assert not bool(value.isnan().any())
                    assert not bool(gradient.isnan().any())
                    if objective is LOGIT_NORMALIZATION or reduction == "mean":
                        continue
                    if objective.has_cross_entropy:
                        assert (value[torch_s[0] == math.inf] == math.inf).all()
                    if objective is CROSS_ENTROPY and target is labels:
                        assert torch.equal(value, torch_s[0])
                        assert torch.equal(gradient, torch_s[1].to(dtype))


@every_loss
def test_objective_of_a_true_class_that_is_not_available_has_torch_s_gradient(objective):
    # With nothing but cross-entropy: it is finite, where the value is not.
    if objective is LOGIT_NORMALIZATION:
        return
    logits = torch.tensor([[0.0, 1.0, -torch.inf]])
    labels = torch.tensor([2])
    expected = value_and_gradient(torch.nn.functional.cross_entropy, logits, labels)
    for target in (labels, one_hot(labels, 3)):
        found = value_and_gradient(objective, logits, target, 0.0)
        torch.testing.assert_close(found, expected)


def test_maxsup_of_several_groups_of_classes_in_one_vector():
    # Species on 0 to 3 and ratings on 4 to 6, as one linear layer gives them.
    logits, _, _ = make((6, 7))
    species, rating = torch.arange(6) % 4, torch.arange(6) % 3
    expected = 0.0
    for head, target in ((slice(0, 4), species), (slice(4, 7), rating)):
        expected = expected + MAXSUP.reference(logits[:, head], target, ALPHA)
    heads = logits.split([4, 3], dim=1)
    found = sum(
        MAXSUP(part, target, ALPHA) for part, target in zip(heads, (species, rating), strict=True)
    )
    torch.testing.assert_close(found, expected)
    # The same by masks, where a layer further up wants the whole vector.
    there = torch.arange(7) < 4
    masked = MAXSUP(logits.masked_fill(~there, -torch.inf), species, ALPHA)
    masked = masked + MAXSUP(logits.masked_fill(there, -torch.inf), rating + 4, ALPHA)
    torch.testing.assert_close(masked, expected)
