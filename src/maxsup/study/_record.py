"""Predictions of a training loop of one's own, kept for a study; needs numpy alone."""

from collections.abc import Sequence
from pathlib import Path

from maxsup._home import expand_home
from maxsup.data.predictions._archive import write_archive
from maxsup.data.predictions._history import History
from maxsup.data.predictions._names import method_directory


def record(
    directory: Path | str,
    method: str,
    seed: int,
    logits: object,
    labels: object,
    ids: object = None,
    features: object = None,
    history: History | None = None,
    *,
    train_logits: object = None,
    train_labels: object = None,
    train_features: object = None,
    validation_logits: object = None,
    validation_labels: object = None,
    classes: Sequence[str] | None = None,
) -> Path:
    """Keep what one trained model predicts for the test set, as ``METHOD/seed-SEED.npz``.

    ``maxsup report DIRECTORY`` then compares the methods. To be called at the end of any training
    loop, whatever it is written with: arrays of numpy and JAX, tensors of torch (on any device, in
    any precision) and TensorFlow are taken, and nested lists. It needs numpy alone, and loads
    nothing else.

    Args:
        directory: The study's directory, a path or a URL; made where it is missing.
        method: The name of the method, with coefficients as in ``maxsup:alpha=0.1`` if there are
            any. Every method has the same test samples and classes.
        seed: What the run was seeded with. Runs of one seed are paired: they are to share whatever
            the seed decides, such as initial weights and order, and to differ in the method alone.
        logits: (N, K) floats: the logits of N test samples and K classes, or probabilities, which
            are known by their sums.
        labels: (N,) the true classes, as indices from 0.
        ids: (N,) whole numbers or text: which sample each row is, so that rows may come in any
            order; without them the order must be the same in every run.
        features: (N, D) floats: penultimate features, for the class separation.
        history: Figures of each epoch, as lists by name or a mapping for each epoch:
            ``train_loss``, ``train_accuracy``, ``test_accuracy``, ``test_nll``, …; accuracies are
            fractions.
        train_logits: (M, K): the same for training samples, as far as they are wanted.
        train_labels: (M,): the labels that they were trained on.
        train_features: (M, D).
        validation_logits: (V, K): for a validation part, on which the temperature is fitted;
            without it, the temperature is cross-fitted on halves of the test set.
        validation_labels: (V,).
        classes: The K names of the classes.

    Returns:
        The file. One that the method and seed had before is replaced.

    Raises:
        ValueError: Shapes or values do not fit; the message names the argument. Nothing is written.
        OSError: The file could not be written; a former one is intact.

    Example:
        >>> import tempfile, numpy
        >>> logits = numpy.array([[2.0, 0.0, 1.0], [0.0, 3.0, 1.0]])
        >>> record(tempfile.mkdtemp(), "maxsup:alpha=0.1", 0, logits, [0, 2]).parts[-2:]
        ('maxsup-alpha-0.1', 'seed-0.npz')
    """
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or int(seed) < 0:
        raise ValueError(f"seed must be a whole number, 0 or more; got {seed!r}.")
    path = _place(directory) / method_directory(method) / f"seed-{int(seed)}.npz"
    save_predictions(
        path,
        logits,
        labels,
        ids,
        features,
        history,
        train_logits=train_logits,
        train_labels=train_labels,
        train_features=train_features,
        validation_logits=validation_logits,
        validation_labels=validation_labels,
        classes=classes,
        method=method,
    )
    return path


def save_predictions(
    path: Path | str,
    logits: object,
    labels: object,
    ids: object = None,
    features: object = None,
    history: History | None = None,
    *,
    train_logits: object = None,
    train_labels: object = None,
    train_features: object = None,
    validation_logits: object = None,
    validation_labels: object = None,
    classes: Sequence[str] | None = None,
    method: str | None = None,
) -> None:
    """Write what :func:`record` does to a file of that name, as a script of a study is told one.

    ``numpy.savez(path, logits=logits, labels=labels)`` writes the same; this checks, and writes
    atomically.

    Args:
        path: The file, which ends in ``.npz``.
        logits: These and the others are those of :func:`record`.
        labels: As there.
        ids: As there.
        features: As there.
        history: As there.
        train_logits: As there.
        train_labels: As there.
        train_features: As there.
        validation_logits: As there.
        validation_labels: As there.
        classes: As there.
        method: As there; by default it is read off the file's directory.

    Raises:
        ValueError: Shapes or values do not fit. Nothing is written.
        OSError: The file could not be written; a former one is intact.
    """
    place = _place(path)
    if place.suffix != ".npz":
        raise ValueError(f"path must end in .npz; got {path}.")
    write_archive(
        place,
        {
            "logits": logits,
            "labels": labels,
            "ids": ids,
            "features": features,
            "train_logits": train_logits,
            "train_labels": train_labels,
            "train_features": train_features,
            "validation_logits": validation_logits,
            "validation_labels": validation_labels,
            "classes": None if classes is None else list(classes),
        },
        history,
        method,
    )


def _place(name: Path | str) -> Path:
    if "://" not in str(name):
        return expand_home(name)
    from maxsup._places import as_place  # needs fsspec

    return as_place(name)
