"""Whether what a model gives are numbers that something can be said of."""

import torch

from maxsup.evaluation import Outputs, SplitName

_WORDS = {"train": "training", "validation": "validation", "test": "test"}


def check_numbers(place: str, part: SplitName, outputs: Outputs) -> None:
    """See that logits and features are numbers; a logit of −∞ is a class that is not available.

    Raises:
        ValueError: A sample has a logit of NaN or +∞, no class that is available, or a feature that
            is not finite; the message names the model, the part, and how many there are.
    """
    logits = outputs.logits
    of_logits = ~((logits < torch.inf).all(dim=1) & (logits.amax(dim=1) > -torch.inf))
    if of_logits.any():
        raise ValueError(
            f"{place} gives logits that are no finite numbers (NaN, +∞, or −∞ for every class) for "
            f"{_counted(of_logits, part)}, so nothing can be said of it. A training that diverged "
            "leaves such; look at another run."
        )
    if outputs.features is None:
        return
    of_features = ~outputs.features.isfinite().all(dim=1)
    if of_features.any():
        raise ValueError(
            f"{place} gives features that are no finite numbers (NaN or ±∞) for "
            f"{_counted(of_features, part)}. A training that diverged leaves such; look at another "
            "run."
        )


def _counted(broken: torch.Tensor, part: SplitName) -> str:
    rows = broken.nonzero().flatten()
    first = ", ".join(map(str, rows[:3].tolist()))
    more = ", …" if len(rows) > 3 else ""
    return (
        f"{len(rows):,} of {len(broken):,} {_WORDS[part]} samples (the first in rows {first}{more})"
    )
