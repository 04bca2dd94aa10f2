"""Stored predictions as something that an inspection looks at."""

import hashlib
from collections.abc import Callable, Sequence

import torch

from maxsup.data.predictions._agree import Agreement
from maxsup.data.predictions._arrays import example
from maxsup.data.predictions._find import RunSource
from maxsup.data.predictions._part import Part as StoredPart
from maxsup.evaluation import Outputs
from maxsup.inspection._subject import Part


class StoredRuns:
    """Runs whose predictions are for the same test samples, in one order.

    Args:
        sources: The runs.
    """

    def __init__(self, sources: Sequence[RunSource]) -> None:
        self._sources = sources
        self._agreement = Agreement()

    def of(self, source: RunSource) -> tuple[str, Callable[[Part], Outputs | None]]:
        """The digest of a run's predictions, and what they are of a part.

        Raises:
            ValueError: They are not for the samples of the other runs, or not finite.
        """
        run = source.load()
        order = self._agreement.order(source.what, run)
        if len(run.test.broken):
            raise ValueError(
                f"{source.what}: {len(run.test.broken):,} of {len(run.test):,} samples have logits "
                f"that are no finite numbers (rows {example(run.test.broken)})."
            )
        digest = hashlib.sha256()
        for part in run.parts:
            for array in (part.logits, part.labels, part.features):
                if array is not None:
                    digest.update(array.tobytes())

        def stored(part: Part) -> Outputs | None:
            found = {"test": run.test, "train": run.train, "validation": run.validation}[part]
            if found is None:
                return None
            outputs = _outputs(found)
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

        return digest.hexdigest(), stored


def _outputs(part: StoredPart) -> Outputs:
    labels = torch.from_numpy(part.labels)
    return Outputs(
        torch.from_numpy(part.logits),
        labels,
        labels,
        torch.arange(len(part)),
        None if part.features is None else torch.from_numpy(part.features),
    )
