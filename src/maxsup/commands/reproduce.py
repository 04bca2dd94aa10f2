"""``maxsup reproduce``: the paper's tables and figures, printed and measured side by side."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from maxsup.commands._command import Command
from maxsup.commands._options import REPORT_FILE, CommonOptions, TableOptions
from maxsup.commands._study_options import ClusterOptions, check_study, cluster_of

if TYPE_CHECKING:
    from maxsup.paper import Request, Step


@dataclass(frozen=True)
class Options(CommonOptions):
    """Measure a table or figure of the paper, and see whether its numbers hold."""

    entries: Annotated[
        tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[ENTRY [ENTRY ...]]")
    ] = ()
    """table1 to table9, figure1 to figure5, or one of the later version; "all" for each. Without
    any, all are listed with what they need and take, and what has been measured."""
    column: tuple[str, ...] = ()
    """The columns to measure, by name; by default all, or at smaller scales one of each kind."""
    scale: Literal["smoke", "small", "paper"] = "small"
    """paper: the real thing. small: the same question on digits, made-up scenes, or your --data.
    smoke: every part in seconds, whose numbers say nothing."""
    data: str | None = None
    """What to train on, as maxsup compare takes it; at the scale of the paper, the paper's data."""
    other_data: tuple[str, ...] = ()
    """What features are transferred to, or images with masks, in the order that is listed."""
    label_column: str | None = None
    """The column of --data that holds the labels, where there are several."""
    probe_label: str | None = None
    """The column of --data that features are probed for at the scale small."""
    seeds: int | None = None
    """How many trainings of each method; by default 5, or 3 at the scale smoke."""
    out: str = "runs/reproduced"
    """Directory of all that is trained, looked at and compared; tables share what they can."""
    dry_run: bool = False
    """Print what would be done, take two steps of the first training, and say what it takes."""
    cluster: Annotated[
        tyro.conf.OmitArgPrefixes[ClusterOptions], tyro.conf.arg(name="Cluster", help="")
    ] = field(default_factory=ClusterOptions)


def run(options: Options) -> int:
    """List the entries, or measure those that are named and write a page for each."""
    from maxsup.paper import SEEDS, Request, all_entries, check_data, check_places, get_entry

    names = options.entries
    if not names:
        return _list(options)
    if "all" in names and len(names) > 1:
        raise ValueError(f'"all" stands for every entry, so give it alone; got {" ".join(names)}.')
    entries = all_entries() if names == ("all",) else [get_entry(name) for name in names]
    if options.column and len(entries) > 1:
        raise ValueError("--column names columns of one table; name one table too.")
    requests = [
        Request(
            entry,
            options.scale,
            columns=options.column,
            data=options.data,
            other_data=options.other_data,
            label_column=options.label_column,
            probe_label=options.probe_label,
            seeds=options.seeds,
            out=Path(options.out),
        )
        for entry in entries
    ]
    seeds = SEEDS[options.scale] if options.seeds is None else options.seeds
    check_study(seeds, options.cluster, TableOptions(), dry_run=options.dry_run)
    for request in requests:
        check_places(request)
    # One table is checked where its steps begin. Of several all are, before the first is trained.
    for request in requests if len(requests) > 1 or options.dry_run else []:
        check_data(request)
    finished = True
    for request in requests:
        if options.dry_run:
            _show_plan(request)
        else:
            finished &= _reproduce(request, options)
    return 0 if finished else 1


def _list(options: Options) -> int:
    from maxsup._console import console
    from maxsup.paper import SEEDS, all_entries, states, takes, takes_on
    from maxsup.report import entries_table

    if replace(options, out=Options.out, common=Options().common) != Options():
        raise ValueError(
            "Without a table or figure all are listed, and no option but --out has an effect. Name "
            "what is meant: maxsup reproduce table4, for example."
        )
    entries = all_entries()
    of_each = {entry.name: {scale: takes(entry, scale) for scale in SEEDS} for entry in entries}
    console().print(
        entries_table(entries, states(Path(options.out)), of_each, takes_on(), options.out)
    )
    return 0


def _show_plan(request: "Request") -> None:
    from maxsup.commands._dry_run import show_dry_run
    from maxsup.paper import Inspection, Study, plan, steps_of

    steps = steps_of(plan(request))
    print(f"{request.entry.title}, scale {request.scale}, on {request.label()}")
    for number, step in enumerate(steps, start=1):
        print(f"{number}. {step.command()}")
    for step in steps:
        if isinstance(step, Study):
            if step.make_data is not None:
                step.make_data()
            tried = step.tried()
            print(f"\n{step.directory.name}:")
            if step.backbones is not None and tried.recipe.weights is None:
                print("Tried from scratch, which takes as long: its backbones are not there yet.")
            show_dry_run(tried, runs=len(step.methods) * step.seeds)
    numbers = [str(n) for n, step in enumerate(steps, start=1) if isinstance(step, Inspection)]
    if numbers:
        print(f"\nNot in these times: looking at the models (step {', '.join(numbers)}).")


def _reproduce(request: "Request", options: Options) -> bool:
    """Measure a table and show it; whether any of its trainings finished."""
    from maxsup._console import console
    from maxsup._lock import hold
    from maxsup.paper import Study, reproduce
    from maxsup.report import (
        reproduction_tables,
        write_inspection_page,
        write_report,
        write_reproduction_page,
    )

    def write_page(step: "Step", of_step: Any) -> None:
        write: Any = write_report if isinstance(step, Study) else write_inspection_page
        write(of_step, step.directory / REPORT_FILE)

    page = request.directory / REPORT_FILE
    with hold(request.directory, print):
        found = reproduce(
            request,
            on=cluster_of(options.cluster),
            after=write_page,
            show=lambda found: write_reproduction_page(found, page),
        )
    for table in reproduction_tables(found):
        console().print(table)
    print(f"\nThe page: {page}")
    return any(row["seeds"] for column in found["columns"] for row in column["rows"])


COMMAND = Command(Options, run)
