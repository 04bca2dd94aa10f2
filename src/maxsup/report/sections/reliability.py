"""A reliability diagram for each method, pooled over its seeds."""

import math
from typing import Literal

from maxsup import figures
from maxsup.report.sections._shared import (
    StudySection,
    finished_runs,
    gallery,
    labels_of,
    picture,
)
from maxsup.results import Results
from maxsup.results.schema import Reliability


def _content(results: Results) -> dict[str, object] | None:
    pictures = []
    for number, (name, label) in enumerate(labels_of(results).items()):
        found = [
            run["reliability"]
            for run in finished_runs(results, name)
            if run["reliability"] is not None
        ]
        if not found:
            continue
        pooled = _pooled(found)
        pictures.append(
            picture(
                figures.reliability_figure(
                    f"reliability-{number}",
                    label,
                    number,
                    pooled["count"],
                    pooled["confidence"],
                    pooled["accuracy"],
                )
            )
        )
    return gallery(pictures)


def _pooled(found: list[Reliability]) -> Reliability:
    """The bins of all runs together: counts add up, means weigh by them."""
    count = [sum(counts) for counts in zip(*(each["count"] for each in found), strict=True)]

    def mean(index: int, key: Literal["confidence", "accuracy"]) -> float:
        weighted: list[float] = [each["count"][index] * each[key][index] for each in found]
        return float(math.fsum(weighted) / max(count[index], 1))

    bins = range(len(count))
    return Reliability(
        count=count,
        confidence=[mean(index, "confidence") for index in bins],
        accuracy=[mean(index, "accuracy") for index in bins],
    )


RELIABILITY = StudySection(
    anchor="reliability", heading="Reliability", title="Reliability", content=_content
)
