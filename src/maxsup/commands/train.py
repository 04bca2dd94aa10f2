"""``maxsup train``: one model."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from maxsup._home import expand_home
from maxsup.commands._choose import check_backbone, check_partial_weights, choice_for
from maxsup.commands._command import SettingsCommand
from maxsup.commands._options import CommonOptions, RecordOptions, is_first_process
from maxsup.commands._study_options import DistillationOptions, distillation_of
from maxsup.data import DataSettings
from maxsup.recipes import Recipe, all_recipes, get_recipe

if TYPE_CHECKING:
    from maxsup.training import Choice


@dataclass(frozen=True)
class BackboneOptions:
    """A trained model to begin with."""

    backbone: str | None = None
    """With a recipe for segmentation: begin with this trained model, the directory of a run or a
    file of weights; its architecture and the scale of its images come with it, or for a file that
    does not say it from --model."""


@dataclass(frozen=True)
class Options(CommonOptions):
    """Train one model."""

    recipe: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="RECIPE|FILE")] = None
    """A recipe's name, or the settings.json of a run to repeat; the options change what it says. By
    default a recipe that fits the data, which is said."""
    data: str = "digits"
    """What to train on: digits, a folder (image folder, Parquet, WebDataset), or hf:owner/name."""
    method: str = "maxsup"
    """The objective, with coefficients as in maxsup:alpha=0.3. See: maxsup methods."""
    seed: int = 0
    """Seed of the initial weights, the order of the images, and the augmentation."""
    out: str | None = None
    """Directory or URL of the run, new or to go on with; else runs/RECIPE/METHOD/seed-SEED."""
    dry_run: bool = False
    """Only build the training and take two steps, to see what it would take."""
    start: Annotated[
        tyro.conf.OmitArgPrefixes[BackboneOptions], tyro.conf.arg(name="Backbone", help="")
    ] = field(default_factory=BackboneOptions)
    distillation: Annotated[
        tyro.conf.OmitArgPrefixes[DistillationOptions], tyro.conf.arg(name="Distillation", help="")
    ] = field(default_factory=DistillationOptions)
    record: Annotated[
        tyro.conf.OmitArgPrefixes[RecordOptions], tyro.conf.arg(name="Record-keeping", help="")
    ] = field(default_factory=RecordOptions)


def defaults(named: Options) -> tuple[Options, Recipe, DataSettings]:
    """What the command line is read on top of: the recipe or the run's settings that it names."""
    if _is_file(named.recipe):
        from maxsup._places import as_place
        from maxsup.training import RunSettings

        run = RunSettings.load(as_place(named.recipe))
        taught = run.distillation
        distillation = (
            DistillationOptions()
            if taught is None
            else DistillationOptions(taught.teacher, taught.temperature, taught.weight)
        )
        options = Options(
            tyro.MISSING, run.data.name, run.method, run.seed, distillation=distillation
        )
        return options, run.recipe, run.data
    recipe = named.recipe
    if recipe is not None and recipe not in _names() and expand_home(recipe).is_dir():
        raise ValueError(
            f"{recipe} is a folder, where a recipe is expected. To train on it: maxsup train "
            f"--data {recipe}"
        )
    return Options(), get_recipe("digits" if recipe is None else recipe), DataSettings("")


def choose(options: Options, data: DataSettings, changes: Mapping[str, Any]) -> "Choice | None":
    """The recipe, where the command line names none, or one that is fitted to the data."""
    check_backbone(() if options.start.backbone is None else (options.start.backbone,), changes)
    return choice_for(
        options.recipe, options.data, data, changes, masks=options.start.backbone is not None
    )


def _is_file(recipe: str | None) -> bool:
    return recipe is not None and recipe.endswith(".json")


def _names() -> set[str]:
    return {recipe.name for recipe in all_recipes()}


def run(options: Options, recipe: Recipe, data: DataSettings) -> int:
    """Train a model and print what came of it, or only what it would take."""
    from maxsup._places import as_place
    from maxsup.commands._dry_run import show_dry_run
    from maxsup.methods import get_method
    from maxsup.training import RunSettings, train, with_backbone

    get_method(options.method).check_build()
    data = replace(data, name=options.data)
    distillation = distillation_of(options.distillation)
    if options.start.backbone is not None:
        recipe = with_backbone(recipe, options.start.backbone)
    check_partial_weights(recipe, (recipe.weights,))
    settings = RunSettings(options.method, options.seed, recipe, data, distillation=distillation)
    if options.dry_run:
        show_dry_run(settings, runs=1)
        return 0
    directory = as_place(options.out or settings.default_directory())
    result = train(settings, directory, tracker=options.record.tracker)
    if is_first_process():
        width = max(24, *(len(name) + 2 for name in result.values))
        for name, value in result.values.items():
            print(f"{name.replace('_', ' '):{width}}{'–' if value is None else f'{value:.4f}'}")
        print(f"\nThe run: {directory}")
    return 0


COMMAND = SettingsCommand(Options, defaults, run, choose)
