"""``maxsup inspect``: trained models side by side, and what a regulariser did to them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from maxsup.commands._command import Command
from maxsup.commands._options import REPORT_FILE, CommonOptions, is_first_process
from maxsup.inspection._settings import InspectionSettings

FOLDER = "inspection"
"""Of a study, the directory in its own that its inspection is kept in."""


@dataclass(frozen=True)
class Options(CommonOptions):
    """Look inside trained models, side by side: features, logits, confidence."""

    models: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[NAME=]MODEL")]
    """Runs, directories of runs, or a whole study; files of weights (.safetensors, .pth) or models
    of timm (resnet50) or the Hub (hf:owner/name), with --data; or stored predictions with features.
    The first is what the others are compared with."""
    out: str | None = None
    """Where page, numbers and what models gave are kept; by default the directory "inspection" in
    a study that is named alone, else runs/inspection."""
    settings: Annotated[
        tyro.conf.OmitArgPrefixes[InspectionSettings], tyro.conf.arg(name="Inspection", help="")
    ] = field(default_factory=InspectionSettings)


def run(options: Options) -> int:
    """Look at the models, print the headline numbers, and write the page."""
    import sys

    from maxsup._console import console
    from maxsup._lock import hold
    from maxsup._places import as_place
    from maxsup.inspection import Plan, joined_processes, write_inspection
    from maxsup.report import inspection_table, write_inspection_page

    directory = as_place(options.out or _default_directory(options.models))
    _check_directory(directory)
    is_first = is_first_process()

    def announce(text: str) -> None:
        if is_first:
            print(text, file=sys.stderr, flush=True)

    with joined_processes():
        plan = Plan(options.models, options.settings, announce=announce)
        command = options.common.command_line
        if not is_first:
            plan.carry_out(directory, command=command)
            return 0
        with hold(directory, announce):
            found = plan.carry_out(directory, command=command)
            write_inspection(found, directory)
            write_inspection_page(found, directory / REPORT_FILE)
    _link_from_study(directory)
    console().print(inspection_table(found))
    print(f"\nThe page: {directory / REPORT_FILE}")
    return 0


def _default_directory(models: tuple[str, ...]) -> Path:
    from maxsup._places import as_place

    if len(models) == 1 and (as_place(models[0]) / "study.json").exists():
        return as_place(models[0]) / FOLDER
    return Path("runs") / FOLDER


def _check_directory(directory: Path) -> None:
    """See that nothing is there but an inspection's.

    Raises:
        ValueError: There is.
    """
    from maxsup._lock import LOCK_FILE
    from maxsup._places import strangers
    from maxsup.inspection import EPOCHS_FILE, INSPECTION_FILE, TABLE_FILE

    known = (LOCK_FILE, INSPECTION_FILE, TABLE_FILE, EPOCHS_FILE, REPORT_FILE, "models")
    names = strangers(directory, known=known)
    if names:
        raise ValueError(
            f"{directory} holds files that are no inspection ({', '.join(names[:3])}). Name a new "
            "or empty directory with --out."
        )


def _link_from_study(directory: Path) -> None:
    """Write the study's page again, which names the inspection that lies in its directory."""
    from maxsup.report import write_report
    from maxsup.results import RESULTS_FILE, read_results

    study = directory.parent
    if directory.name == FOLDER and (study / RESULTS_FILE).exists():
        write_report(read_results(study / RESULTS_FILE), study / REPORT_FILE)


COMMAND = Command(Options, run)
