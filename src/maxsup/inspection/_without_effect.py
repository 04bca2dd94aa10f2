"""Options of an inspection that change nothing for the models that it is of."""

from collections.abc import Iterable, Sequence
from dataclasses import fields

from maxsup.inspection._loader import Named
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection.analyses import ANALYSES

_OF_ANALYSES = {
    "projection_classes": ("projection",),
    "corruptions": ("corruptions",),
    "corruption_samples": ("corruptions",),
    "ood_data": ("ood",),
    "probe_label": ("finer",),
    "transfer_data": ("transfer",),
    "boxes": ("localization",),
    "masks": ("localization",),
    "cam_layer": ("grad-cam", "localization"),
    "cam_class": ("grad-cam", "localization"),
}
"""The analyses that an option is for, of which one must be made."""
_OF_MODELS = {
    "cam_layer": "maps",
    "cam_class": "maps",
    "boxes": "maps",
    "masks": "maps",
    "data": "images",
    "train_samples": "a pass over images",
    "corruptions": "corrupted images",
    "ood_data": "other images",
    "transfer_data": "other images",
    "probe_label": "other labels of the images",
}
"""What an option is about that stored predictions have nothing to do with."""


def check_effect(settings: InspectionSettings, models: Sequence[Named]) -> None:
    """See that every option that is set changes something.

    Args:
        settings: What is asked for.
        models: What it is asked of.

    Raises:
        ValueError: One does not; the message names it, and says why.
    """
    set_ = [each.name for each in fields(settings) if getattr(settings, each.name) != each.default]
    _check_skipped(settings, set_)
    kinds = {each.kind for each in models}
    if kinds == {"predictions"}:
        for name in set_:
            if name in _OF_MODELS:
                raise _no_effect(
                    name,
                    settings,
                    f"{models[0].place} is stored predictions, and {_OF_MODELS[name]} can be had "
                    "of a model alone. Name the model itself",
                )
    for name in ("model", "partial_weights"):
        if name in set_ and "weights" not in kinds:
            raise _no_effect(
                name,
                settings,
                "it is about files of weights, and none is named: runs and models of timm know "
                "their own. Name a file of weights",
            )
    seeds = [sum(other.method == each.method for other in models) for each in models]
    if "resamples" in set_ and settings.resamples and min(seeds) > 1:
        raise _no_effect(
            "resamples",
            settings,
            "every group has several seeds, and intervals are over these. Name one seed of each",
        )


def _check_skipped(settings: InspectionSettings, set_: Iterable[str]) -> None:
    names = [each.name for each in ANALYSES]
    unknown = [name for name in settings.skip if name not in names]
    if unknown:
        raise ValueError(
            f"skip: no analysis is called {unknown[0]!r}; there are {', '.join(names)}."
        )
    for analysis in ANALYSES:
        analysis.facts_under(settings)  # two data sets of one name are refused
    asked = {*set_}
    made = {name for name in names if name not in settings.skip}
    if not asked & {"boxes", "masks"}:
        made -= {"localization"}
    for name, analyses in _OF_ANALYSES.items():
        if name in asked and not made & {*analyses}:
            left = " and ".join(each for each in analyses if each in settings.skip)
            raise _no_effect(
                name, settings, f"skip leaves out {left}, which it is for. Take that out of skip"
            )
    if "corruption_samples" in asked and not settings.corruptions:
        raise _no_effect(
            "corruption_samples",
            settings,
            "no corruption is asked for. Name some with corruptions, such as common",
        )


def _no_effect(name: str, settings: InspectionSettings, why: str) -> ValueError:
    return ValueError(
        f"{name} has no effect here: {why}, or leave {name} away; got "
        f"{_written(getattr(settings, name))}."
    )


def _written(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
