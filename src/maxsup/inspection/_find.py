"""From what a user names to models that can be looked at."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import timm

from maxsup._places import as_place
from maxsup.data.predictions._find import RunSource, find_predictions, holds_predictions
from maxsup.inspection._groups import in_groups, notes_on_trainings
from maxsup.inspection._loader import FoundModels, Loader, Named
from maxsup.inspection._predictions import StoredRuns
from maxsup.inspection._runs import label_of_method, runs_in
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject
from maxsup.inspection._weights import HUB, published, weights_in
from maxsup.models import (
    CONFIG_FILE,
    create_model,
)

_LISTED = 5
"""Files that a sentence names."""
_TABLES = (".parquet", ".csv")
_WEIGHTS = (".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".tar")

WHAT = (
    "the directory of a run (runs/digits/maxsup/seed-0), of a method's runs or of a study; a file "
    "of weights (.safetensors, .pth) with --model; a model of timm by its name, or of the Hub as "
    "hf:owner/name; or predictions with features: the directory of METHOD/seed-N.npz, or METHOD"
)


def find_models(words: Sequence[str], settings: InspectionSettings) -> FoundModels:
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
    notes: list[str] = []
    for word in words:
        own, path = _own_name(word)
        try:
            models, of_word = _models_of(path, settings)
        except ValueError as error:
            if own is None:
                raise
            raise ValueError(f"{own}: {error}") from error
        notes += of_word
        if own is not None and len({each.method for each in models}) > 1:
            raise ValueError(
                f"{word} names models of several methods, which cannot all be called {own}. Name "
                "one method's directory, or leave the name away."
            )
        found += [replace(each, method=own, label=own) for each in models] if own else models
    grouped = in_groups(found)
    return FoundModels(
        grouped.models, [*notes, *grouped.notes, *notes_on_trainings(grouped.models)]
    )


def _own_name(word: str) -> tuple[str | None, str]:
    name, equals, path = word.partition("=")
    if not equals or not name or not path or "/" in name or as_place(word).exists():
        return None, word
    return name, path


def _models_of(path: str, settings: InspectionSettings) -> FoundModels:
    if path.startswith(HUB):
        return _one(published(path))
    place = as_place(path)
    if place.is_dir():
        runs = runs_in(place)
        if runs.models:
            return runs
        if (place / CONFIG_FILE).exists():
            return _one(weights_in(path, settings))
        if holds_predictions(place):
            return _predictions(place)
        raise ValueError(f"{path} holds no model. Name {WHAT}.")
    if place.exists() and place.suffix in _TABLES:
        return _predictions(place)
    if place.exists() and place.suffix in _WEIGHTS:
        return _one(weights_in(path, settings))
    if place.exists():
        raise ValueError(f"{path} is no model. Name {WHAT}.")
    if timm.is_model(path.partition(".")[0]):
        return _one(published(path))
    if "/" in path or Path(path).suffix in (*_WEIGHTS, *_TABLES):
        raise ValueError(f"There is no {path}; it may have been moved or removed. Name {WHAT}.")
    try:
        create_model(path, num_classes=2)  # says which names are near
    except ValueError as error:
        raise ValueError(f"Nothing lies at {path}. {error}") from error
    raise ValueError(f"{path} is a model without weights. Name {WHAT}.")


def _one(model: Named) -> FoundModels:
    return FoundModels([model], [])


def _predictions(place: Path) -> FoundModels:
    found = find_predictions(place)
    runs = StoredRuns(found.runs)
    models = [_of_predictions(found.root, runs, source) for source in found.runs]
    notes = []
    if found.passed_over:
        more = len(found.passed_over) - _LISTED
        notes.append(
            f"Passed over in {place}, as they are no predictions: "
            f"{', '.join(found.passed_over[:_LISTED])}{f' and {more} more' if more > 0 else ''}."
        )
    return FoundModels(models, notes)


def _of_predictions(place: Path, runs: StoredRuns, source: RunSource) -> Named:
    def load(loader: Loader, named: Named) -> Subject:
        run = runs.of(source)
        subject = loader.subject(
            named, digest=run.digest, stored=run.outputs, named_classes=run.classes
        )
        subject.notes += run.notes
        return subject

    return Named(
        source.method,
        label_of_method(source.method),
        source.seed,
        f"{place} ({source.what})",
        place.absolute().parts,
        load,
        "predictions",
        str(place),
        source.what,
    )
