"""What ``inspection.json`` holds: the one source of every number on an inspection's page.

All fractions lie in [0, 1], as in ``results.json``; a value that does not exist is ``null``.
"""

from typing import Any, Literal, TypedDict

from maxsup.results.schema import MeasureFacts
from maxsup.statistics import Summary

FORMAT = 2

Over = Literal["seeds", "samples"]


class ModelFacts(TypedDict):
    """One model that was looked at."""

    method: str  # the group it belongs to: its method, or what it is called
    seed: int
    place: str  # as it was named
    architecture: str  # "" for stored predictions
    data: str  # what it was looked at on
    classes: list[str]
    train: int  # samples whose features were taken; 0 where there are none
    test: int
    samples: str  # SHA-256 of which test samples these are; equal where models saw the same ones
    values: dict[str, float | None]  # by measure
    details: dict[str, Any]  # what pictures are drawn from, by analysis
    notes: list[str]  # in sentences: what a reader must know of this model's numbers


class GroupFacts(TypedDict):
    """Models that differ in their seed alone."""

    name: str
    label: str


class Interval(TypedDict):
    """A value of a group, or its difference to the first group, with its doubt."""

    mean: float | None
    low: float | None  # 95 % interval; null where there is none
    high: float | None
    over: Over  # what would be drawn anew: seeds (Student's t), or test samples (bootstrap)
    number: int  # of seeds, or of samples


class Inspection(TypedDict):
    """The whole file."""

    format: int
    data: str
    command: str
    methods: list[GroupFacts]  # the first one is what the others are compared with
    baseline: str
    seeds: list[int]
    models: list[ModelFacts]
    measures: list[MeasureFacts]
    summary: dict[str, dict[str, Summary]]  # measure → group, over its seeds
    intervals: dict[str, dict[str, Interval]]  # measure → group
    differences: dict[str, dict[str, Interval]]  # measure → group, minus the baseline
    notes: list[str]
    versions: dict[str, str]
