"""The objectives under test and the inputs that they are tested on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest
import torch
from hypothesis import strategies as st
from torch import Tensor

from maxsup import functional, losses

from . import reference


def _regularization_term(*args, **options):
    return functional.label_smoothing_terms(*args, **options).regularization


def _error_enhancement_term(*args, **options):
    return functional.label_smoothing_terms(*args, **options).error_enhancement


@dataclass(frozen=True)
class Objective:
    name: str
    function: Callable[..., Tensor]
    formula: reference.Formula
    module: type[losses.Loss] | None = None
    coefficient: str | None = "alpha"  # what the coefficient of its penalty is called
    default: float = 0.1
    smallest: float = 0.0  # the least that its coefficient may be
    jumps: bool = False  # the gradient jumps where another logit equals the true one
    has_cross_entropy: bool = True
    shifts: bool = False  # its value depends on the offset that all logits share
    scheduled: bool = True  # its module has one scheduled coefficient, of any size from 0

    def __call__(self, logits, target, coefficient=None, **options):
        """The function, with its coefficient under one name for all."""
        if self.coefficient is not None and coefficient is not None:
            options[self.coefficient] = coefficient
        return self.function(logits, target, **options)

    def reference(self, logits, target, coefficient=None, **options):
        coefficient = self.default if coefficient is None else coefficient
        return reference.evaluate(self.formula, logits, target, coefficient, **options)


CROSS_ENTROPY = Objective(
    "cross-entropy",
    functional.cross_entropy_loss,
    reference.cross_entropy,
    losses.CrossEntropyLoss,
    coefficient=None,
)
LABEL_SMOOTHING = Objective(
    "label-smoothing",
    functional.label_smoothing_loss,
    reference.label_smoothing,
    losses.LabelSmoothingLoss,
)
MAXSUP = Objective("maxsup", functional.maxsup_loss, reference.maxsup, losses.MaxSupLoss)
CONFIDENCE_PENALTY = Objective(
    "confidence-penalty",
    functional.confidence_penalty_loss,
    reference.confidence_penalty,
    losses.ConfidencePenaltyLoss,
    coefficient="beta",
)
LOGIT_PENALTY = Objective(
    "logit-penalty",
    functional.logit_penalty_loss,
    reference.logit_penalty,
    losses.LogitPenaltyLoss,
    coefficient="beta",
    default=6e-4,
    shifts=True,
)
LS_REGULARIZATION = Objective(
    "ls-regularization",
    functional.ls_regularization_loss,
    reference.ls_regularization,
    losses.LSRegularizationLoss,
    jumps=True,
)
LS_ERROR_ENHANCEMENT = Objective(
    "ls-error-enhancement",
    functional.ls_error_enhancement_loss,
    reference.ls_error_enhancement,
    losses.LSErrorEnhancementLoss,
    jumps=True,
)
LS_ERROR_ENHANCEMENT_TOP1 = Objective(
    "ls-error-enhancement-top1",
    functional.ls_error_enhancement_top1_loss,
    reference.ls_error_enhancement_top1,
    losses.LSErrorEnhancementTop1Loss,
)
MARGIN = Objective(
    "margin-label-smoothing",
    partial(functional.margin_label_smoothing_loss, margin=1.0),
    reference.margin_label_smoothing,
    partial(losses.MarginLabelSmoothingLoss, margin=1.0),
    scheduled=False,
)
ACLS = Objective(
    "acls",
    partial(functional.acls_loss, margin=1.0),
    reference.acls,
    partial(losses.ACLSLoss, margin=1.0),
    shifts=True,
    scheduled=False,
)
FOCAL = Objective(
    "focal",
    functional.focal_loss,
    reference.focal,
    losses.FocalLoss,
    coefficient="gamma",
    default=3.0,
)
DUAL_FOCAL = Objective(
    "dual-focal",
    functional.dual_focal_loss,
    reference.dual_focal,
    losses.DualFocalLoss,
    coefficient="gamma",
    default=5.0,
)
POLY1 = Objective(
    "poly-1",
    functional.poly1_loss,
    reference.poly1,
    losses.Poly1Loss,
    coefficient="epsilon",
    default=1.0,
)
LOGIT_NORMALIZATION = Objective(
    "logit-normalization",
    functional.logit_normalization_loss,
    reference.logit_normalization,
    losses.LogitNormalizationLoss,
    coefficient="temperature",
    default=0.04,
    smallest=0.05,
    shifts=True,
    scheduled=False,
)
ZIPF = Objective(
    "zipf-label-smoothing",
    functional.zipf_label_smoothing_loss,
    reference.zipf,
    losses.ZipfLabelSmoothingLoss,
)
LOSSES = (
    CROSS_ENTROPY,
    LABEL_SMOOTHING,
    MAXSUP,
    CONFIDENCE_PENALTY,
    LOGIT_PENALTY,
    LS_REGULARIZATION,
    LS_ERROR_ENHANCEMENT,
    LS_ERROR_ENHANCEMENT_TOP1,
    MARGIN,
    ACLS,
    FOCAL,
    DUAL_FOCAL,
    POLY1,
    LOGIT_NORMALIZATION,
    ZIPF,
)
TERMS = (
    Objective(
        "regularization-term",
        _regularization_term,
        reference.regularization_term,
        jumps=True,
        has_cross_entropy=False,
    ),
    Objective(
        "error-enhancement-term",
        _error_enhancement_term,
        reference.error_enhancement_term,
        jumps=True,
        has_cross_entropy=False,
    ),
)

every_objective = pytest.mark.parametrize("objective", LOSSES + TERMS, ids=lambda o: o.name)


def every_objective_but(*left_out: Objective) -> pytest.MarkDecorator:
    """All objectives but those of which a test does not speak."""
    objectives = [o for o in LOSSES + TERMS if o not in left_out]
    return pytest.mark.parametrize("objective", objectives, ids=lambda o: o.name)


SHIFTING = tuple(objective for objective in LOSSES if objective.shifts)

every_loss = pytest.mark.parametrize("objective", LOSSES, ids=lambda o: o.name)
every_penalty = pytest.mark.parametrize("objective", LOSSES[1:] + TERMS, ids=lambda o: o.name)

IGNORE = -100
DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
TARGETS = ("index", "ignored", "one-hot", "soft")


def one_hot(labels: Tensor, num_classes: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """(), (N,) or (N, ...) labels as probabilities with the classes on axis 1 (0 for a single)."""
    encoded = torch.nn.functional.one_hot(labels.long(), num_classes).to(dtype)
    return encoded if labels.dim() == 0 else encoded.movedim(-1, 1)


def make(shape, target="index", *, seed=0, scale=3.0):
    """Seeded float64 logits of that shape, a target of that kind, and class weights."""
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(shape, generator=generator, dtype=torch.float64)
    class_axis = min(1, len(shape) - 1)
    num_classes = shape[class_axis]
    positions = shape[:class_axis] + shape[class_axis + 1 :]
    weight = 0.2 + torch.rand(num_classes, generator=generator, dtype=torch.float64)
    labels = torch.randint(num_classes, positions, generator=generator)
    if target == "soft":
        drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
        return logits, drawn.softmax(class_axis), weight
    if target == "one-hot":
        return logits, one_hot(labels, num_classes, torch.float64), weight
    if target == "ignored":
        labels = labels.masked_fill(torch.rand(positions, generator=generator) < 0.4, IGNORE)
    return logits, labels, weight


@dataclass(frozen=True)
class Problem:
    """One call of an objective."""

    logits: Tensor
    target: Tensor
    coefficient: float
    options: dict[str, object]


SHAPES = st.one_of(
    st.tuples(st.integers(1, 5)),
    st.tuples(st.integers(0, 4), st.integers(1, 5)),
    st.tuples(st.integers(0, 2), st.integers(1, 4), st.integers(1, 3)),
    st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 2), st.integers(1, 2)),
)
# float16 holds them all exactly, so ties and steps of one unit in the last place do come up.
LOGITS = st.one_of(
    st.floats(-1e4, 1e4, width=16), st.sampled_from([0.0, 1.0, 1e4, -1e4]), st.just(-torch.inf)
)


@st.composite
def problems(draw, targets=TARGETS) -> Problem:
    """Any shape, up to ±1e4, with classes that are not available; the target's always are."""
    shape = draw(SHAPES)
    size = torch.Size(shape).numel()
    flat = draw(st.lists(LOGITS, min_size=size, max_size=size))
    logits = torch.tensor(flat, dtype=torch.float64).reshape(shape)
    class_axis = min(1, len(shape) - 1)
    num_classes = shape[class_axis]
    logits.select(class_axis, 0).nan_to_num_(neginf=0.0)

    kind = draw(st.sampled_from(targets))
    if kind == "soft":
        parts = draw(st.lists(st.floats(0, 1), min_size=size, max_size=size))
        target = torch.tensor(parts, dtype=torch.float64).reshape(shape)
        target = target.masked_fill(logits == -torch.inf, 0.0)
        target.select(class_axis, 0).add_(0.1)
        target = target / target.sum(class_axis, keepdim=True)
    else:
        positions = shape[:class_axis] + shape[class_axis + 1 :]
        count = torch.Size(positions).numel()
        choices = draw(st.lists(st.integers(0, num_classes - 1), min_size=count, max_size=count))
        target = torch.tensor(choices, dtype=torch.int64).reshape(positions)
        encoded = one_hot(target, num_classes, torch.float64)
        logits = torch.where((encoded == 1) & (logits == -torch.inf), 0.0, logits)
        if kind == "one-hot":
            target = encoded
        if kind == "ignored":
            dropped = draw(st.lists(st.booleans(), min_size=count, max_size=count))
            target = target.masked_fill(torch.tensor(dropped).bool().reshape(positions), IGNORE)

    options: dict[str, object] = {"reduction": draw(st.sampled_from(["none", "mean", "sum"]))}
    if draw(st.booleans()):
        # Not so small that a mean, which divides by them, overflows.
        size = st.one_of(st.just(0.0), st.floats(1e-3, 4))
        weights = draw(st.lists(size, min_size=num_classes, max_size=num_classes))
        options["weight"] = torch.tensor(weights, dtype=torch.float64)
    logits = logits.to(draw(st.sampled_from(DTYPES)))
    if target.is_floating_point() and logits.dtype != torch.float64:
        target = target.float()
    return Problem(logits, target, draw(st.floats(0, 1)), options)


# A gradient computed in float32 and rounded once, to the logits' dtype.
GRADIENT_RTOL = {
    torch.float64: 1e-11,
    torch.float32: 1e-5,
    torch.bfloat16: 2**-8,
    torch.float16: 2**-10,
}
SMALLEST_FLOAT16 = 2**-24


def assert_equals_reference(function, reference, logits, target, *args, **options) -> None:
    """Value, gradient, their shapes and dtypes, against the reference in float64.

    ``function`` and ``reference`` are called alike. A value per position is pulled back with
    unequal factors, so that no position can stand in for another.
    """
    ours = logits.detach().clone().requires_grad_()
    exact = logits.detach().double().requires_grad_()
    value = function(ours, target, *args, **options)
    expected = reference(exact, target, *args, **options)
    assert value.shape == expected.shape
    assert value.dtype == (torch.float64 if logits.dtype == torch.float64 else torch.float32)
    tolerance = 1e-11 if logits.dtype == torch.float64 else 3e-6
    size = max([1.0, *logits[logits.isfinite()].abs().flatten().tolist()])
    torch.testing.assert_close(value.double(), expected, rtol=tolerance, atol=tolerance * size)

    pull = torch.linspace(0.5, 1.5, value.numel(), dtype=torch.float64).reshape(value.shape)
    (found,) = torch.autograd.grad(value, ours, pull.to(value.dtype))
    (wanted,) = torch.autograd.grad(expected, exact, pull)
    assert found.shape == logits.shape
    assert found.dtype == logits.dtype
    # Parts of the size of 1 may cancel altogether, and leave a rounding of theirs.
    size = max([2e-2, *wanted.abs().flatten().tolist()])
    rounding = SMALLEST_FLOAT16 if logits.dtype == torch.float16 else 0.0
    # What is beyond the reach of the logits' dtype becomes infinite, as in any cast.
    beyond = wanted.abs() > torch.finfo(logits.dtype).max
    wanted = torch.where(beyond, wanted.sign() * torch.inf, wanted)
    torch.testing.assert_close(
        found.double(),
        wanted,
        rtol=GRADIENT_RTOL[logits.dtype],
        atol=tolerance * size + rounding,
    )
