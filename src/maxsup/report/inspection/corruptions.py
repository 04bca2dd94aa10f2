"""Errors and calibration under common corruptions."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from maxsup import figures
from maxsup.report.inspection._shared import (
    InspectionSection,
    details_of,
    in_parts,
    labels_of,
    legend_of,
    measures_of,
    picture,
)

if TYPE_CHECKING:
    from maxsup.inspection.schema import Inspection


class _Row(NamedTuple):
    """A kind of corruption in a table."""

    kind: str
    counts: bool
    errors: list[float]
    """In per cent, of each group, mean over severities and seeds."""


def _content(inspection: "Inspection") -> dict[str, object] | None:
    labels = labels_of(inspection)
    found = {name: details_of(inspection, name, "corruptions") for name in labels}
    found = {name: of_group for name, of_group in found.items() if of_group}
    if not found:
        return None
    first = next(iter(found.values()))[0]
    kinds, counted = first["kinds"], first["counted"]
    errors = {name: _errors(of_group, kinds) for name, of_group in found.items()}
    rows = [kinds.index(kind) for kind in counted]
    by_severity = {
        name: [
            100 * float(np.mean([each["clean"]["error"] for each in found[name]])),
            *(100 * of[rows].mean(axis=0)).tolist(),
        ]
        for name, of in errors.items()
    }
    by_kind = {name: (100 * of.mean(axis=1)).tolist() for name, of in errors.items()}
    return {
        "inspection": inspection,
        "samples": first["samples"],
        "counted": len(counted),
        "kinds": len(kinds),
        "legend": legend_of(inspection, "corruptions"),
        "baseline": labels[inspection["baseline"]],
        "relative": _relative(errors, rows, inspection["baseline"], labels),
        "measures": in_parts(
            measures_of(
                inspection,
                "test_corruption_error",
                "test_corruption_ece",
                "test_corruption_ece_scaled",
                "test_corruption_nll",
                "test_corruption_nll_scaled",
            )
        ),
        "pictures": [
            picture(figures.severity_figure("corruption-severity", by_severity, labels)),
            picture(figures.corruption_kinds_figure("corruption-kinds", by_kind, kinds, labels)),
        ],
        "groups": [labels[name] for name in errors],
        "rows": [
            _Row(kind.replace("_", " "), kind in counted, [of[number] for of in by_kind.values()])
            for number, kind in enumerate(kinds)
        ],
    }


def _errors(found: list[dict[str, Any]], kinds: list[str]) -> Any:
    """(kinds, severities), mean over a group's models."""
    return np.mean([[each["found"][kind]["error"] for kind in kinds] for each in found], axis=0)


def _relative(
    errors: dict[str, Any], rows: list[int], baseline: str, labels: dict[str, str]
) -> list[tuple[str, float]]:
    """The mean over kinds of a group's errors by the baseline's, in per cent (Hendrycks's mCE)."""
    if baseline not in errors or not (errors[baseline][rows].sum(axis=1) > 0).all():
        return []
    of_baseline = errors[baseline][rows].sum(axis=1)
    return [
        (labels[name], 100 * float((of[rows].sum(axis=1) / of_baseline).mean()))
        for name, of in errors.items()
    ]


CORRUPTIONS = InspectionSection(
    anchor="corruptions",
    heading="Corruptions",
    title="Errors under corruption",
    content=_content,
)
