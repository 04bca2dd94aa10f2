"""All settings of the study, the time it took, and the versions it ran with."""

from maxsup.report.sections._shared import StudySection
from maxsup.results import Results


def _content(results: Results) -> dict[str, object]:
    return {"results": results, "seconds": {"percent": False, "digits": 2}}


SETTINGS = StudySection(anchor="settings", heading="Settings", title="Settings", content=_content)
