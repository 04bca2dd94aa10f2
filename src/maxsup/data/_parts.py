"""Parts held out class by class, and label noise."""

import torch
from sklearn.model_selection import train_test_split
from torch import Tensor

from maxsup._seeds import derive_seed
from maxsup.data._images import LabelledSplit, with_labels


def hold_out(
    split: LabelledSplit, share: float, seed: int, what: str
) -> tuple[LabelledSplit, LabelledSplit]:
    """Divide a split in two with the same shares of the classes.

    Returns:
        The rest, and the part held out; both in the split's order.

    Raises:
        ValueError: A class has too few samples to be in both.
    """
    try:
        rest, held = train_test_split(
            torch.arange(len(split)).numpy(),
            test_size=share,
            stratify=split.true_labels.numpy(),
            random_state=derive_seed(seed, what),
        )
    except ValueError as error:
        raise ValueError(
            f"A {what} part of {share:.0%} cannot be held out of {len(split)} samples with every "
            f"class in both parts: {error}"
        ) from error
    return tuple(split.select(torch.from_numpy(part).sort().values) for part in (rest, held))  # type: ignore[return-value]


def add_label_noise(
    split: LabelledSplit, share: float, num_classes: int, seed: int
) -> LabelledSplit:
    """Replace a share of the labels by a wrong class.

    Symmetric noise: exactly round(share·N) samples, drawn without replacement, each get a class
    drawn evenly from the others. The true labels are kept beside.
    """
    generator = torch.Generator().manual_seed(derive_seed(seed, "label noise"))
    count = round(share * len(split))
    chosen: Tensor = torch.randperm(len(split), generator=generator)[:count]
    shift = torch.randint(1, num_classes, (count,), generator=generator)
    labels = split.labels.clone()
    labels[chosen] = (labels[chosen] + shift) % num_classes
    return with_labels(split, labels)
