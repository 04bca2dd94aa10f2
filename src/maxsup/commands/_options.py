"""Options that several commands share."""

import os
from dataclasses import dataclass, field
from typing import Annotated

import tyro

from maxsup._trackers import TrackerName

REPORT_FILE = "report.html"
"""The page, in the directory of what it is about."""


@dataclass(frozen=True)
class Common:
    """What every command has."""

    plugin: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="MODULE|FILE")
    ] = ()
    """A module, or a file ending in .py, that adds methods of your own."""
    command_line: tyro.conf.Suppress[tyro.conf.Fixed[str]] = ""
    """The whole command line, as it can be typed again; filled in once it has been read."""
    notes: tyro.conf.Suppress[tyro.conf.Fixed[tuple[str, ...]]] = ()
    """What was chosen where the command line says nothing, in sentences; filled in likewise."""


@dataclass(frozen=True, kw_only=True)
class CommonOptions:
    """Options that every command has."""

    common: Annotated[tyro.conf.OmitArgPrefixes[Common], tyro.conf.arg(name="", help="")] = field(
        default_factory=Common
    )


@dataclass(frozen=True)
class AnalysisOptions:
    """What is asked of the numbers; it changes nothing that is trained."""

    baseline: str | None = None
    """The method that the others are measured against; by default the first one."""
    primary: str | None = None
    """The measure of the test set that the verdict speaks of: accuracy by default, nll, ece, …"""
    margin: float | None = None
    """The largest difference that does not matter, in points; in the measure's own unit where it
    is no percentage. By default 0.5 points, or 0.01."""
    contrasts: tuple[str, ...] = ()
    """Pairs to conclude on, METHOD/METHOD, or "all"; by default each against the baseline, and
    maxsup/label-smoothing where both are there (at the same coefficients where there are
    several)."""


@dataclass(frozen=True)
class TableOptions:
    """The form of the table; in one for a paper it stands alone on standard output."""

    latex: bool = False
    """Print the table alone, as it would stand in a paper, in LaTeX with booktabs."""
    markdown: bool = False
    """Print the table alone, in Markdown."""

    def __post_init__(self) -> None:
        if self.latex and self.markdown:
            raise ValueError("--latex and --markdown are two forms of one table; name one of them.")


@dataclass(frozen=True)
class RecordOptions:
    """Where a training's figures go."""

    tracker: TrackerName | None = None
    """Send each epoch's figures there too; TensorBoard's files lie in the run's directory."""


def is_first_process() -> bool:
    """Whether this is the one of a training's processes that says and writes something."""
    return os.environ.get("RANK", "0") == "0"
