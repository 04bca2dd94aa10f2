"""Targets, class weights, ignored positions and bad input: one meaning for every objective."""

import inspect
import math

import pytest
import torch

from maxsup.losses.toolkit import check_coefficient, read_inputs

from .cases import (
    ACLS,
    IGNORE,
    LABEL_SMOOTHING,
    MAXSUP,
    Objective,
    every_loss,
    every_objective,
    every_objective_but,
    every_penalty,
    make,
    one_hot,
)

INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16]
REDUCTIONS = ("none", "mean", "sum")

# What all objectives have from the same functions is tested there and through one of them, each
# with everything; of each of the others it is tested that it goes through them.
of_maxsup = pytest.mark.parametrize("objective", [MAXSUP], ids=lambda o: o.name)
of_two = pytest.mark.parametrize("objective", [MAXSUP, ACLS], ids=lambda o: o.name)


def read(logits, target, weight=None, ignore_index=IGNORE, reduction="none"):
    return read_inputs(logits, target, weight, ignore_index, reduction)


READING = Objective("read-inputs", read, formula=None, coefficient=None)


def value_and_gradient(objective, logits, target, *args, **options):
    logits = logits.detach().clone().requires_grad_()
    value = objective(logits, target, *args, **options)
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    return value.detach(), gradient


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_read_inputs_takes_labels_of_any_integer_dtype(dtype):
    logits, labels, _ = make((6, 4))
    found = read(logits, labels.to(dtype)).labels
    assert found.dtype == torch.int64
    assert torch.equal(found, labels)


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
@of_maxsup
def test_maxsup_takes_labels_of_any_integer_dtype(objective, dtype):
    logits, labels, _ = make((6, 4))
    expected = objective(logits, labels, reduction="none")
    assert torch.equal(objective(logits, labels.to(dtype), reduction="none"), expected)


@every_objective
def test_objective_takes_labels_of_another_dtype(objective):
    logits, labels, _ = make((6, 4))
    assert torch.equal(objective(logits, labels.to(torch.uint8)), objective(logits, labels))


@every_objective
def test_objective_of_an_ignore_index_beyond_the_reach_of_the_labels_dtype(objective):
    logits, labels, _ = make((6, 4))
    found = objective(logits, labels.to(torch.uint8), ignore_index=-100)
    assert torch.equal(found, objective(logits, labels))


@pytest.mark.parametrize("shape", [(4,), (6, 4), (2, 4, 3)], ids=str)
@every_loss
def test_objective_of_one_hot_is_that_of_its_index(objective, shape):
    check_one_hot(objective, "none", shape)


# These two weigh in the two ways there are.
@pytest.mark.parametrize("shape", [(4,), (6, 4), (2, 4, 3)], ids=str)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("objective", [MAXSUP, LABEL_SMOOTHING], ids=lambda o: o.name)
def test_reduce_takes_one_hot_for_its_index(objective, reduction, shape):
    check_one_hot(objective, reduction, shape)


def check_one_hot(objective, reduction, shape):
    logits, labels, weight = make(shape)
    for of_classes in (None, weight):
        options = {"weight": of_classes, "reduction": reduction}
        by_index = value_and_gradient(objective, logits, labels, 0.3, **options)
        encoded = one_hot(labels, 4, torch.float64)
        by_one_hot = value_and_gradient(objective, logits, encoded, 0.3, **options)
        torch.testing.assert_close(by_one_hot, by_index)


@pytest.mark.parametrize("target_dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@of_two
def test_read_inputs_leaves_the_dtype_of_the_value_to_the_logits(objective, dtype, target_dtype):
    check_dtype(objective, dtype, target_dtype)


@every_objective
def test_objective_has_its_value_s_dtype_from_the_logits(objective):
    check_dtype(objective, torch.bfloat16, torch.float64)


def check_dtype(objective, dtype, target_dtype):
    logits, labels, weight = make((3, 4))
    target = one_hot(labels, 4, target_dtype)
    assert objective(logits.to(dtype), target, weight=weight).dtype == torch.float32
    assert objective(logits, target, weight=weight.float()).dtype == torch.float64


# Label smoothing follows torch, see test_identities.py.
@every_objective_but(LABEL_SMOOTHING)
def test_objective_s_whole_value_of_a_sample_is_weighted(objective):
    logits, labels, weight = make((6, 4))
    values = objective(logits, labels, 0.3, reduction="none")
    of_samples = weight[labels]
    options = {"weight": weight, "coefficient": 0.3}
    torch.testing.assert_close(
        objective(logits, labels, reduction="none", **options), values * of_samples
    )
    torch.testing.assert_close(
        objective(logits, labels, reduction="sum", **options), values @ of_samples
    )
    torch.testing.assert_close(
        objective(logits, labels, reduction="mean", **options),
        values @ of_samples / of_samples.sum(),
    )


@every_objective
def test_objective_s_mean_is_the_same_with_equal_weights(objective):
    logits, labels, _ = make((6, 4), "ignored")
    equal = torch.full((4,), 2.5, dtype=torch.float64)
    torch.testing.assert_close(objective(logits, labels, weight=equal), objective(logits, labels))


@every_objective
def test_objective_of_weights_that_sum_to_nothing_is_nothing(objective):
    logits, _, _ = make((3, 4))
    labels, weight = torch.zeros(3, dtype=torch.int64), torch.tensor([0.0, 1.0, 1.0, 1.0])
    # The part that label smoothing gives to the other classes carries their weights.
    coefficient = 0.0 if objective is LABEL_SMOOTHING else 0.3
    assert float(objective(logits, labels, coefficient, weight=weight)) == 0.0


@pytest.mark.parametrize("ignore_index", [IGNORE, 255, -1, 2])
@of_two
def test_read_inputs_takes_ignored_positions_as_if_absent(objective, ignore_index):
    check_ignored(objective, ignore_index)


@every_objective
def test_objective_takes_ignored_positions_as_if_absent(objective):
    for ignore_index in (IGNORE, 2):
        check_ignored(objective, ignore_index)


def check_ignored(objective, ignore_index):
    logits, labels, weight = make((8, 4), seed=1)
    dropped = torch.tensor([True, False, False, True, False, False, True, False])
    kept_labels = torch.where(labels[~dropped] == 2, 3, labels[~dropped])
    labels = torch.full((8,), ignore_index)
    labels[~dropped] = kept_labels
    for of_classes in (None, weight):
        for reduction in REDUCTIONS:
            options = {"weight": of_classes, "reduction": reduction}
            value, gradient = value_and_gradient(
                objective, logits, labels, ignore_index=ignore_index, **options
            )
            expected, expected_gradient = value_and_gradient(
                objective, logits[~dropped], kept_labels, **options
            )
            assert torch.count_nonzero(gradient[dropped]) == 0
            torch.testing.assert_close(gradient[~dropped], expected_gradient)
            if reduction == "none":
                assert torch.count_nonzero(value[dropped]) == 0
                value = value[~dropped]
            torch.testing.assert_close(value, expected)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(3, 4), (4,), (2, 4, 3), (0, 4), (0, 4, 2), (2, 4, 0)], ids=str)
@of_two
def test_reduce_gives_zero_without_a_counted_position(objective, shape, reduction):
    check_nothing_counts(objective, shape, reduction)


@pytest.mark.parametrize("shape", [(3, 4), (0, 4), (2, 4, 0)], ids=str)
@every_objective
def test_objective_gives_zero_without_a_counted_position(objective, shape):
    check_nothing_counts(objective, shape, "mean")


def check_nothing_counts(objective, shape, reduction):
    logits, labels, weight = make(shape)
    labels = torch.full_like(labels, IGNORE)
    for of_classes in (None, weight):
        value, gradient = value_and_gradient(
            objective, logits, labels, weight=of_classes, reduction=reduction
        )
        assert value.shape == (labels.shape if reduction == "none" else ())
        assert torch.count_nonzero(value) == 0
        assert torch.equal(gradient, torch.zeros_like(logits))


@every_objective
def test_objective_has_its_classes_on_axis_1(objective):
    logits, labels, weight = make((2, 3, 4, 5), "ignored")
    rows = logits.movedim(1, -1).reshape(-1, 3)
    expected = objective(rows, labels.flatten(), 0.3, weight=weight, reduction="none")
    found = objective(logits, labels, 0.3, weight=weight, reduction="none")
    assert found.shape == (2, 4, 5)
    torch.testing.assert_close(found.flatten(), expected)


@every_objective
def test_objective_is_the_same_whatever_the_strides(objective):
    logits, labels, _ = make((5, 4, 3))
    turned = logits.permute(2, 1, 0).contiguous().permute(2, 1, 0)
    assert not turned.is_contiguous()
    torch.testing.assert_close(objective(turned, labels), objective(logits, labels))


@every_penalty
def test_objective_s_coefficient_may_be_a_tensor(objective):
    logits, labels, _ = make((5, 4))
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        found = objective(logits.float(), labels, torch.tensor(0.25, dtype=dtype))
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, objective(logits.float(), labels, 0.25))


@every_penalty
def test_objective_s_coefficient_can_be_learned(objective):
    logits, labels, _ = make((5, 4))
    coefficient = torch.tensor(0.25, dtype=torch.float64, requires_grad=True)
    objective(logits, labels, coefficient).backward()
    step = 1e-5
    slope = (objective(logits, labels, 0.25 + step) - objective(logits, labels, 0.25 - step)) / (
        2 * step
    )
    torch.testing.assert_close(coefficient.grad, slope)


@every_loss
def test_objective_s_arguments_stand_in_one_order(objective):
    function = getattr(objective.function, "func", objective.function)
    names = list(inspect.signature(function).parameters)
    coefficient = [] if objective.coefficient is None else [objective.coefficient]
    assert names[: 2 + len(coefficient)] == ["logits", "target", *coefficient]
    assert names[-3:] == ["weight", "ignore_index", "reduction"]


@every_objective
def test_objective_leaves_its_inputs_as_they_came(objective):
    logits, labels, weight = make((5, 4), "ignored")
    before = [tensor.clone() for tensor in (logits, labels, weight)]
    objective(logits, labels, weight=weight)
    for tensor, copy in zip((logits, labels, weight), before, strict=True):
        assert torch.equal(tensor, copy)


@every_objective
def test_objective_asks_for_no_value_on_a_device(objective):
    # A meta tensor has no values: whoever looks at one, and would make a device wait, fails.
    logits, labels, weight = (tensor.to("meta") for tensor in make((5, 4), "ignored"))
    for target in (labels, torch.empty(5, 4, device="meta")):
        value = objective(logits.requires_grad_(), target, 0.3, weight=weight)
        assert value.device.type == "meta"
        value.backward()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every_objective
def test_objective_never_waits_for_a_device(objective):
    logits, labels, weight = (tensor.cuda() for tensor in make((5, 4), "ignored"))
    torch.cuda.set_sync_debug_mode("error")
    try:
        value = objective(logits.requires_grad_(), labels, 0.3, weight=weight)
        value.backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    on_cpu = objective(logits.detach().cpu(), labels.cpu(), 0.3, weight=weight.cpu())
    torch.testing.assert_close(value.detach().cpu(), on_cpu)


Z = torch.zeros(3, 4)
Y = torch.tensor([0, 1, 2])
BAD = {
    "label too large": (Z, torch.tensor([0, 4, 2]), {}, r"target.* 4.*\[0, 4\)"),
    "label negative": (Z, torch.tensor([0, -1, 2]), {}, r"target.* -1.*\[0, 4\)"),
    "label in dense input": (
        torch.zeros(1, 4, 3),
        torch.tensor([[0, 9, 2]]),
        {},
        r"target.* 9.*\[0, 4\)",
    ),
    "label of a single": (torch.zeros(4), torch.tensor(7), {}, r"target.* 7.*\[0, 4\)"),
    "label beside ignored": (
        Z,
        torch.tensor([IGNORE, 4, IGNORE]),
        {},
        r"target.* 4.*\[0, 4\)",
    ),
    "ignored under another index": (
        Z,
        torch.tensor([0, -100, 2]),
        {"ignore_index": 255},
        r"target.* -100.*255",
    ),
    "too few labels": (Z, Y[:2], {}, r"target.*\(3,\).*\(2,\)"),
    "labels as a column": (Z, Y.unsqueeze(1), {}, r"target.*\(3,\).*\(3, 1\)"),
    "integer one-hot": (Z, one_hot(Y, 4).long(), {}, r"target.*\(3, 4\).*one-hot.*float"),
    "float labels": (Z, Y.float(), {}, r"target.*\(3, 4\).*\(3,\).*integer"),
    "soft target of other size": (Z, torch.zeros(3, 5), {}, r"target.*\(3, 4\).*\(3, 5\)"),
    "dense labels without batch": (
        torch.zeros(2, 4, 3),
        torch.zeros(2, dtype=torch.int64),
        {},
        r"target.*\(2, 3\).*\(2,\)",
    ),
    "single with a batch of labels": (
        torch.zeros(4),
        torch.tensor([1]),
        {},
        r"target.*\(\).*\(1,\)",
    ),
    "bool target": (Z, torch.tensor([True, False, True]), {}, "target.*bool"),
    "complex target": (Z, torch.zeros(3, dtype=torch.complex64), {}, "target.*complex64"),
    "target no tensor": (Z, [0, 1, 2], {}, "target.*list"),
    "integer logits": (Z.long(), Y, {}, "logits.*floating.*int64"),
    "complex logits": (Z.to(torch.complex64), Y, {}, "logits.*floating.*complex64"),
    "logits no tensor": ([[0.0]], Y, {}, "logits.*list"),
    "logits without axes": (torch.tensor(1.0), torch.tensor(0), {}, r"logits.*\(N, K\).*\(\)"),
    "no class": (torch.zeros(3, 0), Y, {}, r"logits.*K >= 1.*\(3, 0\)"),
    "weight of other length": (Z, Y, {"weight": torch.ones(3)}, r"weight.*\(4,\).*\(3,\)"),
    "weight with two axes": (Z, Y, {"weight": torch.ones(4, 1)}, r"weight.*\(4,\).*\(4, 1\)"),
    "integer weight": (Z, Y, {"weight": torch.ones(4).long()}, "weight.*floating.*int64"),
    "weight no tensor": (Z, Y, {"weight": [1.0, 1.0, 1.0, 1.0]}, "weight.*list"),
    "reduction": (Z, Y, {"reduction": "avg"}, "reduction.*none.*sum.*mean.*'avg'"),
}


# Through MaxSup too, which does not read a plain batch.
@pytest.mark.parametrize("case", BAD, ids=str)
@pytest.mark.parametrize("objective", [READING, MAXSUP], ids=lambda o: o.name)
def test_read_inputs_says_what_came_and_what_was_expected(objective, case):
    logits, target, options, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        objective(logits, target, **options)


@every_objective
def test_objective_reads_its_inputs(objective):
    for case in ("label too large", "float labels", "weight of other length", "reduction"):
        logits, target, options, message = BAD[case]
        with pytest.raises(ValueError, match=message):
            objective(logits, target, **options)


@pytest.mark.parametrize("coefficient", [-0.1, math.nan, math.inf, -math.inf])
def test_check_coefficient_refuses_what_makes_no_sense(coefficient):
    with pytest.raises(ValueError, match=rf"alpha must be a finite number >= 0; .*{coefficient}"):
        check_coefficient("alpha", coefficient)


def test_check_coefficient_refuses_what_is_no_single_number():
    # A column of them would meet the row of per-sample values and give a square.
    for shape in [(3,), (3, 1)]:
        with pytest.raises(ValueError, match="alpha must be a number or a 0-dimensional tensor"):
            check_coefficient("alpha", torch.full(shape, 0.1))
    for coefficient in ("0.1", None, [0.1]):
        with pytest.raises(ValueError, match="alpha must be a number"):
            check_coefficient("alpha", coefficient)


@every_penalty
def test_objective_checks_its_coefficient(objective):
    for coefficient in (-0.1, math.nan, torch.full((3, 1), 0.1), None):
        with pytest.raises(ValueError, match=objective.coefficient):
            objective.function(Z, Y, **{objective.coefficient: coefficient})


def test_label_smoothing_cannot_share_out_more_than_the_target_has():
    assert LABEL_SMOOTHING(Z, Y, 1.0).isfinite()
    with pytest.raises(ValueError, match=r"alpha.*\[0, 1\].*1\.5"):
        LABEL_SMOOTHING(Z, Y, 1.5)
    assert MAXSUP(Z, Y, 1.5).isfinite()
