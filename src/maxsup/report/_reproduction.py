"""A table of the paper beside what was measured: in the terminal, and as a page."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from maxsup._files import write_text
from maxsup.report._shell import render_shell
from maxsup.report._table import Fitting
from maxsup.report._templates import render_template
from maxsup.report.reproduction import REPRODUCTION_PAGE
from maxsup.report.reproduction._shown import interval_of, measured_of, number_of, printed_of
from maxsup.report.reproduction.columns import heading_of

if TYPE_CHECKING:
    from maxsup.paper import Reproduction
    from maxsup.paper.schema import ColumnFacts

_SAID = {
    "smoke": "Smoke: every part has run, for seconds. These numbers say nothing of the paper.",
    "small": "Small scale: another network on other data, so signs can be compared and values "
    "cannot. What agrees or contradicts does so here; it settles nothing on the paper's own data.",
    "paper": "",
}


def write_reproduction_page(found: "Reproduction", path: Path) -> None:
    """Write the page of a table of the paper, atomically; it is one file that loads nothing.

    Raises:
        OSError: The file could not be written; a former page is intact.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, render_reproduction(found))


def render_reproduction(found: "Reproduction") -> str:
    """The page of a table of the paper as HTML."""
    rendered = (section.render(found) for section in REPRODUCTION_PAGE)
    header = render_template(
        "reproduction/header.html.j2",
        {"found": found, "counts": outcomes_of(found), "said": _SAID[found["scale"]]},
    )
    return render_shell(
        title=f"{found['title']}, printed and measured",
        header=header,
        sections=[section for section in rendered if section is not None],
        footer=f"Made by maxsup {found['versions']['maxsup']}. Every number on this page is in "
        "reproduction.json beside it.",
    )


def outcomes_of(found: "Reproduction") -> dict[str, int]:
    """How many comparisons agree, contradict, and cannot be told."""
    counts = {"agrees": 0, "contradicts": 0, "cannot tell": 0}
    for column in found["columns"]:
        for claim in column["claims"]:
            counts[claim["outcome"]] += 1
    return counts


def reproduction_tables(found: "Reproduction") -> list[RenderableType]:
    """Printed and measured numbers side by side, with what is concluded, for a terminal."""
    shown: list[RenderableType] = [
        Text(f"{found['title']}: {found['shows']}", style="bold"),
        Text(f"Measured on {found['measured_on']}. {_SAID[found['scale']]}".strip()),
    ]
    for column in found["columns"]:
        shown += [
            Text(),
            Fitting(_rows(column, found["labels"])),
            Fitting(_claims(column, found["labels"])),
        ]
    remarks = _remarks(found)
    shown += [Text(f"- {remark}") for remark in remarks]
    return [Group(*shown)]


def _rows(column: "ColumnFacts", labels: Mapping[str, str]) -> Table:
    table = Table(title=Text(heading_of(column)), title_justify="left")
    table.add_column("method", min_width=20)
    table.add_column("printed", justify="right")
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("seeds", justify="right")
    for row in column["rows"]:
        table.add_row(
            Text(labels[row["method"]]),
            printed_of(row, column["digits"]),
            measured_of(row, column["digits"]),
            str(len(row["seeds"])),
        )
    return table


def _claims(column: "ColumnFacts", labels: Mapping[str, str]) -> Table:
    table = Table()
    table.add_column("difference", min_width=20)
    table.add_column("printed", justify="right")
    table.add_column("measured", justify="right")
    table.add_column("95 % interval", no_wrap=True)
    table.add_column("with the paper", no_wrap=True)
    for claim in column["claims"]:
        table.add_row(
            Text(f"{labels[claim['method']]} − {labels[claim['against']]}"),
            _printed_difference(claim["printed"], claim["sign"], column["digits"]),
            number_of(claim["mean"], column["digits"], signed=True),
            interval_of(claim, column["digits"]),
            claim["outcome"],
        )
    return table


def _printed_difference(printed: float | None, sign: int, digits: int) -> str:
    if printed is None:
        return {1: "larger", -1: "smaller", 0: "–"}[sign]
    return number_of(printed, digits, signed=True)


def _remarks(found: "Reproduction") -> list[str]:
    """All remarks, those on single rows with the names of these."""
    said = dict.fromkeys(found["remarks"])
    for column in found["columns"]:
        for claim in column["claims"]:
            said |= dict.fromkeys(claim["remarks"])
    return [*said]
