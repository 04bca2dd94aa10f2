"""Likelihood and calibration before and after one temperature."""

from typing import NamedTuple

from maxsup.report.sections._shared import StudySection, labels_of
from maxsup.results import Results
from maxsup.results.schema import MeasureFacts

_QUANTITIES = (
    "test_nll",
    "test_brier",
    "test_ece",
    "test_overconfidence",
    "test_underconfidence",
    "test_ece_equal_mass",
    "test_ece_smooth",
    "test_ece_classwise",
)
_TEMPERATURE = "test_temperature"


class _Row(NamedTuple):
    before: MeasureFacts
    after: MeasureFacts


def _content(results: Results) -> dict[str, object] | None:
    facts = {measure["name"]: measure for measure in results["measures"]}
    rows = [
        _Row(facts[name], facts[f"{name}_scaled"])
        for name in _QUANTITIES
        if name in facts and f"{name}_scaled" in facts
    ]
    temperature = facts.get(_TEMPERATURE)
    if not rows or temperature is None:
        return None
    if all(each["mean"] is None for each in results["summary"][_TEMPERATURE].values()):
        return None
    return {
        "results": results,
        "labels": labels_of(results),
        "temperature": temperature,
        "rows": rows,
    }


CALIBRATION = StudySection(
    anchor="calibration",
    heading="Calibration",
    title="Calibration before and after one temperature",
    content=_content,
)
