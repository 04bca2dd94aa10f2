"""What each method makes of each class of pixels, and images where methods differ."""

from typing import NamedTuple

from markupsafe import Markup, escape

from maxsup.report.sections._shared import StudySection, labels_of, of_class
from maxsup.results import Results
from maxsup.results.schema import SegmentationEvidence
from maxsup.statistics import Difference, bounds_of_difference, within_bounds

_IOU = of_class("class_iou", "IoU of a class")


class _Cell(NamedTuple):
    """A class with a method."""

    label: str
    mean: float | None
    difference: Difference | None


class _Row(NamedTuple):
    """A class."""

    name: str
    swatch: Markup
    part: float
    """Its fraction of the test pixels that have a class."""
    cells: list[_Cell]


class _View(NamedTuple):
    """A picture with what it shows."""

    source: str
    caption: str
    words: str
    """For those who do not see it."""


def _content(results: Results) -> dict[str, object] | None:
    found = results.get("segmentation")
    if not found:
        return None
    labels = {name: label for name, label in labels_of(results).items() if name in found["seeds"]}
    classes = results["data"]["classes"]
    total = max(sum(found["pixels"]), 1)
    return {
        "iou": _IOU,
        "labels": labels,
        "baseline": labels_of(results)[results["baseline"]],
        "most": classes[found["most_frequent"]],
        "even": found["mean_iou_of_most_frequent"],
        "several": max(map(len, found["seeds"].values())) > 1,
        "rows": [
            _Row(
                name,
                _swatch(found["palette"][index]),
                found["pixels"][index] / total,
                [_cell(found, index, method, label) for method, label in labels.items()],
            )
            for index, name in enumerate(classes)
        ],
        "absent": [
            name
            for index, name in enumerate(classes)
            if all(row[index] is None for rows in found["iou"].values() for row in rows)
        ],
        "seed": found["shown_seed"],
        "images": [
            [
                _View(each["image"], "Image", f"Test image {each['id']}"),
                _View(each["truth"], "Truth", f"The true classes of image {each['id']}"),
                *(
                    _View(mask, labels[name], f"What {labels[name]} predicts of image {each['id']}")
                    for name, mask in each["predicted"].items()
                    if name in labels
                ),
                *(
                    [_View(each["differing"], "Where they differ", "Where the methods differ")]
                    if len(each["predicted"]) > 1
                    else []
                ),
            ]
            for each in found["shown"]
        ],
        "key": [
            (_swatch(found["palette"][index]), name)
            for index, name in enumerate(classes)
            if found["pixels"][index]
        ],
    }


def _cell(found: SegmentationEvidence, index: int, method: str, label: str) -> _Cell:
    summary = found["by_class"][index].get(method)
    if summary is None:
        return _Cell(label, None, None)
    difference = summary["difference"]
    within = difference and within_bounds(difference, bounds_of_difference(_IOU["bounds"]))
    return _Cell(label, summary["mean"], within)


def _swatch(color: list[int]) -> Markup:
    red, green, blue = (int(escape(part)) for part in color)
    return Markup(
        '<svg class="swatch" viewBox="0 0 12 12" aria-hidden="true">'
        f'<rect width="12" height="12" fill="rgb({red} {green} {blue})"/></svg>'
    )


SEGMENTATION = StudySection(
    anchor="segmentation", heading="Classes of pixels", title="Class by class", content=_content
)
