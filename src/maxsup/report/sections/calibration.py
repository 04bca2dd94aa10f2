"""Likelihood and calibration before and after one temperature."""

from maxsup.report.sections._shared import StudySection, labels_of
from maxsup.results import Results

_MAIN = ("test_nll", "test_brier", "test_ece")
_OTHERS = (
    "test_overconfidence",
    "test_underconfidence",
    "test_ece_equal_mass",
    "test_ece_smooth",
    "test_ece_classwise",
)
_TEMPERATURE = "test_temperature"


def _content(results: Results) -> dict[str, object] | None:
    facts = {measure["name"]: measure for measure in results["measures"]}
    after = {
        name: facts[f"{name}_scaled"]
        for name in (*_MAIN, *_OTHERS)
        if name in facts and f"{name}_scaled" in facts
    }
    temperature = facts.get(_TEMPERATURE)
    if not after or temperature is None:
        return None
    if all(each["mean"] is None for each in results["summary"][_TEMPERATURE].values()):
        return None
    return {
        "results": results,
        "labels": labels_of(results),
        "main": [temperature, *(facts[name] for name in _MAIN if name in after)],
        "others": [facts[name] for name in _OTHERS if name in after],
        "after": after,
    }


CALIBRATION = StudySection(
    anchor="calibration",
    heading="Calibration",
    title="Calibration before and after one temperature",
    content=_content,
)
