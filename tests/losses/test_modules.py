"""The criterions: what they hold, what they save, how a scheduled weight moves."""

import copy
import io
import pickle

import pytest
import torch
from torch import nn

import maxsup
from maxsup import schedules
from maxsup.losses import LabelSmoothingLoss, LogitPenaltyLoss, Loss, MaxSupLoss

from .cases import IGNORE, LOSSES, every_loss, make

PENALTIES = tuple(objective for objective in LOSSES[1:] if objective.scheduled)
every_module = pytest.mark.parametrize("objective", PENALTIES, ids=lambda o: o.name)
RISING = schedules.linear(0.1, 0.2, steps=10)


def coefficient_of(criterion: Loss) -> float:
    (value,) = criterion.coefficients().values()
    return value


@every_loss
def test_module_is_its_function(objective):
    for reduction in ("none", "mean"):
        check_module_is_its_function(objective, reduction)


def check_module_is_its_function(objective, reduction):
    logits, labels, weight = make((6, 4, 2), "ignored")
    labels = torch.where(labels == IGNORE, 7, labels)
    coefficient = {} if objective.coefficient is None else {objective.coefficient: 0.3}
    options = {"weight": weight, "ignore_index": 7, "reduction": reduction}
    criterion = objective.module(**coefficient, **options)
    assert torch.equal(
        criterion(logits, labels), objective(logits, labels, **coefficient, **options)
    )


def test_module_gives_its_coefficients_by_name_whatever_the_order_they_were_set_in():
    class Backwards(Loss):
        function = staticmethod(maxsup.functional.acls_loss)

        def __init__(self):
            super().__init__()
            for name, value in reversed(given.items()):
                self.set_schedule(name, value)

    given = {"alpha": 0.2, "margin": 1.5, "pos_lambda": 0.7, "neg_lambda": 0.4}
    logits, labels, _ = make((6, 4))
    assert list(Backwards().coefficients()) == list(reversed(given))
    assert torch.equal(
        Backwards()(logits, labels), maxsup.functional.acls_loss(logits, labels, **given)
    )


@every_loss
def test_module_has_the_defaults_of_its_function(objective):
    logits, labels, _ = make((6, 4), "ignored")
    assert torch.equal(objective.module()(logits, labels), objective.function(logits, labels))


@every_loss
def test_module_stands_where_torch_s_criterion_stood(objective):
    model, criterion = nn.Linear(4, 3), objective.module()
    optimizer = torch.optim.SGD([*model.parameters(), *criterion.parameters()], lr=0.5)
    inputs = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
    labels = inputs[:, :3].argmax(1)
    first = None
    for _ in range(20):
        value = criterion(model(inputs), labels)
        first = value.item() if first is None else first
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        criterion.step()
    assert value.item() < first


@every_loss
def test_module_has_nothing_to_learn(objective):
    assert list(objective.module().parameters()) == []


@every_module
def test_module_s_step_moves_the_coefficient_along_its_schedule(objective):
    criterion = objective.module(RISING)
    for count in range(13):
        assert coefficient_of(criterion) == RISING(count)
        criterion.step()


@every_module
def test_module_s_fixed_coefficient_stays(objective):
    criterion = objective.module(0.25)
    criterion.step()
    assert criterion.coefficients() == {objective.coefficient: 0.25}


@every_module
def test_module_uses_the_present_coefficient(objective):
    logits, labels, _ = make((6, 4))
    criterion = objective.module(RISING)
    criterion.step()
    criterion.step()
    torch.testing.assert_close(criterion(logits, labels), objective(logits, labels, RISING(2)))


def test_module_s_state_holds_a_scheduled_coefficient_count_and_class_weights():
    criterion = MaxSupLoss(RISING, weight=torch.ones(3))
    criterion.step()
    state = criterion.state_dict()
    assert set(state) == {"alpha", "count", "weight"}
    assert float(state["alpha"]) == RISING(1)
    assert int(state["count"]) == 1
    assert set(LogitPenaltyLoss(RISING).state_dict()) == {"beta", "count"}


@every_module
def test_module_that_is_restored_goes_on_where_it_stopped(objective):
    criterion = objective.module(RISING)
    for _ in range(4):
        criterion.step()
    file = io.BytesIO()
    torch.save(criterion.state_dict(), file)
    file.seek(0)

    resumed = objective.module(RISING)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    logits, labels, _ = make((6, 4))
    for count in range(4, 12):
        assert coefficient_of(resumed) == RISING(count)
        assert torch.equal(resumed(logits, labels), criterion(logits, labels))
        criterion.step()
        resumed.step()


def test_module_inside_a_model_is_restored():
    def build():
        return nn.ModuleDict({"net": nn.Linear(4, 3), "criterion": MaxSupLoss(RISING)})

    trained, resumed = build(), build()
    trained["criterion"].step()
    resumed.load_state_dict(trained.state_dict())
    assert coefficient_of(resumed["criterion"]) == RISING(1)


@pytest.mark.parametrize(
    "move",
    [
        nn.Module.half,
        nn.Module.bfloat16,
        nn.Module.float,
        lambda module: module.to(torch.float16),
        lambda module: module.to("cpu", torch.bfloat16),
    ],
    ids=["half", "bfloat16", "float", "to dtype", "to device and dtype"],
)
def test_module_that_is_moved_keeps_its_coefficient_exact(move):
    criterion = MaxSupLoss(schedules.linear(0.1, 0.2, steps=7), weight=torch.rand(3))
    criterion.step()
    exact = coefficient_of(criterion)
    model = move(nn.ModuleDict({"net": nn.Linear(4, 3), "criterion": criterion}))
    assert model["criterion"].coefficients() == {"alpha": exact}
    assert model["criterion"].weight.dtype == model["net"].weight.dtype
    for count in range(2, 400):
        model["criterion"].step()
        assert int(criterion.count) == count
    assert coefficient_of(criterion) == 0.2


def test_module_moved_to_a_device_does_not_wait_for_it():
    logits, labels, _ = (tensor.to("meta") for tensor in make((5, 4)))
    criterion = MaxSupLoss(RISING, weight=torch.ones(4)).to("meta")
    assert criterion.weight.device.type == "meta"
    criterion(logits, labels)
    criterion.step()
    assert coefficient_of(criterion) == RISING(1)


@pytest.mark.parametrize("name", ["MaxSupLoss", "FocalLoss", "ACLSLoss", "LinearMaxSupLoss"])
def test_module_made_on_another_device_keeps_its_coefficients(name):
    sizes = (5, 5) if name == "LinearMaxSupLoss" else ()
    logits, labels, _ = (tensor.float() for tensor in make((6, 5)))
    labels = labels.long()
    with torch.device("meta"):
        criterion = getattr(maxsup.losses, name)(*sizes)
    assert all(buffer.device.type == "cpu" for buffer in criterion.buffers())
    fresh = getattr(maxsup.losses, name)(*sizes)
    assert criterion.coefficients() == fresh.coefficients()
    criterion.to_empty(device="cpu")
    for module in criterion.modules():
        module.reset_parameters()
    if not sizes:
        assert torch.equal(criterion(logits, labels), fresh(logits, labels))


@every_loss
def test_module_is_used_whatever_device_is_the_default(objective):
    # 300 classes are searched block by block, and 256 by another way.
    for shape in ((6, 5), (6, 300), (6, 256)):
        for kind in ("index", "soft"):
            logits, target, weight = make(shape, kind)
            expected = objective.module(weight=weight)(logits, target)
            criterion = objective.module(weight=weight)
            leaf = logits.requires_grad_()
            with torch.device("meta"):
                value = criterion(leaf, target)
                objective(leaf, target).backward()
                criterion.step()
            assert torch.equal(value, expected)
            assert leaf.grad.device.type == "cpu"
            assert criterion.count.device.type == "cpu"


def test_online_module_made_on_the_meta_device_is_put_in_place():
    with torch.device("meta"):
        criterion = maxsup.OnlineLabelSmoothingLoss(3, "fine-grained")
    assert criterion.soft_labels.device.type == "meta"
    criterion.half().to_empty(device="cpu")
    criterion.reset_parameters()
    assert criterion.soft_labels.dtype == torch.float32
    assert torch.equal(criterion.soft_labels, torch.full((3, 3), 1 / 3))
    assert torch.count_nonzero(criterion.sums) == 0


def test_module_that_is_reset_begins_anew():
    criterion = MaxSupLoss(RISING)
    for _ in range(3):
        criterion.step()
    criterion.reset_parameters()
    assert int(criterion.count) == 0
    assert coefficient_of(criterion) == RISING(0)


def test_module_steps_in_inference_mode_as_anywhere():
    criterion = MaxSupLoss(RISING)
    with torch.inference_mode():
        criterion.step()
    logits, labels, _ = make((6, 4))
    weight = torch.ones(4)
    maxsup.functional.maxsup_loss(
        logits.requires_grad_(), labels, criterion.alpha, weight
    ).backward()
    assert not criterion.alpha.is_inference()


def test_module_s_coefficient_that_was_set_is_in_force():
    criterion = MaxSupLoss(0.1)
    criterion.alpha = torch.tensor(0.3, dtype=torch.float64)
    for _ in range(2):
        assert criterion.coefficients() == {"alpha": 0.3}
        assert criterion.settings() == "alpha 0.3"
        assert repr(criterion) == "MaxSupLoss(alpha=0.3, reduction='mean')"
        criterion.step()


@pytest.mark.parametrize(
    "duplicate",
    [copy.deepcopy, lambda criterion: pickle.loads(pickle.dumps(criterion))],
    ids=["deepcopy", "pickle"],
)
@pytest.mark.parametrize("schedule", [0.1, RISING, schedules.cosine(0.1, 0.2, steps=10)], ids=str)
def test_module_s_copy_goes_its_own_way(duplicate, schedule):
    criterion = MaxSupLoss(schedule, weight=torch.tensor([1.0, 2.0, 3.0]), reduction="sum")
    criterion.step()
    twin, kept = duplicate(criterion), duplicate(criterion)
    logits, labels, _ = make((6, 3))
    assert torch.equal(twin(logits, labels), criterion(logits, labels))
    for _ in range(4):
        twin.step()
    assert coefficient_of(criterion) == coefficient_of(kept)
    for _ in range(4):
        criterion.step()
    assert coefficient_of(twin) == coefficient_of(criterion)


def test_module_s_schedule_may_be_any_function_of_the_count():
    criterion = MaxSupLoss(lambda count: 0.5 if count >= 2 else 0.0)
    seen = []
    for _ in range(4):
        seen.append(coefficient_of(criterion))
        criterion.step()
    assert seen == [0.0, 0.0, 0.5, 0.5]


def test_module_in_words():
    criterion = MaxSupLoss(RISING, ignore_index=255, reduction="sum")
    assert repr(criterion) == (
        "MaxSupLoss(alpha=0.1 of 0.1 → 0.2 (linear), ignore_index=255, reduction='sum')"
    )
    criterion.step()
    assert "alpha=0.11 of 0.1 → 0.2 (linear)" in repr(criterion)
    assert criterion.settings() == "alpha 0.1 → 0.2 (linear)"
    assert LogitPenaltyLoss().settings() == "beta 0.0006"
    assert maxsup.CrossEntropyLoss().settings() == ""
    assert "weight=" in repr(MaxSupLoss(weight=torch.ones(3)))


@every_loss
def test_module_refuses_an_unknown_reduction(objective):
    with pytest.raises(ValueError, match="reduction must be one of none, sum, mean; got 'avg'"):
        objective.module(reduction="avg")


@pytest.mark.parametrize("coefficient", [-0.1, float("nan"), float("inf"), lambda count: -0.1])
def test_module_refuses_a_bad_coefficient(coefficient):
    with pytest.raises(ValueError, match=r"alpha must be a finite number >= 0"):
        MaxSupLoss(coefficient)


@every_module
def test_module_checks_its_coefficient(objective):
    with pytest.raises(
        ValueError, match=rf"{objective.coefficient} must be a finite number (>= 0|in)"
    ):
        objective.module(-0.1)


@every_module
def test_module_refuses_a_schedule_that_goes_wrong(objective):
    criterion = objective.module(lambda count: 0.1 - 0.1 * count)
    criterion.step()
    with pytest.raises(ValueError, match=rf"{objective.coefficient} must .*0.*; got -0.1"):
        criterion.step()


def test_module_of_label_smoothing_takes_at_most_one():
    with pytest.raises(ValueError, match=r"alpha.*\[0, 1\].*1\.5"):
        LabelSmoothingLoss(1.5)
    criterion = LabelSmoothingLoss(schedules.linear(0.5, 1.5, steps=2))
    criterion.step()
    with pytest.raises(ValueError, match=r"alpha.*\[0, 1\].*1\.5"):
        criterion.step()


@every_loss
def test_module_refuses_class_weights_that_are_no_tensor(objective):
    with pytest.raises(ValueError, match="weight must be a floating-point tensor; got list"):
        objective.module(weight=[1.0, 2.0])
