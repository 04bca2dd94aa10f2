"""The cases that other projects try their losses on, made anew and put to ours.

Each section names the project whose cases it re-makes; what ours is compared with is torch, or the
formula in float64. The meaning is the same but for these, each with its test in its section:

========================  ====================================================================
project                   what differs, and why
========================  ====================================================================
torch                     A batch without a counted position has mean 0, not NaN. Values are
                          float32 at least, also of half-precision logits. Labels may be of any
                          integer dtype, and probabilities of another than the logits. With class
                          weights a mixed target weighs the whole sample, so that a label and its
                          one-hot form agree; ``target * weight`` gives torch's. A label out of
                          range is an IndexError there, a ValueError here.
torch, linear             Several groups of classes (``out_features``) in one layer are not had.
torch, Liger              Every row ignored: torch's mean is NaN.
timm                      None; its two cross-entropies are ours.
timm, optax (Poly-1)      A negative ε is refused, as for every coefficient here.
optax                     A mask over classes is a logit of −inf, one over examples
                          ``ignore_index``; classes are on axis 1, not named.
optax, torchvision        Their focal losses are binary: ours of the two logits (0, z).
kornia                    ``alpha`` is the class weights (1 − α, α, α, …); its mean divides by the
                          number of positions, ours by their weights.
Liger, Apple              The z-loss and the soft cap of logits are not had: they change the logits
                          or add a term of their own. The shift by one token is the caller's.
========================  ====================================================================
"""

import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import maxsup
from maxsup import functional
from maxsup.losses import CrossEntropyLoss, LabelSmoothingLoss, MaxSupLoss

REDUCTIONS = ("mean", "sum", "none")
ALPHA = 0.3


def draw(*shape: int, seed: int = 0, low: float = -9.0, high: float = 9.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.empty(shape, dtype=torch.float64).uniform_(low, high, generator=generator)


def draw_labels(classes: int, *shape: int, seed: int = 1) -> Tensor:
    return torch.randint(classes, shape, generator=torch.Generator().manual_seed(seed))


def draw_weights(classes: int, seed: int = 2) -> Tensor:
    return draw(classes, seed=seed, low=0.5, high=2.0)


def assert_same(ours, theirs, *tensors: Tensor, dtype=torch.float64, rtol=1e-9) -> None:
    """Value and gradients of ``ours`` in a dtype, against those of ``theirs`` in float64."""
    leaves = [tensor.detach().to(dtype).requires_grad_() for tensor in tensors]
    exact = [leaf.detach().double().requires_grad_() for leaf in leaves]
    value, expected = ours(*leaves), theirs(*exact)
    pull = torch.linspace(0.5, 1.5, max(value.numel(), 1), dtype=torch.float64)[: value.numel()]
    pull = pull.reshape(value.shape)
    found = torch.autograd.grad(value, leaves, pull.to(value.dtype))
    wanted = torch.autograd.grad(expected, exact, pull)
    torch.testing.assert_close(value.double(), expected, rtol=rtol, atol=rtol)
    for gradient, want, leaf in zip(found, wanted, leaves, strict=True):
        assert gradient.dtype == leaf.dtype
        size = max(1e-6, float(want.abs().max())) if want.numel() else 1.0
        torch.testing.assert_close(gradient.double(), want, rtol=4 * rtol, atol=rtol * size)


def maxsup_by_torch(logits, target, alpha=ALPHA, *, weight=None, ignore_index=-100, reduction):
    """MaxSup from torch's cross-entropy of every example, weighed and reduced as ours is."""
    log_q = logits.log_softmax(1)
    penalty = alpha * (logits.amax(1) - logits.mean(1))
    if target.is_floating_point():
        values, of_samples = penalty - (target * log_q).sum(1), torch.ones_like(penalty)
        if weight is not None:
            of_samples = torch.tensordot(target.movedim(1, -1), weight, dims=1)
    else:
        kept = target != ignore_index
        labels = torch.where(kept, target, 0)
        values = penalty - log_q.gather(1, labels.unsqueeze(1)).squeeze(1)
        of_samples = kept.to(values.dtype) if weight is None else weight[labels] * kept
    values = values * of_samples
    if reduction == "none":
        return values
    return values.sum() if reduction == "sum" else values.sum() / of_samples.sum()


# torch: the inputs of its operator tests for cross_entropy, and of its module's tests.

TORCH_SHAPES = [(2, 3), (2, 3, 1), (2, 3, 1, 2), (2, 3, 1, 2, 3), (2, 3, 5, 5), (2, 3, 5, 5, 2, 2)]
TORCH_OPTIONS = {
    "plain": {},
    "weights": {"weight": draw_weights(3)},
    "negative weights": {"weight": torch.tensor([-2.0, 3.0, 0.5], dtype=torch.float64)},
    "ignore_index": {"ignore_index": 1},
    "weights, ignore_index": {"weight": draw_weights(3), "ignore_index": 1},
}


@pytest.mark.parametrize("shape", [*TORCH_SHAPES, (5, 3)], ids=str)
@pytest.mark.parametrize("options", TORCH_OPTIONS)
def test_torch_labels(shape, options):
    labels = draw_labels(3, shape[0], *shape[2:])
    labels.view(-1)[0] = 2  # something counts
    for reduction, smoothing in itertools.product(REDUCTIONS, (0.0, 0.15, 1.0)):
        given = TORCH_OPTIONS[options] | {"reduction": reduction}
        ours = LabelSmoothingLoss(smoothing, **given) if smoothing else CrossEntropyLoss(**given)
        theirs = nn.CrossEntropyLoss(label_smoothing=smoothing, **given)
        assert_same(lambda z: ours(z, labels), lambda z: theirs(z, labels), draw(*shape))  # noqa: B023
        assert_same(
            lambda z: MaxSupLoss(ALPHA, **given)(z, labels),  # noqa: B023
            lambda z: maxsup_by_torch(z, labels, **given),  # noqa: B023
            draw(*shape),
        )


@pytest.mark.parametrize("shape", [*TORCH_SHAPES, (5, 3)], ids=str)
@pytest.mark.parametrize("summing", [True, False], ids=["probabilities", "any numbers"])
def test_torch_probabilities(shape, summing):
    # torch's operator tests draw from [0, 1) without making them sum to 1, its module's do.
    target = draw(*shape, seed=3, low=0.0, high=1.0)
    target = target.softmax(1) if summing else target
    for reduction in REDUCTIONS:
        given = {"reduction": reduction}
        assert_same(
            lambda z, t: functional.cross_entropy_loss(z, t, **given),  # noqa: B023
            lambda z, t: F.cross_entropy(z, t, **given),  # noqa: B023
            draw(*shape),
            target,
        )
        assert_same(
            lambda z: functional.maxsup_loss(z, target, ALPHA, **given),  # noqa: B023
            lambda z: maxsup_by_torch(z, target, **given),  # noqa: B023
            draw(*shape),
        )
        assert_same(
            lambda z: functional.label_smoothing_loss(z, target, 0.15, **given),  # noqa: B023
            lambda z: F.cross_entropy(z, target, label_smoothing=0.15, **given),  # noqa: B023
            draw(*shape),
        )


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_torch_probabilities_with_class_weights_differ_unless_the_target_is_weighed(reduction):
    logits, weight = draw(5, 3), draw_weights(3)
    target = draw(5, 3, seed=3).softmax(1)
    given = {"reduction": reduction}
    theirs = F.cross_entropy(logits, target, weight, **given)
    assert_same(
        lambda z: functional.cross_entropy_loss(z, target * weight, **given),
        lambda z: F.cross_entropy(z, target, weight, **given),
        logits,
    )
    ours = functional.cross_entropy_loss(logits, target, weight=weight, **given)
    assert not torch.isclose(ours, theirs).any()


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_torch_one_example_without_a_batch(reduction):
    for target in (torch.tensor(2), draw(3, seed=3).softmax(0)):
        assert_same(
            lambda z: functional.cross_entropy_loss(z, target, reduction=reduction),  # noqa: B023
            lambda z: F.cross_entropy(z, target, reduction=reduction),  # noqa: B023
            draw(3),
        )
        assert_same(
            lambda z: functional.label_smoothing_loss(z, target, 0.15, reduction=reduction),  # noqa: B023
            lambda z: F.cross_entropy(z, target, label_smoothing=0.15, reduction=reduction),  # noqa: B023
            draw(3),
        )


@pytest.mark.parametrize("shape", [(0, 3), (0, 3, 2), (2, 3, 0)], ids=str)
def test_torch_empty_batch_differs_in_its_mean(shape):
    logits = draw(*shape).requires_grad_()
    labels = draw_labels(3, shape[0], *shape[2:])
    for target in (labels, torch.zeros(shape, dtype=torch.float64)):
        for reduction in ("sum", "none"):
            ours = functional.maxsup_loss(logits, target, reduction=reduction)
            assert torch.equal(ours, F.cross_entropy(logits, target, reduction=reduction))
        assert F.cross_entropy(logits, target).isnan()
        mean = functional.maxsup_loss(logits, target)
        assert float(mean.detach()) == 0.0
        (gradient,) = torch.autograd.grad(mean, logits)
        assert gradient.shape == shape


def test_torch_batch_of_nothing_but_ignored_labels_differs_in_its_mean():
    logits, labels = draw(4, 3).requires_grad_(), torch.full((4,), 7)
    for reduction in ("sum", "none"):
        theirs = F.cross_entropy(logits, labels, ignore_index=7, reduction=reduction)
        ours = functional.maxsup_loss(logits, labels, ignore_index=7, reduction=reduction)
        assert torch.equal(ours, theirs)
    assert F.cross_entropy(logits, labels, ignore_index=7).isnan()
    mean = functional.maxsup_loss(logits, labels, ignore_index=7)
    assert float(mean.detach()) == 0.0
    assert torch.count_nonzero(torch.autograd.grad(mean, logits)[0]) == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 5, 5)], ids=str)
def test_torch_dtypes_differ_in_the_value_s_own(shape, dtype):
    labels = draw_labels(3, shape[0], *shape[2:])
    rtol = {torch.float32: 1e-5, torch.bfloat16: 2**-8, torch.float16: 2**-10}[dtype]
    for reduction in REDUCTIONS:
        given = {"reduction": reduction}
        assert_same(
            lambda z: functional.cross_entropy_loss(z, labels, **given),  # noqa: B023
            lambda z: F.cross_entropy(z, labels, **given),  # noqa: B023
            draw(*shape),
            dtype=dtype,
            rtol=rtol,
        )
        logits = draw(*shape).to(dtype)
        assert functional.cross_entropy_loss(logits, labels, **given).dtype == torch.float32
        assert F.cross_entropy(logits, labels, **given).dtype == dtype


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32])
def test_torch_labels_of_other_dtypes_than_torch_takes(dtype):
    logits, labels = draw(5, 3), draw_labels(3, 5)
    found = functional.cross_entropy_loss(logits, labels.to(dtype))
    torch.testing.assert_close(found, F.cross_entropy(logits, labels))


def test_torch_ignored_position_is_as_good_as_absent_also_weighed():
    # With smoothing the weights of ignored positions must not reach the divisor.
    logits, weight, labels = draw(6, 3), draw_weights(3), draw_labels(3, 6)
    labels[[1, 4]] = -100
    kept = labels != -100
    for smoothing in (0.0, 0.5):
        given = {"alpha": smoothing, "weight": weight}
        found = functional.label_smoothing_loss(logits, labels, **given)
        expected = F.cross_entropy(logits[kept], labels[kept], weight, label_smoothing=smoothing)
        torch.testing.assert_close(found, expected)


def test_torch_large_and_equal_logits():
    labels = torch.tensor([0, 1])
    for logits in (torch.full((2, 3), 1e30), torch.tensor([[1e4, -1e4, 0.0], [0.0, 80.0, -80.0]])):
        for smoothing in (0.0, 0.1):
            found = functional.label_smoothing_loss(logits, labels, smoothing)
            expected = F.cross_entropy(logits.double(), labels, label_smoothing=smoothing)
            torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-6)


TORCH_ERRORS = {
    "integers shaped like the logits": (
        (2, 3),
        torch.zeros(2, 3, dtype=torch.int64),
        {},
        "one-hot target must be floating-point",
    ),
    "numbers that are no probabilities": ((2, 3), torch.zeros(2), {}, "must be integers"),
    "another batch size": ((2, 3), torch.tensor([0, 1, 2]), {}, r"\(2,\).*got \(3,\)"),
    "another size of picture": (
        (2, 3, 5),
        torch.zeros(2, 4, dtype=torch.int64),
        {},
        r"\(2, 5\).*got \(2, 4\)",
    ),
    "weights of another length": (
        (2, 3),
        torch.tensor([0, 1]),
        {"weight": torch.ones(2)},
        r"one entry per class, shape \(3,\)",
    ),
    "a label to ignore among probabilities": (
        (2, 3),
        torch.full((2, 3), 1 / 3),
        {"ignore_index": 1},
        "ignore_index is 1, but target holds probabilities",
    ),
    "a label out of range": ((2, 3), torch.tensor([0, 3]), {}, r"the label 3, outside \[0, 3\)"),
}


@pytest.mark.parametrize("case", TORCH_ERRORS)
def test_torch_errors(case):
    shape, target, options, message = TORCH_ERRORS[case]
    for build in (CrossEntropyLoss, MaxSupLoss):
        with pytest.raises(ValueError, match=message):
            build(**options)(torch.zeros(shape), target)
    with pytest.raises((RuntimeError, ValueError, IndexError)):
        nn.CrossEntropyLoss(**options)(torch.zeros(shape), target)


@pytest.mark.parametrize("smoothing", [1.5, -0.1])
def test_torch_smoothing_out_of_range(smoothing):
    with pytest.raises(ValueError, match=r"alpha must be a finite number in \[0, 1\]"):
        LabelSmoothingLoss(smoothing)


# torch: its linear_cross_entropy, of the operator's and the module's tests; Liger's and Apple's.

LINEAR = {
    "cross-entropy": (functional.linear_label_smoothing_loss, 0.0),
    "label smoothing": (functional.linear_label_smoothing_loss, 0.1),
    "maxsup": (functional.linear_maxsup_loss, ALPHA),
}
every_linear = pytest.mark.parametrize("name", LINEAR)


def check_linear(name, features, layer, target, *, bias=None, chunk_size=None, **options):
    """The two steps after each other in float64, with the gradients of all that is trained."""
    fused, alpha = LINEAR[name]
    trained = [features, layer, *([bias] if bias is not None else [])]

    def ours(x, w, b=None):
        return fused(x, w, target, b, alpha, chunk_size=chunk_size, **options)

    def theirs(x, w, b=None):
        logits = F.linear(x, w, b)
        if name != "maxsup":
            return F.cross_entropy(logits, target, label_smoothing=alpha, **options)
        single = logits.dim() == 1
        rows = (logits.unsqueeze(0), target.unsqueeze(0)) if single else (logits, target)
        value = maxsup_by_torch(*rows, **{"reduction": "mean"} | options)
        return value.squeeze(0) if single and options.get("reduction") == "none" else value

    assert_same(ours, theirs, *trained)


@every_linear
@pytest.mark.parametrize("size", [(8, 5, 4), (None, 8, 4)], ids=str)
def test_torch_linear(name, size):
    batch, width, classes = size
    rows = () if batch is None else (batch,)
    features, layer = draw(*rows, width), draw(classes, width, seed=4)
    labels = draw_labels(classes, *rows)
    chunks = (None, 2, 3) if batch else (None,)
    ignored = (-100, (classes - 1) // 2, classes + 5)
    for reduction, weight, chunk_size in itertools.product(
        REDUCTIONS, (None, draw_weights(classes)), chunks
    ):
        options = {"reduction": reduction, "weight": weight, "chunk_size": chunk_size}
        check_linear(name, features, layer, labels, **options)
        for ignore_index in ignored if batch else ():
            target = labels.clone()
            target[batch // 2] = ignore_index
            check_linear(name, features, layer, target, ignore_index=ignore_index, **options)
    check_linear(name, features, layer, labels, bias=draw(classes, seed=5))
    check_linear(name, features, layer, draw(*rows, classes, seed=3).softmax(-1), chunk_size=2)


@every_linear
def test_torch_linear_of_nothing_but_ignored_labels(name):
    for ignore_index in (-100, 1, 9):
        labels = torch.full((8,), ignore_index)
        for reduction in ("sum", "none"):
            options = {"ignore_index": ignore_index, "reduction": reduction, "chunk_size": 3}
            check_linear(name, draw(8, 5), draw(4, 5, seed=4), labels, **options)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_torch_linear_of_large_logits(dtype):
    labels = draw_labels(64, 16)
    # A bias that all classes share lifts the logits into the hundreds and changes nothing.
    features, layer = draw(16, 8, low=-1, high=1), draw(64, 8, seed=4, low=-1, high=1)
    bias = torch.full((64,), 256.0, dtype=dtype)
    fused = functional.linear_label_smoothing_loss
    value = fused(features.to(dtype), layer.to(dtype), labels, bias, 0.0, chunk_size=4)
    logits = F.linear(features.to(dtype), layer.to(dtype), bias)
    torch.testing.assert_close(value, F.cross_entropy(logits.float(), labels))
    # Peaked, and right.
    layer = draw(64, 8, seed=4, low=-8, high=8)
    labels = (features @ layer.T).argmax(1)
    check_linear("maxsup", features, layer, labels, chunk_size=4)


def test_torch_linear_errors():
    labels = torch.tensor([0, 1])
    layer = torch.zeros(4, 3)
    cases = [
        (torch.zeros(2, 3, 3), layer, labels, None, r"features must have shape \(N, 3\)"),
        (torch.zeros(2, 3), torch.zeros(4), labels, None, r"linear_weight must have shape \(K, D"),
        (torch.zeros(2, 3), torch.zeros(4, 5), labels, None, r"features .* got \(2, 3\)"),
        (torch.zeros(2, 3), layer, labels, torch.zeros(3), r"linear_bias .*\(4,\); got \(3,\)"),
    ]
    for features, weights, target, bias, message in cases:
        with pytest.raises(ValueError, match=message):
            functional.linear_maxsup_loss(features, weights, target, bias)
    with pytest.raises(ValueError, match="ignore_index is 0, but target holds probabilities"):
        functional.linear_maxsup_loss(
            torch.zeros(2, 3), layer, torch.full((2, 4), 0.25), ignore_index=0
        )


@every_linear
@pytest.mark.parametrize("size", [(2, 4, 16, 16), (4, 23, 8, 41)], ids=str)
def test_liger_linear(name, size):
    batch, length, width, classes = size
    labels = draw_labels(classes, batch * length)
    features, layer = draw(batch * length, width), draw(classes, width, seed=4, low=0.0, high=1.0)
    for bias in (None, draw(classes, seed=5, low=0.0, high=1.0)):
        check_linear(name, features, layer, labels, bias=bias, chunk_size=9)


@every_linear
@pytest.mark.parametrize("shape", [(28, 48, 16), (24, 37, 11)], ids=str)
def test_apple_linear(name, shape):
    batch, classes, width = shape
    features = draw(batch, width) / width**0.5
    layer = draw(classes, width, seed=4)
    layer[: batch // 2] = features[: batch // 2]
    labels = draw_labels(classes, batch)
    labels[::5] = -100
    sequences, tokens = features.view(4, -1, width), labels.view(4, -1)
    for reduction, shifted in itertools.product(REDUCTIONS, (False, True)):
        # The shift by one token that its loss has as an option.
        rows = sequences[:, :-1].flatten(0, 1) if shifted else features
        target = tokens[:, 1:].flatten() if shifted else labels
        for bias in (None, 0.02 * draw(classes, seed=5)):
            check_linear(name, rows, layer, target, bias=bias, chunk_size=6, reduction=reduction)


@pytest.mark.parametrize("trained", ["features", "layer", "bias"])
def test_apple_linear_gradient_of_a_part(trained):
    tensors = {"features": draw(9, 4), "layer": draw(5, 4, seed=4), "bias": draw(5, seed=5)}
    tensors[trained].requires_grad_()
    labels = draw_labels(5, 9)
    features, layer, bias = tensors.values()
    value = functional.linear_maxsup_loss(features, layer, labels, bias, ALPHA, chunk_size=4)
    expected = maxsup_by_torch(F.linear(features, layer, bias), labels, reduction="mean")
    value.backward()
    torch.testing.assert_close(value, expected)
    found = tensors[trained].grad
    torch.testing.assert_close(found, torch.autograd.grad(expected, tensors[trained])[0])
    assert all((tensor.grad is not None) == (name == trained) for name, tensor in tensors.items())


# Liger: its cross-entropy.


@pytest.mark.parametrize("size", [(2, 2, 8), (9, 7, 41), (3, 23, 320)], ids=str)
@pytest.mark.parametrize("ignore_index", [2, -123, -100])
def test_liger_cross_entropy(size, ignore_index):
    batch, length, classes = size
    logits, labels = draw(batch * length, classes, low=-3, high=3), draw_labels(classes, length)
    labels = labels.repeat(batch)
    labels[:: max(length // 2, 2)] = ignore_index
    labels[1] = 3
    for smoothing, reduction in itertools.product((0.0, 0.1, 0.2), ("sum", "mean")):
        given = {"ignore_index": ignore_index, "reduction": reduction}
        assert_same(
            # A loss that is not the last step: what reaches it is not 1.
            lambda z: 3 * functional.label_smoothing_loss(z, labels, smoothing, **given),  # noqa: B023
            lambda z: 3 * F.cross_entropy(z, labels, label_smoothing=smoothing, **given),  # noqa: B023
            logits,
        )
    given = {"ignore_index": ignore_index, "reduction": "mean"}
    for dtype, rtol in ((torch.float32, 1e-5), (torch.bfloat16, 2**-8)):
        assert_same(
            lambda z: functional.maxsup_loss(z, labels, ALPHA, **given),
            lambda z: maxsup_by_torch(z, labels, **given),
            # Logits that bfloat16 tells apart, so that none tie at the top.
            torch.stack([torch.randperm(classes) / 8 for _ in labels]).double(),
            dtype=dtype,
            rtol=rtol,
        )


# timm: label smoothing and soft targets.


def test_timm_label_smoothing_and_soft_targets():
    theirs = pytest.importorskip("timm.loss")
    logits, labels = draw(6, 10), draw_labels(10, 6)
    for smoothing in (0.0, 0.1, 0.9):
        assert_same(
            lambda z: LabelSmoothingLoss(smoothing)(z, labels),  # noqa: B023
            lambda z: theirs.LabelSmoothingCrossEntropy(smoothing)(z, labels),  # noqa: B023
            logits,
        )
    for target in (F.one_hot(labels, 10).double(), draw(6, 10, seed=3).softmax(1)):
        assert_same(
            lambda z: CrossEntropyLoss()(z, target),  # noqa: B023
            lambda z: theirs.SoftTargetCrossEntropy()(z, target),  # noqa: B023
            logits,
        )


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_timm_targets_of_its_mixup(smoothing):
    # Smoothing them there and here comes to the same, so it must be done in one place.
    mixup = pytest.importorskip("timm.data.mixup").Mixup
    images, labels = torch.zeros(6, 3, 8, 8), draw_labels(10, 6)
    target = mixup(num_classes=10, label_smoothing=0.0, prob=0.0)(images, labels)[1]
    smoothed = mixup(num_classes=10, label_smoothing=smoothing, prob=0.0)(images, labels)[1]
    logits = draw(6, 10)
    ours = functional.label_smoothing_loss(logits, target, smoothing)
    torch.testing.assert_close(ours, functional.cross_entropy_loss(logits, smoothed))


# optax: softmax cross-entropies, Poly-1, smoothed labels, sigmoid focal loss.

OPTAX_LOGITS = torch.tensor([[8.0, 2.0, -1.0], [0.5, 3.0, 0.1]], dtype=torch.float64)


def test_optax_softmax_cross_entropy():
    one_hot = torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
    labels = one_hot.argmax(1)
    expected = -(one_hot * (OPTAX_LOGITS.exp() / OPTAX_LOGITS.exp().sum(1, True)).log()).sum(1)
    for target in (one_hot, labels, labels.int()):
        found = functional.cross_entropy_loss(OPTAX_LOGITS, target, reduction="none")
        torch.testing.assert_close(found, expected)
        for n in range(2):
            alone = functional.cross_entropy_loss(OPTAX_LOGITS[n], target[n])
            torch.testing.assert_close(alone, expected[n])
    assert torch.autograd.gradcheck(
        functional.cross_entropy_loss, (OPTAX_LOGITS.clone().requires_grad_(), one_hot)
    )


def test_optax_safe_softmax_cross_entropy():
    inf = torch.inf
    logits = torch.tensor([[-inf, 1.0, 1.0], [-inf, 1.0, 1.0], [-inf, 2.0, -inf], [2.0, 0.0, -inf]])
    target = torch.tensor([[0.0, 0.5, 0.5], [0.4, 0.3, 0.3], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    logits.requires_grad_()
    found = functional.cross_entropy_loss(logits, target, reduction="none")
    expected = torch.tensor([2.0, inf, 1.0, 1.0 + torch.e**-2]).log()
    torch.testing.assert_close(found, torch.where(torch.arange(4) == 1, inf, expected))
    (gradient,) = torch.autograd.grad(found[[0, 2, 3]].sum(), logits)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("classes", [5, 10])
def test_optax_masked_classes_and_examples(classes):
    logits, target = draw(classes), draw(classes, seed=3).softmax(0)
    mask = torch.arange(classes) % 3 != 1
    target = torch.where(mask, target, 0.0)
    masked = torch.where(mask, logits, -torch.inf)
    for function in (functional.cross_entropy_loss, functional.poly1_loss, functional.maxsup_loss):
        torch.testing.assert_close(function(masked, target), function(logits[mask], target[mask]))
    labels = torch.tensor([0, -100, 2])
    rows = draw(3, classes).requires_grad_()
    value = functional.cross_entropy_loss(rows, labels, reduction="none")
    assert torch.equal(value == 0, labels == -100)
    assert torch.autograd.grad(value.sum(), rows)[0].isfinite().all()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_optax_axes(axis):
    shape = (4, 5, 6)
    logits, target = draw(*shape), draw(*shape, seed=3).softmax(axis)
    expected = -(target * logits.log_softmax(axis)).sum(axis)
    rows = (logits.movedim(axis, 1), target.movedim(axis, 1))
    torch.testing.assert_close(functional.cross_entropy_loss(*rows, reduction="none"), expected)


@pytest.mark.parametrize("epsilon", [0.0, 1.0, 1.15, 2.0, 5.45])
def test_optax_poly_loss(epsilon):
    # Targets of every kind there: a label's, a mixture's, one that is spread over all classes.
    target = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.7, 0.3]], dtype=torch.float64)
    spread = torch.tensor([0.1, 0.15, 0.2, 0.25, 0.3], dtype=torch.float64)
    for logits, t in ((OPTAX_LOGITS, target), (draw(1, 5), spread.unsqueeze(0))):
        assert_same(
            lambda z: functional.poly1_loss(z, t, epsilon, reduction="none"),  # noqa: B023
            lambda z: (
                F.cross_entropy(z, t, reduction="none") + epsilon * (1 - (t * z.softmax(1)).sum(1))  # noqa: B023
            ),
            logits,
        )


def test_optax_poly_loss_of_a_negative_coefficient_is_refused():
    with pytest.raises(ValueError, match=r"epsilon must be a finite number >= 0; got -0\.5"):
        functional.poly1_loss(OPTAX_LOGITS, torch.tensor([0, 1]), -0.5)


def test_optax_smoothed_labels():
    labels = torch.tensor([0, 2])
    one_hot = F.one_hot(labels, 3).double()
    for alpha in (0.0, 0.1, 0.5, 1.0):
        smoothed = (1 - alpha) * one_hot + alpha / 3
        torch.testing.assert_close(
            functional.label_smoothing_loss(OPTAX_LOGITS, labels, alpha),
            functional.cross_entropy_loss(OPTAX_LOGITS, smoothed),
        )


# optax, torchvision: the binary focal loss is ours of the two logits (0, z).


def binary_focal(z, labels, gamma, alpha=None, *, reduction="none"):
    """Ours, with torchvision's α: the weight of the positive class, 1 − α of the other."""
    weight = None if alpha is None else torch.tensor([1 - alpha, alpha], dtype=torch.float64)
    pair = torch.stack([torch.zeros_like(z), z], dim=1)
    return functional.focal_loss(pair, labels, gamma, weight=weight, reduction=reduction)


@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("alpha", [None, 0.0, 0.25, 0.58, 1.0])
@pytest.mark.parametrize("shape", [(12,), (2, 5, 3)], ids=str)
def test_torchvision_sigmoid_focal_loss(shape, alpha, gamma):
    theirs = pytest.importorskip("torchvision.ops").sigmoid_focal_loss
    labels = draw_labels(2, *shape)
    for reduction in ("none", "sum"):
        assert_same(
            lambda z: binary_focal(z, labels, gamma, alpha, reduction=reduction),  # noqa: B023
            lambda z: theirs(
                z,
                labels.double(),
                -1 if alpha is None else alpha,
                gamma,
                reduction,  # noqa: B023
            ),
            draw(*shape, low=-4, high=4),
        )


def test_torchvision_mean_of_weighed_examples_differs():
    theirs = pytest.importorskip("torchvision.ops").sigmoid_focal_loss
    z, labels = draw(12), draw_labels(2, 12)
    values = binary_focal(z, labels, 2.0, 0.25)
    of_samples = torch.where(labels == 1, 0.25, 0.75)
    torch.testing.assert_close(values.mean(), theirs(z, labels.double(), reduction="mean"))
    ours = binary_focal(z, labels, 2.0, 0.25, reduction="mean")
    torch.testing.assert_close(ours, values.sum() / of_samples.sum())


def test_optax_focal_loss_by_its_properties():
    z, labels = draw(12, low=-5, high=5), draw_labels(2, 12)
    plain = F.binary_cross_entropy_with_logits(z, labels.double(), reduction="none")
    torch.testing.assert_close(binary_focal(z, labels, 0.0), plain)
    doubt = torch.where(labels == 1, z, -z).neg().sigmoid()
    torch.testing.assert_close(binary_focal(z, labels, 2.0) / plain, doubt**2)
    assert torch.count_nonzero(binary_focal(z, labels, 2.0, 0.0)[labels == 1]) == 0
    assert torch.count_nonzero(binary_focal(z, labels, 2.0, 1.0)[labels == 0]) == 0


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_optax_focal_loss_of_extreme_logits(gamma):
    z = torch.tensor([100.0, -100.0, 75.0, -75.0, 50.0, -50.0], requires_grad=True)
    pair = torch.stack([torch.zeros_like(z), z], dim=1)
    for positive in ([1.0, 0.0, 1.0, 0.0, 1.0, 0.0], [0.9, 0.1, 0.8, 0.2, 1.0, 0.0]):
        t = torch.tensor(positive)
        value = functional.focal_loss(pair, torch.stack([1 - t, t], dim=1), gamma)
        (gradient,) = torch.autograd.grad(value, z, create_graph=True, retain_graph=True)
        (second,) = torch.autograd.grad(gradient.sum(), z, retain_graph=True)
        assert value.isfinite()
        assert gradient.isfinite().all()
        assert second.isfinite().all()


# kornia: focal loss of several classes.


def kornia_weight(alpha: float | None, classes: int) -> Tensor | None:
    if alpha is None:
        return None
    return torch.tensor([1 - alpha] + [alpha] * (classes - 1), dtype=torch.float64)


@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("alpha", [None, 0.2, 0.5])
@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 3, 2)], ids=str)
def test_kornia_focal_loss(shape, alpha, gamma):
    labels = draw_labels(3, shape[0], *shape[2:])
    given = kornia_weight(alpha, 3)

    def theirs(z, reduction):
        log_q = z.log_softmax(1).gather(1, labels.unsqueeze(1)).squeeze(1)
        values = -((1 - log_q.exp()) ** gamma) * log_q
        values = values if given is None else values * given[labels]
        return values.sum() if reduction == "sum" else values

    for reduction in ("none", "sum"):
        assert_same(
            lambda z: functional.focal_loss(z, labels, gamma, weight=given, reduction=reduction),  # noqa: B023
            lambda z: theirs(z, reduction),  # noqa: B023
            draw(*shape, low=-3, high=3),
        )


@pytest.mark.parametrize("ignore_index", [-100, 255])
def test_kornia_ignored_label_is_one_of_a_class_that_is_not_available(ignore_index):
    logits, labels = draw(2, 3, 3, 2), draw_labels(3, 2, 3, 2)
    ignored = draw(2, 3, 2, seed=6) > 4
    found = functional.focal_loss(
        logits,
        labels.masked_fill(ignored, ignore_index),
        weight=kornia_weight(0.8, 3),
        ignore_index=ignore_index,
        reduction="none",
    )
    wider = torch.cat([logits, torch.full((2, 1, 3, 2), -torch.inf)], dim=1)
    values = functional.focal_loss(wider, labels, weight=kornia_weight(0.8, 4), reduction="none")
    torch.testing.assert_close(found, torch.where(ignored, 0.0, values))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("gamma", [0.0, 2.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_kornia_ignored_extreme_logits(dtype, gamma, reduction):
    weight = torch.tensor([0.5, 1.5])
    labels = torch.tensor([-100, 0])
    calm = torch.zeros(2, 2, dtype=dtype, requires_grad=True)
    options = {"weight": weight, "reduction": reduction}
    expected = functional.focal_loss(calm, labels, gamma, **options)
    most = torch.finfo(dtype).max
    for left_there in ([most, -most], [torch.inf, 0.0], [-torch.inf, 0.0], [torch.nan, 0.0]):
        logits = torch.tensor([left_there, [0.0, 0.0]], dtype=dtype, requires_grad=True)
        found = functional.focal_loss(logits, labels, gamma, **options)
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(
            torch.autograd.grad(found.sum(), logits),
            torch.autograd.grad(expected.sum(), calm, retain_graph=True),
        )


def test_kornia_sure_answers_cost_nothing():
    logits = torch.tensor([[100.0, -100.0], [-100.0, 100.0]])
    for labels, cost in ((torch.tensor([0, 1]), 0.0), (torch.tensor([1, 0]), 200.0)):
        found = functional.focal_loss(logits, labels, 2.0, reduction="none")
        torch.testing.assert_close(found, torch.full((2,), cost))


# MaxSup's own: what else is written in public is a part of it, or wrong in a way that is caught.


def test_maxsup_as_written_by_others():
    logits, labels = draw(6, 10), draw_labels(10, 6)

    def by_topk(z):
        top, _ = z.topk(1, dim=-1)
        return F.cross_entropy(z, labels) + ALPHA * (top - z.mean(-1, keepdim=True)).mean()

    def squared(z):
        return F.cross_entropy(z, labels) + ALPHA * z.amax(1).square().mean()

    assert_same(lambda z: maxsup.MaxSupLoss(ALPHA)(z, labels), by_topk, logits)
    with pytest.raises(AssertionError):
        assert_same(lambda z: maxsup.MaxSupLoss(ALPHA)(z, labels), squared, logits)
    # A square pulls up what lies below 0, and with it depends on the offset that logits share.
    low = logits - 100
    gradient = torch.func.grad(lambda z: squared(z) - F.cross_entropy(z, labels))(low)
    assert float(gradient.min()) < 0.0
    torch.testing.assert_close(by_topk(low), by_topk(logits))
