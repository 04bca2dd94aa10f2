"""Stored predictions as something that an inspection looks at."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch

from maxsup.data.predictions._agree import Agreement
from maxsup.data.predictions._find import RunSource
from maxsup.data.predictions._part import Part as StoredPart
from maxsup.evaluation import Outputs
from maxsup.inspection._numbers import check_numbers
from maxsup.inspection._subject import Part


class StoredRun(NamedTuple):
    """The predictions of one run."""

    digest: str
    """What tells them from all others: SHA-256 over names, shapes, dtypes and values."""
    outputs: Callable[[Part], Outputs | None]
    """Those of a part, test samples in the order that is the same for every run."""
    classes: tuple[str, ...] | None
    """The names of the classes, where they are given."""
    notes: list[str]
    """What was passed over, in sentences."""


class StoredRuns:
    """Runs whose predictions are for the same test samples, in one order.

    Args:
        sources: The runs.
    """

    def __init__(self, sources: Sequence[RunSource]) -> None:
        self._sources = sources
        self._agreement = Agreement()

    def of(self, source: RunSource) -> StoredRun:
        """A run's predictions.

        Raises:
            ValueError: They are not for the samples of the other runs, or the features of its parts
                are not of one width.
        """
        run = source.load()
        order = self._agreement.order(source.what, run)
        parts = {"test": run.test, "train": run.train, "validation": run.validation}
        _check_widths(source.what, parts)
        digest = hashlib.sha256(repr(run.classes).encode())
        for name, part in parts.items():
            if part is None:
                continue
            for what in ("logits", "labels", "ids", "features"):
                array = getattr(part, what)
                if array is not None:
                    # Bytes alone are those of many arrays.
                    digest.update(f"{name} {what} {array.dtype.str} {array.shape} ".encode())
                    digest.update(array.tobytes())

        def stored(part: Part) -> Outputs | None:
            found = parts[part]
            if found is None:
                return None
            outputs = _outputs(found)
            check_numbers(source.what, part, outputs)
            if part != "test":
                return outputs
            ordered = outputs.select(torch.from_numpy(order))
            return Outputs(
                ordered.logits,
                ordered.labels,
                ordered.true_labels,
                torch.from_numpy(self._agreement.ids()),
                ordered.features,
            )

        notes = []
        if run.passed_over:
            notes.append(f"Passed over in {source.what}: {', '.join(run.passed_over)}.")
        return StoredRun(digest.hexdigest(), stored, run.classes, notes)


def _check_widths(what: str, parts: Mapping[str, StoredPart | None]) -> None:
    widths = {
        name: part.features.shape[1]
        for name, part in parts.items()
        if part is not None and part.features is not None
    }
    if len({*widths.values()}) > 1:
        said = ", ".join(f"{width} of {name} samples" for name, width in widths.items())
        raise ValueError(
            f"{what}: features must have one width, as one model gives them; got {said}. Leave out "
            "those that are another layer's."
        )


def _outputs(part: StoredPart) -> Outputs:
    labels = torch.from_numpy(part.labels)
    return Outputs(
        torch.from_numpy(part.logits),
        labels,
        labels,
        torch.arange(len(part)),
        None if part.features is None else torch.from_numpy(part.features),
    )
