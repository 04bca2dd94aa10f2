"""Every setting of a recipe and of the data as an option, in the groups that the help shows."""

import ast
import inspect
from collections.abc import Collection
from dataclasses import dataclass, fields, make_dataclass, replace
from typing import Any

import tyro

from maxsup.commands._read import annotated, in_group
from maxsup.data import DataSettings
from maxsup.recipes import Recipe

Settings = Recipe | DataSettings


@dataclass(frozen=True)
class Group:
    """Settings that the help shows together, under "TITLE options"."""

    title: str
    names: tuple[str, ...]


GROUPS = (
    # Among the command's own options, at the top of the help.
    Group("", ("epochs", "batch_size", "lr", "label_noise")),
    Group(
        "Data",
        (
            "image_column", "label_column", "probe_label", "image_size", "train_split",
            "validation_split", "test_split", "fraction", "validation", "test_fraction",
            "imbalance", "data_seed", "streaming", "max_corrupt", "max_megapixels",
        ),
    ),
    Group("Masks", ("mask_column", "classes", "void", "reduce_zero_label", "colors")),
    Group(
        "Model",
        (
            "model", "weights", "partial_weights", "mean", "std", "small_stem", "zero_init",
            "blur_pool", "drop_path",
        ),
    ),
    Group(
        "Segmentation",
        (
            "head", "head_channels", "auxiliary", "freeze_backbone", "iterations", "crop_size",
            "scale_range", "base_size", "photometric_distortion", "cat_max_ratio",
            "balance_classes", "eval_scales", "window", "stride",
        ),
    ),
    Group(
        "Optimisation",
        (
            "optimizer", "momentum", "nesterov", "betas", "weight_decay", "decay_norm_and_bias",
            "clip_norm", "ema_decay",
        ),
    ),
    Group(
        "Learning-rate schedule",
        ("lr_schedule", "milestones", "gamma", "power", "warmup_epochs", "warmup_lr", "final_lr"),
    ),
    Group("Augmentation", ("flip", "mixup", "cutmix")),
    Group("Small-image augmentation", ("crop_padding", "cutout")),
    Group(
        "Photograph augmentation",
        (
            "random_resized_crop", "crop_scale", "crop_ratio", "interpolation", "start_image_size",
            "resolution_epochs", "rand_augment", "erasing", "repeats",
        ),
    ),
    Group("Measuring", ("eval_size", "eval_crop", "evaluate_ema", "evaluate_flip")),
    Group(
        "Speed and memory",
        (
            "accumulate", "precision", "channels_last", "compile", "deterministic",
            "sync_batchnorm", "workers",
        ),
    ),
    Group("Record-keeping", ("keep_outputs", "keep_every", "checkpoint_steps")),
)  # fmt: skip
"""Every setting is in one of these; one that was forgotten is shown under "Other options"."""

NO_OPTIONS = {
    # A recipe and data are named by the commands' own options.
    Recipe: {"name", "label_column"},  # the column is a setting of the data
    DataSettings: {"name"},
}


def settings_options(*settings: Settings) -> type:
    """A dataclass with a dataclass for each group, whose fields are the settings.

    Types and sentences of the help are those of the settings' own fields, and the defaults are the
    values of these settings.
    """
    options = {}
    for each in settings:
        sentences = docstrings(type(each))
        for field in fields(each):
            if field.name not in NO_OPTIONS[type(each)]:
                hint = annotated(field.type, tyro.conf.arg(help=sentences[field.name]))
                options[field.name] = (field.name, hint, vars(each)[field.name])
    grouped = {name for group in GROUPS for name in group.names}
    others = Group("Other", tuple(name for name in options if name not in grouped))
    groups = []
    for number, group in enumerate([*GROUPS, others]):
        chosen = [options[name] for name in group.names if name in options]
        if chosen:
            kind = make_dataclass(f"Group{number}", chosen, frozen=True)
            hint = in_group(kind, group.title)
            groups.append((f"group{number}", hint, kind()))
    return make_dataclass("SettingsOptions", groups, frozen=True)


def with_options(
    settings: Settings, options: Any, named: Collection[str]
) -> tuple[Settings, list[str]]:
    """The settings with the values that were read by their :func:`settings_options`.

    What a recipe says for the case that an option has turned away from, such as the milestones of
    another learning rate schedule, goes back to its default.

    Args:
        settings: What the command line was read on top of.
        options: What was read.
        named: The options that the command line names; all others have the settings' values.

    Returns:
        The settings, and what was changed in them beside what was named, in sentences.

    Raises:
        ValueError: A value is out of its range, or has no effect beside the others.
    """
    changes = changes_to(type(settings), options, named)
    if not isinstance(settings, Recipe):
        return replace(settings, **changes), []
    adapted = settings.adapted(**changes)
    brought_along = {
        name: value
        for name, value in settings.brought_along(**changes).items()
        if getattr(adapted, name) == value
    }
    notes = []
    for cause, why in (
        ("epochs", "in the same ratio"),
        ("batch_size", "by linear scaling; --lr sets another"),
    ):
        follow = [
            _exchange(name, getattr(settings, name), brought_along[name])
            for name in settings.brought_along(**{cause: changes.get(cause)})
            if name in brought_along
        ]
        if follow:
            named_one = _exchange(cause, getattr(settings, cause), changes[cause])
            notes.append(f"{named_one} brings {', '.join(follow)} ({why}).")
    return adapted, notes


def changes_to(kind: type[Settings], options: Any, named: Collection[str]) -> dict[str, Any]:
    """What a command line says of a recipe, or of data: the values of the options that it names."""
    read = {name: value for group in vars(options).values() for name, value in vars(group).items()}
    names = {field.name for field in fields(kind)} - NO_OPTIONS[kind]
    return {name: read[name] for name in named if name in names}


def _exchange(name: str, before: Any, after: Any) -> str:
    both = (
        " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        for value in (after, before)
    )
    return f"--{name.replace('_', '-')} {' instead of '.join(both)}"


def docstrings(kind: type) -> dict[str, str]:
    """The sentences under the fields of a dataclass, in one line each."""
    body = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                found[name] = " ".join(text.split())
    return found
