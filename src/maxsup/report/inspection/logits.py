"""How the logits are distributed (MaxSup paper, Figure 2)."""

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from maxsup import figures
from maxsup.measures import logit_densities
from maxsup.report.inspection._shared import (
    InspectionSection,
    Picture,
    details_of,
    labels_of,
    measures_of,
    picture,
)

if TYPE_CHECKING:
    from maxsup.inspection.schema import Inspection

_KINDS = {
    "all": "All logits",
    "true": "The true class’s logit",
    "top": "The largest logit",
}
_NUMBERS = ("mean", "std", "range")


class _Kind(NamedTuple):
    title: str
    pictures: list[Picture]


def _content(inspection: "Inspection") -> dict[str, object] | None:
    labels = labels_of(inspection)
    found = {name: details_of(inspection, name, "logits") for name in labels}
    if not any(found.values()):
        return None
    return {
        "inspection": inspection,
        "measures": [
            measures_of(inspection, *(f"test_logit_{kind}_{what}" for what in _NUMBERS))
            for kind in _KINDS
        ],
        "kinds": [_Kind(title, _pictures(kind, labels, found)) for kind, title in _KINDS.items()],
    }


def _pictures(kind: str, labels: dict[str, str], found: dict[str, list[Any]]) -> list[Picture]:
    """A density for each group, all on one grid and one scale."""
    pooled = {
        name: torch.stack([_counts(each[kind]) for each in of_group]).sum(dim=0)
        for name, of_group in found.items()
        if of_group
    }
    edges, densities = logit_densities(list(pooled.values()))
    top = 1.05 * max(max(each) for each in densities)
    of_name = dict(zip(pooled, densities, strict=True))
    return [
        picture(
            figures.logits_figure(
                f"logits-{kind}-{number}", label, number, edges, of_name[name], top
            )
        )
        for number, (name, label) in enumerate(labels.items())
        if name in of_name
    ]


def _counts(of_kind: dict[str, Any]) -> torch.Tensor:
    counts = torch.zeros(of_kind["bins"], dtype=torch.int64)
    first = of_kind["first"]
    counts[first : first + len(of_kind["counts"])] = torch.tensor(of_kind["counts"])
    return counts


LOGITS = InspectionSection(
    anchor="logits", heading="Logits", title="Distribution of the logits", content=_content
)
