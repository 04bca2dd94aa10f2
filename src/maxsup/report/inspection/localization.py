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
        "baselines": [
            _Baseline(label, [first["baselines"][name].get(each["name"]) for each in measures])
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


LOCALIZATION = InspectionSection(
    anchor="localization",
    heading="Localisation",
    title="Maps against what is in the images",
    content=_content,
)
