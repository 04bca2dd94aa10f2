"""What ``test_twins.py`` runs in a process with Keras on one of its backends."""

import os
import re
from pathlib import Path

import keras
import numpy as np
import pytest

from maxsup.keras import MaxSup, SparseMaxSup

DATA = dict(np.load(os.environ["EXPECTED"]))
LOGITS, LABELS, SOFT = DATA["logits"], DATA["labels"], DATA["soft"]
ALPHA = float(DATA["alpha"])
ROWS = [0, 1, 3, 4, 5]  # without the class that is not available
CASES = {"soft": (MaxSup, SOFT), "index": (SparseMaxSup, LABELS)}
OWN = {
    "soft": keras.losses.CategoricalCrossentropy,
    "index": keras.losses.SparseCategoricalCrossentropy,
}
REDUCTIONS = [None, "sum", "sum_over_batch_size", "mean", "mean_with_sample_weight"]
every_kind = pytest.mark.parametrize("kind", CASES)


def value_and_gradient(loss, target, logits, dtype="float64"):
    """The loss of logits in a dtype and the gradient of its sum, with the gradient's dtype."""
    leaf = keras.ops.convert_to_tensor(logits, dtype=dtype)
    if keras.backend.backend() == "jax":
        import jax

        def total(z):
            value = loss(target, z)
            return value.sum(), value

        (_, value), gradient = jax.jit(jax.value_and_grad(total, has_aux=True))(leaf)
    else:
        leaf.requires_grad_()
        value = loss(target, leaf)
        value.sum().backward()
        value, gradient = value.detach(), leaf.grad
    came = keras.backend.standardize_dtype(gradient.dtype)
    gradient = keras.ops.cast(gradient, "float64")
    return keras.ops.convert_to_numpy(value), keras.ops.convert_to_numpy(gradient), came


def same(found, wanted, **tolerances):
    np.testing.assert_allclose(keras.ops.convert_to_numpy(found), wanted, **tolerances)


@every_kind
def test_value_and_gradient_equal_the_formula(kind):
    build, target = CASES[kind]
    for axis in (-1, 0):
        loss = build(ALPHA, axis=axis, reduction=None, dtype="float64")
        turn = np.transpose if axis == 0 else np.asarray
        target = turn(CASES[kind][1])
        value, gradient, _ = value_and_gradient(loss, target, turn(LOGITS))
        same(value, DATA[f"maxsup {kind} values"], rtol=1e-12)
        same(turn(gradient), DATA[f"maxsup {kind} gradient"], atol=1e-12)


@pytest.mark.parametrize("dtype", ["bfloat16", "mixed_float16"])
@every_kind
def test_it_computes_in_float32_at_least(kind, dtype):
    build, target = CASES[kind]
    loss = build(ALPHA, reduction=None, dtype=dtype)
    assert loss.dtype == "float32"
    value, gradient, came = value_and_gradient(loss, target, LOGITS, "float16")
    assert value.dtype == np.float32
    assert came == "float16"
    exact = build(ALPHA, reduction=None, dtype="float64")
    wanted, wanted_gradient, _ = value_and_gradient(exact, target, np.float64(np.float16(LOGITS)))
    same(value, wanted, rtol=1e-6)
    same(gradient, wanted_gradient, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@every_kind
def test_without_alpha_it_is_keras_s_cross_entropy(kind, reduction):
    build, target = CASES[kind]
    weight = np.linspace(0.5, 2.0, len(ROWS))
    loss, own = (
        each(from_logits=True, reduction=reduction, dtype="float64", **options)
        for each, options in ((build, {"alpha": 0.0}), (OWN[kind], {}))
    )
    for sample_weight in (None, weight):
        found = loss(target[ROWS], LOGITS[ROWS], sample_weight=sample_weight)
        same(found, keras.ops.convert_to_numpy(own(target[ROWS], LOGITS[ROWS], sample_weight)))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("ignored", [-1, 255])
def test_ignored_positions_count_as_in_keras_s_loss(reduction, ignored):
    labels = LABELS.copy()
    labels[4] = ignored
    kept = [row for row in ROWS if row != 4]
    weight = np.linspace(0.5, 2.0, 6)
    options = {"ignore_class": ignored, "reduction": reduction, "dtype": "float64"}
    loss = SparseMaxSup(0.0, **options)
    own = keras.losses.SparseCategoricalCrossentropy(from_logits=True, **options)
    for sample_weight in (None, weight[ROWS]):
        wanted = keras.ops.convert_to_numpy(own(labels[ROWS], LOGITS[ROWS], sample_weight))
        same(loss(labels[ROWS], LOGITS[ROWS], sample_weight), wanted)
    if reduction == "mean":
        found = SparseMaxSup(ALPHA, **options)(labels[ROWS], LOGITS[ROWS])
        # Keras itself weighs by masks in float32, on torch.
        same(found, DATA["maxsup index values"][kept].mean(), rtol=1e-6)


def test_nothing_comes_out_of_ignored_positions():
    labels, logits = LABELS.copy(), LOGITS.copy()
    labels[1], logits[1] = -100, np.nan
    loss = SparseMaxSup(ALPHA, ignore_class=-100, reduction=None, dtype="float64")
    value, gradient, _ = value_and_gradient(loss, labels, logits)
    kept = labels != -100
    same(value, np.where(kept, DATA["maxsup index values"], 0.0), rtol=1e-12)
    same(gradient, np.where(kept[:, None], DATA["maxsup index gradient"], 0.0), atol=1e-12)
    mean = SparseMaxSup(ALPHA, ignore_class=-100)(np.full(6, -100), logits)
    assert float(mean) == 0.0


def test_a_label_of_no_class_is_seen():
    for bad in (-1, 5):
        labels = LABELS.copy()
        labels[3] = bad
        value = keras.ops.convert_to_numpy(SparseMaxSup(ALPHA, reduction=None)(labels, LOGITS))
        assert np.isnan(value).tolist() == [False, False, False, True, False, False]


@every_kind
def test_a_true_class_that_is_not_available_gives_infinity(kind):
    logits = np.array([[0.0, 1.0, -np.inf]])
    target = [2] if kind == "index" else [[0.0, 0.0, 1.0]]
    loss = CASES[kind][0](ALPHA, reduction=None, dtype="float64")
    value, gradient, _ = value_and_gradient(loss, target, logits)
    assert value.tolist() == [np.inf]
    assert np.isfinite(gradient).all()


def test_labels_may_have_an_axis_of_one():
    loss = SparseMaxSup(ALPHA)
    same(loss(LABELS[:, None], LOGITS), keras.ops.convert_to_numpy(loss(LABELS, LOGITS)))


@every_kind
def test_a_model_that_holds_it_trains_and_is_saved(kind, tmp_path):
    build, target = CASES[kind]
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5)])
    options = {"ignore_class": 3} if kind == "index" else {}
    loss = build(0.2, reduction="sum", name="mine", **options)
    model.compile("sgd", loss=loss)
    inputs = np.linspace(-1, 1, 24, dtype="float32").reshape(6, 4)
    wanted = float(loss(target, model(inputs)))
    assert float(model.train_on_batch(inputs, target)) == pytest.approx(wanted, rel=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.loss) is build
    assert loaded.loss.get_config() == loss.get_config()
    assert loss.get_config()["alpha"] == 0.2
    assert build.from_config(loss.get_config()).get_config() == loss.get_config()


@pytest.mark.parametrize(
    ("build", "options", "message"),
    [
        (MaxSup, {"from_logits": False}, "from_logits must be True; got False. MaxSup is a"),
        (SparseMaxSup, {"alpha": -1}, "alpha must be a finite number >= 0; got -1."),
        (MaxSup, {"alpha": None}, "alpha must be a number; got NoneType."),
        (MaxSup, {"axis": (0, 1)}, "axis must be an integer; got (0, 1)."),
        (SparseMaxSup, {"ignore_class": 1.5}, "ignore_class must be an integer, or None"),
    ],
)
def test_bad_arguments_are_named(build, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        build(**options)


def test_bad_shapes_are_named():
    with pytest.raises(ValueError, match=r"shape of y_pred, \(6, 5\); got \(6,\). Class indices"):
        MaxSup()(LABELS, LOGITS)
    with pytest.raises(ValueError, match=r"shape \(6,\), for y_pred of shape \(6, 5\) .* \(6, 5\)"):
        SparseMaxSup()(SOFT, LOGITS)
    with pytest.raises(ValueError, match=r"at least one class on axis 2; got shape \(6, 5\)"):
        SparseMaxSup(axis=2)(LABELS, LOGITS)


def test_the_guide_s_code_runs():
    guide = Path("docs/methods/drop-in.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(from maxsup.keras.*?)```", guide, re.S)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5)])
    exec(block, {"model": model})
    assert type(model.loss) is SparseMaxSup


@every_kind
def test_label_smoothing_is_answered_by_what_to_write(kind):
    build, _ = CASES[kind]
    with pytest.raises(TypeError, match=rf"write {build.__name__}\(alpha=0\.1\), without label_sm"):
        build(label_smoothing=0.1)
