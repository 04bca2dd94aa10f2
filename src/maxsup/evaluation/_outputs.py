"""What a model, or another program, gave for labelled samples."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Outputs:
    """Logits of N samples with their labels, from a model of ours or from wherever."""

    logits: Tensor
    """(N, K), floating-point."""
    labels: Tensor
    """(N,) int64: the labels that a model is trained on."""
    true_labels: Tensor
    """(N,) int64: differ from ``labels`` where label noise has replaced them."""
    ids: Tensor
    """(N,) int64: which sample of its split each is, the same in every run."""
    features: Tensor | None = None
    """(N, D) penultimate features, floating-point, as far as there are any."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def num_classes(self) -> int:
        """K."""
        return self.logits.shape[1]

    @property
    def num_features(self) -> int | None:
        """D, where there are features."""
        return None if self.features is None else self.features.shape[1]

    def select(self, index: Tensor) -> "Outputs":
        """The samples at ``index``, or where it is true."""
        return Outputs(
            self.logits[index],
            self.labels[index],
            self.true_labels[index],
            self.ids[index],
            None if self.features is None else self.features[index],
        )


def join_outputs(parts: Iterable[Outputs]) -> Outputs:
    """One after the other, as one.

    Raises:
        ValueError: There are none.

    Example:
        >>> part = Outputs(torch.zeros(2, 3), *[torch.arange(2)] * 3)
        >>> len(join_outputs([part, part]))
        4
    """
    found = list(parts)
    if not found:
        raise ValueError("There are no outputs to join.")
    features = [part.features for part in found if part.features is not None]
    return Outputs(
        torch.cat([part.logits for part in found]),
        torch.cat([part.labels for part in found]),
        torch.cat([part.true_labels for part in found]),
        torch.cat([part.ids for part in found]),
        torch.cat(features) if len(features) == len(found) else None,
    )
