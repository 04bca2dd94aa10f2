"""Which models may stand as one group, and how groups of one name are told apart.

Models of a group differ in their seed alone: what their numbers differ by is then the seed's doing.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from maxsup.inspection._loader import Named

_SHOWN = 3
"""Settings that a sentence names."""


class Grouped(NamedTuple):
    """Models with names of groups that tell them apart."""

    models: list[Named]
    notes: list[str]
    """Why models of one name are no group, in sentences."""


def in_groups(found: Sequence[Named]) -> Grouped:
    """The models, those of one name that differ in more than their seed as groups of their own.

    Raises:
        ValueError: A model is named twice, or two cannot be told apart by their names.
    """
    _check_once(found)
    names: dict[int, Named] = {}
    notes: list[str] = []
    for method in dict.fromkeys(each.method for each in found):
        groups = _groups_of([each for each in found if each.method == method])
        renamed = _apart(groups)
        names |= {
            id(old): new
            for group, of_group in zip(groups, renamed, strict=True)
            for old, new in zip(group, of_group, strict=True)
        }
        first, first_renamed = groups[0], renamed[0]
        notes += [
            _why(first, first_renamed[0].label, group, of_group[0].label)
            for group, of_group in zip(groups[1:], renamed[1:], strict=True)
        ]
    return Grouped([names[id(each)] for each in found], notes)


def _check_once(found: Sequence[Named]) -> None:
    seen: dict[tuple[str, str], Named] = {}
    for each in found:
        key = (_resolved(each), each.within)
        before = seen.setdefault(key, each)
        if before is each:
            continue
        also = "" if before.place == each.place else f", also as {before.place}"
        if before.method == each.method:
            raise ValueError(f"{each.place} is named twice{also}. Name each model once.")
        raise ValueError(
            f"{each.place} is named twice{also}: as {before.method} and as {each.method}. Name "
            "each model once."
        )


def _resolved(model: Named) -> str:
    if model.kind == "published" or "://" in model.file:
        return model.file
    return str(Path(model.file).expanduser().resolve())


def _groups_of(models: Sequence[Named]) -> list[list[Named]]:
    """Models of one name, those together that differ in their seed alone."""
    groups: list[list[Named]] = []
    for each in models:
        group = next((group for group in groups if _may_be_one(group[0], each)), None)
        if group is None:
            groups.append([each])
        else:
            group.append(each)
    return [
        divided
        for group in groups
        for by_data in _by_drawn_data(group)
        for divided in _by_place(by_data)
    ]


def _may_be_one(one: Named, other: Named) -> bool:
    if one.settings is not None and other.settings is not None:
        return not _differences(one, other)
    # Nothing is known of how predictions came; those of one place are taken at their word.
    predictions = one.kind == other.kind == "predictions"
    return predictions and _resolved(one) == _resolved(other)


def _differences(one: Named, other: Named) -> list[str]:
    """What is set otherwise but for seeds: what the first has, and what the other has."""
    assert one.settings is not None
    assert other.settings is not None
    # A seed may have parts of the data of its own, that which belongs to it in every study.
    as_first = replace(
        other.settings,
        seed=one.settings.seed,
        data=replace(other.settings.data, data_seed=one.settings.data.data_seed),
    )
    return [
        each.replace(" there, ", " and ").removesuffix(" now")
        for each in as_first.differences(one.settings)
    ]


def _by_drawn_data(group: list[Named]) -> list[list[Named]]:
    """The group, divided where its seeds have neither one part of the data nor each its own."""
    seeds = [(each.seed, each.settings.data.data_seed) for each in group if each.settings]
    if len({drawn for _, drawn in seeds}) <= 1 or len({drawn - seed for seed, drawn in seeds}) <= 1:
        return [group]
    return [
        [each for each in group if each.settings and each.settings.data.data_seed == drawn]
        for drawn in dict.fromkeys(drawn for _, drawn in seeds)
    ]


def _by_place(group: list[Named]) -> list[list[Named]]:
    """The group, divided by where its models lie if two of them have one seed."""
    if len({each.seed for each in group}) == len(group):
        return [group]
    places = dict.fromkeys(each.group for each in group)
    return [[each for each in group if each.group == place] for place in places]


def _apart(groups: list[list[Named]]) -> list[list[Named]]:
    """The same with names that tell the groups apart: by where they lie, else by their number.

    Raises:
        ValueError: There is nothing that tells two models apart.
    """
    for group in groups:
        seeds = [each.seed for each in group]
        twice = [each for each in group if seeds.count(each.seed) > 1]
        if twice:
            raise _alike(*twice[:2])
    if len(groups) == 1:
        return groups
    for depth in range(1, max(len(group[0].group) for group in groups) + 1):
        places = ["/".join(group[0].group[-depth:]) for group in groups]
        if len({*places}) == len(groups):
            return [
                _renamed(group, place, f"({place})")
                for group, place in zip(groups, places, strict=True)
            ]
    if groups[0][0].settings is None:
        raise _alike(groups[0][0], groups[1][0])
    return [
        _renamed(group, f"settings-{number}", f"(settings {number})")
        for number, group in enumerate(groups, 1)
    ]


def _alike(one: Named, other: Named) -> ValueError:
    return ValueError(
        f"{one.place} and {other.place} are both called {one.method}, with the same seed. Give "
        "each a name of its own: NAME=MODEL."
    )


def _renamed(group: list[Named], before: str, behind: str) -> list[Named]:
    return [
        replace(
            each,
            name=each.name or each.method,
            method=f"{before}/{each.method}",
            label=f"{each.label} {behind}",
        )
        for each in group
    ]


def _why(first: list[Named], first_label: str, group: list[Named], label: str) -> str:
    one, other = first[0], group[0]
    if one.settings is not None and other.settings is not None:
        found = _differences(one, other)
        if found:
            why = f"they were trained with other settings ({_listed(found)})"
        elif both := sorted({each.seed for each in first} & {each.seed for each in group}):
            why = f"both have seed {both[0]}"
        else:
            why = "other parts of the data were drawn for them"
    else:
        why = "nothing says that they differ in their seed alone"
    return f"{first_label} and {label} are groups of their own: {why}."


def _listed(found: list[str]) -> str:
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return "; ".join(found[:_SHOWN]) + more


def _name(model: Named) -> str:
    return model.name or model.method


def notes_on_trainings(models: Sequence[Named]) -> list[str]:
    """What groups differ in beside their method, where that is known and nothing said yet."""
    first = models[0]
    notes = []
    for each in {each.method: each for each in reversed(models)}.values():
        if first.settings is None or each.settings is None or _name(each) == _name(first):
            continue
        found = [one for one in _differences(first, each) if not one.startswith("method: ")]
        if found:
            notes.append(
                f"{first.label} and {each.label} were trained with other settings beside the "
                f"method ({_listed(found)}): a difference need not be the method's."
            )
    return notes[::-1]
