"""Parts of a split, taken or held out class by class."""

import math
from collections.abc import Sequence
from typing import TypeVar

import torch
from sklearn.model_selection import train_test_split

from maxsup._seeds import derive_seed
from maxsup.data._splits import LabelledSplit

_Split = TypeVar("_Split", bound=LabelledSplit)

_LISTED = 5  # classes in a message


def hold_out(
    split: _Split, fraction: float, seed: int, what: str, classes: Sequence[str]
) -> tuple[_Split, _Split]:
    """Divide a split in two with the same fractions of the classes.

    Args:
        split: What to divide.
        fraction: How much of it to hold out.
        seed: Decides which samples, together with ``what``.
        what: What the part is for, test or validation.
        classes: The names of the classes.

    Returns:
        The rest, and the part held out; both in the split's order.

    Raises:
        ValueError: A class has too few samples to be in both; the message names it.
    """
    _check_room(split, fraction, what, classes)
    rest, held = train_test_split(
        torch.arange(len(split)).numpy(),
        test_size=fraction,
        stratify=split.true_labels.numpy(),
        random_state=derive_seed(seed, what),
    )
    index, held_index = (torch.from_numpy(part).sort().values for part in (rest, held))
    return split.select(index), split.select(held_index)


def take_fraction(split: _Split, fraction: float, seed: int) -> _Split:
    """A part of a split with the same fractions of the classes, one sample of each at least.

    A larger part holds the smaller ones of the same seed.

    Args:
        split: What to take it of.
        fraction: How much of each class to take, rounded to whole samples.
        seed: Decides which samples.

    Example:
        >>> from maxsup.data import DataSettings, load_images
        >>> train = load_images(DataSettings("digits")).train
        >>> take_fraction(train, 0.1, seed=0).labels.bincount().tolist()
        [12, 13, 12, 13, 13, 13, 13, 12, 12, 13]
    """
    generator = torch.Generator().manual_seed(derive_seed(seed, "fraction"))
    order = torch.randperm(len(split), generator=generator)
    labels = split.true_labels[order]
    # Class by class in the shuffled order.
    by_class = order[labels.argsort(stable=True)].split(labels.bincount().tolist())
    kept = [index[: max(1, round(fraction * len(index)))] for index in by_class]
    return split.select(torch.cat(kept).sort().values)


def _check_room(split: LabelledSplit, fraction: float, what: str, classes: Sequence[str]) -> None:
    counts = torch.bincount(split.true_labels, minlength=len(classes)).tolist()
    rare = [name for name, count in zip(classes, counts, strict=True) if count == 1]
    if rare:
        named = ", ".join(rare[:_LISTED])
        more = f" and {len(rare) - _LISTED} more" if len(rare) > _LISTED else ""
        own_split = "--validation-split" if what == "validation" else "--test-split"
        raise ValueError(
            f"A {what} part of {fraction:.0%} is to be held out class by class, and "
            f"{'classes have' if len(rare) > 1 else 'a class has'} 1 image, which cannot be in "
            f"both parts: {named}{more}. Add images of "
            f"{'them' if len(rare) > 1 else 'it'}, leave {'them' if len(rare) > 1 else 'it'} out "
            f"of the data, or name a {what} set of your own with {own_split}."
        )
    held, present = math.ceil(fraction * len(split)), sum(count > 0 for count in counts)
    if min(held, len(split) - held) < present:
        option = "--validation" if what == "validation" else "--test-fraction"
        raise ValueError(
            f"A {what} part of {fraction:.0%} of {len(split):,} images leaves {held:,} in it and "
            f"{len(split) - held:,} to train on, too few for {present:,} classes. Choose another "
            f"{option}, or add images."
        )
