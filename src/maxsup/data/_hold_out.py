"""Parts of a split, held out class by class."""

from typing import TypeVar

import torch
from sklearn.model_selection import train_test_split

from maxsup._seeds import derive_seed
from maxsup.data._splits import LabelledSplit

_Split = TypeVar("_Split", bound=LabelledSplit)


def hold_out(split: _Split, fraction: float, seed: int, what: str) -> tuple[_Split, _Split]:
    """Divide a split in two with the same fractions of the classes.

    Args:
        split: What to divide.
        fraction: How much of it to hold out.
        seed: Decides which samples, together with ``what``.
        what: What the part is for, test or validation.

    Returns:
        The rest, and the part held out; both in the split's order.

    Raises:
        ValueError: A class has too few samples to be in both.
    """
    try:
        rest, held = train_test_split(
            torch.arange(len(split)).numpy(),
            test_size=fraction,
            stratify=split.true_labels.numpy(),
            random_state=derive_seed(seed, what),
        )
    except ValueError as error:
        raise ValueError(
            f"A {what} part of {fraction:.0%} cannot be held out of {len(split)} samples with "
            f"every class in both parts: {error}"
        ) from error
    index, held_index = (torch.from_numpy(part).sort().values for part in (rest, held))
    return split.select(index), split.select(held_index)
