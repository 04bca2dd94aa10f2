"""One way of looking at a model that is more than a sum over one pass."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject
from maxsup.results.schema import MeasureFacts, bounds_of
from maxsup.statistics import Bounds


@dataclass(frozen=True)
class Findings:
    """What an analysis found of one model."""

    values: Mapping[str, float] = field(default_factory=dict)
    """Numbers by the name of their measure, which is one of the analysis's ``facts``; NaN where one
    does not exist."""
    details: Any = None
    """What the page's section draws, as JSON has it: lists, dictionaries, numbers, text."""
    notes: tuple[str, ...] = ()
    """What a reader must know, in sentences."""
    contributions: Mapping[str, Tensor] = field(default_factory=dict)
    """(N,) by measure: what each test sample contributes to a value that is their mean, in the
    order of ``subject.outputs("test")``, or of the test samples of other data, NaN of one that
    does not count; gives the interval where there is one seed."""
    resampled: Callable[[Tensor], Mapping[str, float]] | None = None
    """Gives values that are no such means for test samples drawn anew, by their indices in
    ``subject.outputs("test")``; for the same interval."""


@dataclass(frozen=True)
class Analysis:
    """A part of an inspection that looks at one model after the other.

    To add one, write a file in ``inspection/analyses/`` and add its line to ``ANALYSES`` there. Its
    numbers then stand in inspection.json, the CSV and the tables; a section in
    ``report/inspection/`` shows its details.
    """

    name: str
    """As ``--skip`` calls it, and as its details are kept under."""
    facts: tuple[MeasureFacts, ...] | Callable[[InspectionSettings], tuple[MeasureFacts, ...]]
    """How its numbers are called and read, see :func:`fact`; of the settings, where these say which
    there are."""
    run: Callable[[Subject, InspectionSettings], Findings | None]
    """Looks at a model; none where the model, the data or the settings do not allow it.

    Raises:
        ValueError: What was asked for cannot be done; the message says why.
    """
    contents: Callable[[Subject, InspectionSettings], object] = lambda subject, settings: None
    """What else they depend on, as JSON has it: the content of other data, which has to be read."""
    depends_on: Callable[[InspectionSettings], object] = lambda settings: None
    """The settings that its findings depend on, as JSON has them: others change nothing."""
    version: int = 1
    """Raised with each change of what it computes, so that kept findings are not used on."""

    def facts_under(self, settings: InspectionSettings) -> tuple[MeasureFacts, ...]:
        """How its numbers under some settings are called and read."""
        return self.facts if isinstance(self.facts, tuple) else self.facts(settings)


def fact(
    name: str,
    label: str,
    help: str,
    *,
    better: str = "neither",
    percent: bool = False,
    digits: int = 3,
    headline: bool = False,
    bounds: Bounds | None = None,
) -> MeasureFacts:
    """How a number of an analysis is called and read; the name of one on test samples begins so.

    Its interval ends at its bounds, which are 0 and 1 of what is shown in per cent unless others
    are given.

    >>> fact("test_probe", "Probe", "accuracy of a linear probe", percent=True)["label"]
    'Probe'
    """
    return MeasureFacts(
        name=name,
        label=label,
        help=help,
        better=better,  # type: ignore[typeddict-item]
        percent=percent,
        digits=digits,
        bounds=bounds_of(bounds, percent=percent),
        split="train" if name.startswith("train_") else "test",
        headline=headline,
        detail=not headline,
    )
