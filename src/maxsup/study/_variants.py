"""Methods of a study with a learning rate, a teacher or a backbone of their own.

As ``maxsup:alpha=0.1,lr=0.05``. None of these is an objective's; so they are read off a method's
name here, above the room of the objectives, and a variant without them is the method itself.
"""

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from maxsup._method_names import MethodName, directory_name, shortest
from maxsup.data import DataSettings
from maxsup.methods import Method, check_distinct, get_method
from maxsup.recipes import Recipe
from maxsup.study._backbones import (
    Backbones,
    backbone_of_run,
    recipe_on_backbone,
)
from maxsup.study._named import label_of
from maxsup.study._teachers import NO_TEACHER, teacher_of_run, teacher_of_seed
from maxsup.training import Distillation, MeasuredOn, RunSettings

_LR = "lr"
_TEACHER = "teacher"
_BACKBONE = "backbone"
_NO_BACKBONES: Backbones = MappingProxyType({})


class Variant(NamedTuple):
    """A method, the learning rate that it is trained with, who teaches, and the backbone.

    >>> Variant.read("maxsup:alpha=0.1,lr=0.05")
    Variant(method='maxsup:alpha=0.1', lr=0.05, teacher=None, backbone=None)
    >>> str(Variant("baseline", 0.05)), str(Variant("baseline", teacher="maxsup"))
    ('baseline:lr=0.05', 'baseline:teacher=maxsup')
    """

    method: str
    """The name with its coefficients."""
    lr: float | None = None
    """The peak learning rate; none for the recipe's."""
    teacher: str | None = None
    """Which of the teachers teaches, by its directory's name; ``none`` for nobody."""
    backbone: str | None = None
    """Which of a study's backbones is fine-tuned; ``none`` for one that starts at random."""

    @classmethod
    def read(cls, name: str) -> "Variant":
        """Take learning rate, teacher and backbone off a name.

        Raises:
            ValueError: The first is no positive number, or one of the others no word.
        """
        asked = MethodName.read(name)
        coefficients = dict(asked.coefficients)
        lr = coefficients.pop(_LR, None)
        if lr is not None and not (isinstance(lr, int | float) and 0 < lr < float("inf")):
            raise ValueError(f"{name}: lr must be a positive number; got {lr}.")
        teacher = coefficients.pop(_TEACHER, None)
        if teacher is not None and not isinstance(teacher, str):
            raise ValueError(f"{name}: teacher must be the name of a method; got {teacher}.")
        backbone = coefficients.pop(_BACKBONE, None)
        if backbone is not None and not isinstance(backbone, str):
            raise ValueError(f"{name}: backbone must be the name of one; got {backbone}.")
        method = str(MethodName(asked.method, tuple(coefficients.items())))
        return cls(method, lr, teacher, backbone)

    @classmethod
    def of_run(
        cls, run: RunSettings, directory: str, backbones: Backbones = _NO_BACKBONES
    ) -> "Variant | None":
        """What a run is of in its study, whose directory of that name holds it; none if another's.

        A run does not know what its backbone is called in its study, whose ``backbones`` say it.

        >>> from maxsup.recipes import get_recipe
        >>> recipe = get_recipe("digits")
        >>> run = Variant("maxsup", 0.05).run(0, recipe, DataSettings("digits"))
        >>> str(Variant.of_run(run, "maxsup-lr-0.05")), Variant.of_run(run, "baseline")
        ('maxsup:lr=0.05', None)
        """
        possible = (
            cls(run.method, lr, teacher, backbone)
            for lr in (None, run.recipe.lr)
            for teacher in (None, teacher_of_run(run))
            for backbone in (None, backbone_of_run(run.recipe), *backbones)
        )
        return next((each for each in possible if directory_name(str(each)) == directory), None)

    def __str__(self) -> str:
        asked = MethodName.read(self.method)
        lr = () if self.lr is None else ((_LR, self.lr),)
        teacher = () if self.teacher is None else ((_TEACHER, self.teacher),)
        backbone = () if self.backbone is None else ((_BACKBONE, self.backbone),)
        coefficients = sorted(
            (*asked.coefficients, *lr, *teacher, *backbone), key=lambda each: each[0]
        )
        return str(MethodName(asked.method, tuple(coefficients)))

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
        >>> Variant("baseline", teacher="maxsup").label()
        'Baseline, teacher MaxSup'
        >>> Variant("baseline", backbone="maxsup").label()
        'Backbone MaxSup'
        """
        rate = "" if self.lr is None else f", lr {shortest(self.lr)}"
        teacher = "" if self.teacher is None else f", {label_of(_TEACHER, self.teacher)}"
        backbone = "" if self.backbone is None else label_of(_BACKBONE, self.backbone)
        if backbone and self.method == "baseline":
            # Fine-tuned as in the paper, by cross-entropy.
            return f"{backbone[0].upper()}{backbone[1:]}{rate}"
        return self.facts().label + rate + teacher + (f", {backbone}" if backbone else "")

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

    def distillation(self, seed: int, of_study: Distillation | None) -> Distillation | None:
        """Who teaches the run of a seed, in a study whose runs are taught so.

        Raises:
            ValueError: There is no such teacher.
        """
        if of_study is None and self.teacher is not None:
            raise ValueError(f"{self}: teacher says which of several teaches; name --teacher too.")
        if of_study is None or self.teacher == NO_TEACHER:
            return None
        return replace(of_study, teacher=teacher_of_seed(of_study, self.teacher, seed))

    def run(
        self,
        seed: int,
        recipe: Recipe,
        data: DataSettings,
        measured_on: MeasuredOn = "test",
        distillation: Distillation | None = None,
        backbones: Backbones = _NO_BACKBONES,
    ) -> RunSettings:
        """The settings of one training.

        Args:
            seed: Its seed.
            recipe: The study's, whose learning rate holds where there is none of its own.
            data: What it is trained on.
            measured_on: As in :class:`~maxsup.training.RunSettings`.
            distillation: How the study's runs are taught, if they are.
            backbones: Of the study.

        Raises:
            ValueError: There is no such teacher or backbone.
        """
        taught = self.distillation(seed, distillation)
        own = self.recipe(recipe)
        if self.backbone is not None:
            own = recipe_on_backbone(own, self.backbone, seed, backbones)
        return RunSettings(self.method, seed, own, data, measured_on, taught)


def check_variants(names: Sequence[str], recipe: Recipe) -> None:
    """See that no two of the names train the same.

    Raises:
        ValueError: Two do, or one is not known; see :func:`maxsup.methods.check_distinct`.
    """
    alike: dict[tuple[float, str | None, str | None], list[str]] = {}
    for variant in map(Variant.read, names):
        rate = recipe.lr if variant.lr is None else variant.lr
        alike.setdefault((rate, variant.teacher, variant.backbone), []).append(variant.method)
    for methods in alike.values():
        if len({*methods}) < len(methods):
            twice = next(name for name in methods if methods.count(name) > 1)
            raise ValueError(
                f"{twice} is there twice with the same learning rate, which is the recipe's "
                f"({recipe.lr:g}) where a name has none; name one."
            )
        check_distinct(methods)
