"""What one training is determined by, and the file that keeps it."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from maxsup._digests import DamagedFile, read_object, with_digest
from maxsup._fields import settle_fields
from maxsup._files import write_text
from maxsup._formats import OtherFormat
from maxsup._method_names import MethodName, canonical, directory_name
from maxsup._seeds import check_seed
from maxsup.data import DataSettings
from maxsup.models import TIMM, digest_of_weights
from maxsup.recipes import Recipe
from maxsup.training._distillation import Distillation
from maxsup.training._settings_file import FORMAT, check_format, read_parts

MeasuredOn = Literal["test", "validation"]


@dataclass(frozen=True)
class RunSettings:
    """Everything that determines a run: the file of these alone repeats it.

    Two runs that differ in ``method`` alone have the same initial weights, batches and
    augmentation.

    Raises:
        ValueError: The seed is out of its range, a setting of another type, or nothing is left of
            the objective beside a teacher.
    """

    method: str
    """The objective's name, with the coefficients that are set for it: ``maxsup:alpha=0.1``."""
    seed: int
    """The seed of the initial weights, the order of the images, and the augmentation."""
    recipe: Recipe
    """How the model is trained."""
    data: DataSettings
    """What it is trained on."""
    measured_on: MeasuredOn = "test"
    """The part of the data that it is measured on; with ``validation``, the test set is not looked
    at, so that something can be chosen by the run."""
    distillation: Distillation | None = None
    """The teacher that it learns from beside its labels, if there is one."""

    def __post_init__(self) -> None:
        settle_fields(self)
        object.__setattr__(self, "method", canonical(self.method))
        check_seed("seed", self.seed)
        taught = self.distillation
        if taught is not None and self.recipe.is_segmentation:
            raise ValueError(
                "teacher: models are taught to classify images; leave --teacher out of a training "
                "for segmentation."
            )
        if (
            taught is not None
            and taught.weight == 1
            and MethodName.read(self.method).method != ("baseline")
        ):
            raise ValueError(
                f"distill_weight 1 leaves nothing of the objective, so that {self.method} would "
                "have no effect. Name the method baseline, or take a weight below 1."
            )

    def default_directory(self) -> Path:
        """Where the run is kept unless a directory is named.

        >>> from maxsup.recipes import get_recipe
        >>> settings = RunSettings("maxsup", 7, get_recipe("digits"), DataSettings("digits"))
        >>> settings.default_directory()
        PosixPath('runs/digits/maxsup/seed-7')
        """
        name = self.recipe.name + ("" if self.distillation is None else "-distilled")
        return Path("runs") / name / directory_name(self.method) / f"seed-{self.seed}"

    def fingerprint(self) -> str:
        """SHA-256 of what determines the run's numbers; equal for settings that are equal.

        Settings at their defaults are left out, so that those which come later change nothing. Of
        a file of weights to start from, and of a teacher, the content counts.

        Raises:
            ValueError: The weights to start from are not there, or the teacher is not.
        """
        content: dict[str, Any] = {
            "method": self.method,
            "seed": self.seed,
            "recipe": _deciding(self.recipe),
            "data": _deciding(self.data),
        }
        if self.measured_on != "test":
            content["measured_on"] = self.measured_on
        weights = self.recipe.weights
        if weights is not None and weights != TIMM:
            # A file may change under its name.
            content["weights"] = digest_of_weights(weights)
        if self.distillation is not None:
            content["distillation"] = dataclasses.asdict(self.distillation)
            content["teacher"] = self.distillation.digest()
        text = json.dumps(_with_floats(content), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def differences(self, kept: "RunSettings") -> list[str]:
        """The settings that give other numbers than those kept somewhere: both values of each."""
        found = [
            f"{name}: {there!r} there, {here!r} now"
            for name, there, here in (
                ("method", kept.method, self.method),
                ("seed", kept.seed, self.seed),
                ("measured_on", kept.measured_on, self.measured_on),
            )
            if there != here
        ]
        found += taught_otherwise(kept.distillation, self.distillation)
        return (
            found
            + differences("data", kept.data, self.data)
            + differences("recipe", kept.recipe, self.recipe)
        )

    def to_json(self) -> str:
        """The settings as JSON."""
        content = with_digest({"format": FORMAT, **dataclasses.asdict(self)})
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, what: Path | str = "This text") -> "RunSettings":
        """The settings that :meth:`to_json` wrote, in this version of maxsup or an earlier one.

        Settings that have come since get their defaults. A file that was edited is read as it is.

        Args:
            text: The file's text.
            what: The file, as a message begins with it.

        Raises:
            ValueError: The text is not such a file, or one of a newer version.
        """
        try:
            return cls._of(json.loads(text), what)
        except json.JSONDecodeError as error:
            raise ValueError(f"{what} is no settings file of a run: {error}.") from error

    @classmethod
    def _of(cls, fields: Any, what: Path | str) -> "RunSettings":
        try:
            check_format(fields, what)
            recipe, data = read_parts(fields)
            measured_on = fields.get("measured_on", "test")
            taught = read_distillation(fields)
            return cls(fields["method"], fields["seed"], recipe, data, measured_on, taught)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{what} is no settings file of a run: {error!r}.") from error

    def save(self, path: Path) -> None:
        """Write the settings file."""
        write_text(path, self.to_json())

    @classmethod
    def load(cls, path: Path) -> "RunSettings":
        """Read a settings file, which may have been edited.

        Raises:
            ValueError: The file is not one.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is no settings file of a run: {error}.") from error
        return cls.from_json(text, path)

    @classmethod
    def load_kept(cls, path: Path) -> "RunSettings":
        """Read the settings file that :meth:`save` wrote.

        Raises:
            DamagedFile: It is not as it was written.
            ValueError: It is of a newer version.
        """
        fields = read_object(path.read_bytes(), path)
        try:
            return cls._of(fields, path)
        except OtherFormat:
            raise
        except ValueError as error:
            raise DamagedFile(str(error)) from error


def differences(part: str, kept: Recipe | DataSettings, now: Recipe | DataSettings) -> list[str]:
    """The settings of a recipe or of data that give other numbers: both values of each."""
    return [
        f"{part}.{field.name}: {there!r} there, {here!r} now"
        for field in dataclasses.fields(now)
        if field.compare
        and (there := getattr(kept, field.name)) != (here := getattr(now, field.name))
    ]


def read_distillation(fields: Mapping[str, Any]) -> Distillation | None:
    """The teacher of a settings file, if it names one."""
    found = fields.get("distillation")
    return None if found is None else Distillation(**found)


def taught_otherwise(kept: Distillation | None, now: Distillation | None) -> list[str]:
    """What differs between two ways to be taught: both values of each."""
    if kept is None or now is None:
        names = [None if each is None else each.teacher for each in (kept, now)]
        return [] if kept == now else [f"teacher: {names[0]!r} there, {names[1]!r} now"]
    options = {"teacher": "teacher", "temperature": "temperature", "weight": "distill_weight"}
    return [
        f"{option}: {there!r} there, {here!r} now"
        for name, option in options.items()
        if (there := getattr(kept, name)) != (here := getattr(now, name))
    ]


def _deciding(settings: Recipe | DataSettings) -> Mapping[str, Any]:
    return {
        field.name: value
        for field in dataclasses.fields(settings)
        if field.compare and (value := getattr(settings, field.name)) != field.default
    }


def _with_floats(value: Any) -> Any:
    """The same with all numbers as floats: 5 and 5.0 are the same setting."""
    if isinstance(value, Mapping):
        return {name: _with_floats(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [_with_floats(each) for each in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
