"""What other test images would leave of the differences, and what one seed allows to say."""

from typing import NamedTuple

from maxsup.report.sections._shared import StudySection, labels_of
from maxsup.results import Results
from maxsup.results.schema import ImageContrast
from maxsup.statistics import Contrast


class _Row(NamedTuple):
    method: str
    against: str
    contrast: Contrast
    images: ImageContrast


def _content(results: Results) -> dict[str, object] | None:
    evidence = results.get("images")
    if evidence is None or evidence["measure"] != results["measures"][0]["name"]:
        return None
    if not evidence["contrasts"] and not evidence["reasons"]:
        return None
    labels = labels_of(results)
    contrasts = {(each["method"], each["against"]): each for each in results["contrasts"]}
    rows = [
        _Row(labels[each["method"]], labels[each["against"]], contrasts[pair], each)
        for each in evidence["contrasts"]
        if (pair := (each["method"], each["against"])) in contrasts
    ]
    return {
        "primary": results["measures"][0],
        "is_ratio": bool(results.get("segmentation")),
        "crossed": [row for row in rows if row.images["low"] is not None],
        "tested": [row for row in rows if row.images["p_mcnemar"] is not None],
        "several": len(results["contrasts"]) > 1,
        "reasons": evidence["reasons"],
    }


IMAGES = StudySection(
    anchor="images", heading="Test images", title="Other test images", content=_content
)
