"""What can be measured of outputs: how it is called, and how it is computed, in one place."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric

from maxsup.evaluation._outputs import Outputs
from maxsup.results.schema import MeasureFacts, SplitName, bounds_of
from maxsup.statistics import Bounds


class Sizes(NamedTuple):
    """What a metric must know of the outputs before it sees any."""

    num_classes: int
    num_features: int | None
    """D; none where there are no features."""
    device: torch.device
    """The device that the outputs are on."""


class Context(NamedTuple):
    """What a metric is built for."""

    num_classes: int
    num_features: int | None
    """D; none where there are no features."""
    temperature: float | None
    """The temperature that was fitted on the validation part, where there is one."""


@dataclass(frozen=True, eq=False)
class Accumulation:
    """What is added up over a split, for one measure or for several that share the work.

    Args:
        build: A fresh metric.
        update: Adds a batch of outputs to the metric.
        needs_features: Whether it looks at the features, which not all outputs have.
        most_classes: The number of classes beyond which it would take too much memory, as what
            grows with its square does; then it is left out.
    """

    build: Callable[[Context], Metric]
    update: Callable[[Any, Outputs], None]
    needs_features: bool = False
    most_classes: int | None = None

    def fits(self, sizes: Sizes) -> bool:
        """Whether it can be added up over outputs of these sizes."""
        if self.needs_features and sizes.num_features is None:
            return False
        return self.most_classes is None or sizes.num_classes <= self.most_classes


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A number of a model on a split.

    To add one, write a file like ``classification.py`` in ``evaluation/measures/`` and add its line
    to ``MEASURES`` there: it then stands in results.json, the tables, the page and the CSV.
    """

    name: str
    """The name of the number; in results the split's name stands before it, ``test_accuracy``."""
    label: str
    """The label that tables have."""
    help: str
    """What the number says, in a phrase that goes on with "on the test set" and the like."""
    better: Literal["higher", "lower", "neither"]
    """Which way is better."""
    splits: tuple[SplitName, ...] = ("test",)
    """The splits whose number is reported of a finished training."""
    headline: bool = False
    """Whether it stands in the short table of the terminal."""
    detail: bool = False
    """Whether the page's large table leaves it to the section on its subject."""
    each_epoch: bool = False
    """Whether it is measured after every epoch as well, on the validation and test sets."""
    percent: bool = False
    """Whether the number is a fraction, shown times 100."""
    digits: int = 3
    """Decimals shown."""
    bounds: Bounds | None = None
    """The least and the greatest value that there can be, where intervals end; where it is not
    given, those of a fraction, 0 and 1, if it is shown in per cent, and none otherwise."""
    accumulation: Accumulation
    """What is added up for it."""
    value: Callable[[Any], Tensor]
    """From what the metric computes to the number, 0-dimensional; NaN where it does not exist."""

    def __post_init__(self) -> None:
        if self.each_epoch and self.accumulation.needs_features:
            raise ValueError(
                f"The measure {self.name} needs features, which are not computed after each epoch."
            )

    def name_on(self, split: SplitName) -> str:
        """The name of its number on a split, ``test_accuracy`` for example."""
        return f"{split}_{self.name}"

    def facts(self, split: SplitName) -> MeasureFacts:
        """How results describe it."""
        several = len(self.splits) > 1
        return MeasureFacts(
            name=self.name_on(split),
            label=f"{self.label} ({split})" if several else self.label,
            help=self.help.format(split=_SPLIT_WORDS[split]),
            better=self.better,
            percent=self.percent,
            digits=self.digits,
            bounds=bounds_of(self.bounds, percent=self.percent),
            split=split,
            headline=self.headline and split == self.splits[0],
            detail=self.detail,
        )


@dataclass(frozen=True, kw_only=True)
class Record:
    """A tensor of a model on a split, from which pictures are drawn and classes are chosen."""

    name: str
    """The name under which it is kept."""
    splits: tuple[SplitName, ...]
    accumulation: Accumulation
    value: Callable[[Any], Tensor]
    """From what the metric computes to the tensor."""


_SPLIT_WORDS: Mapping[SplitName, str] = {
    "train": "training",
    "validation": "validation",
    "test": "test",
}


class Found(NamedTuple):
    """What was measured of a split."""

    values: dict[str, float]
    """The measures by name, ``test_accuracy`` and so on; NaN where one does not exist."""
    records: dict[str, Tensor]
    """The records by name, on the CPU."""


def measure_outputs(
    outputs: Iterable[Outputs],
    split: SplitName,
    measures: Sequence[Measure],
    records: Sequence[Record] = (),
    *,
    sizes: Sizes | None = None,
    temperature: float | None = None,
    alone: bool = False,
) -> Found:
    """Measure outputs in one pass, however many measures there are.

    Over several processes each gives its own part of the split, and all find the same.

    Args:
        outputs: Batches of a model's outputs, or of predictions that were stored.
        split: The name of the split that they are of.
        measures: What to measure. Those that need features are left out where there are none, and
            those that would take too much memory with so many classes.
        records: What to record beside.
        sizes: The numbers of classes and features, needed where a process may have no batch of its
            own; by default those of the first batch.
        temperature: The temperature that was fitted on a validation part, by
            :func:`maxsup.measures.fit_temperature`, for the measures after temperature; by default
            it is cross-fitted on the two halves of the outputs themselves.
        alone: Whether the outputs are all of them, also where there are other processes.

    Raises:
        ValueError: There is not one batch and no sizes either, or a tensor is not what it should
            be.

    Example:
        >>> from maxsup.evaluation import MEASURES
        >>> outputs = Outputs(torch.eye(3), *[torch.arange(3)] * 3)
        >>> measure_outputs([outputs], "test", MEASURES[:1]).values
        {'test_accuracy': 1.0}
    """
    metrics: dict[Accumulation, Metric] | None = None
    items: list[Measure | Record] = [*measures, *records]
    accumulations = dict.fromkeys(item.accumulation for item in items)
    if sizes is not None:
        metrics = _build(accumulations, sizes, temperature, alone)
    for batch in outputs:
        if metrics is None:
            sizes = Sizes(batch.num_classes, batch.num_features, batch.logits.device)
            metrics = _build(accumulations, sizes, temperature, alone)
        for accumulation, metric in metrics.items():
            accumulation.update(metric, batch)
    if metrics is None:
        raise ValueError(f"There are no {_SPLIT_WORDS[split]} outputs to measure.")
    with warnings.catch_warnings():
        # A process may have no batch of its own; what the others have is all that counts.
        warnings.filterwarnings("ignore", "The ``compute`` method of metric")
        computed = {each: metric.compute() for each, metric in metrics.items()}
    return Found(
        {
            each.name_on(split): float(each.value(computed[each.accumulation]))
            for each in measures
            if each.accumulation in computed
        },
        {
            each.name: torch.as_tensor(each.value(computed[each.accumulation])).cpu()
            for each in records
            if each.accumulation in computed
        },
    )


def _build(
    accumulations: Iterable[Accumulation], sizes: Sizes, temperature: float | None, alone: bool
) -> dict[Accumulation, Metric]:
    context = Context(sizes.num_classes, sizes.num_features, temperature)
    metrics = {
        each: each.build(context).to(sizes.device) for each in accumulations if each.fits(sizes)
    }
    if alone:
        for metric in metrics.values():
            metric.distributed_available_fn = lambda: False
    return metrics
