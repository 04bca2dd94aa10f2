"""Names and numbers of seeds in a row, as sentences have them."""

from collections.abc import Iterable, Mapping, Sequence


def called(name: str, labels: Mapping[str, str]) -> str:
    """A method in the middle of a sentence.

    >>> called("baseline", {"baseline": "Baseline"}), called("maxsup", {"maxsup": "MaxSup"})
    ('the baseline', 'MaxSup')
    """
    return "the baseline" if name == "baseline" else labels[name]


def listed(names: Iterable[str]) -> str:
    """Names that may hold an "and" themselves."""
    return "; ".join(names)


def together(names: Sequence[str]) -> str:
    """Names in a row, none of which is mistaken for a part of another.

    >>> together(["A", "B", "C"]), together(["A", "B, α 0.1", "B, α 0.2"])
    ('A, B and C', 'A and B, α 0.1 and B, α 0.2')
    """
    if any("," in name for name in names):
        return " and ".join(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def named_seeds(seeds: Sequence[int]) -> str:
    """Each of the seeds by name.

    >>> named_seeds([3]), named_seeds([0, 1, 2])
    ('seed 3', 'seeds 0, 1 and 2')
    """
    return ("seed " if len(seeds) == 1 else "seeds ") + together([str(seed) for seed in seeds])


def seeds_in_words(seeds: Iterable[int]) -> str:
    """Seeds by name, or as a range where they follow one another.

    >>> seeds_in_words([3]), seeds_in_words([2, 0, 1]), seeds_in_words([0, 2])
    ('seed 3', 'seeds 0 to 2', 'seeds 0 and 2')
    """
    first, *_ = ordered = sorted(seeds)
    if len(ordered) > 2 and ordered == list(range(first, first + len(ordered))):
        return f"seeds {first} to {ordered[-1]}"
    return named_seeds(ordered)
