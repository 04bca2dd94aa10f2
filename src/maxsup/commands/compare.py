"""``maxsup compare``: methods × seeds on one's own data, and one page that says what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from maxsup.commands._choose import choice_for
from maxsup.commands._command import SettingsCommand
from maxsup.commands._options import (
    AnalysisOptions,
    CommonOptions,
    RecordOptions,
    TableOptions,
    is_first_process,
)
from maxsup.data import DataSettings
from maxsup.recipes import Recipe, get_recipe

if TYPE_CHECKING:
    from maxsup.training import Choice

REPORT_FILE = "report.html"

_MOST_SEEDS = 10_000


@dataclass(frozen=True)
class StudyOptions(AnalysisOptions):
    """What is compared with what, and what is asked of the numbers."""

    first_seed: int = 0
    """The seeds are this one and those that follow it."""


@dataclass(frozen=True)
class ClusterOptions:
    """Where the runs are trained."""

    on: Literal["here", "ray"] = "here"
    """Train here, one run after the other, or all over a Ray cluster; the numbers are the same."""
    gpus_per_run: float | None = None
    """Ray: GPUs for each run, at most 1; 0.5 lets two share one. By default 1 if there are any."""
    cpus_per_run: float | None = None
    """Ray: CPU cores for each run; by default a GPU's part of its node's, or one a thread."""


@dataclass(frozen=True)
class Options(CommonOptions):
    """Find out which regulariser is best for your data, over many seeds, on one page."""

    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")] = "digits"
    """What to train on: digits, a folder (image folder, Parquet, WebDataset), or hf:owner/name."""
    recipe: str | None = None
    """How to train; by default one that fits the data, which is said. See: maxsup recipes."""
    methods: tuple[str, ...] = ("baseline", "label-smoothing", "maxsup")
    """What to compare; "all" for every method. Coefficients are set as in maxsup:alpha=0.05,
    maxsup:alpha=0.1..0.2 (linear schedule), acls:alpha=0.1,margin=6. See: maxsup methods."""
    seeds: int = 5
    """How many trainings of each method; same seed, same start for all methods."""
    out: str | None = None
    """Directory or URL of the study, new or to go on with; by default runs/ and the data's name."""
    dry_run: bool = False
    """Only build one training and take two steps, to see what the study would take."""
    study: Annotated[
        tyro.conf.OmitArgPrefixes[StudyOptions], tyro.conf.arg(name="Study", help="")
    ] = field(default_factory=StudyOptions)
    cluster: Annotated[
        tyro.conf.OmitArgPrefixes[ClusterOptions], tyro.conf.arg(name="Cluster", help="")
    ] = field(default_factory=ClusterOptions)
    record: Annotated[
        tyro.conf.OmitArgPrefixes[RecordOptions], tyro.conf.arg(name="Record-keeping", help="")
    ] = field(default_factory=RecordOptions)
    table: Annotated[
        tyro.conf.OmitArgPrefixes[TableOptions], tyro.conf.arg(name="Table", help="")
    ] = field(default_factory=TableOptions)


def defaults(named: Options) -> tuple[Options, Recipe, DataSettings]:
    """What the command line is read on top of: the settings of the recipe that it names."""
    recipe = get_recipe("digits" if named.recipe is None else named.recipe)
    return Options(data=tyro.MISSING), recipe, DataSettings("")


def choose(options: Options, data: DataSettings, changes: Mapping[str, Any]) -> "Choice | None":
    """The recipe, where the command line names none, or one that is fitted to the data."""
    return choice_for(options.recipe, options.data, data, changes)


def run(options: Options, recipe: Recipe, data: DataSettings) -> int:
    """Compare methods, print the table and write the page."""
    if not 1 <= options.seeds <= _MOST_SEEDS:
        raise ValueError(
            f"--seeds must be at least 1 and at most {_MOST_SEEDS:,}; got {options.seeds}. It is "
            "how many trainings each method gets; --first-seed says with which seeds."
        )
    cluster, first = options.cluster, options.study.first_seed
    if cluster.on == "here" and (cluster.gpus_per_run, cluster.cpus_per_run) != (None, None):
        raise ValueError("--gpus-per-run and --cpus-per-run are for Ray: add --on ray.")
    if options.dry_run and options.table != TableOptions():
        raise ValueError("--latex and --markdown have no table to print with --dry-run.")

    from maxsup._places import as_place
    from maxsup.commands._dry_run import show_dry_run
    from maxsup.commands._show_results import show_results
    from maxsup.methods import all_methods
    from maxsup.report import write_report
    from maxsup.results import DEFAULT_PRIMARY, read_contrasts
    from maxsup.study import RayCluster, StudySettings, compare

    methods = options.methods
    if methods == ("all",):
        methods = tuple(method.name for method in all_methods())
    if "all" in methods:
        raise ValueError(
            f"--methods all stands for every method, so give it alone; got {' '.join(methods)}."
        )
    study = StudySettings(
        data=replace(data, name=options.data),
        recipe=recipe,
        methods=methods,
        seeds=tuple(range(first, first + options.seeds)),
        baseline=options.study.baseline or "",
        primary=options.study.primary or DEFAULT_PRIMARY,
        margin=options.study.margin,
        contrasts=read_contrasts(options.study.contrasts, methods),
    )
    if options.dry_run:
        show_dry_run(study.run(study.methods[0], first), runs=len(study.plan()))
        return 0
    directory = as_place(options.out or study.default_directory())
    results = compare(
        study,
        directory,
        command=options.common.command_line,
        on=RayCluster(cluster.gpus_per_run, cluster.cpus_per_run) if cluster.on == "ray" else None,
        tracker=options.record.tracker,
        plugins=options.common.plugin,
        notes=options.common.notes,
    )
    if is_first_process():
        write_report(results, directory / REPORT_FILE)
        show_results(results, directory / REPORT_FILE, options.table)
    return 0 if any(run["status"] == "finished" for run in results["runs"]) else 1


COMMAND = SettingsCommand(Options, defaults, run, choose)
