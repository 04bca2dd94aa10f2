"""Settings of a recipe that change nothing beside the others."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class _Rule(NamedTuple):
    names: tuple[str, ...]
    has_effect: Callable[[Mapping[str, Any]], bool]
    why: str


_RULES = (
    _Rule(
        ("partial_weights",),
        # timm's own always fit. A recipe for segmentation is given its backbone later.
        lambda of: of["weights"] not in (None, "timm") or of["head"] is not None,
        "has no effect without weights that are a file",
    ),
    _Rule(
        (
            "crop_scale", "crop_ratio", "interpolation", "start_image_size", "resolution_epochs",
            "eval_size", "eval_crop", "rand_augment", "erasing", "repeats",
        ),
        lambda of: of["random_resized_crop"],
        "is for photographs: it needs random_resized_crop",
    ),
    _Rule(
        ("workers",),
        lambda of: of["random_resized_crop"] or of["head"] is not None,
        "is for photographs: it needs random_resized_crop",
    ),
    _Rule(
        (
            "crop_size", "scale_range", "base_size", "photometric_distortion", "cat_max_ratio",
            "balance_classes", "eval_scales", "window", "stride", "freeze_backbone", "iterations",
        ),
        lambda of: of["head"] is not None,
        "is for segmentation: it needs a head",
    ),
    _Rule(
        ("head_channels", "auxiliary"),
        lambda of: of["head"] == "upernet",
        "is for head 'upernet', and has no effect without",
    ),
    _Rule(
        ("stride",),
        lambda of: of["window"] is not None,
        "has no effect without window, whose steps it is",
    ),
    _Rule(
        (
            "random_resized_crop", "image_size", "crop_padding", "cutout", "mixup", "cutmix",
            "label_column", "evaluate_flip", "keep_outputs",
        ),
        lambda of: of["head"] is None,
        "is for images with one label, and has no effect with a head for segmentation",
    ),
    _Rule(
        ("drop_path",),
        lambda of: not of["freeze_backbone"],
        "has no effect on a backbone that is not trained",
    ),
    _Rule(
        ("power",),
        lambda of: of["lr_schedule"] == "polynomial",
        "is for lr_schedule 'polynomial', and has no effect with another",
    ),
    _Rule(
        ("crop_padding", "cutout"),
        lambda of: not of["random_resized_crop"],
        "is for small images, and has no effect with random_resized_crop",
    ),
    _Rule(
        ("start_image_size",),
        lambda of: of["resolution_epochs"][1] > 0,
        "has no effect without resolution_epochs, between which the side grows",
    ),
    _Rule(
        ("resolution_epochs",),
        lambda of: of["start_image_size"] is not None,
        "has no effect without start_image_size, from which the side grows",
    ),
    _Rule(
        ("momentum", "nesterov"),
        lambda of: of["optimizer"] == "sgd",
        "is for optimizer 'sgd', and has no effect with another",
    ),
    _Rule(
        ("betas",),
        lambda of: of["optimizer"] == "adamw",
        "is for optimizer 'adamw', and has no effect with another",
    ),
    _Rule(
        ("milestones", "gamma"),
        lambda of: of["lr_schedule"] == "step",
        "is for lr_schedule 'step', and has no effect with another",
    ),
    _Rule(
        ("final_lr",),
        lambda of: of["lr_schedule"] in ("cosine", "polynomial", "one-cycle"),
        "is for lr_schedule 'cosine', 'polynomial' and 'one-cycle', and has no effect with another",
    ),
    _Rule(
        ("warmup_lr",),
        # A cycle rises in any case.
        lambda of: of["warmup_epochs"] > 0 or of["lr_schedule"] == "one-cycle",
        "has no effect without warmup_epochs",
    ),
)  # fmt: skip


def settings_without_effect(
    settings: Mapping[str, Any], defaults: Mapping[str, Any]
) -> dict[str, str]:
    """The settings that are set and change nothing, with the reason as a sentence's predicate.

    Args:
        settings: The values of a recipe's settings, by name.
        defaults: The values that they have unless they are set.
    """
    return {
        name: rule.why
        for rule in _RULES
        if not rule.has_effect(settings)
        for name in rule.names
        if settings[name] != defaults[name]
    }
