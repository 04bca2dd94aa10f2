"""Which backend computes the numbers of the logits, and how one is named."""

import pytest
import torch

from maxsup import functional, losses
from maxsup.losses._inputs import read_inputs
from maxsup.losses.numbers import _choose, gap_sum, numbers

from .cases import ACLS, IGNORE, LABEL_SMOOTHING, MAXSUP, every_objective, make

ON_CPU = ("plain", "closed_form", "compiled")


def value_and_gradient(function, logits, *args, **options):
    leaf = logits.detach().clone().requires_grad_()
    value = function(leaf, *args, **options)
    return value.detach(), torch.autograd.grad(value.sum(), leaf)[0]


@pytest.mark.parametrize("name", ON_CPU)
@every_objective
def test_backend_changes_no_value_and_no_gradient(objective, name):
    for kind in ("index", "ignored", "soft"):
        logits, target, weight = make((6, 5), kind)
        options = {"weight": None if kind == "index" else weight, "reduction": "none"}
        expected = value_and_gradient(objective, logits, target, 0.3, **options)
        with losses.backend(name):
            found = value_and_gradient(objective, logits, target, 0.3, **options)
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", ON_CPU)
def test_backend_that_is_named_computes(name, monkeypatch):
    called = []
    for each in ON_CPU:
        module = getattr(_choose, each)
        real = module.numbers
        monkeypatch.setattr(
            module, "numbers", lambda *a, each=each, real=real: called.append(each) or real(*a)
        )
    logits, labels, weight = make((6, 5))
    with losses.backend(name):
        MAXSUP(logits, labels, weight=weight)
    MAXSUP(logits, labels, weight=weight)
    assert called == [name, "closed_form"]


def test_backend_is_named_for_the_block_alone_and_the_inner_counts():
    logits, labels, _ = make((6, 5))
    assert _choose._name() is None
    with losses.backend("plain"):
        with pytest.raises(ValueError, match="not on a CUDA"), losses.backend("triton"):
            MAXSUP(logits, labels)
        assert _choose._name() == "plain"
    assert _choose._name() is None


def test_backend_of_unknown_name_is_told_those_there_are():
    with (
        pytest.raises(ValueError, match="one of plain, closed_form, compiled, triton; got 'fast'"),
        losses.backend("fast"),
    ):
        pass


def refuses(name, reason):
    return pytest.raises(ValueError, match=f"'{name}' cannot serve this: .*{reason}")


@pytest.mark.parametrize("name", ["closed_form", "compiled", "triton"])
def test_backend_refuses_a_target_that_needs_a_gradient(name):
    logits, target, _ = make((6, 5), "soft")
    with losses.backend(name), refuses(name, "target needs a gradient"):
        MAXSUP(logits, target.requires_grad_())


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # torch's own use of it
@pytest.mark.parametrize("name", ["closed_form", "compiled"])
def test_backend_with_its_own_gradient_refuses_what_cannot_be_transformed(name):
    class Own(torch.Tensor):
        pass

    logits, labels, _ = make((6, 5))
    with losses.backend(name):
        with refuses(name, "torch.func is at work"):
            torch.func.grad(lambda z: MAXSUP(z, labels))(logits)
        with refuses(name, "subclass of torch.Tensor"):
            MAXSUP(logits.as_subclass(Own), labels)
        with torch.autograd.forward_ad.dual_level():
            dual = torch.autograd.forward_ad.make_dual(logits, logits)
            with refuses(name, "forward-mode differentiation"):
                MAXSUP(dual, labels)


def test_backend_of_distances_refuses_what_it_cannot_do():
    logits, labels, _ = make((6, 5))
    with losses.backend("triton"), refuses("triton", "no kernel for distances"):
        gap_sum(logits, labels)
    margin = torch.tensor(1.0, requires_grad=True)
    with losses.backend("closed_form"), refuses("closed_form", "margin needs a gradient"):
        gap_sum(logits, labels, margin)
    with losses.backend("plain"):
        gap_sum(logits, labels, margin)


def test_triton_refuses_what_it_has_no_kernel_for(monkeypatch):
    logits, labels, _ = make((6, 5))
    rows = read_inputs(logits.float(), labels, None, IGNORE, "none")
    names = ("true", "top", "mean")
    why_not = _choose._refusal_of_triton
    assert "probabilities" in why_not(rows._replace(labels=None), names)
    assert "only the numbers" in why_not(rows, ("true", "entropy"))
    assert "side by side" in why_not(rows._replace(logits=rows.logits.t()), names)
    assert "side by side" in why_not(rows._replace(logits=rows.logits[..., None]), names)
    assert "float64" in why_not(rows._replace(logits=logits), names)
    monkeypatch.setattr(_choose, "_triton_is_there", lambda: True)
    assert why_not(rows, names) is None
    monkeypatch.setattr(_choose, "_triton_is_there", lambda: False)
    assert "not installed" in why_not(rows, names)


def test_triton_is_looked_for_where_it_would_be_installed():
    import importlib.util

    there = importlib.util.find_spec("triton") is not None
    assert _choose._triton_is_there() is there


@pytest.mark.parametrize("objective", [MAXSUP, LABEL_SMOOTHING, ACLS], ids=lambda o: o.name)
def test_compiled_code_takes_the_backend_that_is_named_outside(objective):
    torch.compiler.reset()
    logits, labels, _ = make((6, 5), "ignored")
    compiled = torch.compile(objective, fullgraph=True, backend="aot_eager")
    expected = value_and_gradient(objective, logits, labels, torch.tensor(0.3))
    for name in ("plain", "compiled", "plain"):
        with losses.backend(name):
            found = value_and_gradient(compiled, logits, labels, torch.tensor(0.3))
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(
            value_and_gradient(compiled, logits, labels, torch.tensor(0.3)), expected
        )


def test_compiled_code_may_name_a_backend_itself():
    def plain(logits, labels):
        with losses.backend("plain"):
            return functional.maxsup_loss(logits, labels)

    torch.compiler.reset()
    logits, labels, _ = make((6, 5))
    compiled = torch.compile(plain, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(
        value_and_gradient(compiled, logits, labels), value_and_gradient(plain, logits, labels)
    )
    assert _choose._name() is None
    assert _choose._named_last is None


def test_compiled_backend_lets_nothing_out_of_ignored_positions_in_eager_code():
    logits, target, _ = make((4, 5), "ignored")
    inputs = read_inputs(logits, target, None, IGNORE, "none", mask_logits=False)
    spoilt = torch.where(inputs.kept.unsqueeze(1), logits, torch.nan).requires_grad_()
    with losses.backend("compiled"):
        found = numbers(inputs._replace(logits=spoilt), "true", "top", "mean")
    gradient = torch.autograd.grad(sum(found).sum(), spoilt)[0]
    assert all(torch.count_nonzero(number[~inputs.kept]) == 0 for number in found)
    assert torch.count_nonzero(gradient[~inputs.kept]) == 0
    assert bool(gradient.isfinite().all())
