"""``maxsup compare``: methods × seeds on one's own data, and one page that says what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from maxsup.commands._choose import check_backbone, check_partial_weights, choice_for
from maxsup.commands._command import SettingsCommand
from maxsup.commands._options import (
    REPORT_FILE,
    AnalysisOptions,
    CommonOptions,
    RecordOptions,
    TableOptions,
    is_first_process,
)
from maxsup.commands._study_options import (
    ClusterOptions,
    DistillationOptions,
    check_study,
    cluster_of,
    distillation_of,
    seeds_of,
)
from maxsup.data import DataSettings
from maxsup.recipes import Recipe, get_recipe

if TYPE_CHECKING:
    from maxsup.study import TuningSettings
    from maxsup.training import Choice


DEFAULT_METHODS = ("baseline", "label-smoothing", "maxsup")
"""What is compared where nothing is said."""


@dataclass(frozen=True)
class StudyOptions(AnalysisOptions):
    """What is compared with what, and what is asked of the numbers."""

    first_seed: int = 0
    """The seeds are this one and those that follow it."""
    resample_data: bool = False
    """Draw the parts held out of the data and the label noise anew for each seed, the same for all
    methods: the intervals then speak of other splits too."""


@dataclass(frozen=True)
class TuningOptions:
    """How each method's strength is chosen, on a validation part of the training set."""

    tune: int | None = None
    """Try each method at so many strengths first, and compare them at their best ones as well;
    methods whose names set coefficients stay as they are. See: maxsup methods NAME."""
    tune_lr: int | None = None
    """Try each strength at so many learning rates, 3 for example; by default the recipe's alone."""
    tune_by: Literal["nll", "accuracy"] | None = None
    """Choose by NLL after temperature (the default), or by accuracy."""
    tune_seeds: int | None = None
    """With how many seeds each trial is trained, by default 2; they are none of the study's."""
    tune_validation: float | None = None
    """Fraction of the training images to choose by, by default 0.2; the study trains on all."""


@dataclass(frozen=True)
class BackboneOptions:
    """Trained models to compare."""

    backbones: tuple[str, ...] = ()
    """With a recipe for segmentation: fine-tune these trained models, and compare them. Each is a
    study's directory (all its methods, each seed with its own), that of a method's runs or of one
    run, a file of weights, timm, or none; NAME=PLACE gives another name. Methods are then by
    default the baseline alone."""


@dataclass(frozen=True)
class ScriptOptions:
    """A program of one's own that trains, in place of data and a recipe."""

    script: str | None = None
    """Run this command for every method and seed, as in
    'python train.py --loss {method} --seed {seed} --out {out}'; it writes the predictions for the
    test set to {out}, an .npz file. Methods may then have any names."""
    jobs: int = 1
    """With a script: how many runs at a time."""


@dataclass(frozen=True)
class Options(CommonOptions):
    """Find out which regulariser is best for your data, over many seeds, on one page."""

    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")] = "digits"
    """What to train on: digits, a folder (image folder, Parquet, WebDataset), or hf:owner/name."""
    recipe: str | None = None
    """How to train; by default one that fits the data, which is said. See: maxsup recipes."""
    methods: Annotated[tuple[str, ...] | None, tyro.conf.arg(metavar="[STR [STR ...]]")] = None
    """What to compare, by default baseline, label-smoothing and maxsup; "all" for every method.
    Coefficients are set as in maxsup:alpha=0.05, maxsup:alpha=0.1..0.2 (linear schedule),
    acls:alpha=0.1,margin=6. See: maxsup methods."""
    seeds: int = 5
    """How many trainings of each method; same seed, same start for all methods."""
    out: str | None = None
    """Directory or URL of the study, new or to go on with; by default runs/ and the data's name."""
    dry_run: bool = False
    """Only build one training and take two steps, to see what the study would take."""
    study: Annotated[
        tyro.conf.OmitArgPrefixes[StudyOptions], tyro.conf.arg(name="Study", help="")
    ] = field(default_factory=StudyOptions)
    tuning: Annotated[
        tyro.conf.OmitArgPrefixes[TuningOptions], tyro.conf.arg(name="Tuning", help="")
    ] = field(default_factory=TuningOptions)
    start: Annotated[
        tyro.conf.OmitArgPrefixes[BackboneOptions], tyro.conf.arg(name="Backbone", help="")
    ] = field(default_factory=BackboneOptions)
    distillation: Annotated[
        tyro.conf.OmitArgPrefixes[DistillationOptions], tyro.conf.arg(name="Distillation", help="")
    ] = field(default_factory=DistillationOptions)
    script: Annotated[
        tyro.conf.OmitArgPrefixes[ScriptOptions], tyro.conf.arg(name="Script", help="")
    ] = field(default_factory=ScriptOptions)
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
    # A script brings its own data.
    data = tyro.MISSING if named.script.script is None else ""
    return Options(data=data), recipe, DataSettings("")


def choose(options: Options, data: DataSettings, changes: Mapping[str, Any]) -> "Choice | None":
    """The recipe, where the command line names none, or one that is fitted to the data."""
    if options.script.script is not None:
        return None  # it brings its own data
    if options.start.backbones:
        from maxsup.study import find_backbones, weights_of

        check_backbone(weights_of(find_backbones(options.start.backbones)), changes)
    return choice_for(
        options.recipe, options.data, data, changes, masks=bool(options.start.backbones)
    )


def run(options: Options, recipe: Recipe, data: DataSettings) -> int:
    """Compare methods, print the table and write the page."""
    methods = options.methods
    if methods is None:
        methods = ("baseline",) if options.start.backbones else DEFAULT_METHODS
    if options.script.script is not None:
        from maxsup.commands._compare_script import compare_by_script

        return compare_by_script(
            replace(options, methods=methods), options.script.script, options.script.jobs
        )
    if options.script.jobs != 1:
        raise ValueError("--jobs says how many runs of a --script go on at a time; there is none.")
    cluster = options.cluster
    check_study(options.seeds, cluster, options.table, dry_run=options.dry_run)

    from maxsup._places import as_place
    from maxsup.commands._dry_run import show_dry_run
    from maxsup.commands._show_results import exit_code, show_results
    from maxsup.methods import all_methods
    from maxsup.report import write_report
    from maxsup.results import DEFAULT_PRIMARY, read_contrasts
    from maxsup.study import (
        StudySettings,
        compare,
        find_backbones,
        trainings_of,
        weights_of,
        with_backbones,
        with_teachers,
    )

    if methods == ("all",):
        methods = tuple(method.name for method in all_methods())
    if "all" in methods:
        raise ValueError(
            f"--methods all stands for every method, so give it alone; got {' '.join(methods)}."
        )
    distillation = distillation_of(options.distillation)
    if distillation is not None:
        methods = with_teachers(methods, distillation)
    backbones = find_backbones(options.start.backbones)
    check_partial_weights(recipe, (recipe.weights, *weights_of(backbones)))
    if backbones:
        methods = with_backbones(methods, backbones)
    study = StudySettings(
        data=replace(data, name=options.data),
        recipe=recipe,
        methods=methods,
        seeds=seeds_of(options.seeds, options.study.first_seed),
        baseline=options.study.baseline or "",
        primary=options.study.primary or DEFAULT_PRIMARY,
        margin=options.study.margin,
        contrasts=read_contrasts(options.study.contrasts, methods),
        tuning=_tuning(options.tuning),
        resample_data=options.study.resample_data,
        distillation=distillation,
        backbones=options.start.backbones,
    )
    if options.dry_run:
        runs, trials = trainings_of(study)
        show_dry_run(study.run(study.methods[0], study.seeds[0]), runs=runs, trials=trials)
        return 0
    directory = as_place(options.out or study.default_directory())
    results = compare(
        study,
        directory,
        command=options.common.command_line,
        on=cluster_of(cluster),
        tracker=options.record.tracker,
        plugins=options.common.plugin,
        notes=options.common.notes,
    )
    if is_first_process():
        write_report(results, directory / REPORT_FILE)
        show_results(results, directory / REPORT_FILE, options.table)
    return exit_code(results)


def _tuning(options: TuningOptions) -> "TuningSettings | None":
    from maxsup.study import TuningSettings

    given = {name: value for name, value in vars(options).items() if value is not None}
    if options.tune is None:
        if given:
            named = " and ".join("--" + name.replace("_", "-") for name in given)
            raise ValueError(f"{named}: nothing is tuned without --tune N; --tune 5 for example.")
        return None
    names = {
        "tune": "strengths",
        "tune_lr": "learning_rates",
        "tune_by": "by",
        "tune_seeds": "seeds",
        "tune_validation": "validation",
    }
    return TuningSettings(**{names[name]: value for name, value in given.items()})


COMMAND = SettingsCommand(Options, defaults, run, choose)
