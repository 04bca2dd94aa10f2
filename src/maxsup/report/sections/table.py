"""The measures of every method, but for the details, and the runs that failed."""

from maxsup.report.sections._shared import StudySection, labels_of
from maxsup.results import Results, numbers


def _content(results: Results) -> dict[str, object]:
    return {
        "results": results,
        "measures": [
            measure
            for number, measure in enumerate(results["measures"])
            if not number or not measure["detail"]
        ],
        "labels": labels_of(results),
        "contrasts": {(each["method"], each["against"]): each for each in results["contrasts"]},
        "conclusions": {
            method["name"]: numbers.conclusion(results, method["name"])
            for method in results["methods"]
        },
        "failed": [run for run in results["runs"] if run["status"] == "failed"],
    }


TABLE = StudySection(anchor="table", heading="Table", title="The measures", content=_content)
