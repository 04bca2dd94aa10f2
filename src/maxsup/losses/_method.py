"""What the registry knows of a method."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import resources

from maxsup import schedules
from maxsup._method_names import MethodName, Ramp, Value
from maxsup._plugin_lines import with_line
from maxsup.losses._coefficient import Coefficient
from maxsup.losses._loss import Loss


@dataclass(frozen=True)
class Training:
    """What a criterion may need to know of the training it serves."""

    num_classes: int
    steps: int
    """Optimiser steps altogether."""
    steps_per_epoch: int


_SMALL = Training(num_classes=10, steps=1, steps_per_epoch=1)
"""One to build a criterion for that is not trained with."""


@dataclass(frozen=True)
class Method:
    """A way to train a classifier that differs from others in the objective alone.

    Raises:
        ValueError: The name or the choices of a coefficient could not be those of a directory, two
            coefficients have one name, or a default is out of its range.
    """

    name: str
    """As on the command line, ``label-smoothing``; with the coefficients that are set for it, as
    in ``label-smoothing:alpha=0.1``."""
    label: str
    """As in a heading, ``Label smoothing``."""
    summary: str
    """One line: what it does to the model."""
    build: Callable[..., Loss]
    """Makes the criterion for one :class:`Training`, given that and, by name, each of the
    coefficients: a number, a schedule, or a word. Others call :meth:`criterion`."""
    page_file: str | None = None
    """The Markdown page beside the code of maxsup's own methods."""
    coefficients: tuple[Coefficient, ...] = ()
    """What can be set by ``NAME:COEFFICIENT=VALUE``, in the order to be shown."""
    chosen: tuple[tuple[str, Value], ...] = ()
    """The coefficients that are set, by name; the others keep their defaults."""

    def __post_init__(self) -> None:
        choices = [word for each in self.coefficients for word in each.choices]
        words = [self.name.partition(":")[0], *choices]
        for word in words:
            if not re.fullmatch(r"[A-Za-z0-9]([\w.+-]*[\w+-])?", word, re.ASCII):
                raise ValueError(
                    f"The name of a method, or of one of its choices, is made of letters, digits "
                    f"and - _ . + as directories are named after it; got {word!r}."
                )
        names = [each.name for each in self.coefficients]
        if len({*names}) < len(names):
            raise ValueError(f"{self.name} declares a coefficient twice: {', '.join(names)}.")
        for each in self.coefficients:
            each.check_setting(each.default)
        if "lr" in names:
            raise ValueError(
                f"{self.name} declares a coefficient lr, which in a study's names is the learning "
                "rate of the training; call it otherwise."
            )

    def at(self, values: Mapping[str, Value]) -> "Method":
        """The same method with some of its coefficients set.

        Args:
            values: A number, a :class:`Ramp` or a word for each coefficient to set, by name.

        Raises:
            ValueError: There is no such coefficient, or a value is out of its range; the message
                lists what there is.

        Example:
            >>> from maxsup.methods import get_method
            >>> milder = get_method("maxsup").at({"alpha": 0.05})
            >>> milder.name, milder.label
            ('maxsup:alpha=0.05', 'MaxSup, α 0.05')
        """
        declared = {each.name: each for each in self.coefficients}
        base = self.name.partition(":")[0]
        there = "; ".join(each.describe() for each in self.coefficients)
        there = f"{base} has: {there}." if there else f"{base} declares no coefficients."
        for name, value in values.items():
            if name not in declared:
                close = difflib.get_close_matches(name, declared, n=1)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                raise ValueError(f"{base} has no coefficient {name!r}.{hint} {there}")
            try:
                declared[name].check_setting(value)
            except ValueError as error:
                raise ValueError(f"{base}: {error} {there}") from None
        chosen = {**dict(self.chosen), **values}
        label = self.label.removesuffix(self._in_label(dict(self.chosen))) + self._in_label(chosen)
        named = MethodName(base, tuple(sorted(chosen.items())))
        return replace(self, name=str(named), label=label, chosen=named.coefficients)

    def values(self) -> dict[str, Value]:
        """What each coefficient is set to, or its default, by name."""
        return {each.name: each.default for each in self.coefficients} | dict(self.chosen)

    def criterion(self, training: Training) -> Loss:
        """The criterion with these values, for one training."""
        return self.build(
            training,
            **{
                name: schedules.linear(*value, steps=training.steps, every=training.steps_per_epoch)
                if isinstance(value, Ramp)
                else value
                for name, value in self.values().items()
            },
        )

    def check_build(self, source: str | None = None) -> None:
        """See that the criterion can be built, before anything is trained with others.

        Args:
            source: What defines the method, where that is known.

        Raises:
            ValueError: It cannot.
        """
        called = ", ".join(["training", *(f"{name}=..." for name in self.values())])
        try:
            built: object = self.criterion(_SMALL)
        except Exception as error:  # whatever somebody else's code raises
            problem = with_line(f"{type(error).__name__}: {str(error).rstrip('.')}", error)
        else:
            if isinstance(built, Loss):
                return
            problem = f"its build gives {type(built).__name__}, and no Loss of maxsup.losses"
        of = f" of {source}" if source else ""
        raise ValueError(
            f"Method {self.name!r}{of} cannot be built: {problem}. It is built by build({called})."
        )

    def settings(self) -> str:
        """The values in words, ``alpha 0.1 → 0.2 (linear)``; empty where it has none."""
        return self.criterion(_SMALL).settings()

    def page(self) -> str:
        """The method's page as Markdown; its summary where it has no page."""
        if self.page_file is None:
            return self.summary
        return (resources.files("maxsup.losses") / self.page_file).read_text(encoding="utf-8")

    def _in_label(self, chosen: Mapping[str, Value]) -> str:
        """What values that are set add to the label."""
        return "".join(
            f", {each.label(chosen[each.name])}"
            for each in self.coefficients
            if each.name in chosen
        )
