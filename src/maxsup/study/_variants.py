"""Methods of a study with a learning rate of their own: ``maxsup:alpha=0.1,lr=0.05``.

The learning rate is the recipe's and not an objective's; so it is read off a method's name here,
above the room of the objectives, and a variant without it is the method itself.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from maxsup._method_names import MethodName, directory_name, shortest
from maxsup.data import DataSettings
from maxsup.methods import Method, check_distinct, get_method
from maxsup.recipes import Recipe
from maxsup.training import MeasuredOn, RunSettings

_LR = "lr"


class Variant(NamedTuple):
    """A method, and the learning rate that it is trained with.

    >>> Variant.read("maxsup:alpha=0.1,lr=0.05")
    Variant(method='maxsup:alpha=0.1', lr=0.05)
    >>> str(Variant("baseline", 0.05)), str(Variant("baseline"))
    ('baseline:lr=0.05', 'baseline')
    """

    method: str
    """The name with its coefficients."""
    lr: float | None = None
    """The peak learning rate; none for the recipe's."""

    @classmethod
    def read(cls, name: str) -> "Variant":
        """Take the learning rate off a name.

        Raises:
            ValueError: It is no positive number.
        """
        asked = MethodName.read(name)
        coefficients = dict(asked.coefficients)
        lr = coefficients.pop(_LR, None)
        if lr is not None and not (isinstance(lr, int | float) and 0 < lr < float("inf")):
            raise ValueError(f"{name}: lr must be a positive number; got {lr}.")
        return cls(str(MethodName(asked.method, tuple(coefficients.items()))), lr)

    @classmethod
    def of_run(cls, run: RunSettings, directory: str) -> "Variant | None":
        """What a run is of in its study, whose directory of that name holds it; none if another's.

        >>> from maxsup.recipes import get_recipe
        >>> recipe = get_recipe("digits")
        >>> run = Variant("maxsup", 0.05).run(0, recipe, DataSettings("digits"))
        >>> str(Variant.of_run(run, "maxsup-lr-0.05")), Variant.of_run(run, "baseline")
        ('maxsup:lr=0.05', None)
        """
        both = cls(run.method), cls(run.method, run.recipe.lr)
        return next((each for each in both if directory_name(str(each)) == directory), None)

    def __str__(self) -> str:
        asked = MethodName.read(self.method)
        lr = () if self.lr is None else ((_LR, self.lr),)
        return str(MethodName(asked.method, tuple(sorted((*asked.coefficients, *lr)))))

    def facts(self) -> Method:
        """What the registry knows of the method.

        Raises:
            ValueError: It knows none of that name.
        """
        return get_method(self.method)

    def label(self) -> str:
        """As in a heading.

        >>> Variant("label-smoothing:alpha=0.1", 0.05).label()
        'Label smoothing, α 0.1, lr 0.05'
        """
        return self.facts().label + ("" if self.lr is None else f", lr {shortest(self.lr)}")

    def recipe(self, recipe: Recipe) -> Recipe:
        """The recipe with this learning rate; warm-up and final one change in the same ratio."""
        if self.lr is None or self.lr == recipe.lr:
            return recipe
        ratio = self.lr / recipe.lr
        return replace(
            recipe,
            lr=self.lr,
            warmup_lr=ratio * recipe.warmup_lr,
            final_lr=ratio * recipe.final_lr,
        )

    def run(
        self, seed: int, recipe: Recipe, data: DataSettings, measured_on: MeasuredOn = "test"
    ) -> RunSettings:
        """The settings of one training.

        Args:
            seed: Its seed.
            recipe: The study's, whose learning rate holds where there is none of its own.
            data: What it is trained on.
            measured_on: As in :class:`~maxsup.training.RunSettings`.
        """
        return RunSettings(self.method, seed, self.recipe(recipe), data, measured_on)


def check_variants(names: Sequence[str], recipe: Recipe) -> None:
    """See that no two of the names train the same.

    Raises:
        ValueError: Two do, or one is not known; see :func:`maxsup.methods.check_distinct`.
    """
    by_rate: dict[float, list[str]] = {}
    for variant in map(Variant.read, names):
        by_rate.setdefault(recipe.lr if variant.lr is None else variant.lr, []).append(
            variant.method
        )
    for methods in by_rate.values():
        if len({*methods}) < len(methods):
            twice = next(name for name in methods if methods.count(name) > 1)
            raise ValueError(
                f"{twice} is there twice with the same learning rate, which is the recipe's "
                f"({recipe.lr:g}) where a name has none; name one."
            )
        check_distinct(methods)
