"""Predictions for the samples of one split, checked; needs numpy alone."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from maxsup.data.predictions._arrays import Array, as_array, example

_NEAR = 1e-2
"""How far from 1 a row of probabilities may add up to: in 16 bits, so many digits are lost."""
_TINY = float(np.finfo(np.float32).tiny)
"""What a probability of 0 counts as, so that its logarithm is finite."""


@dataclass(frozen=True, eq=False)
class Part:
    """What one run predicted for N samples of K classes."""

    logits: Array
    """(N, K) float32 or float64; log-probabilities where probabilities came."""
    labels: Array
    """(N,) int64: the true classes."""
    ids: Array | None
    """(N,) int64 or text: which sample each is; each once."""
    features: Array | None
    """(N, D) float32 or float64: penultimate features."""
    are_probabilities: bool
    """Whether probabilities came instead of logits."""
    broken: Array
    """(M,) indices of the samples whose logits hold NaN or +∞, or −∞ alone."""

    def __len__(self) -> int:
        return len(self.labels)


def check_part(
    what: str,
    logits: object,
    labels: object,
    ids: object = None,
    features: object = None,
    *,
    classes: tuple[str, ...] | None = None,
    prefix: str = "",
    named: Literal["logits", "probabilities"] = "logits",
) -> Part:
    """See that predictions fit together, and bring them into one form.

    Args:
        what: What they are called in a message, such as the name of their file.
        logits: (N, K), or probabilities, which are known by their sums.
        labels: (N,) class indices, whole floats also, or names of ``classes``; or one-hot (N, K).
        ids: (N,) whole numbers or text.
        features: (N, D).
        classes: The names of the K classes.
        prefix: What the arrays' names begin with, ``train_`` for example.
        named: What the first of them is called.

    Raises:
        ValueError: They do not fit; the message names the array, what came and what was expected.

    Example:
        >>> part = check_part("mine", [[0.9, 0.1], [0.25, 0.75]], [0, 1])
        >>> part.are_probabilities, part.logits.round(2).tolist()
        (True, [[-0.11, -2.3], [-1.39, -0.29]])
    """
    name = prefix + named
    values = _floats(f"{what}: {name}", as_array(f"{what}: {name}", logits))
    if values.ndim != 2 or values.shape[1] < 2:
        hint = (
            " Of two classes, give both columns." if values.ndim == 1 or 1 in values.shape else ""
        )
        raise ValueError(
            f"{what}: {name} must have shape (samples, classes), with 2 classes or more; got "
            f"{values.shape}.{hint}"
        )
    samples, num_classes = values.shape
    if not samples:
        raise ValueError(f"{what}: {name} holds no samples.")
    if classes is not None and len(classes) != num_classes:
        raise ValueError(
            f"{what}: there are {len(classes)} names of classes, but {num_classes} columns of "
            f"{name}."
        )
    if classes is not None and len({*classes}) < len(classes):
        twice = next(each for each in classes if classes.count(each) > 1)
        raise ValueError(f"{what}: two classes have one name: {twice}.")
    of_labels = as_array(f"{what}: {prefix}labels", labels)
    found = _labels(f"{what}: {prefix}labels", of_labels, samples, num_classes, classes)
    broken = ~((values < np.inf).all(axis=1) & (values.max(axis=1) > -np.inf))
    are_probabilities = _recognise(f"{what}: {name}", values[~broken], named)
    if are_probabilities:
        with np.errstate(invalid="ignore"):
            values = values / values.sum(axis=1, keepdims=True)
            values = np.log(np.maximum(values, _TINY))
    return Part(
        values,
        found,
        None if ids is None else _ids(f"{what}: {prefix}ids", ids, samples),
        None
        if features is None
        else _features(f"{what}: {prefix}features", features, samples, bool(broken.any())),
        are_probabilities,
        np.nonzero(broken)[0],
    )


def _floats(name: str, values: Array) -> Array:
    if values.dtype.kind not in "iuf":
        raise ValueError(f"{name} must be numbers; got dtype {values.dtype}.")
    return values.astype(np.float32 if values.dtype.itemsize <= 4 else np.float64, copy=False)


def _recognise(name: str, values: Array, named: str) -> bool:
    """Whether the rows are probabilities, by their sums."""
    if not len(values):
        return named == "probabilities"
    negative = (values < 0).any(axis=1)
    sums = values.sum(axis=1, dtype=np.float64)
    near = ~negative & (np.abs(sums - 1) <= _NEAR)
    if near.all():
        return True
    if not negative.any() and (np.abs(sums - 100) <= 1).all():
        raise ValueError(f"{name}: the rows add up to 100, as per cents do; divide them by 100.")
    if named == "probabilities" or near.mean() > 0.5:
        wrong = (~near).nonzero()[0]
        raise ValueError(
            f"{name} {'must be' if named == 'probabilities' else 'look like'} probabilities, but "
            f"{len(wrong):,} of {len(values):,} rows do not add up to 1 or hold negative numbers "
            f"(rows {example(wrong)}; the first adds up to {sums[wrong[0]]:.6g})."
        )
    return False


def _labels(
    name: str, labels: Array, samples: int, num_classes: int, classes: tuple[str, ...] | None
) -> Array:
    if labels.shape == (samples, 1):
        labels = labels[:, 0]
    if labels.shape == (samples, num_classes) and labels.dtype.kind != "U":
        if not ((labels == 0) | (labels == 1)).all() or not (labels.sum(axis=1) == 1).all():
            raise ValueError(
                f"{name} must be class indices or one-hot rows; got {labels.shape} with rows that "
                "are neither."
            )
        labels = labels.argmax(axis=1)
    if labels.shape != (samples,):
        raise ValueError(
            f"{name} must hold one class for each of the {samples:,} samples, shape ({samples},); "
            f"got {labels.shape}."
        )
    if labels.dtype.kind == "U":
        return _named_labels(name, labels, classes)
    if labels.dtype.kind == "f":
        wrong = ~(np.isfinite(labels) & (labels == np.floor(labels)))
        if wrong.any():
            raise ValueError(
                f"{name} must be whole numbers; {int(wrong.sum()):,} of {samples:,} are not "
                f"({example(labels[wrong])})."
            )
    indices = labels.astype(np.int64)
    wrong = (indices < 0) | (indices >= num_classes)
    if wrong.any():
        from_one = indices.min() == 1 and indices.max() == num_classes
        hint = " They count from 1; subtract 1." if from_one else ""
        raise ValueError(
            f"{name} must lie in [0, {num_classes}) for {num_classes} classes; "
            f"{int(wrong.sum()):,} of {samples:,} do not ({example(indices[wrong])}).{hint}"
        )
    return indices


def _named_labels(name: str, labels: Array, classes: tuple[str, ...] | None) -> Array:
    if classes is None:
        raise ValueError(
            f"{name} are text ({example(labels)}); give class indices, or the names of the classes "
            "in the order of the logits as well."
        )
    index = {each: number for number, each in enumerate(classes)}
    unknown = np.array(sorted(set(labels.tolist()) - index.keys()))
    if len(unknown):
        raise ValueError(
            f"{name} name {len(unknown):,} classes that have no logits: {example(unknown)}."
        )
    return np.array([index[each] for each in labels.tolist()], dtype=np.int64)


def _ids(name: str, ids: object, samples: int) -> Array:
    found = as_array(name, ids)
    if found.shape != (samples,):
        raise ValueError(
            f"{name} must hold one id for each of the {samples:,} samples, shape ({samples},); got "
            f"{found.shape}."
        )
    if found.dtype.kind == "f" and np.isfinite(found).all() and (found == np.floor(found)).all():
        found = found.astype(np.int64)
    if found.dtype.kind not in "iuU":
        raise ValueError(f"{name} must be whole numbers or text; got dtype {found.dtype}.")
    if found.dtype.kind != "U":
        found = found.astype(np.int64)
    unique, counts = np.unique(found, return_counts=True)
    if len(unique) < samples:
        twice = unique[counts > 1]
        raise ValueError(
            f"{name} must be different for every sample; {len(twice):,} of them come more than "
            f"once ({example(twice)})."
        )
    return found


def _features(name: str, features: object, samples: int, is_broken: bool) -> Array:
    found = _floats(name, as_array(name, features))
    if found.ndim != 2 or found.shape[0] != samples or not found.shape[1]:
        raise ValueError(
            f"{name} must have a row for each of the {samples:,} samples, shape ({samples}, D); "
            f"got {found.shape}. Pool or flatten what has more dimensions."
        )
    wrong = ~np.isfinite(found).all(axis=1)
    if wrong.any() and not is_broken:
        raise ValueError(
            f"{name}: {int(wrong.sum()):,} of {samples:,} rows hold NaN or infinity (rows "
            f"{example(np.flatnonzero(wrong))})."
        )
    return found
