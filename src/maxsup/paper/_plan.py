"""From a table, and how much of it is wanted, to what is to be trained and looked at."""

import dataclasses
import hashlib
import re
import shlex
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from maxsup._home import expand_home
from maxsup._places import as_place
from maxsup.data import DataSettings
from maxsup.paper import _at_hand
from maxsup.paper._entry import AtHand, Column, Entry, Experiment, Measure
from maxsup.paper._steps import Inspection, Step, Study, Values, options

Scale = Literal["smoke", "small", "paper"]

SEEDS: dict[Scale, int] = {"smoke": 3, "small": 5, "paper": 5}
"""How many where nothing is said; the paper does not say how many it has."""

_SCENES: dict[Scale, int] = {"smoke": 240, "small": 1_500, "paper": 0}
_MASKS: dict[Scale, int] = {"smoke": 120, "small": 600, "paper": 0}
_ITERATIONS: dict[Scale, int] = {"smoke": 6, "small": 200, "paper": 0}

_SMALL_RESNET = {"model": "small-resnet", "small_stem": False}


@dataclass(frozen=True)
class Request:
    """How much of a table is wanted, and on what.

    Raises:
        ValueError: It does not fit together; the message says what to give.
    """

    entry: Entry
    scale: Scale = "small"
    columns: tuple[str, ...] = ()
    """By name; by default all at full scale, else those that ask different things of one model."""
    data: str | None = None
    """What to train on; needed at full scale, in place of the digits or made-up scenes elsewhere.
    For a table of segmentation, what backbones are trained on."""
    other_data: tuple[str, ...] = ()
    """What features are transferred to, in the table's order; or images with masks."""
    label_column: str | None = None
    probe_label: str | None = None
    seeds: int | None = None
    out: Path = field(default_factory=lambda: Path("runs") / "reproduced")

    def __post_init__(self) -> None:
        for name in self.columns:
            self.entry.column(name)
        if len({*self.columns}) < len(self.columns):
            raise ValueError(f"columns are named twice: {', '.join(self.columns)}.")
        if self.seeds is not None and self.seeds < 1:
            raise ValueError(f"seeds must be at least 1; got {self.seeds}.")
        if self.scale == "smoke" and (self.data, *self.other_data) != (None,):
            raise ValueError(
                "data has no effect at the scale smoke, which takes digits and made-up images "
                "alone. Leave it away, or take --scale small."
            )
        if self.data is None and (self.label_column, self.probe_label) != (None, None):
            raise ValueError("label_column and probe_label name columns of --data; name it too.")
        kinds = {column.experiment.at_hand for column in self.chosen()}
        if self.probe_label is not None and (self.scale == "paper" or "parity" not in kinds):
            raise ValueError(
                f"probe_label has no effect on {self.entry.title} at this scale. Leave it away."
            )
        if self.scale == "small" and self.data is not None and "scenes" in kinds:
            raise ValueError(
                f"{self.entry.title} takes made-up scenes at this scale, whose boxes are known. "
                "Leave --data away, or take --scale paper."
            )
        if self.scale == "paper":
            self._check_data()
        elif self.other_data and not self._takes_others():
            raise ValueError(
                f"other_data has no effect on {self.entry.title} at this scale. Leave it away."
            )
        if self.scale == "small" and self.data is not None and self.probe_label is None:
            for column in self.chosen():
                if column.experiment.at_hand == "parity":
                    raise ValueError(
                        f"{self.entry.title} asks how well features serve other labels. Name a "
                        "column of such, finer ones for example, with --probe-label."
                    )

    def _takes_others(self) -> bool:
        return any(column.experiment.backbones is not None for column in self.chosen())

    def _check_data(self) -> None:
        others = max(
            (c.experiment.others or _masks_of(c.experiment) for c in self.chosen()), key=len
        )
        trained = {_trained(column.experiment).data for column in self.chosen()}
        if len(trained) > 1:
            each = ", ".join(column.name for column in self.chosen())
            raise ValueError(
                f"{self.entry.title} is trained on {' and '.join(sorted(trained))}, so columns are "
                f"run one kind at a time. Name those that you want with --column: {each}."
            )
        if self.data is None:
            raise ValueError(
                f"{self.entry.title} at the scale of the paper needs {trained.pop()}: name its "
                "place with --data. --scale small answers the same question on data at hand."
            )
        if len(self.other_data) != len(others):
            raise ValueError(
                f"{self.entry.title} at the scale of the paper also needs {', '.join(others)}: "
                f"name their places in this order with --other-data; got {len(self.other_data)}."
                if others
                else f"{self.entry.title} takes no other data than --data; leave --other-data away."
            )

    def chosen(self) -> tuple[Column, ...]:
        """The columns that are wanted."""
        if self.columns:
            return tuple(self.entry.column(name) for name in self.columns)
        if self.scale == "paper":
            return self.entry.columns
        # Of columns that differ in the model or in the data alone, one stands for all.
        first: dict[Any, Column] = {}
        for column in self.entry.columns:
            first.setdefault((column.experiment.at_hand, self.measure(column).name), column)
        return tuple(first.values())

    def measure(self, column: Column) -> Measure:
        """What is measured for a column."""
        measure = column.measure
        if self.scale == "paper" or not measure.at_hand:
            return measure
        label = measure.label_at_hand or measure.label
        return dataclasses.replace(measure, name=measure.at_hand, label=label)

    @property
    def directory(self) -> Path:
        """Where the table itself is kept: a place of its own for other data or columns."""
        words = [self.entry.name, self.scale]
        if self.data is not None:
            words.append(_named(self.data))
        words += self.columns
        return self.out / "-".join([*words, *map(_named, self.other_data)])

    def command(self) -> str:
        """What does the same by hand."""
        words = ["maxsup", "reproduce", self.entry.name, "--scale", self.scale]
        given = {
            "column": self.columns,
            "data": self.data,
            "other_data": self.other_data,
            "label_column": self.label_column,
            "probe_label": self.probe_label,
            "seeds": self.seeds,
        }
        words += options({name: value for name, value in given.items() if value})
        return shlex.join([*words, "--out", str(self.out)])

    def label(self) -> str:
        """What it is run on, in words."""
        if self.scale == "paper" or self.data is not None:
            return str(self.data)
        kinds = dict.fromkeys(column.experiment.at_hand for column in self.chosen())
        return " and ".join(_WORDS[kind] for kind in kinds)


_WORDS: dict[AtHand, str] = {
    "digits": "scikit-learn's digits",
    "parity": "scikit-learn's digits, odd or even",
    "scenes": "made-up scenes",
    "masks": "made-up scenes with masks",
}


@dataclass(frozen=True)
class ColumnPlan:
    """What is carried out for a column, and where its numbers are then."""

    column: Column
    measure: Measure
    steps: tuple[Step, ...]

    def values(self) -> Values:
        """What has been measured so far; in the unit of the table."""
        of_inspection = self.measure.source == "inspection"
        kind = Inspection if of_inspection else Study
        step = next(each for each in reversed(self.steps) if isinstance(each, kind))
        times = 100 if self.measure.percent else 1
        return {
            method: {seed: times * value for seed, value in each.items()}
            for method, each in step.values(self.measure).items()
        }


def plan(request: Request) -> list[ColumnPlan]:
    """What is to be done for each column; columns share what they have in common."""
    columns = request.chosen()
    return [
        ColumnPlan(
            column,
            request.measure(column),
            _steps(request, column.experiment, request.entry.methods_of(column.name)),
        )
        for column in columns
    ]


def steps_of(plans: list[ColumnPlan]) -> list[Step]:
    """What is to be done for all columns, each once, in an order that works.

    Studies of one directory become one with the methods of all, and so do inspections.
    """
    found: dict[Path, Step] = {}
    for each in plans:
        for step in each.steps:
            known = found.get(step.directory)
            found[step.directory] = step if known is None else _together(known, step)
    return [*found.values()]


def check_places(request: Request) -> None:
    """See that the data is there, before anything is trained.

    Raises:
        ValueError: It is not.
    """
    for option, places in (("data", [request.data]), ("other_data", request.other_data)):
        for place in places:
            if place is None or place.startswith("hf:") or place == "digits":
                continue
            path = as_place(place.partition("@")[0])
            if not path.exists():
                raise ValueError(f"{option}: there is no {path}.")


def check_data(request: Request) -> None:
    """See that what is read late, after something was trained, can be read; nothing is written.

    That is boxes, data that features are transferred to, and images with masks. What a study
    trains on it reads first anyway.

    Raises:
        ValueError: Something cannot be read; the message says how to mend it.
    """
    for step in steps_of(plan(request)):
        try:
            step.check()
        except ValueError as error:
            raise ValueError(
                f"{request.entry.title} could be trained for and then not be measured, so nothing "
                f"is trained: {error}"
            ) from error


def _named(place: str) -> str:
    """What a place is called in the name of a directory: its last part, and which one of these.

    >>> _named("a/photos") == _named("b/photos"), _named("a/photos").startswith("photos-")
    (False, True)
    """
    if place.startswith("hf:"):
        return re.sub(r"\W+", "-", place.removeprefix("hf:"))
    path, _, column = place.partition("@")
    where = str(expand_home(path).resolve())
    digest = hashlib.sha256(f"{where}@{column}".encode()).hexdigest()[:6]
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', Path(where).name).strip('-') or 'data'}-{digest}"


def _together(first: Step, second: Step) -> Step:
    if isinstance(first, Study) and isinstance(second, Study):
        backbones: Study | None = None
        if first.backbones is not None and second.backbones is not None:
            joined = _together(first.backbones, second.backbones)
            assert isinstance(joined, Study)
            backbones = joined
        methods = tuple(dict.fromkeys([*first.methods, *second.methods]))
        alike, both = (
            dataclasses.replace(
                each, methods=methods, backbones=backbones, make_data=second.make_data
            )
            for each in (first, second)
        )
        if alike != both or (first.backbones is None) != (second.backbones is None):
            raise ValueError(f"{first.directory} would hold two studies that differ.")
        return both
    assert isinstance(first, Inspection)
    assert isinstance(second, Inspection)
    study = _together(first.study, second.study)
    assert isinstance(study, Study)
    return dataclasses.replace(second, study=study)


def _steps(request: Request, experiment: Experiment, methods: tuple[str, ...]) -> tuple[Step, ...]:
    if experiment.backbones is not None:
        first = _study(request, experiment.backbones, methods, at_hand="scenes")
        return first, _segmentation(request, experiment, first, methods)
    study = _study(request, experiment, methods, at_hand=experiment.at_hand)
    look = experiment.look
    if look is None:
        return (study,)
    settings = dict(look.settings)
    if request.scale == "paper" and experiment.others:
        settings["transfer_data"] = request.other_data[: len(experiment.others)]
    if request.scale == "smoke" and "corruptions" in settings:
        settings |= {"corruptions": ("fog",), "corruption_samples": 50}
    place = request.out / "inspections" / f"{request.entry.name}-{study.directory.name}"
    return study, Inspection(place, study, look.analyses, settings)


def _study(
    request: Request, experiment: Experiment, methods: tuple[str, ...], at_hand: AtHand
) -> Study:
    scale = request.scale
    seeds = request.seeds or SEEDS[scale]
    if scale == "paper":
        data = DataSettings(str(request.data), **experiment.data_changes)
        if request.label_column is not None:
            data = dataclasses.replace(data, label_column=request.label_column)
        return Study(
            request.out / "studies" / experiment.key,
            data,
            experiment.recipe,
            methods,
            seeds,
            experiment.changes,
        )
    tail = {k: v for k, v in experiment.data_changes.items() if k == "imbalance"}
    named = at_hand if request.data is None else _named(request.data)
    name = "-".join([named, *(f"{ratio:g}" for ratio in tail.values()), scale])
    directory = request.out / "studies" / name
    if request.data is not None:
        data = DataSettings(
            request.data,
            label_column=request.label_column,
            probe_label=request.probe_label if at_hand == "parity" else None,
            **tail,
        )
        if at_hand == "parity":
            directory = directory.with_name(f"{directory.name}-probed")
        changes = {**_SMALL_RESNET, "epochs": 10, "channels_last": True}
        return Study(directory, data, "small-images", methods, seeds, changes)
    epochs = {"epochs": 1} if scale == "smoke" else {}
    if at_hand == "digits":
        return Study(directory, DataSettings("digits", **tail), "digits", methods, seeds, epochs)
    place = request.out / "data" / f"{at_hand}-{scale}"
    if at_hand == "parity":
        data = DataSettings(str(place), label_column="parity", probe_label="digit")
        make = partial(_at_hand.parity_of_digits, place)
        return Study(directory, data, "digits", methods, seeds, epochs, make_data=make)
    data = DataSettings(str(place), label_column="label")
    make = partial(_at_hand.scenes, place, _SCENES[scale])
    changes = {
        "model": "small-convnet",
        "small_stem": False,
        "epochs": 1 if scale == "smoke" else 8,
        "batch_size": 32,
        "warmup_epochs": 0 if scale == "smoke" else 1,
    }
    return Study(directory, data, "small-images", methods, seeds, changes, make_data=make)


def _segmentation(
    request: Request, experiment: Experiment, backbones: Study, methods: tuple[str, ...]
) -> Study:
    seeds = backbones.seeds
    if request.scale == "paper":
        return Study(
            request.out / "studies" / experiment.key,
            DataSettings(request.other_data[0]),
            experiment.recipe,
            methods,
            seeds,
            experiment.changes,
            backbones=backbones,
        )
    changes = {
        "head_channels": 32,
        "iterations": _ITERATIONS[request.scale],
        "epochs": 2,
        "batch_size": 8,
        "lr": 1e-3,
        "photometric_distortion": False,
    }
    make, place = None, request.out / "data" / f"masks-{request.scale}"
    named = "masks"
    if request.other_data:
        place, named = Path(request.other_data[0]), _named(request.other_data[0])
    else:
        make = partial(_at_hand.masks, place, _MASKS[request.scale])
    return Study(
        request.out / "studies" / f"{backbones.directory.name}-to-{named}",
        DataSettings(str(place)),
        "finetune-segmentation",
        methods,
        seeds,
        changes,
        backbones=backbones,
        make_data=make,
    )


def _trained(experiment: Experiment) -> Experiment:
    return experiment.backbones or experiment


def _masks_of(experiment: Experiment) -> tuple[str, ...]:
    return (experiment.data,) if experiment.backbones is not None else ()
