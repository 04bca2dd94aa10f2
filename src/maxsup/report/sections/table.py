"""A row for each method: what is concluded, the headline measures, all others, and failures."""

from maxsup._method_names import directory_name
from maxsup.report.sections._shared import StudySection, labels_of
from maxsup.results import Results, numbers
from maxsup.results.schema import MeasureFacts, Run

_TOGETHER = 7
"""Measures that stand side by side at most."""


def _content(results: Results) -> dict[str, object]:
    others = [measure for measure in results["measures"][1:] if not measure["detail"]]
    return {
        "results": results,
        "headline": [measure for measure in results["measures"][1:] if measure["headline"]],
        "parts": _parts(others),
        # Only other pairs may have been asked for.
        "judged": any(each["against"] == results["baseline"] for each in results["contrasts"]),
        "beside": numbers.beside_baseline(results),
        "labels": labels_of(results),
        "contrasts": {(each["method"], each["against"]): each for each in results["contrasts"]},
        "conclusions": {
            method["name"]: numbers.conclusion(results, method["name"])
            for method in results["methods"]
        },
        "failed": [
            (run, _said_in(results, run)) for run in results["runs"] if run["status"] == "failed"
        ],
    }


def _said_in(results: Results, run: Run) -> str | None:
    """The file in the study's directory that tells more of a failed run, if there is one."""
    predictions = results.get("predictions")
    if predictions is not None and predictions["made_by"] is None:
        return None
    file = "failure.txt" if predictions is None else "log.txt"
    return f"{directory_name(run['method'])}/seed-{run['seed']}/{file}"


def _parts(measures: list[MeasureFacts]) -> list[list[MeasureFacts]]:
    """The measures in as few tables as hold them, of about the same width."""
    tables = max(1, -(-len(measures) // _TOGETHER))
    each = max(1, -(-len(measures) // tables))
    return [measures[start : start + each] for start in range(0, len(measures), each)]


TABLE = StudySection(anchor="table", heading="Table", title="The measures", content=_content)
