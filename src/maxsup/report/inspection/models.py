"""Which models were looked at, on what, and how to do it again."""

from typing import TYPE_CHECKING

from maxsup.report.inspection._shared import InspectionSection, labels_of

if TYPE_CHECKING:
    from maxsup.inspection.schema import Inspection


def _content(inspection: "Inspection") -> dict[str, object]:
    return {"inspection": inspection, "labels": labels_of(inspection)}


MODELS = InspectionSection(
    anchor="models", heading="Models", title="What was looked at", content=_content
)
