"""By which teacher a model is taught, and how much of it."""

import os
from dataclasses import dataclass
from pathlib import Path

from maxsup._digests import read_sums
from maxsup._fields import settle_fields
from maxsup._places import as_place
from maxsup.models import CONFIG_FILE, WEIGHTS_FILE
from maxsup.training._result import RESULT_FILE
from maxsup.training._settings_file import SETTINGS_FILE


@dataclass(frozen=True)
class Distillation:
    """A trained model whose probabilities a student learns beside its labels.

    The loss is (1 − weight)·objective + weight·T²·KL(teacher ‖ student), both softened by the
    temperature T (Hinton et al. 2015), see :func:`maxsup.functional.distillation_loss`. By default
    T = 4 and weight = 0.9, the convention of Tian et al. 2020.

    Example:
        >>> Distillation("runs/teachers/maxsup/seed-0/")
        Distillation(teacher='runs/teachers/maxsup/seed-0', temperature=4.0, weight=0.9)

    Raises:
        ValueError: The temperature is not above 0, or the weight not in (0, 1].
    """

    teacher: str
    """The directory of a finished run. For a study also that of a method's runs, where each seed
    learns from the run of its own seed, or of a study, where method names say which of its
    methods teaches: ``baseline:teacher=maxsup``."""
    temperature: float = 4.0
    """T, which softens the probabilities of both."""
    weight: float = 0.9
    """The weight of the teacher's part; the objective has the rest."""

    def __post_init__(self) -> None:
        settle_fields(self)
        if not self.teacher:
            raise ValueError("teacher names no directory; name that of a finished run.")
        if "://" not in self.teacher:
            object.__setattr__(self, "teacher", os.path.normpath(self.teacher))
        if not self.temperature > 0:
            raise ValueError(f"temperature must be above 0; got {self.temperature:g}.")
        if not 0 < self.weight <= 1:
            raise ValueError(f"distill_weight must lie in (0, 1]; got {self.weight:g}.")

    @property
    def place(self) -> Path:
        """Where the teacher is kept."""
        return as_place(self.teacher)

    def digest(self) -> str:
        """SHA-256 of the teacher's weights and of its configuration, as they were written.

        Raises:
            ValueError: There is no finished run.
        """
        self.check_finished()
        sums = read_sums(self.place)
        return f"{sums[WEIGHTS_FILE]} {sums[CONFIG_FILE]}"

    def check_finished(self) -> None:
        """See that the teacher is a run that was trained to its end.

        Raises:
            ValueError: It is not; the message says what it is.
        """
        place = self.place
        how = "Name the directory of a finished run, as runs/digits/maxsup/seed-0."
        if not place.exists():
            raise ValueError(f"teacher: there is no {place}. {how}")
        if not (place / SETTINGS_FILE).exists():
            raise ValueError(f"teacher: {place} is not the directory of a run. {how}")
        sums = read_sums(place)
        if not (place / RESULT_FILE).exists() or not {WEIGHTS_FILE, CONFIG_FILE} <= sums.keys():
            raise ValueError(
                f"teacher: the run in {place} has not finished. The command that trains it goes on "
                "with it."
            )
