"""The GPU kernels, run by Triton's interpreter on the CPU, in a process of their own: the variable
that asks for it is read when Triton is imported."""

import importlib.util
import os
import subprocess
import sys

import pytest
import torch

from maxsup.losses._inputs import Inputs
from maxsup.losses.numbers import backend, numbers, plain

WIDE_ENOUGH = 0  # lets the kernels choose their block
DTYPES = (torch.float32, torch.bfloat16, torch.float16)


def draw(rows, classes, dtype, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = (4 * torch.randn(rows, classes, generator=generator)).to(dtype)
    return logits, torch.randint(classes, (rows,), generator=generator)


def read(logits, labels):
    return Inputs(logits, labels, None, None, None, single=False)


def assert_right(logits, labels, block=WIDE_ENOUGH):
    """Numbers and gradient against the composition in float64."""
    from maxsup.losses.numbers import triton as kernels

    names = ("true", "top", "mean")
    exact = logits.double().requires_grad_()
    expected = plain.numbers(read(exact, labels), names)
    true, mean, *rest = kernels.log_prob_statistics(logits, labels, block)
    for found, wanted in zip((true, -rest[1], mean), expected, strict=True):
        assert found.dtype == torch.float32
        torch.testing.assert_close(found.double(), wanted, rtol=2e-6, atol=2e-6, equal_nan=True)
    assert torch.equal(rest[2], logits.argmax(1))
    pull = [torch.linspace(-1, 1 + k, len(logits)) for k in range(3)]
    (wanted,) = torch.autograd.grad(expected, exact, [each.double() for each in pull])
    found = kernels.log_prob_gradient(logits, labels, *rest, *pull, block)
    assert found.dtype == logits.dtype
    eps = torch.finfo(logits.dtype).eps
    torch.testing.assert_close(
        found.double(), wanted, rtol=max(eps, 1e-5), atol=2e-6, equal_nan=True
    )


def assert_sum_right(logits, labels, factors, reduction, block=WIDE_ENOUGH, ignore_index=-100):
    """Value, gradient and second gradient of a whole loss against plain operations in float64."""
    from maxsup.losses.numbers import triton_sum

    exact = logits.double().requires_grad_()
    wanted = triton_sum._by_plain_operations(exact, labels, factors, ignore_index, reduction)
    pull = torch.linspace(-1, 2, wanted.numel()).reshape(wanted.shape).double() + 1.5
    (wanted_gradient,) = torch.autograd.grad(wanted, exact, pull, create_graph=True)
    (wanted_second,) = torch.autograd.grad(wanted_gradient.square().sum(), exact)

    ours = logits.clone().requires_grad_()
    with pytest.MonkeyPatch.context() as patch:
        if block:
            read, write = triton_sum.read_rows, triton_sum.write_gradient
            patch.setattr(triton_sum, "read_rows", lambda *given: read(*given, block))
            patch.setattr(triton_sum, "write_gradient", lambda *given: write(*given, block))
        found = triton_sum.weighted_sum(ours, labels, factors, ignore_index, reduction)
        pull = pull.to(found.dtype)
        (gradient,) = torch.autograd.grad(found, ours, pull, retain_graph=True)
    assert found.dtype == torch.float32
    assert gradient.dtype == logits.dtype
    eps = max(torch.finfo(logits.dtype).eps, 1e-5)
    torch.testing.assert_close(found.double(), wanted, rtol=3e-6, atol=3e-6, equal_nan=True)
    torch.testing.assert_close(
        gradient.double(), wanted_gradient, rtol=eps, atol=2e-6, equal_nan=True
    )
    (gradient,) = torch.autograd.grad(found, ours, pull, create_graph=True)
    (second,) = torch.autograd.grad(gradient.square().sum(), ours)
    torch.testing.assert_close(second.double(), wanted_second, rtol=8 * eps, atol=1e-5)


def check_sums():
    maxsup, smoothing, alone = (-1.0, 0.3, -0.3), (-0.8, None, -0.2), (-1.0, None, None)
    for dtype in DTYPES:
        logits, labels = draw(6, 100, dtype)
        labels[[0, 3]] = -100
        for factors in (maxsup, smoothing, alone):
            for reduction in ("mean", "sum", "none"):
                assert_sum_right(logits, labels, factors, reduction)
                assert_sum_right(logits, labels, factors, reduction, block=32)
        logits[1, 5:80] = -torch.inf
        labels[1] = 90
        logits[2, [7, 60]] = 9.0  # tied
        assert_sum_right(logits, labels, maxsup, "mean")
        assert_sum_right(logits, labels, maxsup, "none", block=16)
        assert_sum_right(logits, labels % 5, maxsup, "mean", ignore_index=3)
        assert_sum_right(*draw(3, 1, dtype), maxsup, "sum")

    from maxsup.losses.numbers import triton_sum

    logits, labels = draw(4, 10, torch.float32)
    for reduction in ("mean", "sum", "none"):
        # Nothing at all, and nothing that counts.
        none = triton_sum.weighted_sum(logits[:0], labels[:0], maxsup, -100, reduction)
        assert float(none.sum()) == 0
        leaf = logits.clone().fill_(torch.nan).requires_grad_()
        none = triton_sum.weighted_sum(leaf, labels * 0 - 100, maxsup, -100, reduction)
        none.sum().backward()
        assert float(none.detach().sum()) == 0
        assert not bool(leaf.grad.any())
        # A value may be changed in place, as torch's may.
        one, two = (logits.clone().requires_grad_() for _ in range(2))
        value = triton_sum.weighted_sum(one, labels, maxsup, -100, reduction)
        value /= 2
        value.sum().backward()
        (triton_sum.weighted_sum(two, labels, maxsup, -100, reduction) / 2).sum().backward()
        assert torch.equal(one.grad, two.grad)
    wrong = triton_sum.weighted_sum(logits, torch.tensor([0, -1, 10, 3]), maxsup, -100, "none")
    assert wrong.isnan().tolist() == [False, True, True, False]
    missing = logits.clone()
    missing[0, int(labels[0])] = -torch.inf
    value = triton_sum.weighted_sum(missing, labels, maxsup, -100, "none")
    assert float(value[0]) == torch.inf
    one = logits.clone().requires_grad_()
    value = triton_sum.weighted_sum(one, labels, maxsup, -100, "mean")
    labels += 0
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        value.backward()


def check_everything():
    check_sums()
    for dtype in DTYPES:
        for classes in (1, 2, 10, 100, 1000):
            assert_right(*draw(5, classes, dtype))
        for block in (16, 64, 128):  # rows of many blocks, the last one not full
            assert_right(*draw(5, 100, dtype), block)

    for block in (0, 16):
        logits, labels = draw(6, 50, torch.float32)
        logits[0, [3, 20, 40]] = 50.0  # ties: the first, in this block or another
        logits[1, :17] = -torch.inf  # a block without any class that is available
        logits[2, 30:] = -torch.inf
        labels[1:3] = torch.tensor([20, 5])
        logits[3] += 1e6
        logits[3] = logits[3].round()
        logits[4] = 2.0
        assert_right(logits, labels, block)

        from maxsup.losses.numbers import triton as kernels

        for bad in (torch.nan, torch.inf):
            for index in (0, 20, 49):
                spoilt = logits.clone()
                spoilt[5, index] = bad
                true, mean, _, log_sum, *_ = kernels.log_prob_statistics(spoilt, labels, block)
                for number in (true, mean, log_sum):
                    assert bool(number[5].isnan())
                    assert bool(number[:5].isfinite().all())
        true, *_ = kernels.log_prob_statistics(
            torch.tensor([[0.0, -torch.inf, 1.0]]), torch.tensor([1]), block
        )
        assert float(true) == -torch.inf

    true, *_ = kernels.log_prob_statistics(torch.zeros(3, 4), torch.tensor([-1, 4, 2]), 0)
    assert true.isnan().tolist() == [True, True, False]

    wide, labels = draw(4, 60, torch.float32)
    assert_right(wide[:, :37], labels % 37)  # rows that lie further apart than they are long
    assert kernels.log_prob_statistics(wide[:0], labels[:0], 0)[0].shape == (0,)

    logits, labels = draw(5, 30, torch.float32)
    leaves = [logits.clone().requires_grad_() for _ in range(2)]
    found = kernels.numbers(read(leaves[0], labels), ("true", "mean"))
    wanted = plain.numbers(read(leaves[1], labels), ("true", "mean"))
    torch.testing.assert_close(found, wanted)
    for each in (found, wanted):
        (each[0].square() + each[1]).sum().backward()
    torch.testing.assert_close(leaves[0].grad, leaves[1].grad)
    torch.library.opcheck(kernels.log_prob_statistics, (logits, labels, 0))

    for block in (0, 16):
        assert_ignores(block)


def assert_ignores(block):
    """Whatever lies at ignored positions reaches neither numbers nor gradients."""
    from maxsup.losses.numbers import triton as kernels

    names = ("true", "top", "mean")
    logits, labels = draw(6, 40, torch.float32)
    kept = torch.tensor([True, False, True, False, False, True])
    logits[1], logits[3], logits[4, 7] = torch.nan, -torch.inf, torch.inf
    marked = torch.where(kept, labels, kernels.IGNORED)
    true, mean, *rest = kernels.log_prob_statistics(logits, marked, block)
    for number in (true, mean, rest[1]):
        assert number[~kept].eq(0).all()
    gradient = kernels.log_prob_gradient(logits, marked, *rest, *[torch.ones(6)] * 3, block)
    assert gradient[~kept].eq(0).all()

    ours, exact = logits.clone().requires_grad_(), logits[kept].double().requires_grad_()
    found = kernels.numbers(read(ours, labels.where(kept, 0))._replace(kept=kept), names)
    wanted = plain.numbers(read(exact, labels[kept]), names)
    for mine, theirs in zip(found, wanted, strict=True):
        assert mine[~kept].eq(0).all()
        torch.testing.assert_close(mine[kept].double(), theirs, rtol=2e-6, atol=2e-6)
    # A gradient of the gradient takes the plain operations.
    for values, leaf in ((found, ours), (wanted, exact)):
        (first,) = torch.autograd.grad(
            sum(value.square().sum() for value in values), leaf, create_graph=True
        )
        first.square().sum().backward()
    assert ours.grad[~kept].eq(0).all()
    torch.testing.assert_close(ours.grad[kept].double(), exact.grad, rtol=1e-4, atol=1e-4)


def test_triton_kernels_by_interpreter():
    if importlib.util.find_spec("triton") is None:
        pytest.skip("Triton is not installed; torch brings it on Linux")
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    done = subprocess.run(
        [sys.executable, __file__], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("classes", [10, 1000, 16384, 16385, 128256])
def test_triton_kernels_on_a_device(classes, dtype):
    logits, labels = (tensor.cuda() for tensor in draw(64, classes, dtype))
    names = ("true", "top", "mean")
    ours, exact = logits.clone().requires_grad_(), logits.double().requires_grad_()
    with backend("triton"):
        found = numbers(read(ours, labels), *names)
    wanted = plain.numbers(read(exact, labels), names)
    torch.testing.assert_close([x.double() for x in found], list(wanted), rtol=1e-5, atol=1e-5)
    (mine,) = torch.autograd.grad(sum(found).sum(), ours)
    (theirs,) = torch.autograd.grad(sum(wanted).sum(), exact)
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(mine.double(), theirs, rtol=max(eps, 1e-4), atol=1e-6)


if __name__ == "__main__":
    check_everything()
