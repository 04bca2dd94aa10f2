"""Whether the predictions of several runs are for the same samples."""

from typing import NamedTuple

import numpy as np

from maxsup.data.predictions._arrays import Array, example
from maxsup.data.predictions._part import Part
from maxsup.data.predictions._run import RunPredictions


class _First(NamedTuple):
    """What all others are held against: the first run, in the order of its ids."""

    what: str
    labels: Array
    ids: Array | None
    num_classes: int
    classes: tuple[str, ...] | None


class Agreement:
    """Holds every run's test samples against those of the first.

    Example:
        >>> from maxsup.data.predictions._part import check_part
        >>> agreement, logits = Agreement(), np.eye(2)
        >>> agreement.order("a", RunPredictions(check_part("a", logits, [0, 1], ids=[5, 3])))
        array([1, 0])
        >>> agreement.order("b", RunPredictions(check_part("b", logits, [0, 1], ids=[3, 5])))
        Traceback (most recent call last):
        ValueError: b gives another label than a to 2 of 2 samples (ids 3, 5; 0 instead of 1 ...
    """

    def __init__(self) -> None:
        self._first: _First | None = None

    @property
    def has_ids(self) -> bool:
        """Whether samples are known by ids, and not by their order alone."""
        return self._first is not None and self._first.ids is not None

    def ids(self) -> Array:
        """(N,) int64: a number for each sample, in the order that :meth:`order` brings about."""
        assert self._first is not None
        ids = self._first.ids
        if ids is None or ids.dtype.kind == "U":
            return np.arange(len(self._first.labels))
        return ids

    def order(self, what: str, run: RunPredictions) -> Array:
        """(N,) the rows of a run's test part in the order that is the same for every run.

        Args:
            what: What the run is called in a message.
            run: Its predictions.

        Raises:
            ValueError: It is for other samples, labels or classes than the first run.
        """
        part = run.test
        order = np.arange(len(part)) if part.ids is None else part.ids.argsort(kind="stable")
        labels = part.labels[order]
        ids = None if part.ids is None else part.ids[order]
        classes = part.logits.shape[1]
        if self._first is None:
            self._first = _First(what, labels, ids, classes, run.classes)
            return order
        first = self._first
        if classes != first.num_classes:
            raise ValueError(
                f"{what} has {classes} classes, and {first.what} {first.num_classes}; all runs "
                "must predict the same ones."
            )
        if run.classes != first.classes and None not in (run.classes, first.classes):
            raise ValueError(f"{what} names other classes, or in another order, than {first.what}.")
        self._check_ids(what, part, ids)
        self._check_labels(what, labels)
        return order

    def _check_ids(self, what: str, part: Part, ids: Array | None) -> None:
        first = self._first
        assert first is not None
        if (ids is None) != (first.ids is None):
            without, named = (what, first.what) if ids is None else (first.what, what)
            raise ValueError(
                f"{without} has no ids, and {named} has; give them in all files or in none."
            )
        if ids is None or first.ids is None:
            if len(part) != len(first.labels):
                raise ValueError(
                    f"{what} has {len(part):,} samples, and {first.what} {len(first.labels):,}; "
                    "all runs must predict the same ones. With ids it can be said which differ."
                )
            return
        if ids.dtype.kind != first.ids.dtype.kind:
            raise ValueError(f"{what} has ids of {ids.dtype}, and {first.what} {first.ids.dtype}.")
        missing = np.setdiff1d(first.ids, ids, assume_unique=True)
        added = np.setdiff1d(ids, first.ids, assume_unique=True)
        if len(missing) or len(added):
            parts = []
            if len(missing):
                parts.append(
                    f"lacks {len(missing):,} of the {len(first.ids):,} samples of {first.what} "
                    f"(ids {example(missing)})"
                )
            if len(added):
                parts.append(
                    f"has {len(added):,} samples that {first.what} has not (ids {example(added)})"
                )
            raise ValueError(
                f"{what} {' and '.join(parts)}. Means over different samples cannot be compared; "
                "predict the same ones in every run."
            )

    def _check_labels(self, what: str, labels: Array) -> None:
        first = self._first
        assert first is not None
        differing = (labels != first.labels).nonzero()[0]
        if not len(differing):
            return
        ids = first.ids
        where = f"rows {example(differing)}" if ids is None else f"ids {example(ids[differing])}"
        one = differing[0]
        hint = "" if ids is not None else " If only the order differs, give ids."
        raise ValueError(
            f"{what} gives another label than {first.what} to {len(differing):,} of "
            f"{len(labels):,} samples ({where}; {labels[one]} instead of {first.labels[one]} in "
            f"the first).{hint}"
        )
