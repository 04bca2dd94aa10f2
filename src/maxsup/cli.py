"""The command line: ``maxsup compare · train · prepare · methods · recipes``."""

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import tyro
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import Progress
from rich.table import Table

from maxsup import methods
from maxsup._files import atomic_write
from maxsup._places import as_place
from maxsup.data import DataSettings, Smaller, prepare_shards, read_bytes, short_name
from maxsup.figures import draw_recipe_curves
from maxsup.recipes import Recipe, all_recipes, get_recipe, recipe_page
from maxsup.report import results_table, write_report
from maxsup.study import RayCluster, StudySettings, compare
from maxsup.training import (
    RunSettings,
    TrackerName,
    build_accelerator,
    dry_run,
    duration,
    load_announced,
    recipe_curves,
    train,
)

_T = TypeVar("_T")

REPORT_FILE = "report.html"


@dataclass(frozen=True)
class _RecipeOptions(Recipe):
    # These come from the recipe's name and from the data's options.
    name: tyro.conf.Suppress[str] = ""
    model: str = ""
    image_size: tyro.conf.Suppress[int | None] = None
    label_column: tyro.conf.Suppress[str | None] = None

    def __post_init__(self) -> None:
        """Options are checked when they become a recipe, where the message is our own."""


@dataclass(frozen=True)
class _CompareDataOptions(DataSettings):
    name: tyro.conf.Positional[str] = field(default_factory=lambda: tyro.MISSING)
    """What to train on: digits, a folder (image folder, Parquet, WebDataset), or hf:owner/name."""

    def __post_init__(self) -> None:
        """Options are checked when they become settings, where the message is our own."""


@dataclass(frozen=True)
class _TrainDataOptions(DataSettings):
    name: Annotated[str, tyro.conf.arg(name="data")] = "digits"
    """What to train on: digits, a folder (image folder, Parquet, WebDataset), or hf:owner/name."""

    def __post_init__(self) -> None:
        """Options are checked when they become settings, where the message is our own."""


@dataclass(frozen=True)
class Compare:
    """Find out which regulariser is best for your data: many seeds, paired statistics, one page."""

    data: tyro.conf.OmitArgPrefixes[_CompareDataOptions]
    settings: tyro.conf.OmitArgPrefixes[_RecipeOptions]
    methods: tuple[str, ...] = ("baseline", "label-smoothing", "maxsup")
    """What to compare; "all" for every method. See: maxsup methods."""
    seeds: int = 5
    """How many trainings of each method; same seed, same start for all methods."""
    first_seed: int = 0
    """The seeds are this one and those that follow it."""
    baseline: str | None = None
    """The method that the others are measured against; by default the first one."""
    recipe: str | None = None
    """How to train; "digits" by default on digits. See: maxsup recipes."""
    tracker: TrackerName | None = None
    """Send each epoch's figures there too; TensorBoard's files lie in the run's directory."""
    dry_run: bool = False
    """Only build one training and take two steps, to see what the study would take."""
    out: str | None = None
    """Directory of the study, or a URL as s3://bucket/runs; by default runs/ and the data's name.
    Go on with the same one."""
    on: Literal["here", "ray"] = "here"
    """Where to train: here, one run after the other, or all over a Ray cluster whose nodes reach
    the data and the study's directory under the same names. The numbers are the same."""
    gpus_per_run: float | None = None
    """Ray: GPUs for each run, at most 1; 0.5 lets two share one. By default 1 if there are any."""
    cpus_per_run: float | None = None
    """Ray: CPU cores to keep for each run; by default a GPU's share of its node's, or else as many
    as there are threads here."""


@dataclass(frozen=True)
class Train:
    """Train one model."""

    data: tyro.conf.OmitArgPrefixes[_TrainDataOptions]
    settings: tyro.conf.OmitArgPrefixes[_RecipeOptions]
    recipe: tyro.conf.Positional[str] = field(default_factory=lambda: tyro.MISSING)
    """A recipe's name, or the settings.json of a run to repeat, all by itself."""
    method: str = "maxsup"
    """The objective. See: maxsup methods."""
    seed: int = 0
    """Of the initial weights, the order of the images, and the augmentation."""
    tracker: TrackerName | None = None
    """Send each epoch's figures there too; TensorBoard's files lie in the run's directory."""
    dry_run: bool = False
    """Only build the training and take two steps, to see what it would take."""
    out: str | None = None
    """Directory of the run, or a URL as s3://bucket/run; by default
    runs/RECIPE/METHOD/seed-SEED. Go on with the same one."""


@dataclass(frozen=True)
class Prepare:
    """Write photographs anew as smaller JPEGs in Parquet files, once, to train on them faster."""

    data: tyro.conf.Positional[str]
    """What to read: a folder (image folder, Parquet, WebDataset), a file, or hf:owner/name."""
    out: tyro.conf.Positional[Path]
    """Directory to write to; it is data itself then. Go on with the same one."""
    smaller: tyro.conf.OmitArgPrefixes[Smaller] = field(default_factory=Smaller)
    shard_size: str = "512MB"
    """About how large a file is."""
    splits: tuple[str, ...] | None = None
    """The splits to write; by default those to train and to measure on."""
    image_column: str | None = None
    """The column of the images, where there are several."""
    label_column: str | None = None
    """The column of the labels, where there are several."""
    max_corrupt: int = 0
    """How many images may be left out because they cannot be read."""
    workers: int | None = None
    """Threads; by default one for each core."""


@dataclass(frozen=True)
class Methods:
    """List the methods, or show one's page: formula, defaults, when it helps, what it costs."""

    name: tyro.conf.Positional[str | None] = None
    """The method to show."""


@dataclass(frozen=True)
class Recipes:
    """List the recipes, or show one with all its settings and what is changed in them."""

    settings: tyro.conf.OmitArgPrefixes[_RecipeOptions]
    name: tyro.conf.Positional[str | None] = None
    """The recipe to show."""
    image_size: int | None = None
    """Side of the square images in pixels."""
    curves: Path | None = None
    """Draw learning rate, penalty and resolution into this PNG: of the recipe, or of all."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        0 when it is done, 1 when no training finished, 2 for input it cannot use, 130 when it was
        interrupted.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        command = _parse(arguments)
        match command:
            case Compare():
                return _compare(command, shlex.join(["maxsup", *arguments]))
            case Train():
                _train(command)
            case Prepare():
                _prepare(command)
            case Methods():
                _methods(command)
            case Recipes():
                _recipes(command)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        print(f"maxsup: {_message(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "maxsup: stopped. The same command goes on after the last finished epoch or file.",
            file=sys.stderr,
        )
        return 130
    return 0


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _parse(arguments: Sequence[str]) -> Compare | Train | Prepare | Methods | Recipes:
    """Read the command line; the recipe named on it gives the defaults of its settings."""
    recipe = _named_recipe(arguments)
    settings = _convert(_RecipeOptions, recipe)
    parsed: Compare | Train | Prepare | Methods | Recipes = tyro.cli(
        Annotated[
            Annotated[
                Compare,
                tyro.conf.subcommand(
                    "compare", default=Compare(data=_CompareDataOptions(), settings=settings)
                ),
            ]
            | Annotated[
                Train,
                tyro.conf.subcommand(
                    "train", default=Train(data=_TrainDataOptions(), settings=settings)
                ),
            ]
            | Annotated[Prepare, tyro.conf.subcommand("prepare")]
            | Annotated[Methods, tyro.conf.subcommand("methods")]
            | Annotated[
                Recipes, tyro.conf.subcommand("recipes", default=Recipes(settings=settings))
            ],
            None,
        ],
        args=arguments,
        prog="maxsup",
        description="MaxSup and its rivals: honest comparisons of regularisers on your own data.",
    )
    return parsed


def _named_recipe(arguments: Sequence[str]) -> Recipe:
    """The recipe that the command line names, wherever it stands there."""
    words = list(arguments)
    command, name = words[:1], None
    for position, word in enumerate(words):
        if word == "--recipe" and position + 1 < len(words):
            name = words[position + 1]
        elif word.startswith("--recipe="):
            name = word.partition("=")[2]
    if command in (["train"], ["recipes"]):
        known = {recipe.name for recipe in all_recipes()}
        name = next((word for word in words[1:] if word in known), None)
    if name is None:
        return get_recipe("digits")
    return get_recipe(name)


def _convert(kind: type[_T], source: object) -> _T:
    """The fields that ``kind`` shares with ``source``, as a ``kind``."""
    names = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: getattr(source, name) for name in names})


def _compare(options: Compare, command: str) -> int:
    if options.recipe is None and options.data.name != "digits":
        known = ", ".join(recipe.name for recipe in all_recipes())
        raise ValueError(f"--recipe is needed with data other than digits; there are: {known}.")
    if options.seeds < 1:
        raise ValueError(f"--seeds must be at least 1; got {options.seeds}.")
    recipe = _resolved(options.settings, options.data)
    names = _method_names(options.methods)
    study = StudySettings(
        data=_data_settings(options.data, recipe),
        recipe=recipe,
        methods=names,
        seeds=tuple(range(options.first_seed, options.first_seed + options.seeds)),
        baseline=options.baseline or names[0],
    )
    if options.dry_run:
        runs = len(study.methods) * len(study.seeds)
        _dry_run(study.run(names[0], study.seeds[0]), runs)
        return 0
    directory = as_place(options.out or Path("runs") / _directory_name(study.data))
    results = compare(
        study, directory, command=command, on=_cluster(options), tracker=options.tracker
    )
    if _is_first_process():
        write_report(results, directory / REPORT_FILE)
        Console().print(results_table(results))
        print(f"\nThe page: {directory / REPORT_FILE}")
    return 0 if any(run["status"] == "finished" for run in results["runs"]) else 1


def _cluster(options: Compare) -> RayCluster | None:
    if options.on == "ray":
        return RayCluster(options.gpus_per_run, options.cpus_per_run)
    if options.gpus_per_run is not None or options.cpus_per_run is not None:
        raise ValueError("--gpus-per-run and --cpus-per-run are for Ray: add --on ray.")
    return None


def _method_names(names: tuple[str, ...]) -> tuple[str, ...]:
    if names == ("all",):
        return tuple(method.name for method in methods.all_methods())
    return names


def _resolved(options: _RecipeOptions, data: DataSettings) -> Recipe:
    """The recipe with the settings of the command line, the side of the images among them."""
    if data.image_size is not None:
        options = replace(options, image_size=data.image_size)
    return _convert(Recipe, options)


def _data_settings(options: DataSettings, recipe: Recipe) -> DataSettings:
    settings = _convert(DataSettings, options)
    if settings.image_size is None:
        settings = replace(settings, image_size=recipe.image_size)
    return settings


def _directory_name(data: DataSettings) -> str:
    name = short_name(data).replace("/", "-")
    if data.imbalance > 1:
        name += f"-imbalance-{data.imbalance:g}"
    return f"{name}-noise-{data.label_noise:g}" if data.label_noise else name


def _is_first_process() -> bool:
    return os.environ.get("RANK", "0") == "0"


def _train(options: Train) -> None:
    if options.recipe.endswith(".json"):
        settings = RunSettings.load(as_place(options.recipe))
    else:
        named = replace(options.settings, name=get_recipe(options.recipe).name)
        recipe = _resolved(named, options.data)
        methods.get_method(options.method)
        settings = RunSettings(
            method=options.method,
            seed=options.seed,
            recipe=recipe,
            data=_data_settings(options.data, recipe),
        )
    if options.dry_run:
        _dry_run(settings, runs=1)
        return
    directory = as_place(
        options.out
        or Path("runs") / settings.recipe.name / settings.method / f"seed-{settings.seed}"
    )
    result = train(settings, directory, tracker=options.tracker)
    if _is_first_process():
        for name, value in result.values.items():
            print(f"{name.replace('_', ' '):24}{'–' if value is None else f'{value:.4f}'}")
        print(f"\nThe run: {directory}")


def _dry_run(settings: RunSettings, runs: int) -> None:
    console = Console(stderr=True)
    accelerator = build_accelerator(settings.recipe)
    data = load_announced(settings, accelerator, console.print)
    found = dry_run(settings, data=data, accelerator=accelerator)
    if not accelerator.is_main_process:
        return
    height, width = found.image_size
    processes = f", {found.processes} processes" if found.processes > 1 else ""
    rows = {
        "model": f"{settings.recipe.model}, {found.parameters / 1e6:.2f} M parameters",
        "FLOPs": f"{_short(found.flops)} forward for an image of {width}×{height}; "
        "a multiply-add counts as two",
        "data": f"{len(data.train):,} images to train, {len(data.test):,} to test, "
        f"{len(data.classes):,} classes",
        "steps": f"{found.steps_per_epoch:,} of {settings.recipe.batch_size:,} images in each of "
        f"{found.epochs:,} epochs: {found.steps_per_epoch * found.epochs:,}",
        "loss": ", ".join(f"{loss:.4f}" for loss in found.losses) + " in the two steps taken",
        "memory": f"{found.memory / 2**30:.1f} GiB at the peak",
        "step": f"{found.step_seconds:.3f} s on {found.device}{processes}",
        "reading": f"{found.reading_seconds:.3f} s from batch to batch",
        "time": f"about {duration(found.seconds)} for a training",
    }
    if found.outputs_bytes:
        rows["outputs"] = f"{_short_bytes(found.outputs_bytes)} to keep of each training"
    if runs > 1:
        rows["study"] = f"about {duration(runs * found.seconds)} for its {runs} trainings"
    for name, value in rows.items():
        print(f"{name:8} {value}")


def _short(count: int) -> str:
    return f"{count / 1e9:.2f} G" if count >= 1e9 else f"{count / 1e6:.2f} M"


def _short_bytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 else f"{count / 1e3:,.1f} kB"


def _prepare(options: Prepare) -> None:
    first = options.splits[0] if options.splits else None
    data = DataSettings(
        options.data,
        train_split=first,
        image_column=options.image_column,
        label_column=options.label_column,
    )
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("images", total=None)
        prepared = prepare_shards(
            data,
            options.out,
            smaller=options.smaller,
            shard_size=read_bytes(options.shard_size),
            splits=options.splits,
            max_corrupt=options.max_corrupt,
            workers=options.workers,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    for each in prepared.corrupt:
        print(f"left out: row {each.row} of split {each.split} {each.path}: {each.reason}")
    print(f"{prepared.images:,} images in {prepared.shards:,} files: {options.out}")


def _methods(options: Methods) -> None:
    if options.name is not None:
        Console().print(Markdown(methods.get_method(options.name).page()))
        return
    table = Table("method", "what it does", "defaults", box=None, pad_edge=False)
    for method in methods.all_methods():
        table.add_row(method.name, method.summary, method.settings())
    Console().print(table)
    print("\nmaxsup methods NAME shows a method's page.")


def _recipes(options: Recipes) -> None:
    if options.name is None:
        for recipe in all_recipes():
            print(f"{recipe.name:24} {recipe_page(recipe.name).splitlines()[0]}")
        print("\nmaxsup recipes NAME shows a recipe with all its settings.")
        if options.curves is not None:
            _write_curves(all_recipes(), options.curves)
        return
    named = get_recipe(options.name)
    changed = replace(options.settings, name=named.name)
    if options.image_size is not None:
        changed = replace(changed, image_size=options.image_size)
    recipe = _convert(Recipe, changed)
    print(recipe_page(recipe.name), end="\n\n")
    before = asdict(named)
    for name, value in asdict(recipe).items():
        mark = f"  (changed from {before[name]})" if value != before[name] else ""
        print(f"{name:22} {value}{mark}")
    if options.curves is not None:
        _write_curves([recipe], options.curves)


def _write_curves(recipes: Sequence[Recipe], path: Path) -> None:
    with atomic_write(path) as file:
        draw_recipe_curves([recipe_curves(recipe) for recipe in recipes], file)
    print(f"\nThe curves: {path}")
