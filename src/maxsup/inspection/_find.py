"""From what a user names to models that can be looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import timm

from maxsup._places import as_place
from maxsup.data.predictions._find import RunSource, find_predictions, holds_predictions
from maxsup.inspection._loader import Loader, Named
from maxsup.inspection._predictions import StoredRuns
from maxsup.inspection._runs import label_of_method, runs_in
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject
from maxsup.inspection._weights import HUB, published, weights_in
from maxsup.models import (
    CONFIG_FILE,
    create_model,
)

_TABLES = (".parquet", ".csv")
_WEIGHTS = (".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".tar")

WHAT = (
    "the directory of a run (runs/digits/maxsup/seed-0), of a method's runs or of a study; a file "
    "of weights (.safetensors, .pth) with --model; a model of timm by its name, or of the Hub as "
    "hf:owner/name; or predictions with features, as METHOD/seed-N.npz in a directory"
)


def find_models(words: Sequence[str], settings: InspectionSettings) -> list[Named]:
    """The models that are named, in their order; groups of one name are told apart.

    Args:
        words: Each names a model, or several; ``NAME=`` before it gives it another name.
        settings: What was asked for.

    Raises:
        ValueError: Nothing is known by such a name, or a model is named twice.
    """
    if not words:
        raise ValueError(f"No model is named. Name {WHAT}.")
    found: list[Named] = []
    for word in words:
        own, path = _own_name(word)
        models = list(_models_of(path, settings))
        if own is not None and len({each.method for each in models}) > 1:
            raise ValueError(
                f"{word} names models of several methods, which cannot all be called {own}. Name "
                "one method's directory, or leave the name away."
            )
        found += [replace(each, method=own, label=own) for each in models] if own else models
    return _apart(found)


def _own_name(word: str) -> tuple[str | None, str]:
    name, equals, path = word.partition("=")
    if not equals or not name or not path or "/" in name or as_place(word).exists():
        return None, word
    return name, path


def _models_of(path: str, settings: InspectionSettings) -> Iterator[Named]:
    if path.startswith(HUB):
        yield published(path)
        return
    place = as_place(path)
    if place.is_dir():
        runs = list(runs_in(place))
        if runs:
            yield from runs
        elif (place / CONFIG_FILE).exists():
            yield weights_in(path, settings)
        elif holds_predictions(place):
            yield from _predictions(place)
        else:
            raise ValueError(f"{path} holds no model. Name {WHAT}.")
    elif place.exists() and place.suffix in _TABLES:
        yield from _predictions(place)
    elif place.exists() and place.suffix in _WEIGHTS:
        yield weights_in(path, settings)
    elif place.exists():
        raise ValueError(f"{path} is no model. Name {WHAT}.")
    elif timm.is_model(path.partition(".")[0]):
        yield published(path)
    elif "/" in path or Path(path).suffix in (*_WEIGHTS, *_TABLES):
        raise ValueError(f"There is no {path}. Name {WHAT}.")
    else:
        create_model(path, num_classes=2)  # says which names are near
        raise ValueError(f"{path} is a model without weights. Name {WHAT}.")


def _predictions(place: Path) -> Iterator[Named]:
    found = find_predictions(place)
    runs = StoredRuns(found.runs)
    for source in found.runs:

        def load(loader: Loader, named: Named, source: RunSource = source) -> Subject:
            digest, stored = runs.of(source)
            return loader.subject(named, digest=digest, stored=stored)

        yield Named(
            source.method,
            label_of_method(source.method),
            source.seed,
            f"{place} ({source.what})",
            place.absolute().parts,
            load,
        )


def _apart(found: list[Named]) -> list[Named]:
    """The models with names of groups that tell them apart."""
    seen: dict[tuple[str, int], Named] = {}
    clashing = set()
    for each in found:
        before = seen.setdefault((each.method, each.seed), each)
        if before is not each:
            if before.place == each.place:
                raise ValueError(f"{each.place} is named twice.")
            clashing.add(each.method)
    if not clashing:
        return found
    depth = 1
    while True:
        renamed = [
            replace(
                each,
                method="/".join((*each.group[-depth:], each.method)),
                label=f"{each.label} ({'/'.join(each.group[-depth:])})",
            )
            if each.method in clashing
            else each
            for each in found
        ]
        if len({(each.method, each.seed) for each in renamed}) == len(renamed):
            return renamed
        depth += 1
        if depth > max(len(each.group) for each in found):
            raise ValueError(
                f"Two models are called {sorted(clashing)[0]} with the same seed. Give each a name "
                "of its own: NAME=MODEL."
            )
