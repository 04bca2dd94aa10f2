"""The gradients that are written out by hand, where they are used and where they are not."""

import pytest
import torch
from torch.nn import functional as F

from maxsup import losses
from maxsup.functional import maxsup_loss
from maxsup.losses._inputs import read_inputs
from maxsup.losses.numbers import backend, numbers, top_class

from .cases import ACLS, DUAL_FOCAL, IGNORE, LOSSES, MARGIN, MAXSUP, every_loss, make

# Rows long enough to be searched block by block, with and without a remainder, and sums over more
# and less than what takes the short way.
LONG = [(3, 256), (2, 260), (4, 300), (2, 1000), (70, 2000)]
NAMES = ("true", "other", "top", "mean", "entropy", "squares")


def gradient_of(function, logits, *args, **options):
    logits = logits.detach().clone().requires_grad_()
    value = function(logits, *args, **options)
    return torch.autograd.grad(value.sum(), logits)[0]


@pytest.mark.parametrize("shape", LONG, ids=str)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_top_class_finds_in_blocks_what_argmax_finds(shape, dtype):
    generator = torch.Generator().manual_seed(0)
    # Rounded, so that most rows have several equal maxima.
    for scale in (0.0, 1.0, 3.0, 1e4):
        logits = (scale * torch.randn(shape, generator=generator)).round().to(dtype)
        index, value = top_class(logits)
        assert torch.equal(index, logits.argmax(1, keepdim=True))
        assert torch.equal(value, logits.amax(1, keepdim=True))
    for index in (0, 63, 64, 127, shape[1] - 65, shape[1] - 64, shape[1] - 1):
        logits = torch.zeros(shape, dtype=dtype)
        logits[:, index:] = 5.0
        assert top_class(logits)[0].unique().tolist() == [index]


@pytest.mark.parametrize("shape", [(40, 5), (7, 5, 6), (3, 5, 4, 2), (2, 300, 3)], ids=str)
def test_top_class_is_the_first_whatever_the_layout(shape):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randint(3, shape, generator=generator).float()
    layouts = [logits, logits.movedim(1, -1).contiguous().movedim(-1, 1)]
    for laid_out in layouts:
        index, _ = top_class(laid_out)
        for position in torch.cartesian_prod(*(torch.arange(n) for n in (shape[0], *shape[2:]))):
            n, *inner = position.reshape(-1).tolist()
            row = laid_out[(n, slice(None), *inner)].tolist()
            assert int(index[(n, 0, *inner)]) == row.index(max(row))


@pytest.mark.parametrize("shape", [*LONG, (5, 4), (6, 1), (2, 5, 3), (2, 3, 4, 2)], ids=str)
@pytest.mark.parametrize("kind", ["index", "soft"])
def test_numbers_of_every_backend_have_value_and_gradient_of_the_plain(shape, kind):
    logits, target, _ = make(shape, kind)
    inputs = read_inputs(logits, target, None, IGNORE, "none")
    other = torch.randint(shape[1], (shape[0], *shape[2:]))
    logits.view(-1)[::7].fill_(-torch.inf)
    logits[:, 0] = 0.5
    for name in ("closed_form", "compiled"):
        for names in (*((name,) for name in NAMES), NAMES):
            ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
            with backend(name):
                found = numbers(inputs._replace(logits=ours), *names, other=other)
            with backend("plain"):
                expected = numbers(inputs._replace(logits=theirs), *names, other=other)
            pull = [torch.linspace(0.5, 1.5, v.numel()).double().reshape(v.shape) for v in found]
            reached = [v != -torch.inf for v in expected]
            for mine, wanted in zip(found, expected, strict=True):
                torch.testing.assert_close(mine, wanted)
            pull = [p * r for p, r in zip(pull, reached, strict=True)]
            (mine,) = torch.autograd.grad(found, ours, pull)
            (wanted,) = torch.autograd.grad(expected, theirs, pull)
            torch.testing.assert_close(mine, wanted)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@every_loss
def test_objective_s_graph_can_be_kept_and_gone_through_again(objective, reduction):
    logits, labels, weight = make((5, 4))
    for of_classes in (None, weight):
        leaf = logits.clone().requires_grad_()
        value = objective(leaf, labels, 0.3, weight=of_classes, reduction=reduction).sum()
        first, second, third = (
            torch.autograd.grad(value, leaf, retain_graph=True)[0].clone() for _ in range(3)
        )
        assert torch.equal(first, second)
        assert torch.equal(first, third)


@every_loss
def test_objective_s_gradient_is_nobody_else_s_memory(objective):
    logits, labels, _ = make((5, 4))
    leaf = logits.clone().requires_grad_()
    objective(leaf, labels, 0.3).backward()
    before = leaf.grad.clone()
    objective(leaf, labels, 0.3).backward()
    torch.testing.assert_close(leaf.grad, 2 * before)
    value = objective(leaf, labels, 0.3)
    leaf.grad = None
    (2 * value + value).backward()
    torch.testing.assert_close(leaf.grad, 3 * before)


@pytest.mark.parametrize("shape", LONG, ids=str)
@pytest.mark.parametrize("objective", LOSSES, ids=lambda o: o.name)
def test_objective_of_many_classes_is_as_of_few(objective, shape):
    """Against torch's own differentiation: of shapes for which the reference is too slow."""
    logits, labels, _ = make(shape)
    gradient, value = torch.func.grad_and_value(lambda z: objective(z, labels, 0.3))(logits)
    torch.testing.assert_close(objective(logits, labels, 0.3), value)
    torch.testing.assert_close(gradient_of(objective, logits, labels, 0.3), gradient)


@pytest.mark.parametrize("offset", [0.0, 300.0, -1e6])
def test_maxsup_loses_no_precision_by_an_offset_of_many_logits(offset):
    logits, labels, _ = make((300, 1000), scale=0.25)
    logits = (logits * 8).round() / 8
    found = maxsup_loss((logits + offset).float(), labels, 0.3)
    torch.testing.assert_close(found.double(), maxsup_loss(logits, labels, 0.3), rtol=1e-6, atol=0)


@pytest.mark.parametrize("shape", [(300, 1000), (4, 300)], ids=str)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_maxsup_of_a_class_that_is_not_available_among_many(shape, reduction):
    logits, labels, _ = make(shape)
    logits[0, 5] = -torch.inf
    labels[0] = 6
    rest = torch.cat((logits[:1, :5], logits[:1, 6:]), dim=1)
    alone = maxsup_loss(rest, labels[:1] - 1, 0.3)
    values = maxsup_loss(logits, labels, 0.3, reduction="none")
    torch.testing.assert_close(values[0], alone)
    value = maxsup_loss(logits, labels, 0.3, reduction=reduction)
    expected = values if reduction == "none" else getattr(values, reduction)()
    torch.testing.assert_close(value, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("objective", [MAXSUP, MARGIN, ACLS, DUAL_FOCAL], ids=lambda o: o.name)
def test_objective_s_gradient_is_rounded_once(objective, dtype):
    logits, labels, _ = make((50, 300))
    logits = logits.to(dtype)
    found = gradient_of(objective, logits, labels, 0.3, reduction="sum")
    exact = gradient_of(objective, logits.double(), labels, 0.3, reduction="sum")
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(found.double(), exact, rtol=0.51 * eps + 3e-6, atol=3e-7)


def test_maxsup_needs_no_gradient_where_none_is_asked():
    logits, labels, _ = make((5, 4))
    with torch.no_grad():
        assert not maxsup_loss(logits.requires_grad_(), labels).requires_grad
    with torch.inference_mode():
        maxsup_loss(logits.detach(), labels)
    assert not maxsup_loss(logits.detach(), labels).requires_grad


def test_maxsup_lets_logits_be_changed_in_place_as_torch_s_cross_entropy_does():
    logits, labels, _ = make((5, 4))
    expected = gradient_of(maxsup_loss, logits, labels, 0.3)
    leaf = logits.clone().requires_grad_()
    scores = leaf * 1.0
    value = maxsup_loss(scores, labels, 0.3)
    scores.detach().mul_(2.0)
    torch.testing.assert_close(torch.autograd.grad(value, leaf)[0], expected)
    # What would need the logits that are gone says so.
    scores = leaf * 1.0
    value = maxsup_loss(scores, labels, 0.3)
    scores.detach().mul_(2.0)
    torch.autograd.grad(value, scores, retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.autograd.grad(value, scores)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # torch's own use of it
def test_maxsup_is_differentiated_in_forward_mode():
    logits, labels, _ = make((5, 4))
    tangent = torch.ones_like(logits).cumsum(1)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(logits, tangent)
        slope = torch.autograd.forward_ad.unpack_dual(maxsup_loss(dual, labels, 0.3)).tangent
    expected = (gradient_of(maxsup_loss, logits, labels, 0.3) * tangent).sum()
    torch.testing.assert_close(slope, expected)


def test_maxsup_keeps_nothing_of_the_logits_size_beside_the_softmax():
    logits, labels, _ = make((8, 300))
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        losses.MaxSupLoss(0.3)(logits.requires_grad_(), labels)
    sizes = [tensor.numel() for tensor in kept if tensor is not None]
    assert sorted(sizes)[-1] == logits.numel()  # the logits themselves
    assert sum(size >= logits.numel() for size in sizes) == 1


def test_maxsup_differs_from_what_it_replaces_in_cost_alone():
    logits, labels, _ = make((6, 5))
    plain = F.cross_entropy(logits, labels) + 0.3 * (logits.max(1).values - logits.mean(1)).mean()
    torch.testing.assert_close(maxsup_loss(logits, labels, 0.3), plain)
