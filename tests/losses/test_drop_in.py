"""Where torch's criterion stood: its calls, its checkpoints, and what is said where ours differ."""

import inspect
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import maxsup
from maxsup import functional, losses, schedules
from maxsup.losses import _smoothed_target
from maxsup.losses._smoothed_target import smoothing_of

from .cases import IGNORE, LOSSES, MAXSUP, SHIFTING, every_loss, make, one_hot
from .test_linear_losses import PAIRS, problem

RISING = schedules.linear(0.1, 0.2, steps=10)
WEIGHT = torch.tensor([0.5, 1.0, 2.0])
NUMBERS = [np.float64(0.1), np.float32(0.1), np.float16(0.1), np.array(0.1), np.array(0.1, "f")]


class Model(nn.Module):
    """One that holds its criterion, as many do."""

    def __init__(self, criterion: nn.Module):
        super().__init__()
        self.net = nn.Linear(4, 3)
        self.criterion = criterion


def load(criterion: nn.Module, former: nn.Module, *, strict: bool = True) -> Model:
    model = Model(criterion)
    model.load_state_dict(Model(former).state_dict(), strict=strict)
    return model


def modules_of(**options):
    """Every criterion of the package, built with these options."""
    yield from (objective.module(**options) for objective in LOSSES)
    yield losses.OnlineLabelSmoothingLoss(3, **options)
    yield maxsup.LinearMaxSupLoss(4, 3, **options)
    yield maxsup.LinearLabelSmoothingLoss(4, 3, **options)


def called_linear(criterion: nn.Module) -> bool:
    return type(criterion).__name__.startswith("Linear")


def test_module_s_arguments_are_called_as_torch_s_are():
    logits, labels, _ = make((6, 3))
    for criterion in modules_of():
        tensor = torch.randn(6, 4) if called_linear(criterion) else logits
        assert list(inspect.signature(criterion.forward).parameters)[:2] == ["input", "target"]
        found = criterion(input=tensor, target=labels)
        assert torch.equal(found, criterion(tensor, labels))


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
def test_module_loads_what_a_model_with_torch_s_criterion_saved(weight):
    for criterion in modules_of(weight=weight):
        if called_linear(criterion):
            continue
        before = {name: value.clone() for name, value in criterion.named_buffers()}
        former = nn.CrossEntropyLoss(None if weight is None else 3 * weight)
        load(criterion, former)
        before["weight"] = former.weight
        for name, value in criterion.named_buffers():
            assert torch.equal(value, before[name])


def test_module_with_a_schedule_loads_it_too_and_begins():
    model = load(maxsup.MaxSupLoss(RISING), nn.CrossEntropyLoss())
    assert model.criterion.coefficients() == {"alpha": 0.1}
    model.criterion.step()
    assert model.criterion.coefficients() == {"alpha": RISING(1)}


@pytest.mark.parametrize("bias", [False, True])
def test_linear_module_loads_what_torch_s_saved(bias):
    if not hasattr(nn, "LinearCrossEntropyLoss"):
        pytest.skip("needs a newer torch")
    former = nn.LinearCrossEntropyLoss(4, 3, bias=bias, weight=WEIGHT)
    criterion = maxsup.LinearMaxSupLoss(4, 3, alpha=0.0, bias=bias, weight=WEIGHT)
    criterion.load_state_dict(former.state_dict())
    features, labels = torch.randn(6, 4), torch.tensor([0, 1, 2, 2, 1, IGNORE])
    torch.testing.assert_close(criterion(features, labels), former(features, labels))


def test_module_of_constants_saves_what_torch_s_would():
    for weight in (None, WEIGHT):
        for objective in LOSSES:
            state = objective.module(weight=weight).state_dict()
            assert set(state) == set(nn.CrossEntropyLoss(weight).state_dict())
    load(nn.CrossEntropyLoss(), maxsup.MaxSupLoss(0.2))


def test_module_takes_a_constant_that_a_state_holds_all_the_same():
    # Earlier ones held it, and those of a schedule do.
    state = Model(nn.CrossEntropyLoss()).state_dict()
    state["criterion.alpha"] = torch.tensor(0.3, dtype=torch.float64)
    state["criterion.count"] = torch.tensor(7)
    model = Model(maxsup.MaxSupLoss(0.1))
    model.load_state_dict(state)
    assert model.criterion.coefficients() == {"alpha": 0.3}
    trained = maxsup.MaxSupLoss(RISING)
    trained.step()
    assert load(maxsup.MaxSupLoss(0.1), trained).criterion.coefficients() == {"alpha": RISING(1)}


def test_module_that_has_a_schedule_more_reads_it_off_the_count():
    former = maxsup.ACLSLoss(RISING)
    for _ in range(4):
        former.step()
    criterion = load(maxsup.ACLSLoss(RISING, margin=lambda count: 10.0 + count), former).criterion
    found = criterion.coefficients()
    assert (found["alpha"], found["margin"]) == (RISING(4), 14.0)


def test_module_refuses_class_weights_where_torch_s_would():
    for build in (nn.CrossEntropyLoss, maxsup.MaxSupLoss):
        with pytest.raises(RuntimeError, match=r"Unexpected.*criterion\.weight"):
            load(build(), nn.CrossEntropyLoss(WEIGHT))
        load(build(), nn.CrossEntropyLoss(WEIGHT), strict=False)
        with pytest.raises(RuntimeError, match=r"Missing.*criterion\.weight"):
            load(build(weight=WEIGHT), nn.CrossEntropyLoss())


def test_module_refuses_half_of_what_it_has_learned():
    state = maxsup.OnlineLabelSmoothingLoss(3).state_dict()
    del state["sums"]
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "sums"'):
        maxsup.OnlineLabelSmoothingLoss(3).load_state_dict(state)


def test_module_names_the_argument_that_stands_for_label_smoothing():
    for build in (maxsup.MaxSupLoss, maxsup.LabelSmoothingLoss, maxsup.ZipfLabelSmoothingLoss):
        with pytest.raises(TypeError, match=r"takes alpha .*; write \w+Loss\(alpha=0\.1\)"):
            build(label_smoothing=0.1)
    with pytest.raises(TypeError, match=r"write LinearMaxSupLoss\(\.\.\., alpha=0\.2\)"):
        maxsup.LinearMaxSupLoss(4, 3, label_smoothing=0.2)
    with pytest.raises(TypeError, match=r"write LabelSmoothingLoss\(alpha=0\.1\) or MaxSupLoss"):
        maxsup.CrossEntropyLoss(label_smoothing=0.1)


@pytest.mark.parametrize(
    ("options", "reduction"),
    [
        ({"size_average": True}, "mean"),
        ({"size_average": False}, "sum"),
        ({"reduce": False}, "none"),
        ({"reduce": True}, "mean"),
        ({"size_average": False, "reduce": False}, "none"),
        ({"size_average": None, "reduce": None}, "mean"),
    ],
    ids=str,
)
def test_module_names_the_reduction_that_stands_for_torch_s_former_arguments(options, reduction):
    for build in (maxsup.MaxSupLoss, maxsup.CrossEntropyLoss, maxsup.FocalLoss):
        with pytest.raises(TypeError, match=rf"write \w+Loss\(reduction='{reduction}'\)"):
            build(**options)


def test_module_of_one_s_own_may_take_such_an_argument():
    class Own(losses.Loss):
        function = staticmethod(functional.cross_entropy_loss)

        def __init__(self, label_smoothing: float = 0.0, **options: object):
            super().__init__(**options)
            self.given = label_smoothing

    assert Own(label_smoothing=0.3).given == 0.3
    with pytest.raises(TypeError, match="Own takes reduction, not reduce"):
        Own(reduce=False)


def test_module_still_refuses_an_argument_that_nobody_knows():
    with pytest.raises(TypeError, match="unexpected keyword argument 'smoothing'"):
        maxsup.MaxSupLoss(smoothing=0.1)
    assert list(inspect.signature(maxsup.MaxSupLoss).parameters)[:2] == ["alpha", "weight"]


@pytest.mark.parametrize("weight", [WEIGHT, WEIGHT.numpy(), [0.5, 1.0, 2.0], None], ids=type)
def test_class_weights_that_are_given_first_are_told_their_name(weight):
    logits, labels, _ = make((6, 3))
    calls = [
        lambda: maxsup.MaxSupLoss(weight),
        lambda: maxsup.FocalLoss(weight),
        lambda: maxsup.OnlineLabelSmoothingLoss(weight),
        lambda: maxsup.LinearMaxSupLoss(weight, 3),
        lambda: functional.maxsup_loss(logits, labels, weight),
        lambda: functional.focal_loss(logits, labels, weight),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"Class weights are given by name: weight=\.\.\.$"):
            call()


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: f"{type(number)} {number.dtype}")
@pytest.mark.parametrize("objective", LOSSES[1:], ids=lambda objective: objective.name)
def test_objective_takes_numpy_s_numbers(objective, number):
    logits, labels, _ = make((6, 3), scale=0.5)
    logits = logits.float().requires_grad_()
    name = objective.coefficient
    value = objective(logits, labels, **{name: number})
    expected = objective(logits, labels, **{name: float(number)})
    assert type(value) is torch.Tensor
    assert torch.equal(value, expected)
    criterion = objective.module(**{name: number})
    assert criterion.coefficients()[name] == float(number)
    torch.testing.assert_close(criterion(logits, labels), expected)


def test_objective_refuses_what_is_like_a_number_and_none():
    logits, labels, _ = make((6, 3))
    for wrong in ("0.1", True, np.bool_(True), np.array("0.1"), 0.1j):
        with pytest.raises(ValueError, match="alpha must be a number"):
            functional.maxsup_loss(logits, labels, wrong)
    for wrong in (np.float32("nan"), np.float32(-1), np.array(np.inf)):
        with pytest.raises(ValueError, match="alpha must be a finite number >= 0"):
            maxsup.MaxSupLoss(wrong)


def test_module_s_sizes_may_be_numpy_s():
    labels, size = torch.tensor([0, 2]), np.int64(3)
    logits = torch.zeros(2, 3)
    assert maxsup.OnlineLabelSmoothingLoss(size)(logits, labels).isfinite()
    assert maxsup.LinearMaxSupLoss(size, size)(logits, labels).isfinite()
    for wrong, message in ((0, "at least 1; got 0"), (2.5, "an integer; got 2.5")):
        with pytest.raises(ValueError, match=f"num_classes must be {message}"):
            maxsup.LinearMaxSupLoss(4, wrong)


@pytest.mark.parametrize("weight", [[0.5, 1.0, 2.0], WEIGHT.numpy(), WEIGHT.long()], ids=type)
def test_what_is_no_tensor_is_told_how_to_become_one(weight):
    logits, labels, _ = make((6, 3))
    with pytest.raises(ValueError, match=r"Write torch\.as_tensor\(weight, dtype=torch\.float32\)"):
        maxsup.MaxSupLoss(weight=weight)
    maxsup.MaxSupLoss(weight=torch.as_tensor(weight, dtype=torch.float32))(logits, labels)
    with pytest.raises(ValueError, match=r"Write torch\.as_tensor\(target\)"):
        functional.maxsup_loss(logits, labels.numpy())


def test_module_takes_a_tensor_for_a_number_but_trains_none():
    assert maxsup.MaxSupLoss(torch.tensor(0.25)).coefficients() == {"alpha": 0.25}
    with pytest.raises(ValueError, match=r"needs a gradient.* maxsup\.functional"):
        maxsup.MaxSupLoss(nn.Parameter(torch.tensor(0.25)))


def test_module_s_schedule_may_give_numpy_s_numbers():
    criterion = maxsup.MaxSupLoss(lambda count: np.float32(0.5) * count)
    criterion.step()
    assert criterion.coefficients() == {"alpha": 0.5}
    start, end = np.float32(0.25), np.array(0.75)
    criterion = maxsup.MaxSupLoss(schedules.linear(start, end, steps=np.int64(2)))
    criterion.step()
    assert criterion.coefficients() == {"alpha": 0.5}
    assert "0.25 → 0.75 (linear)" in str(criterion)


@every_loss
def test_objective_ignores_nothing_where_no_label_is_named(objective):
    logits, labels, weight = make((6, 3, 2))
    expected = objective(logits, labels, weight=weight)
    found = objective(logits, labels, weight=weight, ignore_index=None)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        objective.module(weight=weight, ignore_index=None)(logits, labels), expected
    )
    labels[0, 0] = IGNORE
    with pytest.raises(ValueError, match=r"label -100, outside \[0, 3\)"):
        objective(logits, labels, ignore_index=None)


@pytest.mark.parametrize("kind", PAIRS)
def test_linear_objective_ignores_nothing_where_no_label_is_named(kind):
    fused, _, _ = PAIRS[kind]
    features, weights, bias, labels = problem()
    for reduction in ("none", "mean", "sum"):
        options = {"linear_bias": bias, "reduction": reduction, "chunk_size": 4}
        torch.testing.assert_close(
            fused(features, weights, labels, ignore_index=None, **options),
            fused(features, weights, labels, **options),
        )


def test_compiled_code_ignores_nothing_where_no_label_is_named():
    logits, labels, _ = make((6, 3))
    compiled = torch.compile(functional.maxsup_loss, fullgraph=True, backend="eager")
    found = compiled(logits, labels, ignore_index=None)
    torch.testing.assert_close(found, functional.maxsup_loss(logits, labels))


@pytest.mark.parametrize("ignore_index", [np.int64(1), np.uint8(1), np.array(1), torch.tensor(1)])
def test_ignore_index_may_be_an_integer_of_any_library(ignore_index):
    logits, labels, _ = make((6, 3))
    expected = functional.maxsup_loss(logits, labels, ignore_index=1)
    assert torch.equal(functional.maxsup_loss(logits, labels, ignore_index=ignore_index), expected)
    criterion = maxsup.MaxSupLoss(ignore_index=ignore_index)
    assert type(criterion.ignore_index) is int
    assert torch.equal(criterion(logits, labels), expected)


@pytest.mark.parametrize("wrong", [1.0, "1", True, Fraction(1), np.float32(1), [0, 255]], ids=str)
def test_ignore_index_must_be_an_integer(wrong):
    logits, labels, _ = make((6, 3))
    for call in (
        lambda: functional.maxsup_loss(logits, labels, ignore_index=wrong),
        lambda: functional.acls_loss(logits, labels, ignore_index=wrong),
        lambda: maxsup.MaxSupLoss(ignore_index=wrong),
    ):
        with pytest.raises(ValueError, match="ignore_index must be an integer, or None") as caught:
            call()
        assert ("give them one in the target" in str(caught.value)) == isinstance(wrong, list)


@every_loss
def test_objective_refuses_a_label_to_ignore_among_probabilities(objective):
    logits, labels, _ = make((6, 3))
    target = one_hot(labels, 3, torch.float64)
    with pytest.raises(ValueError, match="ignore_index is 1, but target holds probabilities"):
        objective(logits, target, ignore_index=1)
    for nothing in (None, -1):
        assert objective(logits, target, ignore_index=nothing).isfinite()


@pytest.mark.parametrize(
    ("shape", "target_shape", "advice"),
    [
        ((2, 5, 7), (2, 5), r"logits.flatten\(0, 1\) and target.flatten\(\), or .*transpose\(1, 2"),
        ((2, 4, 5, 7), (2, 4, 5), r"logits.flatten\(0, 2\) and .*, or logits.movedim\(-1, 1\)"),
        ((6, 3), (6, 1), r"Give target.squeeze\(1\)"),
        ((2, 3, 4, 5), (2, 1, 4, 5), r"Give target.squeeze\(1\)"),
    ],
    ids=str,
)
def test_shapes_that_do_not_fit_are_told_how_to(shape, target_shape, advice):
    logits, target = torch.randn(shape), torch.zeros(target_shape, dtype=torch.int64)
    with pytest.raises(ValueError, match=advice):
        functional.maxsup_loss(logits, target)


def test_advice_on_shapes_is_right():
    logits, labels = torch.randn(2, 5, 7), torch.randint(7, (2, 5))
    flat = functional.maxsup_loss(logits.flatten(0, 1), labels.flatten())
    torch.testing.assert_close(functional.maxsup_loss(logits.transpose(1, 2), labels), flat)
    wide, labels = torch.randn(2, 4, 5, 7), torch.randint(7, (2, 4, 5))
    flat = functional.maxsup_loss(wide.flatten(0, 2), labels.flatten())
    torch.testing.assert_close(functional.maxsup_loss(wide.movedim(-1, 1), labels), flat)
    features, weights = torch.randn(2, 5, 4), torch.randn(7, 4)
    with pytest.raises(ValueError, match=r"features.flatten\(0, 1\) and target.flatten\(\)"):
        functional.linear_maxsup_loss(features, weights, labels[:, 0])
    with pytest.raises(ValueError, match="target must be a tensor; got list"):
        functional.linear_maxsup_loss(features[0], weights, [0] * 5)


@pytest.mark.parametrize("shape", [(8, 5), (2, 5, 3), (2, 5, 3, 2)], ids=str)
def test_class_weights_of_torch_come_by_weighing_the_target(shape):
    # The line that README and MaxSup's page give to users of Mixup.
    logits, target, weight = make(shape, "soft")
    logits.requires_grad_()
    spread = weight.view(-1, *[1] * (len(shape) - 2))
    for reduction in ("mean", "sum", "none"):
        found = functional.cross_entropy_loss(logits, target * spread, reduction=reduction)
        expected = F.cross_entropy(logits, target, weight, reduction=reduction)
        torch.testing.assert_close(found, expected)
        penalty = logits.amax(1) - logits.mean(1)
        penalty = getattr(penalty, reduction)() if reduction != "none" else penalty
        penalized = maxsup.MaxSupLoss(0.3, reduction=reduction)(logits, target * spread)
        torch.testing.assert_close(penalized, expected + 0.3 * penalty)
        pull = torch.rand_like(penalized)
        torch.testing.assert_close(
            torch.autograd.grad(penalized, logits, pull, retain_graph=True),
            torch.autograd.grad(expected + 0.3 * penalty, logits, pull),
        )


@pytest.mark.parametrize("shape", [(8, 5), (2, 5, 3)], ids=str)
def test_class_weights_of_torch_s_label_smoothing_come_by_dividing_by_the_positions(shape):
    logits, target, weight = make(shape, "soft")
    ours = maxsup.LabelSmoothingLoss(0.1, weight=weight, reduction="sum")(logits, target)
    theirs = F.cross_entropy(logits, target, weight, label_smoothing=0.1)
    torch.testing.assert_close(ours / (target.numel() / 5), theirs)


# Targets that are smoothed before they come.


@pytest.fixture
def unwarned(monkeypatch):
    """A process that has not seen a target yet."""
    monkeypatch.setattr(_smoothed_target, "_targets_seen", 0)
    monkeypatch.setattr(_smoothed_target, "_told", False)


def mixed(classes=10, smoothing=0.1, dtype=torch.float32, shape=(), seed=0):
    """What timm's Mixup makes of sixteen labels and their reverse."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (16, *shape), generator=generator)
    part = torch.rand(16, *[1] * (len(shape) + 1), generator=generator)
    low = smoothing / classes
    first = one_hot(labels, classes) * (1 - smoothing) + low
    return (first * part + first.flip(0) * (1 - part)).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("classes", [4, 10, 1000])
@pytest.mark.parametrize("shape", [(), (3, 2)], ids=str)
def test_smoothing_of_a_smoothed_target(classes, shape, dtype):
    for smoothing in (0.02, 0.1, 0.3):
        target = mixed(classes, smoothing, dtype, shape)
        assert smoothing_of(target) == pytest.approx(smoothing, rel=0.02)
        assert smoothing_of(mixed(classes, 0.0, dtype, shape)) is None


@pytest.mark.parametrize("mode", ["batch", "pair", "elem"])
def test_smoothing_of_timm_s_mixup(mode):
    mixup = pytest.importorskip("timm.data.mixup").Mixup
    images, labels = torch.randn(16, 3, 8, 8), torch.arange(16) % 10
    options = {"mixup_alpha": 0.8, "cutmix_alpha": 1.0, "num_classes": 10, "mode": mode}
    for prob in (1.0, 0.5, 0.0):
        target = mixup(prob=prob, **options)(images, labels)[1]
        assert smoothing_of(target) == pytest.approx(0.1)
        target = mixup(prob=prob, label_smoothing=0, **options)(images, labels)[1]
        assert smoothing_of(target) is None


def teachers(classes, dtype, seed):
    """Targets that no one has smoothed, though every class may have a part in them."""
    generator = torch.Generator().manual_seed(seed)
    logits = 5 * torch.randn(16, classes, generator=generator)
    for shown in (
        logits,
        logits.relu(),  # most classes have the least logit exactly
        logits.clamp(-1, 1),
        logits.round(),
        logits / 20,
        one_hot(logits.argmax(1), classes) * logits.amax(1, keepdim=True),
    ):
        yield shown.to(dtype).softmax(1)
    best = logits.softmax(1)
    kept = best >= best.topk(min(3, classes)).values[:, -1:]
    rest = torch.where(kept, 0.0, best).sum(1, keepdim=True) / max(classes - 3, 1)
    yield torch.where(kept, best, rest).to(dtype)  # a teacher's first three, the rest shared out
    labels = one_hot(logits.argmax(1), classes)
    yield labels.clamp(min=1e-6).to(dtype)
    yield torch.full_like(labels, 1 / classes).to(dtype)
    votes = torch.multinomial(best, 10, replacement=True, generator=generator)
    yield F.one_hot(votes, classes).sum(1).div(10).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("classes", [2, 3, 4, 10, 200])
def test_smoothing_of_a_target_that_was_not_smoothed(classes, dtype):
    for seed in range(20):
        for target in teachers(classes, dtype, seed):
            assert smoothing_of(target) is None


def test_smoothing_of_a_target_too_small_to_tell():
    for target in (mixed()[:1], mixed(3), mixed(2), mixed()[:0], mixed()[0], mixed(shape=(0,))):
        assert smoothing_of(target) is None
    assert smoothing_of(torch.full((16, 10), float("nan"))) is None


SMOOTHERS = (
    maxsup.MaxSupLoss,
    maxsup.LabelSmoothingLoss,
    maxsup.MarginLabelSmoothingLoss,
    maxsup.ZipfLabelSmoothingLoss,
    maxsup.ACLSLoss,
    lambda: maxsup.OnlineLabelSmoothingLoss(10),
)


@pytest.mark.usefixtures("unwarned")
@pytest.mark.parametrize("build", SMOOTHERS)
def test_smoothed_target_is_warned_of_once(build):
    criterion, logits = build(), torch.randn(16, 10)
    with pytest.warns(UserWarning, match=r"smoothed already, by 0\.1 .*label_smoothing=0") as told:
        criterion(logits, mixed())
    assert [warning.filename for warning in told] == [__file__]
    for seed in range(4):
        criterion(logits, mixed(seed=seed))
        functional.maxsup_loss(logits, mixed(seed=seed))


@pytest.mark.usefixtures("unwarned")
def test_smoothed_target_is_found_later_too():
    logits = torch.randn(16, 10)
    for seed in range(100):
        functional.maxsup_loss(logits, mixed(smoothing=0.0, seed=seed))
    many = [functional.maxsup_loss] * 30
    with pytest.warns(UserWarning, match="smoothed already"):
        _ = [function(logits, mixed()) for function in many]


@pytest.mark.usefixtures("unwarned")
def test_smoothed_target_is_nothing_to_warn_of_where_nothing_else_smooths():
    logits, target = torch.randn(16, 10), mixed()
    maxsup.CrossEntropyLoss()(logits, target)
    maxsup.MaxSupLoss(0.0)(logits, target)
    functional.maxsup_loss(logits, target, 0.0)
    functional.label_smoothing_loss(logits, target, 0)
    maxsup.MaxSupLoss()(logits, target.argmax(1))


@pytest.mark.usefixtures("unwarned")
def test_smoothed_target_is_looked_at_only_where_that_costs_nothing():
    logits, target = torch.randn(16, 10), mixed()
    functional.maxsup_loss(logits.to("meta"), target.to("meta"))
    _smoothed_target._targets_seen = 0
    compiled = torch.compile(functional.maxsup_loss, fullgraph=True, backend="eager")
    compiled(logits, target)
    assert _smoothed_target._targets_seen == 0
    one = torch.func.vmap(lambda z, t: functional.maxsup_loss(z[None], t[None]))
    one(logits, target)
    with torch._subclasses.FakeTensorMode() as mode:
        functional.maxsup_loss(mode.from_tensor(logits), mode.from_tensor(target))
    assert not _smoothed_target._told


@pytest.mark.usefixtures("unwarned")
def test_smoothed_target_of_a_linear_head_is_warned_of():
    with pytest.warns(UserWarning, match="smoothed already"):
        functional.linear_maxsup_loss(torch.randn(16, 4), torch.randn(10, 4), mixed(), chunk_size=4)


# The README and MaxSup's page on the sign of the value.


def test_maxsup_is_never_negative_though_every_logit_may_be():
    generator = torch.Generator().manual_seed(0)
    for offset in (-100.0, -3.0, 0.0, 50.0):
        logits = offset + 3 * torch.randn(200, 7, generator=generator)
        labels = torch.randint(7, (200,), generator=generator)
        for alpha in (0.0, 0.1, 2.0):
            assert float(MAXSUP(logits, labels, alpha, reduction="none").min()) >= 0.0
    # A square of the largest logit in the penalty's place depends on the offset they share.
    assert MAXSUP not in SHIFTING


def test_other_objectives_may_be_negative():
    logits = torch.tensor([[0.0, 9.0, 8.9]])
    flat, label = torch.zeros(1, 3), torch.tensor([2])
    assert float(functional.label_smoothing_terms(logits, label, 0.1).error_enhancement) < 0
    assert float(functional.ls_error_enhancement_loss(logits, label, 10.0)) < 0
    assert float(functional.confidence_penalty_loss(flat, label, 2.0)) < 0
