"""How each method's strength is chosen before a study: which trials, and by what."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from maxsup._fields import settle_fields
from maxsup.methods import get_method
from maxsup.recipes import Recipe
from maxsup.study._variants import Variant

FIRST_SEED = 1_000_000
"""The seeds of trials are this one and those that follow it, far from those of studies."""
_MOST_TRIALS = 1_000
_DECADES = 0.5
"""How far learning rates are tried to both sides of the recipe's, in powers of ten."""
_GOLDEN = (1 + math.sqrt(5)) / 2

TuneBy = Literal["nll", "accuracy"]


@dataclass(frozen=True)
class TuningSettings:
    """Equally many trials for every method, measured on a validation part of the training set.

    A method whose coefficients declare a :class:`~maxsup.methods.Search` is tried at ``strengths``
    values from its one end to the other; of several coefficients, each is tried at as many values,
    in an order of its own (a lattice of rank 1), so that there are no more trials. Each of these is
    crossed with the learning rates. A method that has nothing to search for, as the baseline, is
    given as many trials at further learning rates.

    Raises:
        ValueError: A setting is out of its range; the message names it.

    Example:
        >>> from maxsup.recipes import get_recipe
        >>> tuning, recipe = TuningSettings(5), get_recipe("cifar100-resnet18")
        >>> tuning.trials("maxsup", recipe)[:2]
        ['maxsup:alpha=0.02', 'maxsup:alpha=0.045']
        >>> tuning.trials("baseline", recipe)[:3]
        ['baseline:lr=0.0316', 'baseline:lr=0.0562', 'baseline']
    """

    strengths: int = 5
    """At how many strengths each method is tried."""
    learning_rates: int = 1
    """At how many learning rates each strength is tried: with 3 also at the recipe's divided and
    multiplied by √10."""
    seeds: int = 2
    """With how many seeds each trial is trained; they are none of the study's."""
    by: TuneBy = "nll"
    """What is chosen by on the validation part: NLL after temperature, or accuracy."""
    validation: float = 0.2
    """Fraction of the training images to hold out for it, class by class, where the data has no
    validation part."""

    def __post_init__(self) -> None:
        settle_fields(self)
        for name, least in (("strengths", 2), ("learning_rates", 1), ("seeds", 1)):
            if getattr(self, name) < least:
                raise ValueError(
                    f"tuning: {name} must be at least {least}; got {getattr(self, name)}."
                )
        if self.strengths * self.learning_rates > _MOST_TRIALS:
            raise ValueError(
                f"tuning: {self.strengths} strengths at {self.learning_rates} learning rates are "
                f"more than {_MOST_TRIALS:,} trials of each method."
            )
        if not 0 < self.validation < 1:
            raise ValueError(f"tuning: validation must lie in (0, 1); got {self.validation}.")

    @property
    def trial_seeds(self) -> tuple[int, ...]:
        """The seeds that each trial is trained with."""
        return tuple(range(FIRST_SEED, FIRST_SEED + self.seeds))

    def trials(self, method: str, recipe: Recipe) -> list[str]:
        """What a method is tried as: names with coefficients and learning rates, no two alike.

        Args:
            method: A method's name without coefficients.
            recipe: How it is trained.
        """
        strengths = self._strengths(method)
        budget = self.strengths * self.learning_rates
        rates = self._rates(recipe.lr, budget if len(strengths) == 1 else self.learning_rates)
        return [
            str(Variant(name, None if lr == recipe.lr else lr))
            for name in strengths
            for lr in rates
        ]

    def _strengths(self, method: str) -> list[str]:
        declared = get_method(method)
        searched = [each for each in declared.coefficients if each.search is not None]
        if not searched:
            return [method]
        found = []
        for trial in range(self.strengths):
            values = {}
            for number, each in enumerate(searched):
                assert each.search is not None
                place = trial * _step(self.strengths) ** number % self.strengths
                values[each.name] = each.search.at(place / (self.strengths - 1))
            tried = declared.at(values)
            # Where it comes upon the default, it is the method as it is.
            found.append(method if tried.values() == declared.values() else tried.name)
        return list(dict.fromkeys(found))

    def _rates(self, lr: float, count: int) -> list[float]:
        common = _spread(self.learning_rates)
        return [lr if at == 0 else float(f"{lr * 10**at:.3g}") for at in _filled(common, count)]


def _step(count: int) -> int:
    """The number without a common divisor that is nearest to the golden section of the count.

    >>> [_step(count) for count in (2, 3, 5, 8, 10)]
    [1, 2, 3, 5, 7]
    """
    return min(
        (step for step in range(1, count) if math.gcd(step, count) == 1),
        key=lambda step: abs(step - count / _GOLDEN),
    )


def _spread(count: int) -> list[float]:
    """So many equal steps from one end to the other; one is the middle."""
    if count == 1:
        return [0.0]
    return [_DECADES * (2 * number / (count - 1) - 1) for number in range(count)]


def _filled(places: Sequence[float], count: int) -> list[float]:
    """So many places in order: those given, then both ends, then the middle of the widest gap.

    >>> _filled([0.0], 5), _filled([-0.5, 0.0, 0.5], 4)
    ([-0.5, -0.25, 0.0, 0.25, 0.5], [-0.5, -0.25, 0.0, 0.5])
    """
    found = sorted(places)
    for end in (-_DECADES, _DECADES):
        if len(found) < count and end not in found:
            found = sorted([*found, end])
    while len(found) < count:
        gaps = [after - before for before, after in itertools.pairwise(found)]
        widest = gaps.index(max(gaps))
        found.insert(widest + 1, (found[widest] + found[widest + 1]) / 2)
    return found
