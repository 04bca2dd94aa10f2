"""The columns of images and of labels."""

from collections.abc import Sequence
from typing import Any

import datasets

from maxsup.data._settings import DataSettings
from maxsup.data.sources._mask_words import MASK_WORDS, words_of

_LABEL_NAMES = ("label", "labels", "fine_label", "class", "cls", "target", "y")
_IMAGE_NAMES = ("image", "img", "picture", "photo", "image_bytes", "bytes", "content")


def find_image_column(settings: DataSettings, features: Any) -> str:
    """The column that the user names, or the only one that holds images.

    Where no column is marked as one of images, files of images may stand in a plain column of
    bytes, or of structs with a field ``bytes``.

    Raises:
        ValueError: There is none, or it is ambiguous; the message lists what there is.
    """
    images = [name for name, kind in features.items() if isinstance(kind, datasets.Image)]
    files = [name for name, kind in features.items() if _holds_files(kind)]
    if settings.image_column is not None:
        if settings.image_column not in (*images, *files):
            raise ValueError(
                f"image_column: {settings.image_column!r} is no column of images; "
                f"{_listed('columns of images', images or files, features)}"
            )
        return settings.image_column
    candidates = images or files
    if not images and len(files) > 1:
        candidates = [name for name in files if name.lower() in _IMAGE_NAMES] or files
    if len(candidates) == 1:
        return str(candidates[0])
    if candidates:
        masks = [name for name in candidates if words_of(name) & MASK_WORDS]
        hint = " To learn the masks, take a recipe such as finetune-segmentation." if masks else ""
        raise ValueError(
            f"{settings.name} has {len(candidates)} columns of images, so one must be named with "
            f"--image-column; {_listed('columns of images', candidates, features)}{hint}"
        )
    raise ValueError(
        f"{settings.name} has no column of images; {_listed('columns', list(features), features)} "
        "Images are read from a column that datasets marks as one, or that holds the bytes of an "
        "image file (PNG, JPEG …) in each row; numbers of pixels must be written as such files."
    )


def image_columns(features: Any) -> list[str]:
    """The columns that hold images: those marked so, or where none is those of files."""
    images = [name for name, kind in features.items() if isinstance(kind, datasets.Image)]
    return images or [name for name, kind in features.items() if _holds_files(kind)]


def find_label_column(settings: DataSettings, features: Any, prefer: str | None) -> str:
    """The column that the user names, the preferred one, or the only one that may be the label.

    Raises:
        ValueError: There is none, or it is ambiguous; the message lists what there is.
    """
    if settings.label_column is not None:
        if settings.label_column not in features:
            raise ValueError(
                f"label_column: there is no column called {settings.label_column!r}; "
                f"{_listed('columns', list(features), features)}"
            )
        return settings.label_column
    named, candidates = _label_candidates(features)
    if prefer in candidates:
        return str(prefer)
    if len(candidates) == 1:
        return str(candidates[0])
    if not candidates:
        raise ValueError(
            f"{settings.name} has no column that may be the label (class names, integers, "
            f"strings or booleans); {_listed('columns', list(features), features)} The classes of "
            "an image folder are its sub-folders, of which it needs at least two."
        )
    known = [name for name in _LABEL_NAMES if name in candidates]
    if not named and len(known) == 1:
        return known[0]
    raise ValueError(
        f"{settings.name} has {len(candidates)} columns that may be the label, so one must be "
        f"named with --label-column; {_listed('columns', candidates, features)}"
    )


def find_probe_column(column: str, features: Any, label_column: str) -> None:
    """See that a column can hold other labels than those that are trained on.

    Raises:
        ValueError: There is no such column, or it is the one that is trained on.
    """
    others = [name for name in _label_candidates(features)[1] if name != label_column]
    if column not in features:
        raise ValueError(
            f"probe_label: there is no column called {column!r}; "
            f"{_listed('columns that may be other labels', others, features)}"
        )
    if column == label_column:
        raise ValueError(
            f"probe_label: {column!r} is the column that is trained on, so a probe would learn "
            f"what the last layer has learnt; {_listed('other columns', others, features)}"
        )


def describe_kind(kind: Any) -> str:
    """What a column holds, in a word or a few.

    >>> describe_kind(datasets.List(datasets.Value("int64"))), describe_kind(datasets.Image())
    ('list of int64', 'images')
    """
    match kind:
        case datasets.ClassLabel():
            return "class names"
        case datasets.Image():
            return "images"
        case datasets.Value():
            return str(kind.dtype)
        case datasets.List() | datasets.LargeList():
            return f"list of {describe_kind(kind.feature)}"
        case dict():
            return "struct of " + ", ".join(kind)
    return type(kind).__name__


def _label_candidates(features: Any) -> tuple[bool, Sequence[str]]:
    """Whether columns have class names, and those that may be the label: the likeliest kind."""
    kinds = {name: kind for name, kind in features.items() if not name.startswith("__")}
    named = [name for name, kind in kinds.items() if isinstance(kind, datasets.ClassLabel)]
    if named:
        return True, named
    values = {n: kind.dtype for n, kind in kinds.items() if isinstance(kind, datasets.Value)}
    likeliest_first = (
        [name for name, dtype in values.items() if "int" in dtype or "string" in dtype],
        [name for name, dtype in values.items() if dtype == "bool"],
        # Numbers and lists are seldom labels: by their names alone.
        [name for name, dtype in values.items() if "float" in dtype and name in _LABEL_NAMES],
        [
            name
            for name, kind in kinds.items()
            if isinstance(kind, datasets.List | datasets.LargeList) and name in _LABEL_NAMES
        ],
    )
    return False, next((names for names in likeliest_first if names), [])


def _holds_files(kind: Any) -> bool:
    if isinstance(kind, dict):
        return "bytes" in kind and _holds_files(kind["bytes"])
    return isinstance(kind, datasets.Value) and kind.dtype in ("binary", "large_binary")


def _listed(what: str, names: Sequence[str], features: Any) -> str:
    if not names:
        return f"there are no {what}."
    kinds = [f"{name} ({describe_kind(features[name])})" for name in names]
    return f"there are the {what} {', '.join(kinds)}."
