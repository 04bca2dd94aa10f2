"""How far the features have collapsed, and how much of their space they use."""

from typing import TYPE_CHECKING, NamedTuple

from maxsup import figures
from maxsup.report.inspection._shared import (
    InspectionSection,
    details_of,
    in_parts,
    labels_of,
    legend_of,
    measures_of,
    picture,
)

if TYPE_CHECKING:
    from maxsup.inspection.schema import Inspection
    from maxsup.results.schema import MeasureFacts

_PARTS = {"train": "Training samples", "test": "Test samples"}
_COLLAPSE = (
    *("nc1", "cdnv", "vci", "equinorm", "equiangular"),
    *("angle_std", "self_duality", "self_duality_cosine", "nc4"),
)
_RANK = ("rank", "rank_fraction", "condition_number", "curvature")
_LAYER = ("layer_rank", "layer_rank_fraction", "layer_condition")
_SPECTRA = {
    "train": "features of training samples",
    "test": "features of test samples",
    "layer": "the last layer’s weight",
}


class _Part(NamedTuple):
    title: str
    collapse: "list[list[MeasureFacts]]"
    rank: "list[MeasureFacts]"


def _content(inspection: "Inspection") -> dict[str, object] | None:
    labels = labels_of(inspection)
    found = {name: details_of(inspection, name, "collapse") for name in labels}
    spectra = {
        kind: {name: [each[kind] for each in of if kind in each] for name, of in found.items()}
        for kind in _SPECTRA
    }
    lowest = min(figures.lowest_of_spectra(each) for each in spectra.values())
    parts = [
        _Part(
            title,
            in_parts(measures_of(inspection, *(f"{part}_{name}" for name in _COLLAPSE))),
            measures_of(inspection, *(f"{part}_{name}" for name in _RANK)),
        )
        for part, title in _PARTS.items()
    ]
    parts = [part for part in parts if part.collapse]
    if not parts:
        return None
    return {
        "inspection": inspection,
        "parts": parts,
        "layer": measures_of(inspection, *_LAYER),
        "legend": legend_of(inspection, "spectrum"),
        "several": len(inspection["seeds"]) > 1,
        "spectra": [
            picture(
                figures.spectrum_figure(
                    f"spectrum-{kind}", _SPECTRA[kind], of_kind, labels, lowest=lowest
                )
            )
            for kind, of_kind in spectra.items()
            if any(of_kind.values())
        ],
    }


COLLAPSE = InspectionSection(
    anchor="collapse",
    heading="Collapse",
    title="How far the features have collapsed",
    content=_content,
)
