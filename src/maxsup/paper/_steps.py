"""What is carried out for a column: a study, then perhaps an inspection of what it trained."""

import dataclasses
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from maxsup._method_names import canonical, directory_name
from maxsup.data import DataSettings
from maxsup.paper._entry import Measure
from maxsup.recipes import Recipe, get_recipe, rule_of

if TYPE_CHECKING:
    from maxsup.inspection import Inspection as InspectionFile
    from maxsup.results import Results
    from maxsup.study import RayCluster, StudySettings
    from maxsup.training import RunSettings

Values = dict[str, dict[int, float]]
"""A measured quantity by method and seed."""

_READ_BESIDE = ("boxes", "masks", "transfer_data", "ood_data")
"""Settings of an inspection that name what is read beside the models and their own data."""


@dataclass(frozen=True)
class Study:
    """Methods × seeds, trained on data with a recipe."""

    directory: Path
    data: DataSettings
    recipe: str
    methods: tuple[str, ...]
    seeds: int
    changes: Mapping[str, Any] = field(default_factory=dict)
    backbones: "Study | None" = None
    """The study whose methods' runs are fine-tuned for segmentation."""
    make_data: Callable[[], object] | None = None
    """Writes the data, where it is made up."""

    def settings(self) -> "StudySettings":
        """What the study is asked for.

        Raises:
            ValueError: It does not fit together, or the backbones are not trained yet.
        """
        from maxsup.study import StudySettings

        return StudySettings(
            data=self.data,
            recipe=self.trained_with(),
            methods=tuple(self.name_in_study(method) for method in self.methods),
            seeds=tuple(range(self.seeds)),
            backbones=self._backbones(),
        )

    def trained_with(self) -> Recipe:
        """The recipe with its changes, fitted to the data as ``maxsup compare`` does.

        Raises:
            ValueError: They do not fit together, or the data is not there.
        """
        if rule_of(self.recipe) is None:
            return get_recipe(self.recipe).adapted(**self.changes)
        from maxsup.training import choose_recipe

        return choose_recipe(self.data, self.recipe, **self.changes).recipe

    def tried(self) -> "RunSettings":
        """One of its trainings, for a dry run; from scratch where its backbone is not there yet.

        Raises:
            ValueError: It does not fit together, or the data is not there.
        """
        from maxsup.training import RunSettings

        if self.backbones is None or self.backbones.is_finished():
            settings = self.settings()
            return settings.run(settings.methods[0], settings.seeds[0])
        of = self.backbones.trained_with()
        architecture = ("model", "small_stem", "zero_init", "blur_pool")
        recipe = dataclasses.replace(
            self.trained_with(),
            **{name: getattr(of, name) for name in architecture},
            weights=None,
            partial_weights=False,
        )
        return RunSettings("baseline", 0, recipe, self.data)

    def is_finished(self) -> bool:
        """Whether all of its trainings have come to an end."""
        from maxsup.results import RESULTS_FILE, read_results

        if not (self.directory / RESULTS_FILE).exists():
            return False
        runs = read_results(self.directory / RESULTS_FILE)["runs"]
        there = {(run["method"], run["seed"]) for run in runs if run["status"] == "finished"}
        names = map(self.name_in_study, self.methods)
        return {(name, seed) for name in names for seed in range(self.seeds)} <= there

    def name_in_study(self, method: str) -> str:
        """What a row of the table is called in results.json."""
        if self.backbones is None:
            return canonical(method)
        return canonical(f"baseline:backbone={_backbone_name(method)}")

    def _backbones(self) -> tuple[str, ...]:
        if self.backbones is None:
            return ()
        place = self.backbones.directory
        names = map(_backbone_name, self.methods)
        return tuple(f"{name}={place / name}" for name in names)

    def command(self) -> str:
        """What does the same by hand."""
        words = ["maxsup", "compare", self.data.name, "--recipe", self.recipe]
        words += options(self.changes)
        defaults = {each.name: each.default for each in dataclasses.fields(DataSettings)}
        words += options(
            {
                name: value
                for name, value in vars(self.data).items()
                if name != "name" and value != defaults[name]
            }
        )
        words += ["--methods", *(self.methods if self.backbones is None else ("baseline",))]
        if self.backbones is not None:
            words += ["--backbones", *self._backbones()]
        return shlex.join([*words, "--seeds", str(self.seeds), "--out", str(self.directory)])

    def check(self) -> None:
        """See that what is read once its backbones are trained can be read, before they are.

        Raises:
            ValueError: It cannot.
        """
        from maxsup.results import RESULTS_FILE
        from maxsup.training import load_data

        is_first = self.backbones is None  # then it reads its data before anything is trained
        if not is_first and self.make_data is None and not (self.directory / RESULTS_FILE).exists():
            load_data(self.data, self.trained_with())

    def run(self, console: Console, on: "RayCluster | None" = None) -> "Results":
        """Train what has not been trained."""
        from maxsup.study import compare

        if self.make_data is not None:
            self.make_data()
        return compare(
            self.settings(), self.directory, command=self.command(), console=console, on=on
        )

    def values(self, measure: Measure) -> Values:
        """What has been measured so far, by the names of the rows."""
        from maxsup.results import RESULTS_FILE, read_results

        if not (self.directory / RESULTS_FILE).exists():
            return {}
        results = read_results(self.directory / RESULTS_FILE)
        names = {self.name_in_study(method): method for method in self.methods}
        found: Values = {}
        rows: Any = results["timings"]["runs"] if measure.source == "timing" else results["runs"]
        for row in rows:
            values = row if measure.source == "timing" else row["values"]
            value = values.get(measure.name)
            if row["method"] in names and value is not None and row["seed"] < self.seeds:
                found.setdefault(names[row["method"]], {})[row["seed"]] = value
        return found


@dataclass(frozen=True)
class Inspection:
    """Runs of a study, looked at side by side."""

    directory: Path
    study: Study
    analyses: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def _models(self) -> tuple[str, ...]:
        return tuple(
            str(self.study.directory / directory_name(canonical(method)))
            for method in self.study.methods
        )

    def _settings(self) -> dict[str, Any]:
        from maxsup.inspection import ANALYSES

        left_out = tuple(each.name for each in ANALYSES if each.name not in self.analyses)
        return {**self.settings, "skip": left_out}

    def command(self) -> str:
        """What does the same by hand."""
        words = ["maxsup", "inspect", *self._models(), *options(self._settings())]
        return shlex.join([*words, "--out", str(self.directory)])

    def check(self) -> None:
        """See that what is read beside the models can be read, before they are trained.

        Raises:
            ValueError: It cannot.
        """
        from maxsup.inspection import INSPECTION_FILE, InspectionSettings, check_beforehand

        is_there = self.study.make_data is not None or (self.directory / INSPECTION_FILE).exists()
        if not is_there and not {*_READ_BESIDE}.isdisjoint(self.settings):
            settings = InspectionSettings(**self._settings())
            check_beforehand(settings, self.study.data, self.study.trained_with())

    def run(self, console: Console, on: "RayCluster | None" = None) -> "InspectionFile":
        """Look at the models, and write the numbers; what was found before is kept."""
        from maxsup.inspection import InspectionSettings, inspect, write_inspection

        found = inspect(
            self._models(),
            InspectionSettings(**self._settings()),
            self.directory,
            command=self.command(),
            announce=lambda text: console.print(text, highlight=False, markup=False),
        )
        write_inspection(found, self.directory)
        return found

    def values(self, measure: Measure) -> Values:
        """What has been measured so far, by the names of the rows."""
        from maxsup.inspection import INSPECTION_FILE, read_inspection

        if not (self.directory / INSPECTION_FILE).exists():
            return {}
        inspection = read_inspection(self.directory / INSPECTION_FILE)
        name = _with_keys(measure.name, [each["name"] for each in inspection["measures"]])
        names = {canonical(method): method for method in self.study.methods}
        found: Values = {}
        for model in inspection["models"]:
            value = model["values"].get(name)
            if model["method"] in names and value is not None and model["seed"] < self.study.seeds:
                found.setdefault(names[model["method"]], {})[model["seed"]] = value
        return found


Step = Study | Inspection


def _with_keys(name: str, measures: list[str]) -> str:
    """A measure's name with those of the other data sets in it, in their order.

    >>> _with_keys("test_transfer_{1}_probe", ["test_transfer_a_probe", "test_transfer_b_probe"])
    'test_transfer_b_probe'
    """
    ends = ("test_transfer_", "_probe")
    keys = [
        each.removeprefix(ends[0]).removesuffix(ends[1])
        for each in measures
        if each.startswith(ends[0]) and each.endswith(ends[1])
    ]
    try:
        return name.format(*keys)
    except IndexError:
        return name


def _backbone_name(method: str) -> str:
    """What a method's backbone is called in a study of backbones.

    >>> _backbone_name("maxsup:alpha=0.1..0.2")
    'maxsup-alpha-0.1-to-0.2'
    """
    return directory_name(canonical(method))


def options(values: Mapping[str, Any]) -> list[str]:
    """Settings as a command line has them.

    >>> options({"small_stem": True, "flip": False, "skip": ("ood",), "lr": 0.1})
    ['--small-stem', '--no-flip', '--skip', 'ood', '--lr', '0.1']
    """
    words: list[str] = []
    for name, value in values.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        elif isinstance(value, tuple):
            words += [f"--{option}", *map(str, value)]
        else:
            words += [f"--{option}", str(value)]
    return words
