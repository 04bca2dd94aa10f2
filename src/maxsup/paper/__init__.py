"""The paper's tables and figures: as printed, what would show them, and what was measured.

One file a table: its numbers as printed, what is to be trained and looked at for each column, and
what a reader must know before trusting it. To add one, write a file with an ``ENTRY`` and add its
module's name to ``_MODULES``.

Example:
    >>> table = get_entry("table4")
    >>> table.printed["maxsup:alpha=0.1..0.2", "cifar100-resnet18"]
    Printed(value=77.82, spread=0.15, text='77.82')
    >>> table.claims("cifar100-resnet18")[-1].printed  # MaxSup minus label smoothing
    0.77
"""

import difflib
import importlib
from functools import cache

from maxsup.paper._entry import Claim, Column, Entry, Experiment, Measure, Printed, Remark
from maxsup.paper._judge import outcome_of
from maxsup.paper._plan import (
    SEEDS,
    ColumnPlan,
    Request,
    Scale,
    check_data,
    check_places,
    plan,
    steps_of,
)
from maxsup.paper._reproduce import (
    REPRODUCTION_FILE,
    State,
    read_reproduction,
    reproduce,
    states,
    write_reproduction,
)
from maxsup.paper._steps import Inspection, Step, Study
from maxsup.paper._takes import Takes, takes, takes_on
from maxsup.paper.schema import Reproduction

_MODULES = (
    "table1", "table2", "table3", "table4", "table5", "table6", "table7", "table8", "table9",
    "figure1", "figure2", "figure3", "figure4", "figure5",
    "later_transfer", "later_baselines", "later_fine_grained", "later_long_tail",
    "later_corruptions", "later_schedule", "later_cost",
)  # fmt: skip

__all__ = [
    "REPRODUCTION_FILE",
    "SEEDS",
    "Claim",
    "Column",
    "ColumnPlan",
    "Entry",
    "Experiment",
    "Inspection",
    "Measure",
    "Printed",
    "Remark",
    "Reproduction",
    "Request",
    "Scale",
    "State",
    "Step",
    "Study",
    "Takes",
    "all_entries",
    "check_data",
    "check_places",
    "get_entry",
    "outcome_of",
    "plan",
    "read_reproduction",
    "reproduce",
    "states",
    "steps_of",
    "takes",
    "takes_on",
    "write_reproduction",
]


@cache
def all_entries() -> tuple[Entry, ...]:
    """Every table and figure, those of the later version last."""
    return tuple(importlib.import_module(f"{__name__}.{name}").ENTRY for name in _MODULES)


def get_entry(name: str) -> Entry:
    """A table or figure by its name.

    Raises:
        ValueError: There is none of that name.
    """
    known = {entry.name: entry for entry in all_entries()}
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise ValueError(f"The paper has no {name!r}.{hint} There are: {', '.join(known)}.")
    return known[name]
