"""What a study's segmentation models make of each class, and pictures of where they differ."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maxsup._method_names import directory_name
from maxsup.data import picture_url
from maxsup.data.masks import VOID, MaskData, MaskSplit
from maxsup.evaluation import iou_by_class, segmentation_contributions, smaller_mask
from maxsup.results import Analysed, mean_iou_of_one_class, schema
from maxsup.statistics import summarise
from maxsup.study._images import ImageValues, image_evidence
from maxsup.training import BY_IMAGE, MATRIX, SHOWN, RunResult

_Pixels = NDArray[np.uint8]
Finished = Mapping[tuple[str, int], RunResult]

_IMAGES = 4
"""How many are shown."""
_MOST_BYTES = 1_200_000
"""Of all pictures together, as they are written in results."""

BOTH, NEITHER, SOME = 0, 1, 2
"""What a pixel of a picture of differences means: all methods are right, none is, or some are."""
DIFFERENCE_COLORS = ((226, 226, 226), (120, 120, 120), (213, 94, 0))
"""For these three; void is black."""


def segmentation_evidence(
    methods: Sequence[str], baseline: str, data: MaskData, finished: Finished
) -> schema.SegmentationEvidence | None:
    """The IoU of each class, and some images with what each method predicts.

    Args:
        methods: The study's, in its order.
        baseline: What the others are compared with.
        data: Of the seed whose predictions are shown, the first one.
        finished: The finished runs.

    Returns:
        None where no run has finished.
    """
    with_matrix = {key: run for key, run in finished.items() if MATRIX in run.records}
    if not with_matrix:
        return None
    iou: dict[str, dict[int, list[float | None]]] = {}
    for (method, seed), run in with_matrix.items():
        iou.setdefault(method, {})[seed] = iou_by_class(run.records[MATRIX])
    pixels = data.test.class_pixels.tolist()
    most, even = mean_iou_of_one_class(pixels)
    seed = min(
        {seed for _, seed in with_matrix},
        key=lambda each: -sum(of_seed == each for _, of_seed in with_matrix),
    )
    return schema.SegmentationEvidence(
        palette=[list(color) for color in data.palette],
        pixels=pixels,
        iou={name: [*iou[name].values()] for name in methods if name in iou},
        seeds={name: list(iou[name]) for name in methods if name in iou},
        by_class=[
            # A method that failed with every seed, the baseline perhaps, has none.
            summarise(
                {
                    name: {seed: row[index] for seed, row in iou.get(name, {}).items()}
                    for name in methods
                },
                baseline,
            )
            for index in range(len(data.classes))
        ],
        most_frequent=most,
        mean_iou_of_most_frequent=even,
        shown_seed=seed,
        shown=_shown(
            {name: with_matrix[name, seed] for name in methods if (name, seed) in with_matrix},
            data,
        ),
    )


def image_values(
    measure: str, ids: NDArray[np.int64] | None, finished: Finished
) -> dict[tuple[str, int], ImageValues] | None:
    """What each test image contributes to a measure, by run; none where that cannot be told.

    Args:
        measure: As results name it.
        ids: Of the test images; none where only their order is known.
        finished: The finished runs.
    """
    found = {}
    for key, run in finished.items():
        if BY_IMAGE not in run.records:
            continue
        values = segmentation_contributions(measure, run.records[BY_IMAGE])
        if values is None:
            return None
        found[key] = ImageValues(np.arange(len(values)) if ids is None else ids, values.numpy())
    return found


def kept_image_evidence(
    results: schema.Results, runs: Sequence[schema.Run], analysed: Analysed, directory: Path
) -> schema.ImageEvidence:
    """What test images add to another question, from the counts in a study's directory.

    Args:
        results: Of a study of segmentation.
        runs: Its runs.
        analysed: What was concluded of them now.
        directory: The study's directory.
    """
    same_images = "the test set" not in results["data"]["redrawn"]
    finished = {}
    for run in runs if same_images else ():
        key = run["method"], run["seed"]
        with contextlib.suppress(OSError, ValueError):  # then there are no counts of this run
            found = RunResult.load(directory / directory_name(key[0]) / f"seed-{key[1]}")
            if found is not None:
                finished[key] = found
    values = image_values(analysed.measures[0]["name"], None, finished)
    return image_evidence(runs, analysed, None, values=values, same_images=same_images)


def _shown(runs: Mapping[str, RunResult], data: MaskData) -> list[schema.ShownMasks]:
    """The images where methods differ most among those whose predictions are kept."""
    test = data.test
    rows = {int(number): row for row, number in enumerate(test.ids.tolist())}
    kept = [
        {int(name.removeprefix(SHOWN)) for name in run.records if name.startswith(SHOWN)}
        for run in runs.values()
    ]
    common = sorted(set.intersection(*kept) & rows.keys()) if kept else []
    found = []
    for number in common:
        predicted = {
            method: run.records[f"{SHOWN}{number}"].numpy() for method, run in runs.items()
        }
        both = _image_and_truth(test, rows[number])
        if both is not None:
            differing = differences(both[1], list(predicted.values()))
            found.append((number, *both, predicted, differing))
    found.sort(key=lambda each: (-int((each[4] == SOME).sum()), each[0]))
    shown: list[schema.ShownMasks] = []
    size = 0
    for number, image, truth, predicted, differing in found[:_IMAGES]:
        each = schema.ShownMasks(
            id=number,
            image=picture_url(image, "JPEG", quality=82),
            truth=_in_colors(truth, data.palette),
            predicted={
                method: _in_colors(mask, data.palette) for method, mask in predicted.items()
            },
            differing=_in_colors(differing, DIFFERENCE_COLORS),
        )
        size += sum(
            map(len, [each["image"], each["truth"], each["differing"], *each["predicted"].values()])
        )
        if shown and size > _MOST_BYTES:
            break
        shown.append(each)
    return shown


def differences(truth: _Pixels, predicted: Sequence[_Pixels]) -> _Pixels:
    """Where all of some predictions are right, none is, or some are; void stays void.

    >>> truth = np.array([[0, 1, 1, 255]], dtype=np.uint8)
    >>> others = [np.array([[0, 0, 1, 0]]), np.array([[0, 0, 0, 0]])]
    >>> differences(truth, others).tolist()
    [[0, 1, 2, 255]]
    """
    right = np.stack([mask == truth for mask in predicted])
    found = np.full(truth.shape, SOME, dtype=np.uint8)
    found[right.all(axis=0)] = BOTH
    found[~right.any(axis=0)] = NEITHER
    found[truth == VOID] = VOID
    return found


def _image_and_truth(test: MaskSplit, row: int) -> tuple[Image.Image, _Pixels] | None:
    """Both at the size that predictions are kept in; none of an image that cannot be read now."""
    try:
        pixels, mask = test.item(row)
    except ValueError:
        return None
    truth: _Pixels = smaller_mask(mask).numpy()
    height, width = truth.shape
    image = Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())
    return image.resize((width, height), Image.Resampling.LANCZOS), truth


def _in_colors(mask: _Pixels, palette: Sequence[Sequence[int]]) -> str:
    colors = np.zeros((VOID + 1, 3), dtype=np.uint8)
    colors[: len(palette)] = palette
    picture = Image.fromarray(mask)
    picture.putpalette(colors.tobytes())
    return picture_url(picture, "PNG", optimize=True)
