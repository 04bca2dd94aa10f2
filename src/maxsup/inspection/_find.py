"""From what a user names to models that can be looked at."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import timm
import torch
from torch import nn

from maxsup._digests import read_sums
from maxsup._method_names import MethodName, directory_name
from maxsup._places import as_place
from maxsup.data import DataSettings, ImageData, PhotographSettings, load_images
from maxsup.data.predictions._find import RunSource, find_predictions, holds_predictions
from maxsup.evaluation import Execution
from maxsup.inspection._predictions import StoredRuns
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject
from maxsup.models import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    Architecture,
    Expected,
    ModelDescription,
    TrainedModel,
    create_model,
    digest_of_weights,
    expected_by,
    expected_of_fields,
    load_run,
    load_weights,
)
from maxsup.results import RESULTS_FILE, read_results
from maxsup.training import SETTINGS_FILE, RunSettings, listed, load_data

_TABLES = (".parquet", ".csv")
_WEIGHTS = (".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".tar")
_HUB = ("hf:", "hf-hub:", "hf_hub:")

WHAT = (
    "the directory of a run (runs/digits/maxsup/seed-0), of a method's runs or of a study; a file "
    "of weights (.safetensors, .pth) with --model; a model of timm by its name, or of the Hub as "
    "hf:owner/name; or predictions with features, as METHOD/seed-N.npz in a directory"
)


@dataclass(frozen=True)
class Named:
    """One model that was found, and how it is loaded."""

    method: str
    label: str
    seed: int
    place: str
    group: tuple[str, ...]
    """What stands before the method where two groups would have one name, nearest last."""
    load: Callable[["Loader", "Named"], Subject]
    """Called with the loader and with this, whose names may have been changed since."""


class Loader:
    """Loads models and their data; data that several of them share is loaded once.

    Args:
        settings: What was asked for.
        device: Where models are brought.
        rank: This process's number.
        processes: How many share a pass.
        kept: The directory that outputs are kept in, a directory each.
        announce: Is told what is going on, in sentences.
    """

    def __init__(
        self,
        settings: InspectionSettings,
        *,
        device: torch.device,
        rank: int = 0,
        processes: int = 1,
        kept: Path | None = None,
        announce: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.settings = settings
        self.announce = announce
        self._execution = Execution(device, rank, processes)
        self._kept = kept
        self._data: dict[str, ImageData] = {}

    def subject(self, named: Named, **fields: Any) -> Subject:
        """A subject with what all have."""
        kept = None
        if self._kept is not None:
            kept = self._kept / directory_name(named.method) / f"seed-{named.seed}"
        fields.setdefault("execution", self._execution)
        fields.setdefault("share", self.data)
        fields.setdefault("announce", self.announce)
        return Subject(
            named.method,
            named.label,
            named.seed,
            named.place,
            kept=kept,
            train_samples=self.settings.train_samples,
            **fields,
        )

    def execution(self, precision: str) -> Execution:
        """Where a pass runs, in the precision that a run was measured with."""
        if precision != "bf16":
            return self._execution
        device = self._execution.device
        return replace(
            self._execution, autocast=lambda: torch.autocast(device.type, torch.bfloat16)
        )

    def data(self, key: object, load: Callable[[], ImageData]) -> ImageData:
        """The data of that key, loaded where it has not been."""
        text = repr(key)
        if text not in self._data:
            self._data[text] = load()
        return self._data[text]

    def asked_data(self) -> DataSettings | None:
        """The data that was named, in place of the runs' own."""
        asked = self.settings
        if asked.data is None:
            return None
        return DataSettings(
            asked.data,
            image_column=asked.image_column,
            label_column=asked.label_column,
            probe_label=asked.probe_label,
            train_split=asked.train_split,
            test_split=asked.test_split,
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
    if path.startswith(_HUB):
        yield _published(path)
        return
    place = as_place(path)
    if place.is_dir():
        runs = list(_runs_in(place))
        if runs:
            yield from runs
        elif (place / CONFIG_FILE).exists():
            yield _weights(path, settings)
        elif holds_predictions(place):
            yield from _predictions(place)
        else:
            raise ValueError(f"{path} holds no model. Name {WHAT}.")
    elif place.exists() and place.suffix in _TABLES:
        yield from _predictions(place)
    elif place.exists() and place.suffix in _WEIGHTS:
        yield _weights(path, settings)
    elif place.exists():
        raise ValueError(f"{path} is no model. Name {WHAT}.")
    elif timm.is_model(path.partition(".")[0]):
        yield _published(path)
    elif "/" in path or Path(path).suffix in (*_WEIGHTS, *_TABLES):
        raise ValueError(f"There is no {path}. Name {WHAT}.")
    else:
        create_model(path, num_classes=2)  # says which names are near
        raise ValueError(f"{path} is a model without weights. Name {WHAT}.")


def _runs_in(place: Path) -> Iterator[Named]:
    if (place / SETTINGS_FILE).exists():
        yield _run(place)
        return
    directories = sorted(
        (each.parent for each in place.glob(f"seed-*/{SETTINGS_FILE}")),
        key=lambda each: (len(each.name), each.name),
    ) or _of_study(place)
    unfinished = [each for each in directories if not (each / CONFIG_FILE).exists()]
    for each in directories:
        if each not in unfinished:
            yield _run(each)
    if directories and len(unfinished) == len(directories):
        raise ValueError(
            f"No run in {place} has finished, as their models are not there. The command that "
            "trains them goes on with them."
        )


def _of_study(place: Path) -> list[Path]:
    """The runs of a study, in the order of its methods."""
    found = sorted(
        (each.parent for each in place.glob(f"*/seed-*/{SETTINGS_FILE}")),
        key=lambda each: (each.parent.name, len(each.name), each.name),
    )
    order = [directory_name(name) for name in _labels(place)]
    return sorted(
        (each for each in found if each.parent.name in order or not order),
        key=lambda each: order.index(each.parent.name) if order else 0,
    )


def _labels(study: Path) -> dict[str, str]:
    """The methods' labels by name, as the study has them; none where it has no results."""
    try:
        return {
            each["name"]: each["label"] for each in read_results(study / RESULTS_FILE)["methods"]
        }
    except (ValueError, OSError):
        return {}


def _run(place: Path) -> Named:
    settings = RunSettings.load_kept(place / SETTINGS_FILE)
    if not (place / CONFIG_FILE).exists() or not (place / WEIGHTS_FILE).exists():
        raise ValueError(
            f"{place} holds no trained model: it has not finished, or its weights were removed."
        )
    of_study = _labels(place.parent.parent)
    names = [name for name in of_study if directory_name(name) == place.parent.name]
    method = names[0] if names else settings.method

    def load(loader: Loader, named: Named) -> Subject:
        trained = load_run(place)
        asked = loader.asked_data()
        wanted = settings.data if asked is None else asked
        if loader.settings.probe_label is not None:
            wanted = replace(wanted, probe_label=loader.settings.probe_label)
        data = loader.data(
            (wanted, settings.recipe),
            lambda: load_data(wanted, settings.recipe, loader.announce),
        )
        _check_classes(str(place), trained.classes, data)
        execution = loader.execution(settings.recipe.precision)
        digest = read_sums(place).get(WEIGHTS_FILE) or digest_of_weights(str(place))
        return loader.subject(
            named,
            execution=execution,
            digest=digest,
            trained=replace(trained, model=trained.model.to(execution.device)),
            data=data,
            source=wanted,
            flip=settings.recipe.evaluate_flip,
            precision=settings.recipe.precision,
        )

    return Named(
        method,
        of_study.get(method) or _label(method),
        settings.seed,
        str(place),
        place.absolute().parts[:-2],
        load,
    )


def _label(method: str) -> str:
    from maxsup.methods import get_method

    try:
        name = MethodName.read(method)
        return get_method(name.method).label + (
            f" ({method.partition(':')[2]})" if ":" in method else ""
        )
    except ValueError:
        return method


def _weights(path: str, settings: InspectionSettings) -> Named:
    expected = expected_by(settings.model, path)
    architecture = Architecture(
        expected.model,
        num_classes=0,
        small_stem=expected.small_stem,
        zero_init=expected.zero_init,
        blur_pool=expected.blur_pool,
    )
    name = Path(path).name if Path(path).suffix == "" else Path(path).stem

    def load(loader: Loader, named: Named) -> Subject:
        data = _data_for(path, expected, loader)
        channels, height, _ = data.image_shape
        whole = replace(
            architecture,
            num_classes=len(data.classes),
            in_channels=channels,
            image_size=height,
        )
        built = whole.build()
        loaded = load_weights(expected.model, built, path)
        if loaded.new_last_layer:
            raise ValueError(
                f"{path}: its last layer is not one for the {len(data.classes)} classes of "
                f"{data.name}. Name the data that it was trained for with --data."
            )
        return _subject(named, loader, built, whole, expected, data, digest_of_weights(path))

    return Named(name, name, 0, path, Path(path).absolute().parts[:-1], load)


def _published(path: str) -> Named:
    """A model that timm downloads, or finds where it did before."""
    name = path.rpartition("/")[2]

    def load(loader: Loader, named: Named) -> Subject:
        _check_data_is_named(path, loader)
        try:
            if path.startswith(_HUB):
                model = timm.create_model(f"hf-hub:{path.partition(':')[2]}", pretrained=True)
            else:
                model = timm.create_model(path, pretrained=True)
        except (OSError, RuntimeError) as error:
            raise ValueError(
                f"The weights of {path} cannot be had: {error} Without a network, name a file of "
                "them, with --model."
            ) from error
        published: Any = model.pretrained_cfg
        expected = expected_of_fields(path, dict(published), f"timm of {path}")
        data = _data_for(path, expected, loader)
        if model.num_classes != len(data.classes):
            raise ValueError(
                f"{path} tells {model.num_classes} classes apart, and {data.name} has "
                f"{len(data.classes)}. Name the data that it was trained for with --data."
            )
        digest = f"{path} {sum(float(each.double().sum()) for each in model.parameters())!r}"
        architecture = Architecture(path, num_classes=model.num_classes)
        return _subject(named, loader, model, architecture, expected, data, digest)

    return Named(name, name, 0, path, (), load)


def _check_data_is_named(path: str, loader: Loader) -> DataSettings:
    asked = loader.asked_data()
    if asked is None:
        raise ValueError(
            f"{path} is no run, so nothing says which data to look at it on. Name it with --data."
        )
    return asked


def _data_for(path: str, expected: Expected, loader: Loader) -> ImageData:
    asked = _check_data_is_named(path, loader)
    photographs = PhotographSettings(expected.image_size, expected.crop, expected.interpolation)
    small = expected.reading == "small"
    return loader.data(
        (asked, expected.image_size, None if small else photographs),
        lambda: load_images(
            asked,
            image_size=expected.image_size if small else None,
            photographs=None if small else photographs,
            measure_only=True,
            announce=loader.announce,
        ),
    )


def _subject(
    named: Named,
    loader: Loader,
    model: nn.Module,
    architecture: Architecture,
    expected: Expected,
    data: ImageData,
    digest: str,
) -> Subject:
    description = ModelDescription(
        replace(architecture, num_classes=len(data.classes)),
        data.classes,
        expected.mean,
        expected.std,
        data.image_shape,
        expected.reading,
        expected.crop,
        expected.interpolation,
    )
    subject = loader.subject(named, digest=digest, data=data, source=loader.asked_data())
    subject.trained = TrainedModel(model.eval().to(subject.execution.device), description)
    subject.notes.append(
        f"{named.label}: its classes are taken to be in the order of those of {data.name}, as its "
        f"file does not name them; images are read as {expected.source} says."
    )
    return subject


def _predictions(place: Path) -> Iterator[Named]:
    found = find_predictions(place)
    runs = StoredRuns(found.runs)
    for source in found.runs:

        def load(loader: Loader, named: Named, source: RunSource = source) -> Subject:
            digest, stored = runs.of(source)
            return loader.subject(named, digest=digest, stored=stored)

        yield Named(
            source.method,
            _label(source.method),
            source.seed,
            f"{place} ({source.what})",
            place.absolute().parts,
            load,
        )


def _check_classes(place: str, classes: tuple[str, ...], data: ImageData) -> None:
    if classes == data.classes:
        return
    missing = [each for each in classes if each not in data.classes]
    added = [each for each in data.classes if each not in classes]
    if not missing and not added:
        raise ValueError(f"{place} has the classes of {data.name} in another order.")
    parts = []
    if missing:
        parts.append(f"{data.name} lacks {listed(missing)}")
    if added:
        parts.append(f"{place} does not know {listed(added)}")
    raise ValueError(
        f"{place} tells {len(classes)} classes apart, which are not the {len(data.classes)} of "
        f"{data.name}: {'; '.join(parts)}. Name data with the same classes; of other data, "
        "features alone can be looked at, with --transfer-data or --ood-data."
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
