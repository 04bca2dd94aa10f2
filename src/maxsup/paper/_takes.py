"""What a table takes: measured once at smaller scales, counted in FLOPs at the paper's.

Nothing is loaded for it but ``takes.json``, which ``benchmarks/reproduction.py`` writes.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from maxsup.paper._entry import Entry, Experiment
from maxsup.paper._plan import SEEDS, Request, Scale, plan, steps_of
from maxsup.paper._steps import Study

FILE = Path(__file__).with_name("takes.json")


class Takes(NamedTuple):
    """What all columns of a table take together, where nothing of it has been trained yet."""

    trainings: int
    seconds: float
    """With what looks at the models, at smaller scales; of the trainings alone at the paper's."""


def takes(entry: Entry, scale: Scale) -> Takes:
    """What a table takes with as many seeds as are taken where nothing is said.

    Example:
        >>> from maxsup.paper import get_entry
        >>> takes(get_entry("table8"), "small").trainings
        25
    """
    known = _known()[scale]
    if scale == "paper":
        return _at_full_scale(entry, known)
    trainings, seconds = 0, 0.0
    for step in steps_of(plan(Request(entry, scale))):
        study = step if isinstance(step, Study) else step.study
        models = len(study.methods) * study.seeds
        trainings += models if isinstance(step, Study) else 0
        seconds += models * known["steps"][step.directory.name]
    return Takes(trainings, seconds)


def takes_on() -> dict[Scale, str]:
    """What the figures of each scale rest on, in words."""
    known = _known()
    rate = known["paper"]["flops_per_second"] / 1e12
    return {
        **{scale: f"measured on {known[scale]['device']}" for scale in ("smoke", "small")},
        "paper": f"trainings alone, on one {known['paper']['device']} at the {rate:.0f} TFLOP/s "
        f"that training {known['paper']['measured']}, in bf16 has reached there",
    }


def experiments_of(entry: Entry) -> Iterator[Experiment]:
    """What is trained for a table at full scale, those that train backbones first."""
    for column in entry.columns:
        if column.experiment.backbones is not None:
            yield column.experiment.backbones
        yield column.experiment


def _at_full_scale(entry: Entry, known: dict[str, Any]) -> Takes:
    methods: dict[str, set[str]] = {}
    for column in entry.columns:
        for each in (column.experiment.backbones, column.experiment):
            if each is not None:
                methods.setdefault(each.key, set()).update(entry.methods_of(column.name))
    trainings = {key: SEEDS["paper"] * len(rows) for key, rows in methods.items()}
    flops = sum(known["trainings"][key]["flops"] * count for key, count in trainings.items())
    return Takes(sum(trainings.values()), flops / known["flops_per_second"])


@cache
def _known() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found
