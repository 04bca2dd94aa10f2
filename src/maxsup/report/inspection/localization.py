"""Maps against boxes or masks of the objects (MaxSup paper, Section 5.4)."""

from typing import TYPE_CHECKING, Any, NamedTuple

from maxsup import figures
from maxsup.report.inspection._shared import (
    InspectionSection,
    details_of,
    labels_of,
    legend_of,
    measures_of,
    picture,
)

if TYPE_CHECKING:
    from maxsup.inspection.schema import Inspection

_ANALYSIS = "localization"
_NAMES = (
    "test_max_box_acc",
    "test_max_box_acc_v2",
    "test_pxap",
    "test_pixel_energy",
    "test_box_threshold",
)
_BASELINES = {
    "random": "A random map",
    "centre": "A box at the centre, of the best size",
    "whole": "The whole image",
}
_CURVES = {
    "precision": "Precision of the pixels",
    "recall": "Recall of the pixels",
    "area": "Area, of all pixels",
    "found": "Images with the box found",
}


class _Baseline(NamedTuple):
    """Numbers of a map that has not seen the image."""

    label: str
    values: list[float | None]


def _content(inspection: "Inspection") -> dict[str, object] | None:
    labels = labels_of(inspection)
    found = {
        name: of_group for name in labels if (of_group := details_of(inspection, name, _ANALYSIS))
    }
    if not found:
        return None
    first: dict[str, Any] = next(iter(found.values()))[0]
    measures = measures_of(inspection, *_NAMES)
    curves = {
        kind: {
            name: [each["curves"][kind] for each in of_group] for name, of_group in found.items()
        }
        for kind in _CURVES
        if kind in first["curves"]
    }
    return {
        "inspection": inspection,
        "facts": first,
        "measures": measures,
        "elsewhere": [
            (labels[name], of_group[0]["images"])
            for name, of_group in found.items()
            if _blind(of_group[0]) != _blind(first)
        ],
        "baselines": [
            _Baseline(
                label + behind, [facts["baselines"][name].get(each["name"]) for each in measures]
            )
            for behind, facts in _by_images(found, labels)
            for name, label in _BASELINES.items()
        ],
        "legend": legend_of(inspection, "localization"),
        "pictures": [
            picture(
                figures.precision_recall_figure(
                    "localization-precision-recall",
                    curves["precision"],
                    curves["recall"],
                    labels,
                    first["baselines"]["whole"]["test_pxap"],
                )
            ),
            *(
                picture(
                    figures.threshold_figure(
                        f"localization-{kind}", title, first["threshold"], curves[kind], labels
                    )
                )
                for kind, title in _CURVES.items()
                if kind in curves
            ),
        ],
    }


def _by_images(
    found: dict[str, list[Any]], labels: dict[str, str]
) -> list[tuple[str, dict[str, Any]]]:
    """What was found on each set of images, and which group's they are where there are several."""
    distinct: list[tuple[str, dict[str, Any]]] = []
    for name, of_group in found.items():
        if all(_blind(of_group[0]) != _blind(facts) for _, facts in distinct):
            distinct.append((f", {labels[name]}’s images", of_group[0]))
    return distinct if len(distinct) > 1 else [("", distinct[0][1])]


def _blind(facts: dict[str, Any]) -> tuple[object, ...]:
    """Numbers that depend on the images alone, and on no model."""
    return facts["images"], facts["baselines"]["whole"], facts["baselines"]["centre"]


LOCALIZATION = InspectionSection(
    anchor="localization",
    heading="Localisation",
    title="Maps against what is in the images",
    content=_content,
)
