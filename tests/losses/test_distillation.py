"""The loss towards a teacher's probabilities, against its formula in float64."""

import itertools

import pytest
import torch
from torch import Tensor

from maxsup.functional import distillation_loss


def reference(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T²·Σ_k p_k·(log p_k − log q_k), position by position."""
    shape = (logits.shape[0], *logits.shape[2:])
    values = []
    for n, *inner in itertools.product(*map(range, shape)):
        z, t = (each[(n, slice(None), *inner)] / temperature for each in (logits, teacher))
        q, p = z.exp() / z.exp().sum(), t.exp() / t.exp().sum()
        values.append(temperature**2 * sum(a * (a / b).log() for a, b in zip(p, q, strict=True)))
    return torch.stack(values).reshape(shape)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0, 20.0])
@pytest.mark.parametrize("shape", [(6, 5), (3, 4, 2, 3)])
def test_value_and_gradient_are_those_of_the_formula(
    shape: tuple[int, ...], temperature: float
) -> None:
    generator = torch.Generator().manual_seed(0)
    logits, teacher = (
        3 * torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2)
    )
    logits.requires_grad_()
    expected = reference(logits, teacher, temperature)
    (gradient,) = torch.autograd.grad(expected.mean(), logits)
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 2e-5)):
        own = logits.detach().to(dtype).requires_grad_()
        value = distillation_loss(own, teacher.to(dtype), temperature, "none")
        torch.testing.assert_close(value.double(), expected, rtol=tolerance, atol=tolerance)
        distillation_loss(own, teacher.to(dtype), temperature).backward()
        assert own.grad is not None
        torch.testing.assert_close(own.grad.double(), gradient, rtol=tolerance, atol=tolerance)


def test_half_precision_is_computed_in_float32_and_the_teacher_gets_no_gradient() -> None:
    logits = torch.randn(4, 5, dtype=torch.bfloat16, requires_grad=True)
    teacher = torch.randn(4, 5, requires_grad=True)
    value = distillation_loss(logits, teacher)
    value.backward()
    assert value.dtype == torch.float32
    assert teacher.grad is None
    assert logits.grad is not None
    assert logits.grad.dtype == torch.bfloat16


def test_classes_that_are_not_available_and_values_that_are_no_numbers() -> None:
    gone = torch.tensor([[1.0, 2.0, -torch.inf]], requires_grad=True)
    teacher = torch.tensor([[2.0, 0.0, -torch.inf]])
    value = distillation_loss(gone, teacher)
    value.backward()
    expected = distillation_loss(gone.detach()[:, :2], teacher[:, :2])
    assert value.item() == pytest.approx(expected.item())
    assert gone.grad is not None
    assert gone.grad.isfinite().all()
    assert distillation_loss(gone.detach(), torch.zeros(1, 3)) == torch.inf
    assert distillation_loss(torch.zeros(1, 3), torch.tensor([[0.0, torch.nan, 0.0]])).isnan()
    assert distillation_loss(torch.zeros(0, 3), torch.zeros(0, 3)) == 0
    assert distillation_loss(torch.zeros(3), torch.zeros(3)).shape == ()


def test_what_does_not_fit_is_named() -> None:
    logits = torch.zeros(2, 3)
    with pytest.raises(ValueError, match=r"shape of the logits, \(2, 3\); got \(2, 4\)"):
        distillation_loss(logits, torch.zeros(2, 4))
    with pytest.raises(ValueError, match="temperature must be a finite number above 0; got 0"):
        distillation_loss(logits, logits, 0)
    with pytest.raises(ValueError, match="teacher_logits must be a floating-point tensor"):
        distillation_loss(logits, torch.zeros(2, dtype=torch.int64))
    with pytest.raises(ValueError, match="reduction"):
        distillation_loss(logits, logits, reduction="batchmean")
