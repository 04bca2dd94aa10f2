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
        # timm's own always fit.
        lambda of: of["weights"] not in (None, "timm"),
        "has no effect without weights that are a file",
    ),
    _Rule(
        (
            "crop_scale", "crop_ratio", "interpolation", "start_image_size", "resolution_epochs",
            "eval_size", "eval_crop", "rand_augment", "erasing", "repeats", "workers",
        ),
        lambda of: of["random_resized_crop"],
        "is for photographs: it needs random_resized_crop",
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
        lambda of: of["lr_schedule"] in ("cosine", "one-cycle"),
        "is for lr_schedule 'cosine' and 'one-cycle', and has no effect with another",
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
