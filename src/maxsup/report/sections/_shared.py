"""What several sections of a study's page are made of."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from maxsup import figures
from maxsup.report._section import Section
from maxsup.results import Results
from maxsup.results.schema import MeasureFacts, Run

StudySection = Section[Results]
"""A section of a study's page."""


class Picture(NamedTuple):
    """A picture with what is written below it."""

    svg: Markup
    caption: str = ""


def picture(svg: str, caption: str = "") -> Picture:
    """A picture of :mod:`maxsup.figures`, which escapes what comes from the data."""
    return Picture(Markup(svg), caption)


def gallery(pictures: Sequence[Picture]) -> dict[str, object] | None:
    """The content of a section that is pictures alone; none where there are no pictures."""
    return {"pictures": pictures} if pictures else None


def of_class(name: str, label: str) -> MeasureFacts:
    """How a fraction between 0 and 1 is shown that is measured of each class."""
    return MeasureFacts(
        name=name,
        label=label,
        help="",
        better="higher",
        percent=True,
        digits=1,
        bounds=[0.0, 1.0],
        split="test",
        headline=False,
        detail=True,
    )


def labels_of(results: Results) -> dict[str, str]:
    """The methods' labels by name, in the order of the study."""
    return {method["name"]: method["label"] for method in results["methods"]}


def compares_backbones(results: Results) -> bool:
    """Whether trained backbones are compared, and not objectives alone."""
    return any("backbone=" in method["name"] for method in results["methods"])


def legend_of(results: Results, name: str) -> list[tuple[Markup, str]]:
    """Each method's line and marker, with its label; no other legend has that name."""
    return [
        (picture(figures.swatch(number, name)).svg, label)
        for number, label in enumerate(labels_of(results).values())
    ]


def finished_runs(results: Results, method: str | None = None) -> list[Run]:
    """The runs that finished, of one method or of all."""
    return [
        run
        for run in results["runs"]
        if run["status"] == "finished" and method in (None, run["method"])
    ]
