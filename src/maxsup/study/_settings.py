"""What a study consists of, and the file that keeps it."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from maxsup._fields import settle_fields
from maxsup._files import write_text
from maxsup._places import is_empty
from maxsup._seeds import check_seed
from maxsup.data import DataSettings, short_name
from maxsup.methods import get_method
from maxsup.recipes import Recipe
from maxsup.training import FORMAT, RunSettings, check_format, read_parts

STUDY_FILE = "study.json"


@dataclass(frozen=True)
class StudySettings:
    """Methods × seeds on the same data with the same recipe.

    Example:
        >>> from maxsup.recipes import get_recipe
        >>> study = StudySettings(DataSettings("digits"), get_recipe("digits"), seeds=(0, 1))
        >>> study.methods, study.baseline, len(study.plan())
        (('baseline', 'label-smoothing', 'maxsup'), 'baseline', 6)

    Raises:
        ValueError: There is no method or seed, one is named twice, unknown or out of its range, or
            the baseline is not among the methods.
    """

    data: DataSettings
    """What to train on."""
    recipe: Recipe
    """How every model is trained."""
    methods: tuple[str, ...] = ("baseline", "label-smoothing", "maxsup")
    """The names of the methods to compare."""
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    """The seeds that each method is trained with."""
    baseline: str = ""
    """The name of the method that the others are measured against; by default the first one."""

    def __post_init__(self) -> None:
        settle_fields(self)
        if not self.baseline and self.methods:
            object.__setattr__(self, "baseline", self.methods[0])
        if not self.methods:
            raise ValueError("A study needs at least one method; --methods names none.")
        if not self.seeds:
            raise ValueError("A study needs at least one seed; got none.")
        for seed in self.seeds:
            check_seed("seeds", seed)
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
            kept = StudySettings.load(path)
            differing = [
                f"{part}.{field.name}: {there!r} there, {here!r} now"
                for part, of_kept, of_self in (
                    ("data", kept.data, self.data),
                    ("recipe", kept.recipe, self.recipe),
                )
                for field in dataclasses.fields(of_self)
                if field.compare
                and (there := getattr(of_kept, field.name))
                != (here := getattr(of_self, field.name))
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

    def default_directory(self) -> Path:
        """Where the study is kept unless a directory is named.

        >>> from maxsup.recipes import get_recipe
        >>> data = DataSettings("digits", label_noise=0.4)
        >>> StudySettings(data, get_recipe("digits")).default_directory()
        PosixPath('runs/digits-noise-0.4')
        """
        name = short_name(self.data).replace("/", "-")
        if self.data.imbalance > 1:
            name += f"-imbalance-{self.data.imbalance:g}"
        if self.data.label_noise:
            name += f"-noise-{self.data.label_noise:g}"
        return Path("runs") / name

    @classmethod
    def load(cls, path: Path) -> "StudySettings":
        """Read a ``study.json``, of this version of maxsup or an earlier one.

        Raises:
            ValueError: The file is not one, or was written by a newer version.
        """
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            check_format(fields)
            recipe, data = read_parts(fields)
            return cls(
                data=data,
                recipe=recipe,
                methods=tuple(fields["methods"]),
                seeds=tuple(fields["seeds"]),
                baseline=fields["baseline"],
            )
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"{path} is no settings file of a study: {error!r}.") from error

    def _to_json(self) -> str:
        content = {"format": FORMAT, **dataclasses.asdict(self)}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
