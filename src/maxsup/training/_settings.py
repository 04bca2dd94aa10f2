"""What one training is determined by, and the file that keeps it."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from maxsup._fields import settle_fields
from maxsup._files import write_text
from maxsup._seeds import check_seed
from maxsup.data import DataSettings
from maxsup.recipes import Recipe
from maxsup.training._settings_file import FORMAT, check_format, read_parts


@dataclass(frozen=True)
class RunSettings:
    """Everything that determines a run: the file of these alone repeats it.

    Two runs that differ in ``method`` alone have the same initial weights, batches and
    augmentation.

    Raises:
        ValueError: The seed is out of its range, or a setting of another type.
    """

    method: str
    """The objective's name."""
    seed: int
    """The seed of the initial weights, the order of the images, and the augmentation."""
    recipe: Recipe
    """How the model is trained."""
    data: DataSettings
    """What it is trained on."""

    def __post_init__(self) -> None:
        settle_fields(self)
        check_seed("seed", self.seed)

    def default_directory(self) -> Path:
        """Where the run is kept unless a directory is named.

        >>> from maxsup.recipes import get_recipe
        >>> settings = RunSettings("maxsup", 7, get_recipe("digits"), DataSettings("digits"))
        >>> settings.default_directory()
        PosixPath('runs/digits/maxsup/seed-7')
        """
        return Path("runs") / self.recipe.name / self.method / f"seed-{self.seed}"

    def to_json(self) -> str:
        """The settings as JSON."""
        content = {"format": FORMAT, **dataclasses.asdict(self)}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "RunSettings":
        """The settings that :meth:`to_json` wrote, in this version of maxsup or an earlier one.

        Settings that have come since get their defaults.

        Raises:
            ValueError: The text is not such a file, or one of a newer version.
        """
        try:
            fields = json.loads(text)
            check_format(fields)
            recipe, data = read_parts(fields)
            return cls(fields["method"], fields["seed"], recipe, data)
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
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
