"""The trained backbones that a study of segmentation compares: one for all seeds, or one a seed."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from maxsup._places import as_place
from maxsup.models import TIMM, WEIGHTS_FILE
from maxsup.recipes import Recipe
from maxsup.study._named import NOBODY, once_for_each
from maxsup.study._run import Trainings
from maxsup.study._runs_of_study import check_begun, is_run, names_in, seeds_in
from maxsup.training import RESULT_FILE, AnyData, RunResult, listed, notes_on_weights, with_backbone

FROM_SCRATCH = NOBODY
"""Stands for a backbone that starts at random."""

Backbones = Mapping[str, str]
"""By name: where its weights are."""


def find_backbones(words: Sequence[str]) -> Backbones:
    """The backbones that a command line names, by the names that they have in the study.

    Args:
        words: Each a study's directory (all its methods), that of a method's runs, that of a run
            or of other weights, a file, ``timm``, or ``none``; and ``NAME=PLACE`` where a name
            would not do.

    Raises:
        ValueError: There is no such place, it holds nothing, two have one name, or one has two.

    Example:
        >>> dict(find_backbones(["none", "timm"]))
        {'none': 'none', 'timm': 'timm'}
    """
    found: dict[str, str] = {}
    names: dict[Path, str] = {}
    for word in words:
        for name, place in _named(word):
            # However it is spelt; that which came first stays, as earlier runs were trained so.
            resolved = _resolved(place)
            if _resolved(found.setdefault(name, place)) != resolved:
                raise ValueError(
                    f"backbones: both {found[name]} and {place} would be called {name}. Give one "
                    f"another name, as in mine={place}."
                )
            if names.setdefault(resolved, name) != name:
                raise ValueError(
                    f"backbones: {names[resolved]} and {name} are both {place}, which would be "
                    "fine-tuned twice with the same numbers. Give it one name."
                )
    return MappingProxyType(found)


def _resolved(place: str) -> Path:
    """One path for each place, with links followed; ``none`` and ``timm`` stay as they are."""
    if place in (FROM_SCRATCH, TIMM):
        return Path(place)
    path = as_place(place).resolve()
    return path.parent if path.name == WEIGHTS_FILE else path


def weights_of(backbones: Backbones) -> list[str]:
    """Where weights are of each backbone that does not start at random: one for all its seeds.

    >>> weights_of({"none": "none", "mine": "timm"})
    ['timm']
    """
    found = []
    for place in backbones.values():
        if place != FROM_SCRATCH:
            seeds = [] if place == TIMM else seeds_in(as_place(place))
            found.append(_trained(f"{place}/seed-{seeds[0]}" if seeds else place))
    return found


def _trained(place: str) -> str:
    """A backbone's place, of which it is seen that it was trained to its end, where it is a run.

    Raises:
        ValueError: It was not.
    """
    path = as_place(place)
    left = (RESULT_FILE, WEIGHTS_FILE)
    if is_run(path) and not any((path / name).exists() for name in left):
        raise ValueError(
            f"backbones: the run in {place} has not finished. Repeat the command that trains it, "
            "which goes on with it and says what fails; or name others."
        )
    return place


def _named(word: str) -> list[tuple[str, str]]:
    name, equals, place = word.partition("=")
    if not equals:
        name, place = "", word
    place = place.rstrip("/")
    if place in (FROM_SCRATCH, TIMM):
        return [(name or place, place)]
    path = as_place(place)
    if not path.exists():
        raise ValueError(f"backbones: there is no {path}. {_WHAT}")
    if path.is_dir() and not is_run(path) and not seeds_in(path):
        methods = names_in(path)
        if methods and name:
            raise ValueError(
                f"backbones: {path} is a study, whose methods have names. Leave {name}= away, or "
                f"name one of them, as {name}={place}/{methods[0]}."
            )
        if methods:
            check_begun(path)
            return [(_checked(method), f"{place}/{method}") for method in methods]
    return [(_checked(name or default_name(place)), place)]


_WHAT = (
    "Name the directory of a study, of a method's runs or of a run, a file of weights, timm, or "
    "none."
)


def default_name(place: str) -> str:
    """What a backbone is called where it is given no name.

    >>> default_name("runs/cifar/maxsup/seed-0"), default_name("runs/cifar/maxsup")
    ('maxsup', 'maxsup')
    >>> default_name("weights/resnet50.pth")
    'resnet50'
    """
    path = Path(place)
    if re.fullmatch(r"seed-\d+", path.name):
        path = path.parent
    if path.name in ("model.safetensors", "pytorch_model.bin"):
        path = path.parent
        return path.name
    return path.stem if path.suffix in (".safetensors", ".pth", ".pt", ".bin") else path.name


def _checked(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z][\w.-]*", name, re.ASCII) or ".." in name:
        raise ValueError(
            f"backbones: {name!r} cannot be a name, which has letters, digits, - and _ and begins "
            "with a letter. Give another one, as in mine=PLACE."
        )
    return name


def with_backbones(methods: Sequence[str], backbones: Backbones) -> tuple[str, ...]:
    """Each method once for each backbone; one whose name says which stays as it is.

    >>> with_backbones(["baseline"], {"none": "none", "timm": "timm"})
    ('baseline:backbone=none', 'baseline:backbone=timm')
    """
    return tuple(once_for_each(methods, "backbone", backbones))


def recipe_on_backbone(recipe: Recipe, name: str, seed: int, backbones: Backbones) -> Recipe:
    """The recipe of a run.

    Raises:
        ValueError: There is no such backbone, or none for the seed.
    """
    if name not in backbones:
        there = f"there are {', '.join(backbones)}" if backbones else "none is named"
        raise ValueError(f"backbone={name}: no such backbone; {there}. See --backbones.")
    place = backbones[name]
    if place == FROM_SCRATCH:
        # The architecture of the others, which it is to be compared with, and nothing else of
        # theirs, so that it stays the same when others of that architecture are compared.
        scale = {"mean": recipe.mean, "std": recipe.std}
        other = next((each for each in backbones if backbones[each] != FROM_SCRATCH), None)
        if other is not None:
            recipe = recipe_on_backbone(recipe, other, seed, backbones)
        return recipe.adapted(weights=None, partial_weights=False, **scale)
    if place != TIMM and (seeds := seeds_in(as_place(place))):
        if seed not in seeds:
            raise ValueError(
                f"backbones: {place} has no run of seed {seed}, on which seed {seed} is to be "
                f"fine-tuned; there are seeds {listed([*map(str, seeds)])}. Train it, or name one "
                "run to fine-tune it with all seeds."
            )
        place = f"{place}/seed-{seed}"
    return with_backbone(recipe, _trained(place))


def backbone_of_run(recipe: Recipe) -> str:
    """What the backbone of a run is called, where it was given no other name."""
    return FROM_SCRATCH if recipe.weights is None else default_name(recipe.weights)


def check_backbones(settings: Trainings, data: AnyData) -> list[str]:
    """See, before anything is written, that all backbones fit; what to know of them, in sentences.

    Raises:
        ValueError: One does not.
    """
    recipes = dict.fromkeys(settings.run(*key).recipe for key in settings.plan())
    notes: dict[str, None] = {}
    for recipe in recipes:
        for note in notes_on_weights(recipe, data):
            notes[note] = None
    return list(notes)


def notes_on_architectures(settings: Trainings) -> list[str]:
    """Whether backbones differ in more than their training, in a sentence."""
    models = {method: settings.run(method, seed).recipe.model for method, seed in settings.plan()}
    if len({*models.values()}) < 2:
        return []
    each = ", ".join(f"{method} has {model}" for method, model in models.items())
    return [
        f"The backbones are of different architectures: {each}. A difference between them is one "
        "of architecture and training together, and their heads do not start alike."
    ]


def notes_on_backbones(backbones: Backbones) -> list[str]:
    """Where backbones come from, and how good they are themselves, in sentences."""
    known = []
    nested, shared = False, False
    for name, place in backbones.items():
        if place in (FROM_SCRATCH, TIMM):
            shared |= place == TIMM
            known.append(name)
            continue
        path = as_place(place)
        seeds = seeds_in(path)
        nested |= bool(seeds)
        shared |= not seeds
        runs = [path / f"seed-{seed}" for seed in seeds] or [path]
        results = [RunResult.load(run) for run in runs if is_run(run)]
        values = [
            value
            for result in results
            if result is not None and (value := result.values.get("test_accuracy")) is not None
        ]
        accuracy = f"; test accuracy {100 * sum(values) / len(values):.2f} %" if values else ""
        accuracy += f", mean of {len(values)} seeds" if len(values) > 1 else ""
        known.append(f"{name} ({place}{accuracy})")
    found = [f"Backbones: {', '.join(known)}."] if known else []
    if nested:
        found.append(
            "Each fine-tuning has the backbone of its own seed, so that the intervals speak of "
            "other trainings of backbone and fine-tuning together."
        )
    if shared:
        found.append(
            "A backbone that is one for all seeds was trained once: the intervals say nothing of "
            "how much another training of it would differ."
        )
    return found
