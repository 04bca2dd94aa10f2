"""What ``test_twins.py`` runs in a process with JAX and without torch."""

import os
import re
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import maxsup.jax as twin

DATA = dict(np.load(os.environ["EXPECTED"]))
LOGITS, LABELS, SOFT = (DATA[name] for name in ("logits", "labels", "soft"))
ALPHA = float(DATA["alpha"])
LOSSES = {
    ("maxsup", "soft"): twin.maxsup_loss,
    ("maxsup", "index"): twin.maxsup_loss_with_integer_labels,
    ("label_smoothing", "soft"): twin.label_smoothing_loss,
    ("label_smoothing", "index"): twin.label_smoothing_loss_with_integer_labels,
}
TARGETS = {"soft": SOFT, "index": LABELS}
every_loss = pytest.mark.parametrize(("name", "kind"), LOSSES, ids=lambda part: part)


def value_and_gradient(loss, logits, *args, **options):
    def total(z):
        value = loss(z, *args, **options)
        return value.sum(), value

    # As a whole, which compiles faster than its operations one by one.
    (_, value), gradient = jax.jit(jax.value_and_grad(total, has_aux=True))(logits)
    return value, gradient


def same(found, wanted, **tolerances):
    np.testing.assert_allclose(np.float64(found), np.float64(wanted), **tolerances)


def test_torch_is_not_loaded():
    assert "torch" not in sys.modules


@every_loss
def test_value_and_gradient_equal_the_formula(name, kind):
    def loss(logits, target):
        return LOSSES[name, kind](logits, target, ALPHA)

    same(loss(LOGITS, TARGETS[kind]), DATA[f"{name} {kind} values"], rtol=1e-12)
    for mapped in (loss, jax.vmap(loss)):
        value, gradient = value_and_gradient(mapped, LOGITS, TARGETS[kind])
        same(value, DATA[f"{name} {kind} values"], rtol=1e-12)
        same(gradient, DATA[f"{name} {kind} gradient"], atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@every_loss
def test_precision_is_lost_in_the_logits_alone(name, kind, dtype):
    logits = (8 * LOGITS).astype(jnp.dtype(dtype))
    loss = LOSSES[name, kind]
    value, gradient = value_and_gradient(loss, logits, TARGETS[kind], ALPHA)
    assert value.dtype == jnp.float32
    assert gradient.dtype == dtype
    exact, exact_gradient = value_and_gradient(loss, np.float64(logits), TARGETS[kind], ALPHA)
    same(value, exact, rtol=1e-5)
    same(gradient, exact_gradient, rtol=float(jnp.finfo(dtype).eps), atol=1e-6)


def test_hessian_is_that_of_cross_entropy():
    z = LOGITS[0]
    found = jax.jit(jax.hessian(twin.maxsup_loss_with_integer_labels))(z, LABELS[0], ALPHA)
    p = np.exp(z) / np.exp(z).sum()
    same(found, np.diag(p) - np.outer(p, p), atol=1e-12)


def test_gradients_of_labels_and_alpha():
    loss = jax.jit(jax.grad(twin.maxsup_loss, (1, 2)))
    by_labels, by_alpha = loss(LOGITS[0], SOFT[0], ALPHA)
    same(by_labels, -jax.nn.log_softmax(LOGITS[0]), rtol=1e-12)
    same(by_alpha, LOGITS[0].max() - LOGITS[0].mean(), rtol=1e-12)


def test_the_first_of_tied_logits_has_the_gradient():
    logits = np.array([1.0, 2.0, 2.0, 2.0])
    loss = twin.maxsup_loss_with_integer_labels
    found = jax.jit(jax.grad(lambda z: loss(z, 0, ALPHA) - loss(z, 0, 0.0)))(logits)
    same(found, ALPHA * (np.array([0, 1, 0, 0]) - 1 / 4), atol=1e-12)


@every_loss
def test_without_alpha_it_is_optax_s_cross_entropy(name, kind):
    optax_s = {
        "soft": optax.softmax_cross_entropy,
        "index": optax.softmax_cross_entropy_with_integer_labels,
    }[kind]
    rows = [0, 1, 3, 4, 5]  # without the class that is not available
    found = jax.jit(LOSSES[name, kind])(LOGITS[rows], TARGETS[kind][rows], 0.0)
    same(found, jax.jit(optax_s)(LOGITS[rows], TARGETS[kind][rows]), rtol=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
@every_loss
def test_a_true_class_that_is_not_available_gives_infinity(name, kind, alpha):
    logits = np.array([0.0, 1.0, -np.inf])
    target = 2 if kind == "index" else np.array([0.0, 0.0, 1.0])
    value, gradient = value_and_gradient(LOSSES[name, kind], logits, target, alpha)
    assert float(value) == np.inf
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("bad", [jnp.nan, jnp.inf])
@every_loss
def test_nan_and_infinity_are_seen(name, kind, bad):
    logits = LOGITS.copy()
    logits[1, 2] = bad
    value = jax.jit(LOSSES[name, kind])(logits, TARGETS[kind], ALPHA)
    assert np.isfinite(value).tolist() == [True, False, True, True, True, True]


@every_loss
def test_logits_too_far_apart_for_a_number_give_no_nan(name, kind):
    largest = float(jnp.finfo(jnp.float32).max)
    logits = np.array([largest, -largest, 0.0, 0.0], np.float32)
    target = np.arange(4) if kind == "index" else np.eye(4)
    logits = np.broadcast_to(logits, (4, 4))
    for alpha in (0.0, ALPHA):
        value, gradient = value_and_gradient(LOSSES[name, kind], logits, target, alpha)
        assert not np.isnan(value).any()
        assert np.isfinite(gradient).all()


def test_a_large_common_offset_costs_no_precision():
    row = np.array([0.0, 3.0, 1.5, -2.0], np.float32)
    loss = jax.jit(twin.maxsup_loss_with_integer_labels)
    same(loss(row + 1e6, 2, ALPHA), loss(row, 2, ALPHA), rtol=1e-6)


@every_loss
def test_examples_that_are_left_out_have_value_and_gradient_0(name, kind):
    where = np.array([True, False, True, True, False, True])
    target, logits = TARGETS[kind].copy(), LOGITS.copy()
    target[1] = -100 if kind == "index" else np.nan
    logits[1], logits[4] = np.nan, -np.inf
    for mask in (where, np.broadcast_to(where[:, None], LOGITS.shape)):
        value, gradient = value_and_gradient(LOSSES[name, kind], logits, target, ALPHA, mask)
        same(value, np.where(where, DATA[f"{name} {kind} values"], 0), rtol=1e-12)
        wanted = np.where(where[:, None], DATA[f"{name} {kind} gradient"], 0)
        same(gradient, wanted, atol=1e-12)


@every_loss
def test_classes_that_are_left_out_are_not_available(name, kind):
    where = ~np.isneginf(LOGITS)
    logits = np.where(where, LOGITS, np.nan)
    value, gradient = value_and_gradient(LOSSES[name, kind], logits, TARGETS[kind], ALPHA, where)
    same(value, DATA[f"{name} {kind} values"], rtol=1e-12)
    same(gradient, DATA[f"{name} {kind} gradient"], atol=1e-12)


@every_loss
def test_another_alpha_compiles_nothing_anew(name, kind):
    traced = []

    @jax.jit
    def loss(logits, target, alpha):
        traced.append(1)
        return LOSSES[name, kind](logits, target, alpha)

    for alpha in (0.0, 0.1, ALPHA):
        value = loss(LOGITS, TARGETS[kind], alpha)
    assert len(traced) == 1
    same(value, DATA[f"{name} {kind} values"], rtol=1e-12)


@pytest.mark.parametrize("bad", [-1, 5])
@pytest.mark.parametrize("name", ["maxsup", "label_smoothing"])
def test_a_label_of_no_class_is_refused_or_seen(name, bad):
    loss, labels = LOSSES[name, "index"], LABELS.copy()
    labels[3] = bad
    with pytest.raises(ValueError, match=rf"labels holds {bad}, outside \[0, 5\) .* 1 of 6 labels"):
        loss(LOGITS, labels)
    value = jax.jit(loss)(LOGITS, labels)
    assert np.isnan(value).tolist() == [False, False, False, True, False, False]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((LABELS, LABELS), "logits must be a floating-point array; got int64."),
        ((LOGITS[0, 0], 0), "logits must have shape (..., K) with K >= 1; got ()."),
        ((LOGITS, LABELS[:3]), "(6,), one for each example of logits (6, 5); got int64 of shape"),
        ((LOGITS, SOFT), "Probabilities are for the function without _with_integer_labels."),
        ((LOGITS, LABELS, -0.1), "alpha must be a finite number >= 0; got -0.1."),
        ((LOGITS, LABELS, "a"), "alpha must be a number; got str."),
        ((LOGITS, LABELS, jnp.ones(6)), "0-dimensional array; got one of shape (6,)."),
        ((LOGITS, LABELS, 0.1, SOFT), "where must be booleans of shape (6,), for examples"),
        ((LOGITS, LABELS, 0.1, jnp.ones(5, bool)), "got bool of shape (5,)."),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        twin.maxsup_loss_with_integer_labels(*arguments)


def test_bad_probabilities_and_smoothing_are_named():
    with pytest.raises(ValueError, match=r"shape \(6, 5\); got \(6,\). Class indices are for"):
        twin.maxsup_loss(LOGITS, LABELS)
    with pytest.raises(ValueError, match=r"real numbers; got complex"):
        twin.maxsup_loss(LOGITS, SOFT.astype(complex))
    with pytest.raises(ValueError, match=r"alpha must be a finite number in \[0, 1\]; got 2"):
        twin.label_smoothing_loss(LOGITS, SOFT, alpha=2)


@pytest.mark.parametrize(("dtype", "num_classes"), [("uint8", 256), ("int8", 200), ("uint8", 1000)])
def test_labels_of_small_dtypes_name_classes_that_their_dtype_cannot_count(dtype, num_classes):
    logits = jax.random.normal(jax.random.key(0), (2, num_classes))
    labels = jnp.array([3, 120])
    expected = twin.maxsup_loss_with_integer_labels(logits, labels, alpha=0.1)
    for function in (
        twin.maxsup_loss_with_integer_labels,
        jax.jit(twin.maxsup_loss_with_integer_labels),
    ):
        same(function(logits, labels.astype(dtype), alpha=0.1), expected)


def test_the_guide_s_code_runs():
    guide = Path("docs/methods/drop-in.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(import jax.*?)```", guide, re.S)
    names = {"logits": LOGITS, "labels": LABELS}
    exec(block, names)
    # By the formula, with the α of the guide.
    finite = np.isfinite(LOGITS)
    top = LOGITS.max(axis=1)
    mean = np.where(finite, LOGITS, 0).sum(axis=1) / finite.sum(axis=1)
    entropy = np.log(np.exp(LOGITS).sum(axis=1)) - LOGITS[np.arange(len(LABELS)), LABELS]
    same(names["loss"], (entropy + 0.1 * (top - mean)).mean())
