"""From a name or a path to rows of images and masks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import datasets

from maxsup._home import expand_home
from maxsup.data._corrupt import Corrupt
from maxsup.data._settings import DataSettings
from maxsup.data.masks._pairs import MASK_COLUMN, open_pairs
from maxsup.data.masks._settings import MaskSettings
from maxsup.data.sources._columns import describe_kind, find_image_column, image_columns
from maxsup.data.sources._data_files import data_files_in
from maxsup.data.sources._metadata import has_metadata
from maxsup.data.sources._open import choose_splits, load_parts, open_data
from maxsup.data.sources._opened import Table
from maxsup.data.sources._walk import Folder, walk

_MASK_NAMES = frozenset(
    {
        *("annotation", "annotations", "gt", "label", "labels", "mask", "masks", "seg"),
        *("segmentation", "segmentation_mask", "semantic_segmentation", "semantic_mask"),
    }
)


class MaskSource(NamedTuple):
    """Where the images and masks of a data set stand."""

    tables: Mapping[str, Table]
    """By what they are for: train, validation, test."""
    names: Mapping[str, str]
    """What these are called in the data."""
    image_column: str
    mask_column: str
    notes: tuple[str, ...]
    alone: Sequence[Corrupt]
    """Images without a mask and masks without an image, in the splits that are used."""
    layout: str | None
    """ade20k, where folders are called as there."""
    folder: Folder | None
    """What lies on this machine."""


def open_masks(settings: DataSettings, masks: MaskSettings) -> MaskSource:
    """Find a data set's splits, and its columns of images and masks.

    Raises:
        ValueError: There is no such data, split or column, it is ambiguous, or two parts have
            samples in common; the message lists what there is.
    """
    folder = _folder(settings)
    alone: Mapping[str, list[Corrupt]] = {}
    layout = None
    if folder is not None and _is_pairs(folder):
        opened, alone, layout = open_pairs(folder, settings)
        if masks.mask_column not in (None, MASK_COLUMN):
            raise ValueError(
                f"mask_column: the masks of a folder lie beside its images, and have no column "
                f"{masks.mask_column!r}. Leave it away."
            )
    else:
        opened = open_data(settings)
    chosen, notes = choose_splits(settings, opened)
    tables = load_parts(settings, opened, chosen.named())
    image_column, mask_column = _find_columns(settings, masks, tables["train_split"].features)
    names = {key.removesuffix("_split"): name for key, name in chosen.named().items()}
    used = {part.partition("[")[0].strip() for name in names.values() for part in name.split("+")}
    return MaskSource(
        {key.removesuffix("_split"): table for key, table in tables.items()},
        names,
        image_column,
        mask_column,
        (*opened.notes, *notes),
        [each for name in alone if name in used for each in alone[name]],
        layout,
        folder,
    )


def _folder(settings: DataSettings) -> Folder | None:
    if settings.name.startswith("hf:"):
        return None
    path = expand_home(settings.name.removeprefix("file://"))
    return walk(Path(path)) if path.is_dir() else None


def _is_pairs(folder: Folder) -> bool:
    """Whether images and masks are files of their own, and none holds many of them."""
    saved = {"dataset_dict.json", "state.json"} & {*folder.others}
    return bool(
        folder.image_count and not saved and not data_files_in(folder) and not has_metadata(folder)
    )


def _find_columns(settings: DataSettings, masks: MaskSettings, features: Any) -> tuple[str, str]:
    """The columns of images and of masks: those that are named, or called so."""
    columns = image_columns(features)
    there = ", ".join(f"{name} ({describe_kind(kind)})" for name, kind in features.items())
    mask = masks.mask_column
    if mask is not None and mask not in columns:
        raise ValueError(
            f"mask_column: {mask!r} is no column of images; there are the columns {there}."
        )
    if mask is None:
        called = [
            name
            for name in columns
            if name.lower() in _MASK_NAMES and name != settings.image_column
        ]
        rest = [name for name in columns if name != settings.image_column]
        if len(called) != 1 and settings.image_column in columns and len(rest) == 1:
            called = rest
        if len(called) != 1:
            which = "several columns" if called else "no column"
            raise ValueError(
                f"{settings.name} has {which} of images that may be masks, so one must be named "
                f"with --mask-column; there are the columns {there}. Images with one label each "
                "are for a recipe that learns that, such as finetune."
            )
        (mask,) = called
    if settings.image_column == mask:
        raise ValueError(f"image_column and mask_column are both {mask!r}; name two columns.")
    others = datasets.Features({name: kind for name, kind in features.items() if name != mask})
    return find_image_column(settings, others), mask
