"""The teachers of a study's students: one for all, one a seed, or several to compare."""

from collections.abc import Sequence

from maxsup.data import ImageData
from maxsup.study._named import NOBODY, once_for_each
from maxsup.study._run import Trainings
from maxsup.study._runs_of_study import check_begun, is_run, names_in, seeds_in
from maxsup.training import (
    Distillation,
    RunResult,
    RunSettings,
    check_teacher,
    listed,
)

NO_TEACHER = NOBODY
"""Stands for the teacher of a method that is to learn without one."""


def with_teachers(methods: Sequence[str], distillation: Distillation) -> tuple[str, ...]:
    """Each method once for each teacher, where the teachers are the methods of a study.

    A method whose name says who teaches stays as it is, and so do all where there is one teacher.

    Raises:
        ValueError: There is no such study, or it has not begun with one of its methods.
    """
    place = distillation.place
    if is_run(place) or seeds_in(place):
        return tuple(methods)
    names = names_in(place)
    if not names:
        distillation.check_finished()
    check_begun(place)
    return tuple(once_for_each(methods, "teacher", names))


def teacher_of_seed(distillation: Distillation, name: str | None, seed: int) -> str:
    """The directory of the run that teaches a seed.

    Args:
        distillation: What a study names: a run, the runs of a method, or a study.
        name: Which of a study's methods teaches.
        seed: The student's.

    Raises:
        ValueError: There is no such run; the message says what there is.
    """
    place, said = distillation.place, distillation.teacher.rstrip("/")
    if name is None and (is_run(place) or not place.exists()):
        return said
    if name is not None:
        if is_run(place) or seeds_in(place):
            raise ValueError(
                f"teacher={name} says which of several teaches, and {said} is one. Leave it away, "
                f"or write teacher={NO_TEACHER} for a method that learns without."
            )
        names = names_in(place)
        if name not in names:
            there = f"there are {', '.join(names)}" if names else "there is none"
            raise ValueError(f"teacher={name}: no such teacher lies in {said}; {there}.")
        place, said = place / name, f"{said}/{name}"
    elif not seeds_in(place):
        names = names_in(place)
        if not names:
            distillation.check_finished()
        raise ValueError(
            f"teacher: {said} is a study, of which each method can teach. Say which one behind the "
            f"name of a method, as in baseline:teacher={names[0]}; there are {', '.join(names)}."
        )
    seeds = seeds_in(place)
    if seed not in seeds:
        raise ValueError(
            f"teacher: {said} has no run of seed {seed}, which is to teach the student of that "
            f"seed; there are seeds {listed([*map(str, seeds)])}. Train it, or name one run with "
            "--teacher to teach all."
        )
    return f"{said}/seed-{seed}"


def teacher_of_run(run: RunSettings) -> str:
    """What the teacher of a study's run is called in its name, where that says who teaches."""
    if run.distillation is None:
        return NO_TEACHER
    return run.distillation.place.parent.name


def check_teachers(settings: Trainings, data: ImageData) -> None:
    """See, before anything is written, that all teachers of a study can teach.

    Raises:
        ValueError: One cannot.
    """
    seen = set()
    for method, seed in settings.plan():
        run = settings.run(method, seed)
        if run.distillation not in seen:
            seen.add(run.distillation)
            check_teacher(run, data)


def notes_on_teachers(settings: Trainings) -> list[str]:
    """Who teaches, how, and how good the teachers are themselves, in sentences."""
    taught = [run.distillation for run in (settings.run(*key) for key in settings.plan())]
    teachers = list(dict.fromkeys(each for each in taught if each is not None))
    if not teachers:
        return []
    first = teachers[0]
    groups: dict[str, list[float]] = {}
    for each in teachers:
        result = RunResult.load(each.place)
        value = None if result is None else result.values.get("test_accuracy")
        name = each.teacher if len(teachers) == 1 else each.teacher.rpartition("/")[0]
        groups.setdefault(name, []).extend([] if value is None else [value])
    known = [
        f"{name} (test accuracy {100 * sum(values) / len(values):.2f} %"
        + (f", mean of {len(values)} seeds)" if len(values) > 1 else ")")
        if values
        else name
        for name, values in groups.items()
    ]
    own = " Each student learns from the teacher of its own seed." if len(teachers) > 1 else ""
    return [
        f"Loss of a student with a teacher: {1 - first.weight:g}·objective + {first.weight:g}·T²·"
        f"KL(teacher ‖ student) with T = {first.temperature:g}. Teachers: {', '.join(known)}.{own}"
    ]
