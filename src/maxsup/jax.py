"""MaxSup and label smoothing for JAX, called as optax calls its losses.

Values are per example and nothing is reduced: ``.mean()`` is the caller's. Classes are on the last
axis. All of it works under ``jit``, ``vmap``, ``grad`` and ``hessian``, and no reading of values
makes a device wait. It needs ``pip install "maxsup[jax]"``.
"""

import math
from typing import NamedTuple

from maxsup._alpha import check_alpha
from maxsup._lab import lab_is_needed

try:
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax.typing import ArrayLike
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        lab_is_needed("maxsup.jax needs", error, "jax"), name=error.name
    ) from error

__all__ = [
    "label_smoothing_loss",
    "label_smoothing_loss_with_integer_labels",
    "maxsup_loss",
    "maxsup_loss_with_integer_labels",
]


def maxsup_loss(
    logits: ArrayLike,
    labels: ArrayLike,
    alpha: ArrayLike = 0.1,
    where: ArrayLike | None = None,
) -> jax.Array:
    """Cross-entropy + α·(max_k z_k − mean_k z_k) of probabilities as labels.

    The gradient of the penalty is α·(1 − 1/K) at the largest logit, the first of several, and −α/K
    at the others. With α = 0 it is ``optax.softmax_cross_entropy``.

    Args:
        logits: Shape (..., K), any floating dtype; computed in float32 at least, with gradients in
            the logits' dtype. A class whose logit is −inf is not available: it is left out of the
            mean, and K counts the others.
        labels: Probabilities, shape (..., K), of any real dtype. They must come unsmoothed.
        alpha: Coefficient of the penalty, a number ≥ 0 or a 0-dimensional array, whose value is not
            checked and may be traced: another one compiles nothing anew.
        where: What counts, booleans. Shape (...): an example that is left out has value and
            gradient 0. Shape (..., K): a class that is left out is not available.

    Returns:
        One value for each example, shape (...); float32, or float64 for such logits. Infinite where
        a class with a probability is not available.

    Raises:
        ValueError: An argument's shape, dtype or range is not as described.

    Example:
        >>> logits = jnp.array([[2.0, 0.0, 1.0], [0.0, 3.0, 1.0]])
        >>> labels = jnp.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
        >>> print(maxsup_loss(logits, labels, alpha=0.1).round(4))
        [0.5076 1.3365]
    """
    alpha = _read_alpha(alpha)
    logits, kept = _read_logits(logits, where)
    labels = _read_probabilities(labels, logits, kept)
    numbers = _measure(logits)
    value = _soft_cross_entropy(numbers, labels) + _scaled(alpha, numbers.top - numbers.mean)
    return jnp.where(kept, value, 0.0)


def maxsup_loss_with_integer_labels(
    logits: ArrayLike,
    labels: ArrayLike,
    alpha: ArrayLike = 0.1,
    where: ArrayLike | None = None,
) -> jax.Array:
    """Cross-entropy + α·(max_k z_k − mean_k z_k) of class indices as labels.

    With α = 0 it is ``optax.softmax_cross_entropy_with_integer_labels``.

    Args:
        logits: Shape (..., K); see :func:`maxsup_loss`.
        labels: Class indices in [0, K), shape (...), any integer dtype. Those of examples that
            ``where`` leaves out may be anything: ``where=labels != -100`` ignores a label.
        alpha: Coefficient of the penalty, a number ≥ 0 or a 0-dimensional array.
        where: What counts, booleans of shape (...) or (..., K); see :func:`maxsup_loss`.

    Returns:
        One value for each example, shape (...); float32, or float64 for such logits. Infinite where
        the label's class is not available. A label outside [0, K) makes the value NaN where it
        cannot be looked at without waiting: in traced code and on accelerators.

    Raises:
        ValueError: An argument's shape, dtype or range is not as described, or a label that can be
            looked at is outside [0, K).

    Example:
        >>> logits = jnp.array([[2.0, 0.0, 1.0], [0.0, 3.0, 1.0]])
        >>> loss = maxsup_loss_with_integer_labels(logits, jnp.array([0, 2]), alpha=0.1)
        >>> print(loss.round(4), f"{loss.mean():.4f}")
        [0.5076 2.3365] 1.4221
    """
    alpha = _read_alpha(alpha)
    logits, kept = _read_logits(logits, where)
    labels, known = _read_indices(labels, logits, kept)
    numbers = _measure(logits)
    value = _hard_cross_entropy(numbers, labels) + _scaled(alpha, numbers.top - numbers.mean)
    return jnp.where(kept, jnp.where(known, value, jnp.nan), 0.0)


def label_smoothing_loss(
    logits: ArrayLike,
    labels: ArrayLike,
    alpha: ArrayLike = 0.1,
    where: ArrayLike | None = None,
) -> jax.Array:
    """Cross-entropy against (1 − α)·t_k + α/K, of probabilities t as labels.

    As ``optax.softmax_cross_entropy(logits, optax.smooth_labels(labels, alpha))``, except that
    classes that are not available get no share of α.

    Args:
        logits: Shape (..., K); see :func:`maxsup_loss`.
        labels: Probabilities, shape (..., K), unsmoothed.
        alpha: Smoothing coefficient in [0, 1], a number or a 0-dimensional array.
        where: What counts, booleans of shape (...) or (..., K); see :func:`maxsup_loss`.

    Returns:
        As :func:`maxsup_loss`.

    Raises:
        ValueError: An argument's shape, dtype or range is not as described.

    Example:
        >>> logits, labels = jnp.array([2.0, 0.0, 1.0]), jnp.array([0.0, 0.5, 0.5])
        >>> round(float(label_smoothing_loss(logits, labels, alpha=0.1)), 4)
        1.8576
    """
    alpha = _read_alpha(alpha, highest=1.0)
    logits, kept = _read_logits(logits, where)
    labels = _read_probabilities(labels, logits, kept)
    numbers = _measure(logits)
    value = _smoothed(_soft_cross_entropy(numbers, labels), numbers, alpha)
    return jnp.where(kept, value, 0.0)


def label_smoothing_loss_with_integer_labels(
    logits: ArrayLike,
    labels: ArrayLike,
    alpha: ArrayLike = 0.1,
    where: ArrayLike | None = None,
) -> jax.Array:
    """Cross-entropy against (1 − α)·t_k + α/K, t being 1 at the label.

    Args:
        logits: Shape (..., K); see :func:`maxsup_loss`.
        labels: Class indices in [0, K), shape (...); see :func:`maxsup_loss_with_integer_labels`.
        alpha: Smoothing coefficient in [0, 1], a number or a 0-dimensional array.
        where: What counts, booleans of shape (...) or (..., K); see :func:`maxsup_loss`.

    Returns:
        As :func:`maxsup_loss_with_integer_labels`.

    Raises:
        ValueError: As there.

    Example:
        >>> logits, label = jnp.array([2.0, 0.0, 1.0]), 1
        >>> round(float(label_smoothing_loss_with_integer_labels(logits, label, alpha=0.1)), 4)
        2.3076
    """
    alpha = _read_alpha(alpha, highest=1.0)
    logits, kept = _read_logits(logits, where)
    labels, known = _read_indices(labels, logits, kept)
    numbers = _measure(logits)
    value = _smoothed(_hard_cross_entropy(numbers, labels), numbers, alpha)
    return jnp.where(kept, jnp.where(known, value, jnp.nan), 0.0)


class _Numbers(NamedTuple):
    """What the objectives are made of; logits are taken as distances from the largest one."""

    shifted: jax.Array  # (..., K), −inf at classes that are not available
    normalizer: jax.Array  # (...), log Σ_k exp of the shifted logits
    top: jax.Array  # (...), 0, with the gradient of the largest logit
    mean: jax.Array  # (...), of the available classes' shifted logits


def _measure(logits: jax.Array) -> _Numbers:
    logits = logits.astype(jnp.float64 if logits.dtype == jnp.float64 else jnp.float32)
    # By its index: a maximum would share its gradient among ties.
    top = jnp.take_along_axis(logits, logits.argmax(axis=-1, keepdims=True), axis=-1)
    fixed = jax.lax.stop_gradient(top)
    shifted = logits - fixed
    available = logits != -jnp.inf
    total = jnp.where(available, shifted, 0.0).sum(axis=-1)
    return _Numbers(
        shifted=shifted,
        normalizer=jnp.log(jnp.exp(shifted).sum(axis=-1)),
        top=(top - fixed).squeeze(-1),
        mean=total / available.sum(axis=-1),
    )


def _soft_cross_entropy(numbers: _Numbers, labels: jax.Array) -> jax.Array:
    log_probabilities = numbers.shifted - numbers.normalizer[..., None]
    # A probability of 0 must not meet the −inf of a class that is not available.
    absent = (labels == 0) & (log_probabilities == -jnp.inf)
    return -(labels * jnp.where(absent, 0.0, log_probabilities)).sum(axis=-1)


def _hard_cross_entropy(numbers: _Numbers, labels: jax.Array) -> jax.Array:
    true = jnp.take_along_axis(numbers.shifted, labels[..., None], axis=-1).squeeze(-1)
    return numbers.normalizer - true


def _smoothed(cross_entropy: jax.Array, numbers: _Numbers, alpha: ArrayLike) -> jax.Array:
    uniform = numbers.normalizer - numbers.mean
    value = _scaled(1 - alpha, cross_entropy) + _scaled(alpha, uniform)
    # A true class that is not available is so with α = 1 too.
    return jnp.where(cross_entropy == jnp.inf, cross_entropy, value)


def _scaled(coefficient: ArrayLike, number: jax.Array) -> jax.Array:
    """The product, in which 0·∞ is 0: a term that is not asked for adds nothing, of any size."""
    coefficient = jnp.asarray(coefficient, number.dtype)
    return coefficient * jnp.where((coefficient == 0) & jnp.isinf(number), 0.0, number)


def _read_alpha(alpha: ArrayLike, highest: float = math.inf) -> ArrayLike:
    if not isinstance(alpha, jax.Array):
        return check_alpha(alpha, highest)
    if alpha.ndim != 0:
        raise ValueError(
            f"alpha must be a number or a 0-dimensional array; got one of shape {alpha.shape}."
        )
    return alpha


def _read_logits(logits: ArrayLike, where: ArrayLike | None) -> tuple[jax.Array, jax.Array]:
    """Logits with −inf for classes and 0 for examples that are left out; which examples are kept.

    Not only for the value: a NaN in an example that is left out must not reach the gradient either.
    """
    logits = jnp.asarray(logits)
    if not jnp.issubdtype(logits.dtype, jnp.floating):
        raise ValueError(f"logits must be a floating-point array; got {logits.dtype}.")
    if logits.ndim == 0 or logits.shape[-1] == 0:
        raise ValueError(f"logits must have shape (..., K) with K >= 1; got {logits.shape}.")
    if where is None:
        return logits, jnp.ones(logits.shape[:-1], bool)

    where = jnp.asarray(where)
    if where.dtype != bool or where.shape not in (logits.shape, logits.shape[:-1]):
        raise ValueError(
            f"where must be booleans of shape {logits.shape[:-1]}, for examples, or "
            f"{logits.shape}, for classes; got {where.dtype} of shape {where.shape}."
        )
    kept = where
    if where.ndim == logits.ndim:
        kept = where.any(axis=-1)
        logits = jnp.where(where, logits, -jnp.inf)
    return jnp.where(kept[..., None], logits, 0.0), kept


def _read_probabilities(labels: ArrayLike, logits: jax.Array, kept: jax.Array) -> jax.Array:
    labels = jnp.asarray(labels)
    if labels.shape != logits.shape:
        hint = ""
        if labels.shape == logits.shape[:-1]:
            hint = " Class indices are for the function that ends in _with_integer_labels."
        raise ValueError(
            "labels must be probabilities of the logits' shape "
            f"{logits.shape}; got {labels.shape}.{hint}"
        )
    if jnp.issubdtype(labels.dtype, jnp.complexfloating):
        raise ValueError(f"labels must be probabilities, real numbers; got {labels.dtype}.")
    dtype = jnp.float64 if logits.dtype == jnp.float64 else jnp.float32
    return jnp.where(kept[..., None], labels.astype(dtype), 0.0)


def _read_indices(
    labels: ArrayLike, logits: jax.Array, kept: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Labels that are safe to gather with, and which of them name a class."""
    labels = jnp.asarray(labels)
    if not jnp.issubdtype(labels.dtype, jnp.integer) or labels.shape != logits.shape[:-1]:
        hint = ""
        if labels.shape == logits.shape:
            hint = " Probabilities are for the function without _with_integer_labels."
        raise ValueError(
            f"labels must be integers of shape {logits.shape[:-1]}, one for each example of "
            f"logits {logits.shape}; got {labels.dtype} of shape {labels.shape}.{hint}"
        )
    num_classes = logits.shape[-1]
    if _can_be_seen(labels) and _can_be_seen(kept):
        # By numpy: what JAX does with them may be part of what is being traced.
        seen = np.asarray(labels)
        wrong = seen[np.asarray(kept) & ((seen < 0) | (seen >= num_classes))]
        if wrong.size > 0:
            raise ValueError(
                f"labels holds {int(wrong[0])}, outside [0, {num_classes}) for {num_classes} "
                f"classes; {wrong.size} of {labels.size} labels are so. Labels that are not to "
                "count are left out by where=."
            )
    # A comparison takes the classes' number into the labels' own dtype, where it may not fit.
    labels = labels.astype(jnp.promote_types(labels.dtype, jnp.int32))
    known = (labels >= 0) & (labels < num_classes)
    return jnp.where(kept & known, labels, 0).astype(jnp.int32), known


def _can_be_seen(array: jax.Array) -> bool:
    """Whether Python may look at an array's values without making a device wait."""
    if isinstance(array, jax.core.Tracer) or not array.is_fully_addressable:
        return False
    return all(device.platform == "cpu" for device in array.devices())
