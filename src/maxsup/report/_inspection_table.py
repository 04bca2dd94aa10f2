"""An inspection's headline numbers in the terminal."""

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from maxsup.report._table import Fitting
from maxsup.results import numbers

if TYPE_CHECKING:
    from maxsup.inspection import Inspection


def inspection_table(inspection: "Inspection") -> Group:
    """The notes, and each headline number of each group with its interval.

    Returns:
        What :meth:`rich.console.Console.print` shows.
    """
    measures = [each for each in inspection["measures"] if each["headline"]]
    table = Table(title_justify="left", title=Text(inspection["data"] or "Stored predictions"))
    table.add_column("measure", no_wrap=True)
    for group in inspection["methods"]:
        table.add_column(Text(group["name"]), justify="right", min_width=8)
    for measure in measures:
        cells = []
        for group in inspection["methods"]:
            interval = inspection["intervals"][measure["name"]].get(group["name"])
            text = numbers.number(None if interval is None else interval["mean"], measure)
            if interval is not None and interval["low"] is not None:
                low, high = (numbers.number(interval[end], measure) for end in ("low", "high"))
                text += f"\n{low} to {high}"
            cells.append(text)
        table.add_row(Text(numbers.name_of(measure)), *cells)
    return Group(
        *(Text(f"- {note}") for note in inspection["notes"]),
        Text(),
        Fitting(table),
    )
