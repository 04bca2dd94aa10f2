"""How well samples of unknown classes are told apart."""

from typing import TYPE_CHECKING, NamedTuple

from maxsup.report.inspection._shared import (
    InspectionSection,
    details_of,
    in_parts,
    labels_of,
    measures_of,
)

if TYPE_CHECKING:
    from maxsup.inspection.schema import Inspection
    from maxsup.results.schema import MeasureFacts


class _Data(NamedTuple):
    """One of the other data sets."""

    name: str
    samples: int
    measures: "list[list[MeasureFacts]]"


def _content(inspection: "Inspection") -> dict[str, object] | None:
    found = next(
        (each for name in labels_of(inspection) for each in details_of(inspection, name, "ood")),
        None,
    )
    if not found:
        return None
    return {
        "inspection": inspection,
        "data": [
            _Data(
                each["data"],
                each["samples"],
                [
                    part
                    for what in ("auroc", "fpr95")
                    for part in in_parts(
                        measures_of(
                            inspection,
                            *(
                                f"test_ood_{each['key']}_{score}_{what}"
                                for score in each["histograms"]
                            ),
                        )
                    )
                ],
            )
            for each in found
        ],
    }


OOD = InspectionSection(
    anchor="ood",
    heading="Unknown classes",
    title="Telling unknown classes from known ones",
    content=_content,
)
