"""Runs of ours: one, those of a method, or those of a study."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from maxsup._digests import read_sums
from maxsup._method_names import MethodName, directory_name
from maxsup.data import ImageData
from maxsup.inspection._loader import Loader, Named
from maxsup.inspection._subject import Subject
from maxsup.models import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    digest_of_weights,
    kept_epochs,
    load_run,
)
from maxsup.results import RESULTS_FILE, read_results
from maxsup.training import SETTINGS_FILE, RunSettings, listed, load_data


def runs_in(place: Path) -> Iterator[Named]:
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
            epochs=kept_epochs(place),
            last_epoch=settings.recipe.epochs,
        )

    return Named(
        method,
        of_study.get(method) or label_of_method(method),
        settings.seed,
        str(place),
        place.absolute().parts[:-2],
        load,
    )


def label_of_method(method: str) -> str:
    from maxsup.methods import get_method

    try:
        name = MethodName.read(method)
        return get_method(name.method).label + (
            f" ({method.partition(':')[2]})" if ":" in method else ""
        )
    except ValueError:
        return method


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
