"""The columns of images and of labels."""

from typing import Any

import datasets

from maxsup.data._settings import DataSettings

_LABEL_NAMES = ("label", "labels", "fine_label", "class", "cls", "target", "y")


def find_image_column(settings: DataSettings, features: Any) -> str:
    """The column that the user names, or the only one that holds images.

    Raises:
        ValueError: There is none, or it is ambiguous; the message lists what there is.
    """
    images = [name for name, kind in features.items() if isinstance(kind, datasets.Image)]
    if settings.image_column is not None:
        if settings.image_column not in images:
            raise ValueError(
                f"image_column: {settings.image_column!r} is no column of images; "
                f"{_listed('columns of images', images, features)}"
            )
        return settings.image_column
    if len(images) != 1:
        raise ValueError(
            f"{settings.name} has {len(images)} columns of images, so one must be named with "
            f"--image-column; {_listed('columns of images', images, features)}"
        )
    return str(images[0])


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
    named = [name for name, kind in features.items() if isinstance(kind, datasets.ClassLabel)]
    candidates = named or [
        name
        for name, kind in features.items()
        if isinstance(kind, datasets.Value)
        and ("int" in kind.dtype or "string" in kind.dtype)
        and not name.startswith("__")
    ]
    if prefer in candidates:
        return str(prefer)
    if len(candidates) == 1:
        return str(candidates[0])
    if not candidates:
        raise ValueError(
            f"{settings.name} has no column that may be the label (class names, integers or "
            f"strings); {_listed('columns', list(features), features)} The classes of an image "
            "folder are its sub-folders, of which it needs at least two."
        )
    known = [name for name in _LABEL_NAMES if name in candidates]
    if not named and len(known) == 1:
        return known[0]
    raise ValueError(
        f"{settings.name} has {len(candidates)} columns that may be the label, so one must be "
        f"named with --label-column; {_listed('columns', candidates, features)}"
    )


def _listed(what: str, names: list[str], features: Any) -> str:
    if not names:
        return f"there are no {what}."
    kinds = [f"{name} ({type(features[name]).__name__})" for name in names]
    return f"there are the {what} {', '.join(kinds)}."
