"""Features of three classes on a plane (MaxSup paper, Figures 1, 4 and 5)."""

from typing import TYPE_CHECKING, Any, NamedTuple

from maxsup import figures
from maxsup.report.inspection._shared import (
    InspectionSection,
    Picture,
    labels_of,
    models_of,
    picture,
)

if TYPE_CHECKING:
    from maxsup.inspection.schema import Inspection

_PLANES = {
    "templates": "Plane through the three class templates",
    "centroids": "Plane through the classes’ mean features",
}
_PARTS = {"test": "test samples", "train": "training samples"}
_MARGIN = 0.06
"""Of an axis, free beyond the outermost points."""


class _Figure(NamedTuple):
    """Pictures that share their scale."""

    plane: str
    part: str
    pictures: list[Picture]


def _content(inspection: "Inspection") -> dict[str, object] | None:
    labels = labels_of(inspection)
    # One model of a group: points of several planes do not add up.
    shown = {
        name: next(
            (model for model in models_of(inspection, name) if "projection" in model["details"]),
            None,
        )
        for name in labels
    }
    found = {
        name: model["details"]["projection"] for name, model in shown.items() if model is not None
    }
    if not found:
        return None
    figures_of = [
        _Figure(title, words, pictures)
        for plane, title in _PLANES.items()
        for part, words in _PARTS.items()
        if (pictures := _pictures(plane, part, labels, found))
    ]
    return {
        "classes": next(iter(found.values()))["classes"],
        "seeds": {labels[name]: model["seed"] for name, model in shown.items() if model},
        "figures": figures_of,
    }


def _pictures(
    plane: str, part: str, labels: dict[str, str], found: dict[str, Any]
) -> list[Picture]:
    drawn = {
        name: of["planes"][part][plane]
        for name, of in found.items()
        if plane in of["planes"].get(part, {})
    }
    if not drawn:
        return []
    limits = _limits(list(drawn.values()))
    return [
        picture(
            figures.projection_figure(
                f"projection-{plane}-{part}-{number}",
                label,
                drawn[name]["points"],
                drawn[name]["templates"],
                found[name]["classes"],
                limits=limits,
            )
        )
        for number, (name, label) in enumerate(labels.items())
        if name in drawn
    ]


def _limits(drawn: list[dict[str, Any]]) -> tuple[float, float, float, float]:
    """Ends of both axes within which all points of all pictures lie, a square."""
    points = [
        point for each in drawn for group in (*each["points"], each["templates"]) for point in group
    ]
    middle, half = [], 0.0
    for axis in (0, 1):
        low, high = (end(point[axis] for point in points) for end in (min, max))
        middle.append((low + high) / 2)
        half = max(half, (1 + _MARGIN) * (high - low) / 2)
    return middle[0] - half, middle[0] + half, middle[1] - half, middle[1] + half


PROJECTION = InspectionSection(
    anchor="projection",
    heading="Projection",
    title="Features of three classes",
    content=_content,
)
