"""What one training is determined by, and the file that keeps it."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from maxsup._files import write_text
from maxsup.data import DataSettings
from maxsup.recipes import Recipe

_T = TypeVar("_T")


@dataclass(frozen=True)
class RunSettings:
    """Everything that determines a run: the file of these alone repeats it.

    Two runs that differ in ``method`` alone have the same initial weights, batches and
    augmentation.
    """

    method: str
    seed: int
    recipe: Recipe
    data: DataSettings

    def to_json(self) -> str:
        """The settings as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "RunSettings":
        """The settings that :meth:`to_json` wrote.

        Raises:
            ValueError: The text is not such a file.
        """
        try:
            fields = json.loads(text)
            # Earlier versions wrote the side of the images here too.
            fields["recipe"]["image_size"] = fields["data"].pop("image_size", None) or fields[
                "recipe"
            ].get("image_size")
            return cls(
                method=fields["method"],
                seed=fields["seed"],
                recipe=_from_dict(Recipe, fields["recipe"]),
                data=_from_dict(DataSettings, fields["data"]),
            )
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"This is no settings file of a run: {error!r}.") from error

    def save(self, path: Path) -> None:
        """Write the settings file."""
        write_text(path, self.to_json())

    @classmethod
    def load(cls, path: Path) -> "RunSettings":
        """Read a settings file.

        Raises:
            ValueError: The file is not one.
        """
        return cls.from_json(path.read_text(encoding="utf-8"))


def _from_dict(kind: type[_T], fields: dict[str, Any]) -> _T:
    # JSON has lists where the dataclasses have tuples.
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()})
