"""What a table or a figure of the paper is: its numbers as printed, and what would show them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

AtHand = Literal["digits", "parity", "scenes", "masks"]
"""What stands for a paper's experiment where its data and devices are not at hand: the digits; the
digits by parity, with the digit as finer label; made-up scenes; made-up scenes with masks."""

_LABEL_SMOOTHING = "label-smoothing"
_MAXSUP = "maxsup"


class Printed(NamedTuple):
    """A number as it is printed."""

    value: float
    spread: float | None = None
    """What stands behind ±; of how many seeds, the paper does not say."""
    text: str = ""
    """As it stands there, with all its zeros."""


@dataclass(frozen=True)
class Measure:
    """The quantity of a column, as maxsup measures it."""

    name: str
    """As results.json or inspection.json has it; ``{0}`` stands for the first of the other data
    sets, and so on."""
    label: str
    source: Literal["study", "inspection", "timing"] = "study"
    percent: bool = False
    """Whether the paper prints it times 100."""
    digits: int = 2
    """Decimals that the paper prints."""
    at_hand: str = ""
    """What it is called on the data at hand, where that differs."""
    label_at_hand: str = ""


@dataclass(frozen=True)
class Look:
    """What an inspection of the trained models is asked for."""

    analyses: tuple[str, ...]
    """Those that are needed; the others are left out."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Fields of :class:`maxsup.inspection.InspectionSettings`."""


@dataclass(frozen=True)
class Experiment:
    """What is trained, and looked at, for a column."""

    key: str
    """What its study's directory is called, so that tables share it."""
    recipe: str
    data: str
    """What it is trained on, in words."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the recipe that are set otherwise."""
    data_changes: Mapping[str, Any] = field(default_factory=dict)
    """Fields of :class:`maxsup.data.DataSettings`."""
    guessed: bool = False
    """Whether the paper does not say how it was trained, so that values cannot be compared."""
    at_hand: AtHand = "digits"
    look: Look | None = None
    others: tuple[str, ...] = ()
    """The other data sets that features are transferred to, in words."""
    backbones: "Experiment | None" = None
    """What trains the backbones, where this fine-tunes them for segmentation."""


@dataclass(frozen=True)
class Column:
    """A column of a table, or a quantity that a figure is read by."""

    name: str
    """As ``--column`` calls it."""
    label: str
    experiment: Experiment
    measure: Measure


class Claim(NamedTuple):
    """That one method's number is larger, or smaller, than another's."""

    method: str
    against: str
    sign: int
    """1 for larger, −1 for smaller, 0 for printed numbers that are equal."""
    printed: float | None = None
    """The printed difference, in the unit of the table."""


class Remark(NamedTuple):
    """What a reader must know before trusting a number."""

    text: str
    methods: tuple[str, ...] = ()
    """The rows that it is about; all where there are none."""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A table or a figure of the paper.

    Raises:
        ValueError: The printed table does not fit the columns.
    """

    name: str
    """As the command line has it: table4."""
    title: str
    shows: str
    """What it shows, in a sentence."""
    columns: tuple[Column, ...]
    printed: Mapping[tuple[str, str], Printed] = field(default_factory=dict)
    """By method and column; see :func:`read_printed`."""
    methods: tuple[str, ...] = ()
    """The rows, the first of which the others are compared with; by default those printed."""
    pairs: tuple[tuple[str, str], ...] = ()
    """Rows that are compared beside those with the first one, and MaxSup with label smoothing."""
    stated: tuple[tuple[str, Claim], ...] = ()
    """By column, what is claimed in words where no number is printed."""
    remarks: tuple[Remark, ...] = ()
    later: bool = False
    """Whether it comes from the later version of the paper."""

    def __post_init__(self) -> None:
        if not self.methods:
            object.__setattr__(self, "methods", tuple(dict.fromkeys(m for m, _ in self.printed)))
        known = {(m, c.name) for m in self.methods for c in self.columns}
        if not {*self.printed} <= known:
            raise ValueError(
                f"{self.name}: no such row or column: {sorted({*self.printed} - known)}"
            )

    def column(self, name: str) -> Column:
        """The column of this name.

        Raises:
            ValueError: There is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise ValueError(
            f"{self.title} has no column {name!r}; there are: "
            f"{', '.join(column.name for column in self.columns)}."
        )

    @cached_property
    def reference(self) -> str:
        """The method that the others are compared with."""
        return self.methods[0]

    def methods_of(self, column: str) -> tuple[str, ...]:
        """The rows that have a number in a column; all of a figure, which has none."""
        if not any(of == column for _, of in self.printed):
            return self.methods
        return tuple(method for method in self.methods if (method, column) in self.printed)

    def claims(self, column: str) -> tuple[Claim, ...]:
        """What the paper says of a column: each row against the first, MaxSup against smoothing."""
        stated = tuple(claim for of, claim in self.stated if of == column)
        if stated:
            return stated
        rows = self.methods_of(column)
        pairs = [(method, self.reference) for method in rows if method != self.reference]
        pairs += [
            (method, against)
            for method in rows
            for against in rows
            if _is_variant(method, _MAXSUP)
            and _is_variant(against, _LABEL_SMOOTHING)
            and method.partition(":")[2] == against.partition(":")[2]
            and against != self.reference
        ]
        pairs += self.pairs
        found = []
        for method, against in dict.fromkeys(pairs):
            if not {(method, column), (against, column)} <= {*self.printed}:
                continue
            difference = self.printed[method, column].value - self.printed[against, column].value
            difference = round(difference, 6)
            found.append(Claim(method, against, _sign(difference), difference))
        return tuple(found)

    def remarks_on(self, claim: Claim, column: str) -> list[str]:
        """What must be known of a comparison.

        A remark on a method stands where that is what is compared; one on the method that all are
        compared with, everywhere.
        """
        found = [
            remark.text
            for remark in self.remarks
            if (not remark.columns or column in remark.columns)
            and (
                not remark.methods
                or claim.method in remark.methods
                or remark.methods == (self.reference,)
            )
        ]
        both = [self.printed.get((name, column)) for name in (claim.method, claim.against)]
        spread = math.hypot(*(each.spread or 0.0 for each in both if each is not None))
        if claim.printed is not None and abs(claim.printed) < spread:
            found.append("The printed difference is smaller than the two printed spreads.")
        return found

    @property
    def needs(self) -> list[str]:
        """The data that it takes at full scale, in words."""
        named: dict[str, None] = {}
        for column in self.columns:
            experiment: Experiment | None = column.experiment
            while experiment is not None:
                named |= dict.fromkeys((experiment.data, *experiment.others))
                experiment = experiment.backbones
        return [*named]


def read_printed(text: str) -> dict[tuple[str, str], Printed]:
    """A table as text: column names in the first line, a method in front of each other one.

    Cells are separated by white space; ``-`` stands where nothing is printed, and ``±`` comes
    before a spread.

    >>> read_printed('''
    ...                resnet18    resnet50
    ... baseline       69.09±.12   -
    ... ''')
    {('baseline', 'resnet18'): Printed(value=69.09, spread=0.12, text='69.09')}
    """
    head, *lines = [line.split() for line in text.strip().splitlines()]
    found = {}
    for method, *cells in lines:
        if len(cells) != len(head):
            raise ValueError(f"{method}: {len(cells)} numbers for {len(head)} columns.")
        for column, cell in zip(head, cells, strict=True):
            if cell != "-":
                value, _, spread = cell.partition("±")
                found[method, column] = Printed(
                    float(value), float(spread) if spread else None, value
                )
    return found


def columns_of(
    experiments: Mapping[str, Experiment], measure: Measure, labels: Sequence[str] = ()
) -> tuple[Column, ...]:
    """A column for each experiment, by its name, all of the same quantity."""
    shown = labels or [_in_words(name) for name in experiments]
    return tuple(
        Column(name, label, experiment, measure)
        for (name, experiment), label in zip(experiments.items(), shown, strict=True)
    )


_WRITTEN = {
    "imagenet-": "ImageNet, ",
    "cifar100-": "CIFAR-100, ",
    "resnet": "ResNet-",
    "mobilenetv2": "MobileNetV2",
    "deit-small": "DeiT-Small",
}


def _in_words(name: str) -> str:
    """A column's name as the field writes it.

    >>> _in_words("imagenet-resnet50"), _in_words("cifar100-mobilenetv2")
    ('ImageNet, ResNet-50', 'CIFAR-100, MobileNetV2')
    """
    for short, written in _WRITTEN.items():
        name = name.replace(short, written)
    return name


def _is_variant(method: str, name: str) -> bool:
    return method.partition(":")[0] == name


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
