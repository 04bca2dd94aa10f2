"""Images that stand in a data set more than once, told by their contents.

Contents are compared, not looks: a photograph that was saved anew or made smaller is another one.
"""

from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np
from torch import Tensor

from maxsup.data._splits import Contents

_MOST_FILES = 8192
_MOST_BYTES = 512 * 2**20
_THREADS = 16  # that read files, which may be far away
_TRAINING = "training"

_Array = np.ndarray[Any, Any]


class Comparable(Protocol):
    """Samples of which copies can be found."""

    def __len__(self) -> int: ...

    @property
    def true_labels(self) -> Tensor:
        """(N,) int64: what tells copies with other labels."""

    def contents(self) -> Contents:
        """What tells the images from each other."""


def notes_on_duplicates(train: Comparable, measured: Mapping[str, Comparable]) -> list[str]:
    """What a user should know of images that stand twice, in sentences.

    Files are read only where their sizes coincide, and of a large data set only a sample of them,
    which the sentences say; images in memory are compared by their pixels, all of them.

    Args:
        train: What is trained on.
        measured: What is measured on, by what it is for.

    Example:
        >>> import torch
        >>> from maxsup.data import ResidentSplit
        >>> labels = torch.tensor([0, 1])
        >>> train = ResidentSplit(torch.arange(2).byte().view(2, 1, 1, 1), labels, labels)
        >>> notes_on_duplicates(train, {"test": train.select(torch.tensor([1]))})[0][:50]
        '1 of 1 test image (100.0 %) is in the training set'
    """
    parts = {_TRAINING: train, **measured}
    found = _find_copies(parts)
    notes = []
    for what, split in measured.items():
        shared = [group for group in found.groups if group[_TRAINING]]
        copied = sum(len(group[what]) for group in shared)
        if copied:
            others = sum(
                label not in train.true_labels[group[_TRAINING]]
                for group in shared
                for label in split.true_labels[group[what]]
            )
            notes.append(
                f"{_share(copied, found.looked_at[what], what)} {'is' if copied == 1 else 'are'} "
                "in the training set too, with the same content: a model is measured on what it "
                f"was trained on.{_under_another_label(others, copied)}"
            )
    contradicting = sum(
        len(group[_TRAINING])
        for group in found.groups
        if len(set(train.true_labels[group[_TRAINING]].tolist())) > 1
    )
    if contradicting:
        notes.append(
            f"{_share(contradicting, found.looked_at[_TRAINING], _TRAINING)} are copies of each "
            "other with different labels."
        )
    if found.is_sample:
        notes.append(
            f"For copies, {sum(found.looked_at.values()):,} of {sum(map(len, parts.values())):,} "
            "images were looked at, drawn by the sizes of their files: there may be more among the "
            "others."
        )
    return notes


class _Copies(NamedTuple):
    looked_at: Mapping[str, int]
    """How many images were looked at, of each part."""
    groups: list[Mapping[str, list[int]]]
    """Images with the same content, two or more: their indices in each part."""
    is_sample: bool
    """Whether there are images that were not looked at."""


def _find_copies(parts: Mapping[str, Comparable]) -> _Copies:
    contents = {name: split.contents() for name, split in parts.items()}
    names = list(parts)
    part = np.repeat(np.arange(len(names)), [len(split) for split in parts.values()])
    index = np.concatenate([np.arange(len(split)) for split in parts.values()])
    keys = np.concatenate([each.keys for each in contents.values()])
    sizes = np.concatenate([each.bytes_to_read for each in contents.values()])
    looked_at, read = _choose(keys, sizes, part == names.index(_TRAINING))

    def digest(row: int) -> bytes | None:
        return contents[names[part[row]]].digest(int(index[row]))

    by_content: dict[bytes, dict[str, list[int]]] = defaultdict(lambda: {n: [] for n in names})
    with ThreadPoolExecutor(_THREADS) as pool:
        rows = np.flatnonzero(read).tolist()
        for row, content in zip(rows, pool.map(digest, rows), strict=True):
            if content is not None:
                by_content[content][names[part[row]]].append(int(index[row]))
    return _Copies(
        {name: int(looked_at[part == number].sum()) for number, name in enumerate(names)},
        [group for group in by_content.values() if sum(map(len, group.values())) > 1],
        is_sample=not looked_at[sizes >= 0].all(),
    )


def _choose(keys: _Array, sizes: _Array, is_training: _Array) -> tuple[_Array, _Array]:
    """Which images to look at, and which of them to read: those of which others have the key.

    Images with the same key are looked at together or not at all.
    """
    _, group, counts = np.unique(keys, return_inverse=True, return_counts=True)
    in_training = np.bincount(group, weights=is_training)
    may_be_copy = (counts[group] > 1) & (in_training[group] > 0) & (sizes >= 0)
    cost = np.where(sizes > 0, np.maximum(1 / _MOST_FILES, sizes / _MOST_BYTES), 0) * may_be_copy
    of_group = np.bincount(group, weights=cost)
    # Files of one size that alone are too many, as uncompressed images are, leave the others room.
    order = np.random.default_rng(0).permutation(np.flatnonzero(of_group <= 1))
    is_chosen = np.zeros(len(counts), dtype=bool)
    is_chosen[order[np.cumsum(of_group[order]) <= 1]] = True
    looked_at = is_chosen[group] & (sizes >= 0)
    return looked_at, looked_at & may_be_copy


def _under_another_label(others: int, copied: int) -> str:
    """A sentence on measured images whose copies in the training set have another label."""
    if not others:
        return ""
    who = "It has" if copied == 1 else f"{others:,} of them {'has' if others == 1 else 'have'}"
    return f" {who} another label there, so that one of the two is wrong."


def _share(count: int, of: int, what: str) -> str:
    images = f"{what} image" if of == 1 else f"{what} images"
    percent = 100 * count / of
    return f"{count:,} of {of:,} {images} ({percent:.{1 if percent >= 0.1 else 3}f} %)"
