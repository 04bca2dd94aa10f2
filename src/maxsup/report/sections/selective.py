"""What is gained if the least confident images are set aside."""

from maxsup import figures
from maxsup.report.sections._shared import (
    StudySection,
    finished_runs,
    labels_of,
    legend_of,
    picture,
)
from maxsup.results import Results

_MEASURES = (
    "test_aurc",
    "test_augrc",
    "test_auroc_right",
    "test_coverage_at_1",
    "test_coverage_at_5",
)


def _content(results: Results) -> dict[str, object] | None:
    labels = labels_of(results)
    curves = {
        name: [
            [100 * risk for risk in run["risk_coverage"]]
            for run in finished_runs(results, name)
            if run["risk_coverage"] is not None
        ]
        for name in labels
    }
    drawn = {name: runs for name, runs in curves.items() if runs}
    if not drawn:
        return None
    return {
        "results": results,
        "labels": labels,
        "measures": [each for each in results["measures"] if each["name"] in _MEASURES],
        "legend": legend_of(results, "selective"),
        "pictures": [picture(figures.risk_coverage_figure("risk-coverage", drawn, labels))],
    }


SELECTIVE = StudySection(
    anchor="selective",
    heading="Selection",
    title="Answering only where the model is sure",
    content=_content,
)
