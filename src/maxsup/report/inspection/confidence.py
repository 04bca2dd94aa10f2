"""How sure the models are where they are wrong (MaxSup paper, Section 3.1)."""

from typing import TYPE_CHECKING, Any

import numpy as np

from maxsup import figures
from maxsup.report.inspection._shared import (
    InspectionSection,
    details_of,
    in_parts,
    labels_of,
    measures_of,
    picture,
)

if TYPE_CHECKING:
    from maxsup.inspection.schema import Inspection


def _content(inspection: "Inspection") -> dict[str, object] | None:
    labels = labels_of(inspection)
    found = {
        name: [each["test"] for each in details_of(inspection, name, "confidence")]
        for name in labels
    }
    high = max((each["gap"]["high"] for of_group in found.values() for each in of_group), default=0)
    if not high:
        return None
    pooled = {name: _pooled(of_group, high) for name, of_group in found.items() if of_group}
    top = max(max(each["right"] + each["wrong"]) for each in pooled.values())
    gaps = {name: each for name, each in pooled.items() if each["mistakes"]}
    gap_top = 1.05 * max((max(each["gap"]) for each in gaps.values()), default=1.0)
    return {
        "inspection": inspection,
        "measures": in_parts(measures_of(
            inspection,
            "test_confidence_wrong",
            "test_confidence_right",
            "test_logit_gap_wrong",
            "test_error_enhancement",
            "test_regularization",
            "train_logit_gap_wrong",
            "train_error_enhancement",
            "train_regularization",
        )),
        "calibration": in_parts(measures_of(
            inspection,
            "test_ece",
            "test_overconfidence",
            "test_underconfidence",
            "test_temperature",
            "test_ece_scaled",
            "test_nll",
            "test_nll_scaled",
            "test_aurc",
            "test_auroc_right",
        )),
        "confidence": [
            picture(
                figures.confidence_figure(
                    f"confidence-{number}", label, number, pooled[name]["right"],
                    pooled[name]["wrong"], top,
                )
            )
            for number, (name, label) in enumerate(labels.items())
            if name in pooled
        ],
        "gaps": [
            picture(
                figures.gap_figure(
                    f"gap-{number}", label, number, gaps[name]["edges"], gaps[name]["gap"],
                    gap_top,
                )
            )
            for number, (name, label) in enumerate(labels.items())
            if name in gaps
        ],
    }  # fmt: skip


def _pooled(found: list[dict[str, Any]], high: float) -> dict[str, Any]:
    """The histograms of a group's models together, each answer weighing the same."""
    mistakes = [each["mistakes"] for each in found]
    right = [each["samples"] - each["mistakes"] for each in found]
    edges = np.linspace(0, high, len(found[0]["gap"]["fractions"]) + 1)
    gap = np.zeros(len(edges) - 1)
    for each, weight in zip(found, mistakes, strict=True):
        # A bin's mass lies at its centre: finer than a picture of so many bins can show.
        own = np.linspace(0, each["gap"]["high"], len(edges))
        gap += (
            weight
            * np.histogram((own[:-1] + own[1:]) / 2, bins=edges, weights=each["gap"]["fractions"])[
                0
            ]
        )
    return {
        "right": _mean([each["right"] for each in found], right),
        "wrong": _mean([each["wrong"] for each in found], mistakes),
        "edges": edges.tolist(),
        "gap": (gap / max(sum(mistakes), 1)).tolist(),
        "mistakes": sum(mistakes),
    }


def _mean(fractions: list[list[float]], weights: list[int]) -> list[float]:
    weighted = np.array(fractions) * np.array(weights)[:, None]
    found: list[float] = (weighted.sum(axis=0) / max(sum(weights), 1)).tolist()
    return found


CONFIDENCE = InspectionSection(
    anchor="confidence",
    heading="Over-confidence",
    title="How sure it is where it is wrong",
    content=_content,
)
