"""MaxSup for Keras 3, where its cross-entropies stood.

It needs ``pip install "maxsup[keras]"``, and a backend, which Keras chooses by its environment
variable ``KERAS_BACKEND``. It is tried on the backends jax and torch, not on TensorFlow's.
"""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec

from maxsup._alpha import check_alpha
from maxsup._lab import lab_is_needed

try:
    import keras
    from keras import ops

    # The mask is how Keras's own losses tell its means what does not count; it is not public.
    from keras.src.backend import set_keras_mask
except ModuleNotFoundError as error:
    # Without its backend Keras cannot be imported either, and it says so itself.
    if error.name != "keras":
        raise
    raise ModuleNotFoundError(
        lab_is_needed("maxsup.keras needs", error, "keras"), name=error.name
    ) from error

__all__ = ["MaxSup", "SparseMaxSup"]


P = ParamSpec("P")


def _naming_what_to_write(init: Callable[P, None]) -> Callable[P, None]:
    """A constructor that answers ``label_smoothing`` by what stands for it here."""

    @functools.wraps(init)
    def checked(*args: P.args, **options: P.kwargs) -> None:
        if "label_smoothing" in options:
            name, value = type(args[0]).__name__, options["label_smoothing"]
            raise TypeError(
                f"{name} takes alpha where keras.losses.CategoricalCrossentropy takes "
                f"label_smoothing; write {name}(alpha={value!r}), without label_smoothing."
            )
        init(*args, **options)

    return checked


class _LogitsLoss(keras.losses.Loss):  # type: ignore[misc]  # Keras ships no types
    """A loss of logits with a coefficient, computed in float32 at least."""

    def __init__(
        self,
        alpha: float,
        from_logits: bool,
        axis: int,
        reduction: str | None,
        name: str | None,
        dtype: Any,
    ) -> None:
        if from_logits is not True:
            raise ValueError(
                f"from_logits must be True; got {from_logits!r}. MaxSup is a function of logits, "
                "which probabilities do not determine: leave the softmax of the last layer out."
            )
        if type(axis) is not int:
            raise ValueError(f"axis must be an integer; got {axis!r}.")
        policy = keras.dtype_policies.get(keras.config.floatx() if dtype is None else dtype)
        super().__init__(name=name, reduction=reduction, dtype=_wide(policy.compute_dtype))
        self.alpha = float(check_alpha(alpha))
        self.from_logits = from_logits
        self.axis = axis

    def get_config(self) -> dict[str, Any]:
        """What ``from_config`` builds the same loss from."""
        config: dict[str, Any] = super().get_config()
        own = {"alpha": self.alpha, "from_logits": self.from_logits, "axis": self.axis}
        return {**config, **own, "dtype": self.dtype}

    def _logits(self, y_pred: Any) -> Any:
        """Logits with the classes on the last axis."""
        rank = len(y_pred.shape)
        if not -rank <= self.axis < rank or y_pred.shape[self.axis] == 0:
            raise ValueError(
                f"y_pred must be logits with at least one class on axis {self.axis}; "
                f"got shape {tuple(y_pred.shape)}."
            )
        return ops.moveaxis(ops.cast(y_pred, _wide(y_pred.dtype)), self.axis, -1)


@keras.saving.register_keras_serializable(package="maxsup")
class MaxSup(_LogitsLoss):
    """MaxSup of probabilities, where ``keras.losses.CategoricalCrossentropy`` stood.

    A sample's loss is cross-entropy + α·(max_k z_k − mean_k z_k). The gradient of the penalty is
    α·(1 − 1/K) at the largest logit, the first of several, and −α/K at the others. A class whose
    logit is −inf is not available: it is left out of the mean, and K counts the others.

    ``y_true`` are probabilities in the shape of ``y_pred``, (N, K) or (N, d1, ..., K), and must
    come unsmoothed; ``sample_weight`` and masks count as for any loss of Keras.

    Args:
        alpha: Coefficient of the penalty, ≥ 0.
        from_logits: True, and nothing else: the last layer has no softmax.
        axis: Where the classes are.
        reduction: As for any loss of Keras: ``sum_over_batch_size``, ``sum``, ``mean``,
            ``mean_with_sample_weight`` or None.
        name: Of the loss.
        dtype: What is computed in, ``keras.config.floatx()`` unless it is given; float16 and
            bfloat16 are widened to float32. Gradients come back in the dtype of ``y_pred``.

    Raises:
        ValueError: An argument is not as described; when called, a shape.
        TypeError: ``label_smoothing``, whose name here is said.

    Example:
        >>> criterion = MaxSup(alpha=0.1)
        >>> loss = criterion([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]], [[2.0, 0.0, 1.0], [0.0, 3.0, 1.0]])
        >>> round(float(loss), 3)
        0.922
    """

    @_naming_what_to_write
    def __init__(
        self,
        alpha: float = 0.1,
        from_logits: bool = True,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "maxsup",
        dtype: Any = None,
    ) -> None:
        super().__init__(alpha, from_logits, axis, reduction, name, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value for each sample or position."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if not _fits(y_true.shape, y_pred.shape):
            raise ValueError(
                "y_true must be probabilities of the shape of y_pred, "
                f"{tuple(y_pred.shape)}; got {tuple(y_true.shape)}. "
                "Class indices are for SparseMaxSup."
            )
        logits = self._logits(y_pred)
        target = ops.moveaxis(ops.cast(y_true, logits.dtype), self.axis, -1)
        shifted, normalizer, penalty = _measure(logits)
        log_probabilities = shifted - ops.expand_dims(normalizer, -1)
        # A probability of 0 must not meet the −inf of a class that is not available.
        absent = ops.logical_and(ops.equal(target, 0), ops.equal(log_probabilities, -float("inf")))
        cross_entropy = -ops.sum(target * ops.where(absent, 0.0, log_probabilities), axis=-1)
        return cross_entropy + self.alpha * penalty if self.alpha else cross_entropy


@keras.saving.register_keras_serializable(package="maxsup")
class SparseMaxSup(_LogitsLoss):
    """MaxSup of class indices, where ``keras.losses.SparseCategoricalCrossentropy`` stood.

    The loss is that of :class:`MaxSup`. ``y_true`` are class indices in [0, K), of the shape of
    ``y_pred`` without the classes, or with 1 in their place: (N,) or (N, 1) for (N, K). An index
    outside gives NaN, since looking for one would make a device wait.

    Args:
        alpha: Coefficient of the penalty, ≥ 0.
        from_logits: True, and nothing else: the last layer has no softmax.
        ignore_class: An index whose positions have value and gradient 0 and count in no mean; it
            may be outside [0, K). None ignores nothing.
        axis: Where the classes are.
        reduction: As :class:`MaxSup`.
        name: Of the loss.
        dtype: As :class:`MaxSup`. Keras brings the indices into it too; float32 holds them up to
            16,777,216.

    Raises:
        ValueError: An argument is not as described; when called, a shape.
        TypeError: ``label_smoothing``, whose name here is said.

    Example:
        >>> criterion = SparseMaxSup(alpha=0.1, ignore_class=-1)
        >>> logits = [[2.0, 0.0, 1.0], [0.0, 3.0, 1.0], [0.0, 0.0, 0.0]]
        >>> round(float(criterion([0, 2, -1], logits)), 4)
        1.4221
    """

    @_naming_what_to_write
    def __init__(
        self,
        alpha: float = 0.1,
        from_logits: bool = True,
        ignore_class: int | None = None,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "sparse_maxsup",
        dtype: Any = None,
    ) -> None:
        super().__init__(alpha, from_logits, axis, reduction, name, dtype)
        if ignore_class is not None and type(ignore_class) is not int:
            raise ValueError(
                f"ignore_class must be an integer, or None to ignore nothing; got {ignore_class!r}."
            )
        self.ignore_class = ignore_class

    def get_config(self) -> dict[str, Any]:
        """What ``from_config`` builds the same loss from."""
        return {**super().get_config(), "ignore_class": self.ignore_class}

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value for each sample or position."""
        labels, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        logits = self._logits(y_pred)
        if len(labels.shape) == len(logits.shape) and labels.shape[self.axis] == 1:
            labels = ops.squeeze(labels, axis=self.axis)
        if not _fits(labels.shape, logits.shape[:-1]):
            raise ValueError(
                "y_true must be class indices of shape "
                f"{tuple(logits.shape[:-1])}, for y_pred of shape {tuple(y_pred.shape)} with the "
                f"classes on axis {self.axis}; got {tuple(labels.shape)}. Probabilities are for "
                "MaxSup."
            )
        labels = ops.cast(labels, "int32")
        kept = None if self.ignore_class is None else ops.not_equal(labels, self.ignore_class)
        if kept is not None:
            # Not only for the value: a NaN there must not reach the gradient either.
            logits = ops.where(ops.expand_dims(kept, -1), logits, 0.0)
            labels = ops.where(kept, labels, 0)
        num_classes = ops.shape(logits)[-1]
        known = ops.logical_and(ops.greater_equal(labels, 0), ops.less(labels, num_classes))
        labels = ops.expand_dims(ops.where(known, labels, 0), -1)

        shifted, normalizer, penalty = _measure(logits)
        true = ops.squeeze(ops.take_along_axis(shifted, labels, axis=-1), axis=-1)
        value = normalizer - true
        if self.alpha:
            value = value + self.alpha * penalty
        value = ops.where(known, value, float("nan"))
        if kept is not None:
            value = ops.where(kept, value, 0.0)
            set_keras_mask(value, mask=kept)
        return value


def _measure(logits: Any) -> tuple[Any, Any, Any]:
    """Logits less the largest one, log Σ_k exp of these, and the largest one less the mean."""
    # By its index: a maximum would share its gradient among ties.
    index = ops.expand_dims(ops.argmax(logits, axis=-1), -1)
    top = ops.take_along_axis(logits, index, axis=-1)
    fixed = ops.stop_gradient(top)
    shifted = logits - fixed
    available = ops.not_equal(logits, -float("inf"))
    total = ops.sum(ops.where(available, shifted, 0.0), axis=-1)
    mean = total / ops.sum(ops.cast(available, logits.dtype), axis=-1)
    normalizer = ops.log(ops.sum(ops.exp(shifted), axis=-1))
    return shifted, normalizer, ops.squeeze(top - fixed, axis=-1) - mean


def _wide(dtype: Any) -> str:
    """The dtype in float32 at least."""
    return "float64" if keras.backend.standardize_dtype(dtype) == "float64" else "float32"


def _fits(shape: Any, expected: Any) -> bool:
    """Whether two static shapes may be the same; None is a length that is not known yet."""
    return len(shape) == len(expected) and all(
        a == b or a is None or b is None for a, b in zip(shape, expected, strict=True)
    )
