import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .cases import (
    LOGIT_NORMALIZATION,
    LOSSES,
    TARGETS,
    assert_equals_reference,
    every_objective,
    make,
    problems,
)

searched = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
SHAPES = [(4,), (1,), (5, 4), (1, 3), (3, 1), (6, 2), (2, 3, 4), (2, 3, 2, 2)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", TARGETS)
@every_objective
def test_objective_s_value_and_gradient_equal_the_formula(objective, kind, shape):
    logits, target, weight = make(shape, kind)
    for reduction in ("none", "mean", "sum"):
        for of_classes in (None, weight):
            assert_equals_reference(
                objective,
                objective.reference,
                logits,
                target,
                0.3,
                weight=of_classes,
                reduction=reduction,
            )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", ["ignored", "soft"])
@every_objective
def test_objective_loses_precision_in_the_logits_alone(objective, kind, dtype):
    logits, target, weight = make((7, 11), kind, scale=8.0)
    target = target.float() if kind == "soft" else target
    for reduction in ("none", "mean", "sum"):
        assert_equals_reference(
            objective,
            objective.reference,
            logits.to(dtype),
            target,
            0.3,
            weight=weight,
            reduction=reduction,
        )


@every_objective
def test_objective_s_default_coefficient_is_that_of_its_paper(objective):
    logits, target, _ = make((5, 4))
    assert_equals_reference(objective, objective.reference, logits, target)


@pytest.mark.parametrize(
    "objective", [o for o in LOSSES if o is not LOGIT_NORMALIZATION], ids=lambda o: o.name
)
def test_objective_without_its_penalty_is_cross_entropy(objective):
    logits, target, _ = make((5, 4))
    found = objective(logits, target, 0.0, reduction="none")
    expected = torch.nn.functional.cross_entropy(logits, target, reduction="none")
    torch.testing.assert_close(found, expected)


@searched
@given(data=st.data())
@every_objective
def test_objective_s_any_value_and_gradient_equal_the_formula(objective, data):
    # With a soft target the true logit is a rounded sum; where another logit ties with it, its last
    # bit decides which is above, and the objectives that ask for that jump.
    kinds = ("index", "ignored", "one-hot") if objective.jumps else TARGETS
    problem = data.draw(problems(kinds))
    assert_equals_reference(
        objective,
        objective.reference,
        problem.logits,
        problem.target,
        max(problem.coefficient, objective.smallest),
        **problem.options,
    )
