"""Settings as they stand in a file, of this version of maxsup or an earlier one."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from maxsup import _formats
from maxsup.data import DataSettings
from maxsup.recipes import Recipe

_T = TypeVar("_T")

SETTINGS_FILE = "settings.json"
FORMAT = 3
"""The format that settings files have; 1 was that of version 0.1, which had no number, and 2 knew
of no teacher."""


def check_format(fields: Mapping[str, Any], what: Path | str) -> None:
    """See that a settings file has a format that this version reads.

    Raises:
        ValueError: It has another.
    """
    _formats.check_format(
        fields.get("format", 1),
        str(what),
        newest=FORMAT,
        remedy="Name the settings.json of a run, or another directory with --out.",
    )


def read_parts(fields: Mapping[str, Any]) -> tuple[Recipe, DataSettings]:
    """Recipe and data of a settings file, of this version or an earlier one.

    Raises:
        ValueError: There is a setting that is not known, or one that is out of range.
    """
    recipe, data = dict(fields["recipe"]), dict(fields["data"])
    if fields.get("format", 1) == 1:
        # The side of small images stood with the data then, where it was the one that counted.
        side = data.pop("image_size", None)
        if side is not None and not recipe.get("random_resized_crop"):
            recipe["image_size"] = side
    return _from_fields(Recipe, "recipe", recipe), _from_fields(DataSettings, "data", data)


def _from_fields(kind: type[_T], part: str, fields: Mapping[str, Any]) -> _T:
    known = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(fields) - known)
    if unknown:
        raise ValueError(
            f"These settings name {', '.join(f'{part}.{name}' for name in unknown)}, which this "
            "version of maxsup does not know. Remove the lines, or install a newer version."
        )
    # JSON has lists where the dataclasses have tuples.
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()})
