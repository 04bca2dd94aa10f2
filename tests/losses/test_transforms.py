"""Compiled, vectorised, differentiated twice, under autocast."""

import shutil
import sysconfig
from pathlib import Path

import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend
from torch.func import grad, vmap

from maxsup import MaxSupLoss, functional, schedules

from .cases import (
    ACLS,
    IGNORE,
    LABEL_SMOOTHING,
    LOSSES,
    LS_REGULARIZATION,
    MAXSUP,
    TERMS,
    every_objective,
    every_objective_but,
    every_penalty,
    make,
    one_hot,
)


@pytest.fixture(autouse=True)
def _fresh_compiler():
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def value_and_gradient(function, logits, *args, **options):
    logits = logits.detach().clone().requires_grad_()
    value = function(logits, *args, **options)
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    return value.detach(), gradient


@pytest.mark.parametrize(
    ("objective", "kind"),
    [
        *((objective, "ignored") for objective in (*LOSSES, *TERMS)),
        *((objective, "soft") for objective in (MAXSUP, LABEL_SMOOTHING, LS_REGULARIZATION)),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_objective_compiles_without_a_break(objective, kind):
    logits, target, weight = make((4, 5), kind)
    coefficient = torch.tensor(0.3, dtype=torch.float64)
    options = {"weight": weight, "reduction": "none"}
    compiled = torch.compile(objective, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(
        value_and_gradient(compiled, logits, target, coefficient, **options),
        value_and_gradient(objective, logits, target, coefficient, **options),
    )


@pytest.mark.parametrize("left_there", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("reduction", ["none", "mean"])
@pytest.mark.parametrize("objective", [MAXSUP, LABEL_SMOOTHING], ids=lambda o: o.name)
def test_compiled_code_lets_nothing_out_of_ignored_positions(objective, reduction, left_there):
    logits, target, _ = make((4, 5), "ignored")
    ignored = target == IGNORE
    assert ignored.any()
    assert not ignored.all()
    logits[ignored] = left_there
    compiled = torch.compile(objective, fullgraph=True, backend="aot_eager")
    found = {}
    for name, function in (("compiled", compiled), ("eager", objective)):
        leaf = logits.clone().requires_grad_()
        coefficient = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
        value = function(leaf, target, coefficient, reduction=reduction)
        found[name] = (value, *torch.autograd.grad(value.sum(), (leaf, coefficient)))
    torch.testing.assert_close(found["compiled"], found["eager"])
    assert all(part.isfinite().all() for part in found["compiled"])
    assert (found["compiled"][1][ignored] == 0).all()


@pytest.mark.parametrize("objective", [MAXSUP, LABEL_SMOOTHING], ids=lambda o: o.name)
def test_compiled_transform_lets_nothing_out_of_ignored_positions(objective):
    logits, target, _ = make((4, 5), "ignored")
    ignored = target == IGNORE
    logits[ignored] = float("nan")
    gradient = grad(lambda z: objective(z, target, 0.3, reduction="mean"))
    found = torch.compile(gradient, fullgraph=True, backend="aot_eager")(logits)
    torch.testing.assert_close(found, gradient(logits))
    assert ignored.any()
    assert found.isfinite().all()
    assert (found[ignored] == 0).all()


@pytest.mark.parametrize("objective", LOSSES[1:], ids=lambda o: o.name)
def test_module_s_scheduled_coefficient_never_recompiles(objective):
    logits, labels, _ = make((4, 5))
    criterion = objective.module(schedules.linear(0.1, 0.5, steps=4))
    counter = CompileCounterWithBackend("eager")
    compiled = torch.compile(criterion, fullgraph=True, backend=counter)
    for count in range(5):
        torch.testing.assert_close(
            compiled(logits, labels), objective(logits, labels, 0.1 + 0.1 * count)
        )
        criterion.step()
    assert counter.frame_count == 1


@every_penalty
def test_objective_s_coefficient_given_as_a_tensor_never_recompiles(objective):
    logits, labels, _ = make((4, 5))
    counter = CompileCounterWithBackend("eager")
    compiled = torch.compile(objective, fullgraph=True, backend=counter)
    for coefficient in (objective.smallest, 0.1, 0.2, 1.0):
        found = compiled(logits, labels, torch.tensor(coefficient))
        torch.testing.assert_close(found, objective(logits, labels, coefficient))
    assert counter.frame_count == 1


def test_compiled_batch_of_any_size_is_one_graph():
    counter = CompileCounterWithBackend("eager")
    compiled = torch.compile(MaxSupLoss(), fullgraph=True, dynamic=True, backend=counter)
    for size in (3, 4, 7):
        logits, labels, _ = make((size, 5))
        torch.testing.assert_close(compiled(logits, labels), MAXSUP(logits, labels))
    assert counter.frame_count == 1


@pytest.mark.skipif(
    not shutil.which("g++") or not Path(sysconfig.get_path("include"), "Python.h").exists(),
    reason="needs g++ and Python's headers",
)
@pytest.mark.parametrize("shape", [(4, 5), (4, 3, 2), (6, 300)], ids=str)
def test_compiled_by_inductor(shape):
    logits, labels, weight = make(shape, "ignored")
    # Tops that tie, within a block of the search and in two, and one in the short last block.
    logits[0, -3:] = logits[1, ::2] = logits[2, -1] = 9.0
    criterion = MaxSupLoss(0.3, weight=weight)
    compiled = torch.compile(criterion, fullgraph=True)
    torch.testing.assert_close(
        value_and_gradient(compiled, logits, labels),
        value_and_gradient(criterion, logits, labels),
    )


def test_compiled_per_sample_gradients():
    logits, labels, _ = make((4, 5))

    def of_one(row, label):
        return MAXSUP(row.unsqueeze(0), label.unsqueeze(0), 0.3)

    compiled = torch.compile(vmap(grad(of_one)), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(logits, labels), vmap(grad(of_one))(logits, labels))


@pytest.mark.parametrize("kind", ["index", "ignored", "soft"])
@every_objective
def test_objective_s_per_sample_gradients(objective, kind):
    logits, target, weight = make((4, 5, 3), kind)

    def of_one(row, its_target):
        one, its_target = row.unsqueeze(0), its_target.unsqueeze(0)
        return objective(one, its_target, 0.3, weight=weight, reduction="sum")

    found = vmap(grad(of_one))(logits, target)
    _, expected = value_and_gradient(objective, logits, target, 0.3, weight=weight, reduction="sum")
    torch.testing.assert_close(found, expected)


@every_objective
def test_objective_under_vmap_over_samples_without_a_batch_axis(objective):
    logits, labels, _ = make((4, 5))
    found = vmap(lambda z, y: objective(z, y, 0.3))(logits, labels)
    torch.testing.assert_close(found, objective(logits, labels, 0.3, reduction="none"))


@every_penalty
def test_objective_under_vmap_over_coefficients(objective):
    logits, labels, _ = make((4, 5))
    coefficients = torch.tensor([objective.smallest, 0.1, 0.4], dtype=torch.float64)
    found = vmap(lambda coefficient: objective(logits, labels, coefficient))(coefficients)
    expected = torch.stack([objective(logits, labels, float(a)) for a in coefficients])
    torch.testing.assert_close(found, expected)


# ACLS holds a part of its formula fixed, which finite differences cannot.
@pytest.mark.parametrize("kind", ["ignored", "soft"])
@every_objective_but(ACLS)
def test_objective_s_first_and_second_derivatives(objective, kind):
    logits, target, weight = make((3, 4), kind)
    logits.requires_grad_()
    coefficient = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)

    def function(logits, coefficient):
        return objective(logits, target, coefficient, weight=weight)

    assert torch.autograd.gradcheck(function, (logits, coefficient))
    if objective.has_cross_entropy:
        assert torch.autograd.gradgradcheck(function, (logits, coefficient))


@pytest.mark.parametrize("objective", [MAXSUP, LABEL_SMOOTHING], ids=lambda o: o.name)
def test_objective_s_gradient_reaches_a_soft_target(objective):
    logits, target, _ = make((3, 4), "soft")
    target.requires_grad_()
    assert torch.autograd.gradcheck(lambda t: objective(logits, t, 0.3), (target,))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", ["ignored", "soft"])
@every_objective
def test_objective_is_the_same_under_autocast(objective, kind, dtype):
    logits, target, weight = make((7, 300), kind, scale=8.0)
    logits, weight = logits.to(dtype), weight.float()
    target = target.float() if kind == "soft" else target
    expected, expected_gradient = value_and_gradient(objective, logits, target, 0.3, weight=weight)
    with torch.autocast("cpu", torch.float16 if dtype == torch.float16 else torch.bfloat16):
        value, gradient = value_and_gradient(objective, logits, target, 0.3, weight=weight)
    assert value.dtype == torch.float32
    assert gradient.dtype == dtype
    assert torch.equal(value, expected)
    assert torch.equal(gradient, expected_gradient)


def test_module_and_model_under_autocast():
    model, criterion = torch.nn.Linear(6, 4), MaxSupLoss(0.3)
    inputs, labels, _ = make((8, 6))
    inputs, labels = inputs.float(), labels % 4
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(inputs)
        value = criterion(logits, labels)
    assert logits.dtype == torch.bfloat16
    torch.testing.assert_close(value, functional.maxsup_loss(logits.float(), labels, 0.3))
    value.backward()
    assert bool(model.weight.grad.isfinite().all())


def test_maxsup_under_grad_of_a_batch_with_one_hot_targets():
    logits, labels, _ = make((4, 5))
    target = one_hot(labels, 5, torch.float64)
    found = grad(functional.maxsup_loss)(logits, target, 0.3)
    torch.testing.assert_close(
        found, value_and_gradient(functional.maxsup_loss, logits, labels, 0.3)[1]
    )
