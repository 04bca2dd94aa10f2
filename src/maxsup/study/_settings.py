"""What a study consists of, and the file that keeps it."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maxsup._files import write_text
from maxsup._places import is_empty
from maxsup.data import DataSettings
from maxsup.methods import get_method
from maxsup.recipes import Recipe
from maxsup.training import RunSettings

STUDY_FILE = "study.json"


@dataclass(frozen=True)
class StudySettings:
    """Methods × seeds on the same data with the same recipe.

    Raises:
        ValueError: There is no method or seed, one is named twice or unknown, or the baseline is
            not among the methods.
    """

    data: DataSettings
    recipe: Recipe
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    baseline: str

    def __post_init__(self) -> None:
        if not self.methods:
            raise ValueError("A study needs at least one method; --methods names none.")
        if not self.seeds:
            raise ValueError("A study needs at least one seed; got none.")
        for name in self.methods:
            get_method(name)
        for what, values in (("method", self.methods), ("seed", self.seeds)):
            twice = sorted({str(v) for v in values if values.count(v) > 1})
            if twice:
                raise ValueError(f"Each {what} can be named once; twice came {', '.join(twice)}.")
        if self.baseline not in self.methods:
            raise ValueError(
                f"The baseline {self.baseline!r} is not among the methods "
                f"({', '.join(self.methods)}). Add it to --methods, or name one of them with "
                "--baseline."
            )

    def plan(self) -> list[tuple[str, int]]:
        """Method and seed of every run, in the order to train them.

        By seed first: a study looked at half-way holds whole pairs.
        """
        return [(method, seed) for seed in self.seeds for method in self.methods]

    def run(self, method: str, seed: int) -> RunSettings:
        """The settings of one of the study's runs."""
        return RunSettings(method=method, seed=seed, recipe=self.recipe, data=self.data)

    def run_directory(self, directory: Path, method: str, seed: int) -> Path:
        """Where a run is kept within the study's directory."""
        return directory / method / f"seed-{seed}"

    def claim(self, directory: Path) -> None:
        """Make ``directory`` this study's, or see that it is already.

        Methods and seeds may be added to a study later: its finished runs are used again. Whether
        the data is still the same, each run sees for itself.

        Raises:
            ValueError: The directory holds a study with other data or another recipe, or files
                that are no study.
        """
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / STUDY_FILE
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            now = json.loads(self._to_json())
            differing = [
                f"{part}.{name}: {kept.get(part, {}).get(name)!r} there, {value!r} now"
                for part in ("data", "recipe")
                for name, value in now[part].items()
                if kept.get(part, {}).get(name) != value
            ]
            if differing:
                raise ValueError(
                    f"{directory} holds another study, with other settings "
                    f"({'; '.join(differing)}). Name another directory with --out, or use the "
                    "same settings."
                )
        elif not is_empty(directory):
            raise ValueError(
                f"{directory} holds files that are no study. Name a new or empty directory "
                "with --out."
            )
        write_text(path, self._to_json())

    def _to_json(self) -> str:
        fields: dict[str, Any] = dataclasses.asdict(self)
        return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"
