"""The methods and seeds that a study names, and what else their names say."""

from collections.abc import Collection, Iterable, Sequence

from maxsup._method_names import MethodName
from maxsup._seeds import check_seed
from maxsup.methods import get_method

NOBODY = "none"
"""Stands in a name for no teacher, or no backbone."""


def check_named(methods: Collection[str], seeds: Sequence[int]) -> None:
    """See that there is a method and a seed, and that each seed is one and named once.

    Raises:
        ValueError: One is missing, out of its range or there twice.
    """
    if not methods:
        raise ValueError("A study needs at least one method; --methods names none.")
    if not seeds:
        raise ValueError("A study needs at least one seed; got none.")
    for seed in seeds:
        check_seed("seeds", seed)
    check_once("seed", seeds)


def check_once(what: str, values: Sequence[object]) -> None:
    """See that nothing is named twice.

    Raises:
        ValueError: Something is; the message names it.
    """
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"Each {what} can be named once; twice came {', '.join(twice)}.")


def once_for_each(methods: Sequence[str], coefficient: str, values: Iterable[str]) -> list[str]:
    """Each method once for each value of a coefficient; one whose name sets it stays as it is.

    >>> once_for_each(["baseline", "maxsup:teacher=none"], "teacher", ["focal", "maxsup"])
    ['baseline:teacher=focal', 'baseline:teacher=maxsup', 'maxsup:teacher=none']
    """
    names = list(values)
    found: dict[str, None] = {}
    for method in methods:
        asked = MethodName.read(method)
        if coefficient in dict(asked.coefficients):
            found[method] = None
            continue
        for name in names:
            coefficients = sorted((*asked.coefficients, (coefficient, name)))
            found[str(MethodName(asked.method, tuple(coefficients)))] = None
    return list(found)


def label_of(role: str, name: str) -> str:
    """A teacher or a backbone as in a heading, where it may be called as a method.

    >>> label_of("teacher", "label-smoothing"), label_of("teacher", "mine-0.1")
    ('teacher Label smoothing', 'teacher mine-0.1')
    >>> label_of("backbone", "none")
    'no backbone'
    """
    if name == NOBODY:
        return f"no {role}"
    try:
        return f"{role} {get_method(name).label}"
    except ValueError:
        return f"{role} {name}"
