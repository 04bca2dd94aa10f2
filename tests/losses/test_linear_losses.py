"""The last layer and the objective in one, against the two after each other."""

import pytest
import torch
from torch.nn import functional as F

from maxsup import LinearLabelSmoothingLoss, LinearMaxSupLoss, functional, schedules

from .cases import IGNORE, one_hot

PAIRS = {
    "maxsup": (functional.linear_maxsup_loss, functional.maxsup_loss, LinearMaxSupLoss),
    "label-smoothing": (
        functional.linear_label_smoothing_loss,
        functional.label_smoothing_loss,
        LinearLabelSmoothingLoss,
    ),
}
every_pair = pytest.mark.parametrize("name", PAIRS)


def problem(batch=11, features=6, classes=5, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)

    labels = torch.randint(classes, (batch,), generator=generator)
    return draw(batch, features), draw(classes, features), draw(classes), labels


def gradients(value, leaves):
    return torch.autograd.grad(value.sum(), leaves, retain_graph=True)


def leaves_of(*tensors):
    return [tensor.detach().clone().requires_grad_() for tensor in tensors]


@pytest.mark.parametrize("chunk_size", [1, 4, 11, 100, None])
@pytest.mark.parametrize("kind", ["index", "ignored", "one-hot", "soft"])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@every_pair
def test_linear_value_and_gradients_are_those_of_the_two_steps(name, reduction, kind, chunk_size):
    fused, objective, _ = PAIRS[name]
    features, weights, bias, target = problem()
    if kind == "ignored":
        target[[0, 3, 4, 5, 6]] = IGNORE
    if kind == "one-hot":
        target = one_hot(target, 5, torch.float64)
    if kind == "soft":
        target = torch.randn(11, 5, generator=torch.Generator().manual_seed(1)).double().softmax(1)
    class_weight = torch.linspace(0.5, 2.0, 5, dtype=torch.float64)
    for of_classes in (None, class_weight):
        for with_bias in (True, False):
            options = {"alpha": 0.3, "weight": of_classes, "reduction": reduction}
            tensors = [features, weights, *([bias] if with_bias else [])]
            ours, theirs = leaves_of(*tensors), leaves_of(*tensors)
            rest = (ours[2] if with_bias else None,)
            found = fused(*ours[:2], target, *rest, chunk_size=chunk_size, **options)
            expected = objective(F.linear(*theirs), target, **options)
            torch.testing.assert_close(found, expected)
            pull = torch.linspace(0.5, 1.5, found.numel()).double().reshape(found.shape)
            torch.testing.assert_close(
                torch.autograd.grad(found, ours, pull), torch.autograd.grad(expected, theirs, pull)
            )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@every_pair
def test_linear_lower_precision(name, dtype):
    fused, objective, _ = PAIRS[name]
    features, weights, bias, labels = problem(64, 16, 50, dtype)
    ours, theirs = leaves_of(features, weights, bias), leaves_of(features, weights, bias)
    found = fused(ours[0], ours[1], labels, ours[2], chunk_size=16)
    expected = objective(F.linear(*theirs), labels)
    assert found.dtype == torch.float32
    torch.testing.assert_close(
        found, expected, rtol=1e-2 if dtype == torch.bfloat16 else 1e-5, atol=0
    )
    for mine, wanted in zip(gradients(found, ours), gradients(expected, theirs), strict=True):
        assert mine.dtype == dtype
        tolerance = 2e-2 if dtype == torch.bfloat16 else 1e-5
        torch.testing.assert_close(mine, wanted, rtol=tolerance, atol=tolerance / 10)


def test_linear_many_chunks_of_low_precision_are_added_up_in_high():
    features, weights, _, labels = problem(512, 8, 20, torch.bfloat16)
    ours, exact = leaves_of(features, weights), leaves_of(features.double(), weights.double())
    found = gradients(functional.linear_maxsup_loss(*ours, labels, chunk_size=1), ours)[1]
    expected = gradients(functional.maxsup_loss(F.linear(*exact), labels), exact)[1]
    error = (found.double() - expected).abs().max() / expected.abs().max()
    assert float(error) < 2**-6


@every_pair
def test_linear_part_may_stay_as_it_is(name):
    fused, objective, _ = PAIRS[name]
    tensors = problem()[:3]
    labels = problem()[3]
    for trained in ([0], [1], [2], [0, 2], [1, 2]):
        ours, theirs = leaves_of(*tensors), leaves_of(*tensors)
        for index in {0, 1, 2} - set(trained):
            ours[index].requires_grad_(False)
        value = fused(ours[0], ours[1], labels, ours[2], chunk_size=3)
        expected = gradients(objective(F.linear(*theirs), labels), theirs)
        found = gradients(value, [ours[index] for index in trained])
        torch.testing.assert_close(found, tuple(expected[index] for index in trained))
    assert not fused(*tensors[:2], labels, chunk_size=3).requires_grad


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_linear_kept_graph_and_second_derivatives(reduction):
    features, weights, bias, labels = problem(7, 3, 4)
    leaves = leaves_of(features, weights, bias)

    def value(features, weights, bias):
        return functional.linear_maxsup_loss(
            features, weights, labels, bias, alpha=0.3, reduction=reduction, chunk_size=2
        )

    once = value(*leaves)
    first, second = gradients(once, leaves), gradients(once, leaves)
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert torch.autograd.gradcheck(value, leaves)
    assert torch.autograd.gradgradcheck(value, leaves)


def test_linear_one_example_without_a_batch_axis():
    features, weights, bias, labels = problem()
    for reduction, shape in (("none", ()), ("mean", ()), ("sum", ())):
        found = functional.linear_maxsup_loss(
            features[0], weights, labels[0], bias, reduction=reduction
        )
        expected = functional.maxsup_loss(F.linear(features[0], weights, bias), labels[0])
        assert found.shape == shape
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_linear_nothing_that_counts(reduction):
    features, weights, _, labels = problem()
    leaves = leaves_of(features, weights)
    for batch, ignored in ((11, True), (0, False)):
        target = torch.full_like(labels[:batch], IGNORE) if ignored else labels[:batch]
        value = functional.linear_maxsup_loss(
            leaves[0][:batch], leaves[1], target, reduction=reduction, chunk_size=2
        )
        assert torch.count_nonzero(value) == 0
        for gradient in gradients(value, leaves):
            assert torch.count_nonzero(gradient) == 0


def test_linear_autocast_is_that_of_the_linear_layer():
    features, weights, bias, labels = problem(40, 16, 10, torch.float32)
    ours, theirs = leaves_of(features, weights, bias), leaves_of(features, weights, bias)
    with torch.autocast("cpu", torch.bfloat16):
        found = functional.linear_maxsup_loss(ours[0], ours[1], labels, ours[2], chunk_size=8)
        expected = functional.maxsup_loss(F.linear(*theirs), labels)
    torch.testing.assert_close(found, expected, rtol=1e-2, atol=0)
    for mine, wanted in zip(gradients(found, ours), gradients(expected, theirs), strict=True):
        assert mine.dtype == torch.float32
        torch.testing.assert_close(mine, wanted, rtol=2e-2, atol=2e-3)


@pytest.mark.parametrize("transform", ["compile", "grad", "vmap"])
def test_linear_transforms_take_the_two_steps(transform):
    features, weights, _, labels = problem()
    leaves = leaves_of(features, weights)
    (expected,) = torch.autograd.grad(
        functional.linear_maxsup_loss(*leaves, labels, chunk_size=2), leaves[:1]
    )

    def value(features):
        return functional.linear_maxsup_loss(features, weights, labels, chunk_size=2)

    if transform == "compile":
        compiled = torch.compile(value, fullgraph=True, backend="aot_eager")
        (found,) = torch.autograd.grad(compiled(leaves[0]), leaves[:1])
        torch.compiler.reset()
    elif transform == "grad":
        found = torch.func.grad(value)(features)
    else:
        found = torch.func.vmap(torch.func.grad(value))(torch.stack([features, features]))[1]
    torch.testing.assert_close(found, expected)


def test_linear_logits_never_exist_as_a_whole():
    features, weights, _, labels = problem(900, 4, 1000, torch.float32)
    leaves = leaves_of(features, weights)
    with torch.profiler.profile(profile_memory=True) as profile:
        functional.linear_maxsup_loss(*leaves, labels).backward()
    largest = max(event.cpu_memory_usage for event in profile.events())
    assert largest < 900 * 1000 * 4 / 4


@every_pair
def test_linear_module_is_its_function(name):
    fused, _, module = PAIRS[name]
    features, _, _, labels = problem(dtype=torch.float32)
    criterion = module(6, 5, schedules.linear(0.1, 0.3, steps=4), bias=True, chunk_size=2)
    criterion.step()
    found = criterion(features, labels)
    expected = fused(features, criterion.linear.weight, labels, criterion.linear.bias, alpha=0.15)
    torch.testing.assert_close(found, expected)
    assert set(criterion.state_dict()) == {"alpha", "count", "linear.weight", "linear.bias"}
    found.backward()
    assert all(parameter.grad is not None for parameter in criterion.parameters())
    assert module(6, 5).linear.bias is None
    assert module(6, 5, dtype=torch.bfloat16).linear.weight.dtype == torch.bfloat16
    with pytest.raises(ValueError, match="alpha must be a finite number"):
        module(6, 5, -0.1)


X, W, Y = torch.zeros(3, 4), torch.zeros(5, 4), torch.tensor([0, 1, 4])
BAD = {
    "features of other width": ((torch.zeros(3, 2), W, Y), {}, r"features.*\(N, 4\).*\(3, 2\)"),
    "features with three axes": ((torch.zeros(3, 2, 4), W, Y), {}, r"features.*\(3, 2, 4\)"),
    "integer features": ((X.long(), W, Y), {}, "features.*floating.*int64"),
    "weight of one axis": ((X, W[0], Y), {}, r"linear_weight.*\(K, D\).*\(4,\)"),
    "bias of other length": ((X, W, Y, torch.zeros(4)), {}, r"linear_bias.*\(5,\).*\(4,\)"),
    "too few labels": ((X, W, Y[:2]), {}, r"target.*\(3,\).*\(2,\)"),
    "label too large": ((X, W, Y + 1), {}, r"target.* 5.*\[0, 5\)"),
    "label too large, weighted": (
        (X, W, Y + 1),
        {"weight": torch.ones(5)},
        r"target.* 5.*\[0, 5\)",
    ),
    "class weights": ((X, W, Y), {"weight": torch.ones(4)}, r"weight.*\(5,\).*\(4,\)"),
    "reduction": ((X, W, Y), {"reduction": "avg"}, "reduction.*'avg'"),
    "chunk size": ((X, W, Y), {"chunk_size": 0}, "chunk_size.*at least 1.*0"),
    "alpha": ((X, W, Y), {"alpha": -1.0}, "alpha.*-1"),
}


@pytest.mark.parametrize("case", BAD, ids=str)
@every_pair
def test_linear_bad_input_says_what_came_and_what_was_expected(name, case):
    arguments, options, message = BAD[case]
    for chunk_size in (1, None):
        with pytest.raises(ValueError, match=message):
            PAIRS[name][0](*arguments, **{"chunk_size": chunk_size, **options})
