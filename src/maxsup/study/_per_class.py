"""What the kept outputs say of each class and each image, over the seeds of every method.

Which classes a method gets right, what it takes them for, and which images one method gets right
and another wrong in all seeds; some of these images are kept small, so that a page needs no data.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from maxsup.data import LabelledSplit, small_pictures
from maxsup.results import schema
from maxsup.study._kept_outputs import KeptOutputs, Predictions

_MATRIX_CLASSES = 20
"""Classes up to which all confusions are kept."""
_CONFUSIONS = 10
"""Confusions of each method that are kept where there are more classes."""
_EACH_WAY = 6
"""Images that are shown of those that one method gets right and another wrong."""
_MOST_IMAGES = 150
_MOST_BYTES = 300_000
"""Of all pictures together, as they are written in results."""


def kept_predictions(
    outputs: KeptOutputs, runs: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], Predictions]:
    """The predictions of the runs whose outputs were kept and can be read."""
    found = {}
    for run in runs:
        # Removed to save room, damaged, or never kept: all else of the run is still there.
        with contextlib.suppress(OSError, ValueError):
            found[run] = outputs.of(*run).predictions
    return found


def per_class(
    predictions: Mapping[tuple[str, int], Predictions],
    num_classes: int,
    test: LabelledSplit | None,
    pairs: Sequence[tuple[str, str]],
) -> schema.PerClass | None:
    """Count, for each method and seed, what is right of each class and confused with what.

    Args:
        predictions: By method and seed. Runs of other images than the first one's are left out.
        num_classes: K.
        test: The images, where they can be picked out; without them no pictures are kept.
        pairs: The contrasts whose images are kept first, by method and what it is compared with.

    Returns:
        The counts and pictures; none where there are no predictions.
    """
    if not predictions:
        return None
    first = next(iter(predictions.values()))
    ids, true = first.ids, first.true
    of_method: dict[str, dict[int, NDArray[np.int64]]] = {}
    for (method, seed), each in predictions.items():
        if np.array_equal(each.ids, ids) and np.array_equal(each.true, true):
            of_method.setdefault(method, {})[seed] = each.predicted
    right = {
        method: np.stack([predicted == true for predicted in seeds.values()])
        for method, seeds in of_method.items()
    }
    always_right = {method: np.asarray(each.all(axis=0)) for method, each in right.items()}
    always_wrong = {method: np.asarray(~each.any(axis=0)) for method, each in right.items()}
    return schema.PerClass(
        images=np.bincount(true, minlength=num_classes).tolist(),
        seeds={method: list(seeds) for method, seeds in of_method.items()},
        right={
            method: [np.bincount(true[of_seed], minlength=num_classes).tolist() for of_seed in each]
            for method, each in right.items()
        },
        confused={
            method: _confusions(true, list(seeds.values()), num_classes)
            for method, seeds in of_method.items()
        },
        differing={
            method: {
                against: int((always_right[method] & always_wrong[against]).sum())
                for against in of_method
                if against != method
            }
            for method in of_method
        },
        shown=list(_shown_images(ids, true, of_method, always_right, always_wrong, test, pairs)),
    )


def _confusions(
    true: NDArray[np.int64], predicted: list[NDArray[np.int64]], num_classes: int
) -> list[list[int]]:
    """True class, predicted class and how often over all seeds, the most frequent first."""
    pairs = np.concatenate([true * num_classes + each for each in predicted])
    wrong = pairs[pairs // num_classes != pairs % num_classes]
    codes, counts = np.unique(wrong, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    most = len(order) if num_classes <= _MATRIX_CLASSES else _CONFUSIONS
    return [
        [*(int(each) for each in divmod(codes[index], num_classes)), int(counts[index])]
        for index in order[:most]
    ]


def _shown_images(
    ids: NDArray[np.int64],
    true: NDArray[np.int64],
    of_method: Mapping[str, Mapping[int, NDArray[np.int64]]],
    always_right: Mapping[str, NDArray[np.bool_]],
    always_wrong: Mapping[str, NDArray[np.bool_]],
    test: LabelledSplit | None,
    pairs: Sequence[tuple[str, str]],
) -> Iterator[schema.ShownImage]:
    """The images of as many pairs as fit, those of the contrasts first."""
    if test is None:
        return
    chosen = _chosen(always_right, always_wrong, pairs)
    left = _MOST_BYTES
    index_of = {int(ids[index]): index for index in chosen}
    for sample, picture in small_pictures(test, list(index_of)):
        index = index_of[sample]
        left -= len(picture)
        if left < 0:
            return
        yield schema.ShownImage(
            id=sample,
            true=int(true[index]),
            picture=picture,
            right=[method for method in of_method if always_right[method][index]],
            wrong={
                method: _most_frequent([int(seed[index]) for seed in seeds.values()])
                for method, seeds in of_method.items()
                if always_wrong[method][index]
            },
        )


def _chosen(
    always_right: Mapping[str, NDArray[np.bool_]],
    always_wrong: Mapping[str, NDArray[np.bool_]],
    pairs: Sequence[tuple[str, str]],
) -> list[int]:
    """The indices of the images to keep, in the order of their weight, each once."""
    asked = [(a, b) for a, b in pairs if a in always_right and b in always_right]
    others = [(a, b) for a in always_right for b in always_right if a != b]
    chosen: dict[int, None] = {}
    for method, against in dict.fromkeys([*asked, *((b, a) for a, b in asked), *others]):
        candidates = np.flatnonzero(always_right[method] & always_wrong[against]).tolist()
        missing = _EACH_WAY - sum(index in chosen for index in candidates)
        new = [index for index in candidates if index not in chosen]
        # From all over the test set, which often lies class by class.
        step = max(1.0, len(new) / max(missing, 1))
        chosen.update((new[int(number * step)], None) for number in range(min(missing, len(new))))
    return list(chosen)[:_MOST_IMAGES]


def _most_frequent(predicted: list[int]) -> int:
    return max(sorted({*predicted}), key=predicted.count)
