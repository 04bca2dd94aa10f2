"""The list of the paper's tables and figures, in the terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from maxsup.report._table import Fitting

if TYPE_CHECKING:
    from maxsup.paper import Entry, Scale, State, Takes

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def entries_table(
    entries: "Sequence[Entry]",
    states: "Sequence[State]",
    takes: "Mapping[str, Mapping[Scale, Takes]]",
    takes_on: "Mapping[Scale, str]",
    out: str,
) -> Group:
    """Tables and figures of the paper: what they show, need and take, and how far each has come.

    Args:
        entries: In the order of the list.
        states: What has been measured.
        takes: By name of the entry, what it takes at each scale.
        takes_on: What these figures rest on, in words.
        out: Where the states were found.
    """
    table = Table(
        title=Text("Tables and figures of the paper, and what they take"), title_justify="left"
    )
    table.add_column("name", no_wrap=True)
    table.add_column("shows")
    table.add_column("needs")
    for scale in takes_on:
        table.add_column(scale, justify="right", no_wrap=True)
    table.add_column("measured")
    for entry in entries:
        later = " (later version)" if entry.later else ""
        table.add_row(
            Text(entry.name),
            Text(f"{entry.title}{later}: {entry.shows}"),
            Text(", ".join(entry.needs)),
            *(_rough(takes[entry.name][scale].seconds) for scale in takes_on),
            Text("\n".join(_measured(entry, states, [*takes_on])) or "–"),
        )
    return Group(
        Fitting(table),
        Text("What each takes by itself, with as many seeds as are taken where nothing is said:"),
        *(Text(f"- {scale}: {words}.") for scale, words in takes_on.items()),
        Text(
            "Other networks and precisions, and reading photographs, change that of the paper's "
            "scale severalfold. Tables share trainings, and what is there is not trained again."
        ),
        Text(
            f"Measured is what lies below {out}. What one takes here: maxsup reproduce NAME "
            "--dry-run. On data at hand: --scale small; the real thing: --scale paper --data PLACE."
        ),
    )


def _measured(entry: "Entry", states: "Sequence[State]", scales: "Sequence[Scale]") -> list[str]:
    return [
        f"{state.name.removeprefix(entry.name + '-')}: {_in_words(state)}"
        for scale in scales
        for state in states
        if (state.entry, state.scale) == (entry.name, scale)
    ]


def _rough(seconds: float) -> str:
    """A duration to two digits, of which the second is not sure.

    >>> _rough(41.2), _rough(137), _rough(5_000), _rough(200_000), _rough(2e7)
    ('41 s', '2.3 min', '1.4 h', '2.3 days', '230 days')
    """
    for unit, name in ((_DAY, "days"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit:
            return f"{float(f'{seconds / unit:.2g}'):g} {name}"
    return f"{seconds:.0f} s"


def _in_words(state: "State") -> str:
    parts = [f"{number} {outcome}" for outcome, number in state.outcomes.items() if number]
    return f"{', '.join(parts)} ({state.seeds} seed{'' if state.seeds == 1 else 's'})"
