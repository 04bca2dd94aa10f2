"""Every measure of every method, and the runs that failed."""

from maxsup.report.sections._shared import StudySection, labels_of
from maxsup.results import Results, numbers


def _content(results: Results) -> dict[str, object]:
    return {
        "results": results,
        "labels": labels_of(results),
        "contrasts": {(each["method"], each["against"]): each for each in results["contrasts"]},
        "conclusions": {
            method["name"]: numbers.conclusion(results, method["name"])
            for method in results["methods"]
        },
        "failed": [run for run in results["runs"] if run["status"] == "failed"],
    }


TABLE = StudySection(anchor="table", heading="Table", title="Every measure", content=_content)
