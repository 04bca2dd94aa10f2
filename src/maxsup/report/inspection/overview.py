"""All numbers of an inspection."""

from typing import TYPE_CHECKING

from maxsup.report.inspection._shared import InspectionSection, in_parts

if TYPE_CHECKING:
    from maxsup.inspection.schema import Inspection


def _content(inspection: "Inspection") -> dict[str, object]:
    first = [each for each in inspection["measures"] if each["headline"]]
    rest = [each for each in inspection["measures"] if not each["headline"]]
    return {
        "inspection": inspection,
        "headline": in_parts(first),
        "parts": in_parts(rest),
    }


OVERVIEW = InspectionSection(
    anchor="overview", heading="Numbers", title="The numbers", content=_content
)
