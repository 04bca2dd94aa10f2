"""The methods and seeds that a study names."""

from collections.abc import Collection, Sequence

from maxsup._seeds import check_seed


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
