"""A table of the paper, measured: what it takes is trained and looked at, and put beside it."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.console import Console

from maxsup._console import console as new_console
from maxsup._digests import read_object, with_digest
from maxsup._files import write_text
from maxsup._formats import check_format
from maxsup._version import __version__
from maxsup.paper._judge import column_facts
from maxsup.paper._plan import ColumnPlan, Request, check_data, check_places, plan, steps_of
from maxsup.paper._steps import Step
from maxsup.paper.schema import FORMAT, Reproduction

if TYPE_CHECKING:
    from maxsup.study import RayCluster

REPRODUCTION_FILE = "reproduction.json"


def reproduce(
    request: Request,
    *,
    console: Console | None = None,
    on: "RayCluster | None" = None,
    after: Callable[[Step, Any], None] = lambda step, found: None,
    show: Callable[[Reproduction], None] = lambda found: None,
) -> Reproduction:
    """Run, or go on with, what a table of the paper takes, and compare its numbers.

    Studies and inspections lie below ``request.out`` and are shared by the tables that need the
    same ones; what is finished is not done again. After each of them the comparison is written
    anew, so that one which was stopped shows what there is.

    Args:
        request: Which table, how much of it, and on what.
        console: Where progress is shown; standard error by default.
        on: Where to train, several runs at once; by default here.
        after: Called after each study and inspection with what came of it, to write its page.
        show: Called with the comparison whenever it was written, to write its page.

    Returns:
        What was written to ``reproduction.json`` in ``request.directory``.

    Raises:
        ValueError: The data does not fit, or a directory holds something else.
        OSError: A file could not be read or written.
    """
    console = console or new_console(stderr=True)
    check_places(request)
    check_data(request)
    plans = plan(request)
    steps = steps_of(plans)
    for number, step in enumerate(steps, start=1):
        console.print(
            f"Step {number} of {len(steps)}: {step.command()}", highlight=False, markup=False
        )
        after(step, step.run(console, on))
        found = compared(request, plans, steps)
        write_reproduction(found, request.directory)
        show(found)
    return found


def compared(request: Request, plans: list[ColumnPlan], steps: list[Step]) -> Reproduction:
    """Printed and measured numbers side by side, of what has been measured so far."""
    from maxsup.methods import get_method  # loads torch, which a list of the tables does without

    entry = request.entry
    general = [remark.text for remark in entry.remarks if not remark.methods and not remark.columns]
    return Reproduction(
        format=FORMAT,
        entry=entry.name,
        title=entry.title,
        shows=entry.shows,
        scale=request.scale,
        measured_on=request.label(),
        command=request.command(),
        commands=[step.command() for step in steps],
        labels={name: get_method(name).label for name in entry.methods},
        columns=[
            column_facts(
                entry,
                each,
                [os.path.relpath(step.directory, request.directory) for step in each.steps],
                same_scale=request.scale == "paper" and not each.column.experiment.guessed,
            )
            for each in plans
        ],
        remarks=general,
        versions={"maxsup": __version__},
    )


def write_reproduction(found: Reproduction, directory: Path) -> None:
    """Write ``reproduction.json``, atomically."""
    directory.mkdir(parents=True, exist_ok=True)
    text = json.dumps(with_digest(found), indent=1, ensure_ascii=False, allow_nan=False)
    write_text(directory / REPRODUCTION_FILE, text + "\n")


def read_reproduction(path: Path) -> Reproduction:
    """Read what :func:`write_reproduction` wrote.

    Raises:
        ValueError: The file is damaged, or of another version.
        OSError: It cannot be read.
    """
    content = read_object(path.read_bytes(), path)
    if "entry" not in content:
        raise ValueError(f"{path} holds no table of the paper. Name a {REPRODUCTION_FILE}.")
    check_format(
        content.get("format"),
        str(path),
        newest=FORMAT,
        remedy="Repeat its command with this version.",
    )
    return cast(Reproduction, content)


@dataclass(frozen=True)
class State:
    """How far one table has come at one scale."""

    entry: str
    scale: str
    name: str
    """The directory's, which says the data and columns too where these were named."""
    outcomes: dict[str, int]
    """How many comparisons agree, contradict, and cannot be told."""
    seeds: int
    """Of the comparison that has the fewest."""


def states(out: Path) -> list[State]:
    """What has been measured so far below a directory; a file that is damaged is left out."""
    found = []
    for path in sorted(out.glob(f"*/{REPRODUCTION_FILE}")):
        try:
            each = read_reproduction(path)
        except (ValueError, OSError):
            continue
        claims = [claim for column in each["columns"] for claim in column["claims"]]
        outcomes = {"agrees": 0, "contradicts": 0, "cannot tell": 0}
        for claim in claims:
            outcomes[claim["outcome"]] += 1
        fewest = min((len(claim["seeds"]) for claim in claims), default=0)
        found.append(State(each["entry"], each["scale"], path.parent.name, outcomes, fewest))
    return found
