"""The trials of a study that chooses strengths, and what is chosen by them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from maxsup._method_names import directory_name
from maxsup.data import DataSettings, ImageData
from maxsup.recipes import Recipe
from maxsup.results import chosen_names, schema, tuned_contrasts
from maxsup.statistics import expected_best
from maxsup.study._settings import TRIALS, StudySettings
from maxsup.study._tuning import TuningSettings
from maxsup.study._variants import Variant
from maxsup.training import Distillation, RunResult, RunSettings

_BY: Mapping[str, Literal["validation_nll_scaled", "validation_accuracy"]] = {
    "nll": "validation_nll_scaled",
    "accuracy": "validation_accuracy",
}
_LR = "lr"


@dataclass(frozen=True)
class Trials:
    """All trainings by which strengths are chosen; none of them looks at the test set.

    They have what :func:`~maxsup.study._local.run_locally` and its like need of a study.
    """

    recipe: Recipe
    data: DataSettings
    held_out: bool
    """Whether the validation part is taken out of the study's training set."""
    tuning: TuningSettings
    methods: tuple[str, ...]
    """The methods that are tuned: those whose names set nothing."""
    fixed: tuple[str, ...]
    """The other ones of the study."""
    distillation: Distillation | None = None
    """The one run that teaches all, if they are taught."""

    @classmethod
    def of(cls, settings: StudySettings, data: ImageData | None = None) -> "Trials | None":
        """The trials of a study; none where nothing is to be chosen.

        Args:
            settings: The study.
            data: Its data, where it has been loaded: a validation part that it has is used, else
                one is held out.
        """
        tuning = settings.tuning
        if tuning is None:
            return None
        asked = settings.data.validation > 0 or settings.data.validation_split is not None
        own = asked or (data is not None and data.validation is not None)
        plain = [name for name in settings.methods if ":" not in name]
        return cls(
            settings.recipe,
            settings.data if own else replace(settings.data, validation=tuning.validation),
            not own,
            tuning,
            tuple(plain),
            tuple(name for name in settings.methods if name not in plain),
            settings.distillation,
        )

    def names(self) -> dict[str, list[str]]:
        """What each method is tried as."""
        return {method: self.tuning.trials(method, self.recipe) for method in self.methods}

    def plan(self) -> list[tuple[str, int]]:
        """Name and seed of every trial, in the order to train them: by seed first."""
        names = [name for of_method in self.names().values() for name in of_method]
        return [(name, seed) for seed in self.tuning.trial_seeds for name in names]

    def run(self, method: str, seed: int) -> RunSettings:
        """The settings of one trial."""
        return Variant.read(method).run(
            seed, self.recipe, self.data, "validation", self.distillation
        )

    def run_directory(self, directory: Path, method: str, seed: int) -> Path:
        """Where a trial is kept within the study's directory."""
        return directory / TRIALS / directory_name(method) / f"seed-{seed}"

    def choose(
        self, results: Mapping[tuple[str, int], RunResult | str], data: ImageData
    ) -> schema.Tuning:
        """Take the best trial of each method.

        A trial of which a training failed is not taken, however good the others are. Of equally
        good ones the first is, which has the smallest strength.

        Args:
            results: What came of each trial and seed, or the cause of its failure.
            data: What they were trained and measured on.
        """
        assert data.validation is not None
        by = _BY[self.tuning.by]
        return schema.Tuning(
            by=by,
            seeds=list(self.tuning.trial_seeds),
            train=len(data.train),
            validation=len(data.validation),
            held_out=self.held_out,
            methods=[
                self._tuned(method, [self._trial(name, by, results) for name in names])
                for method, names in self.names().items()
            ],
            fixed=list(self.fixed),
        )

    def _trial(
        self, name: str, by: str, results: Mapping[tuple[str, int], RunResult | str]
    ) -> schema.Trial:
        values: list[float | None] = []
        for seed in self.tuning.trial_seeds:
            found = results[name, seed]
            values.append(found.values[by] if isinstance(found, RunResult) else None)
        there = [value for value in values if value is not None]
        variant = Variant.read(name)
        method = variant.facts()
        numbers = {
            each.name: float(value)
            for each in method.coefficients
            if each.search is not None
            and isinstance(value := method.values()[each.name], int | float)
        }
        return schema.Trial(
            name=name,
            coefficients={**numbers, _LR: self.recipe.lr if variant.lr is None else variant.lr},
            values=values,
            mean=math.fsum(there) / len(there) if len(there) == len(values) else None,
        )

    def _tuned(self, method: str, trials: list[schema.Trial]) -> schema.TunedMethod:
        higher = self.tuning.by == "accuracy"
        finished = [trial for trial in trials if trial["mean"] is not None]
        means = [trial["mean"] for trial in finished if trial["mean"] is not None]
        best = finished[means.index(max(means) if higher else min(means))] if means else None
        tried = {
            name: sorted({trial["coefficients"][name] for trial in trials})
            for name in trials[0]["coefficients"]
        }
        searched = [name for name, values in tried.items() if len(values) > 1]
        return schema.TunedMethod(
            method=method,
            searched=searched,
            trials=trials,
            chosen=None if best is None else best["name"],
            at_edge=[]
            if best is None
            else [
                name
                for name in searched
                if best["coefficients"][name] in (tried[name][0], tried[name][-1])
            ],
            expected=expected_best(means, "higher" if higher else "lower"),
        )


def trainings_of(settings: StudySettings) -> tuple[int, int]:
    """How many trainings a study has at most, and how many trials come before them.

    A method whose best trial is at its default is trained at that alone.
    """
    trials = Trials.of(settings)
    if trials is None:
        return len(settings.plan()), 0
    return len(settings.plan()) + len(trials.methods) * len(settings.seeds), len(trials.plan())


def at_chosen(settings: StudySettings, tuning: schema.Tuning) -> StudySettings:
    """The study with each method at its chosen strength beside the one that its name says.

    Contrasts are then of the chosen ones alone, unless the settings name others: each against the
    baseline at its own best, and MaxSup against label smoothing.
    """
    chosen = chosen_names(tuning)
    methods = dict.fromkeys(
        name for method in settings.methods for name in (method, chosen.get(method, method))
    )
    baseline = chosen.get(settings.baseline, settings.baseline)
    return replace(
        settings,
        methods=tuple(methods),
        baseline=baseline,
        contrasts=settings.contrasts or tuned_contrasts(tuning, list(methods), baseline),
    )
