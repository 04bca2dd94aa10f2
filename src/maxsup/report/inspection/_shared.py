"""What several sections of an inspection's page are made of."""

from functools import partial
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from maxsup import figures
from maxsup.report._section import Section
from maxsup.report.sections._shared import Picture, picture

if TYPE_CHECKING:
    from maxsup.inspection.schema import Inspection, ModelFacts
    from maxsup.results.schema import MeasureFacts

InspectionSection = partial(Section["Inspection"], folder="inspection")
"""A section of an inspection's page; its template lies in ``templates/inspection/``."""

_COLUMNS = 5
"""Measures that a table has columns for."""

__all__ = [
    "InspectionSection",
    "Picture",
    "details_of",
    "in_parts",
    "labels_of",
    "legend_of",
    "measures_of",
    "models_of",
    "picture",
]


def labels_of(inspection: "Inspection") -> dict[str, str]:
    """The groups' labels by name, in their order."""
    return {group["name"]: group["label"] for group in inspection["methods"]}


def models_of(inspection: "Inspection", group: str) -> "list[ModelFacts]":
    """The models of a group, seed by seed."""
    return [model for model in inspection["models"] if model["method"] == group]


def details_of(inspection: "Inspection", group: str, analysis: str) -> list[Any]:
    """What an analysis found of each of a group's models, where it found something."""
    return [
        model["details"][analysis]
        for model in models_of(inspection, group)
        if analysis in model["details"]
    ]


def measures_of(inspection: "Inspection", *names: str) -> "list[MeasureFacts]":
    """The measures of these names that were taken, in this order."""
    by_name = {each["name"]: each for each in inspection["measures"]}
    return [by_name[name] for name in names if name in by_name]


def in_parts(measures: "list[MeasureFacts]") -> "list[list[MeasureFacts]]":
    """The measures in as many tables as they need not to be cut off, of about the same width."""
    tables = max(1, -(-len(measures) // _COLUMNS))
    columns = max(1, -(-len(measures) // tables))
    return [measures[start : start + columns] for start in range(0, len(measures), columns)]


def legend_of(inspection: "Inspection", name: str) -> list[tuple[Markup, str]]:
    """Each group's line and marker, with its label; no other legend has that name."""
    return [
        (picture(figures.swatch(number, name)).svg, label)
        for number, label in enumerate(labels_of(inspection).values())
    ]
