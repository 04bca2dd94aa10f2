"""Runs of ours: one, those of a method, or those of a study."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from maxsup._digests import read_sums
from maxsup._home import expand_home
from maxsup._method_names import MethodName, directory_name
from maxsup.data import DataSettings, ImageData, NothingDrawn
from maxsup.inspection._classes import check_classes
from maxsup.inspection._loader import FoundModels, Loader, Named
from maxsup.inspection._subject import Subject
from maxsup.models import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    digest_of_weights,
    kept_epochs,
    load_run,
)
from maxsup.results import RESULTS_FILE, read_results
from maxsup.training import FAILURE_FILE, SETTINGS_FILE, RunSettings, load_labelled

_LISTED = 5
"""Runs that a sentence names."""
_OF_A_RUN = (SETTINGS_FILE, FAILURE_FILE)
"""The files that tell a run; one that could not even be set up has the second alone."""


def runs_in(place: Path) -> FoundModels:
    """The runs that a directory is, or holds: of a method, or of a study.

    Raises:
        ValueError: None of them has finished, or one cannot be read.
    """
    if any((place / name).exists() for name in _OF_A_RUN):
        return FoundModels([_run(place)], [])
    directories = sorted(_runs_below(place, "seed-*"), key=lambda each: (len(each.name), each.name))
    others: list[Path] = []
    if not directories:
        directories, others = _of_study(place)
    unfinished = [each for each in directories if not (each / CONFIG_FILE).exists()]
    failed = [each for each in unfinished if _has_failed(each)]
    if directories and len(failed) == len(directories):
        raise ValueError(
            f"All runs in {place} have failed, so that there is no model to look at: "
            f"{listed_places(place, failed)}. What went wrong stands in each one's {FAILURE_FILE}."
        )
    if directories and len(unfinished) == len(directories):
        raise ValueError(
            f"No run in {place} has finished, as their models are not there. The command that "
            "trains them goes on with them."
        )
    notes = []
    if failed:
        notes.append(
            f"Passed over, as they have failed: {listed_places(place, failed)}. What went wrong "
            f"stands in each one's {FAILURE_FILE}."
        )
    if going_on := [each for each in unfinished if each not in failed]:
        notes.append(
            f"Passed over, as they have not finished: {listed_places(place, going_on)}. The "
            "command that trains them goes on with them."
        )
    if others:
        notes.append(
            f"Passed over, as {place / RESULTS_FILE} does not have their methods: "
            f"{listed_places(place, others)}. Name them to look at them."
        )
    return FoundModels([_run(each) for each in directories if each not in unfinished], notes)


def _runs_below(place: Path, pattern: str) -> set[Path]:
    return {each.parent for name in _OF_A_RUN for each in place.glob(f"{pattern}/{name}")}


def _has_failed(place: Path) -> bool:
    return (place / FAILURE_FILE).exists() and not (place / CONFIG_FILE).exists()


def listed_places(place: Path, found: Sequence[Path]) -> str:
    """Directories within a place, the first some of them."""
    names = ["/".join(each.parts[len(place.parts) :]) for each in found]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{', '.join(names[:_LISTED])}{more} in {place}"


def _of_study(place: Path) -> tuple[list[Path], list[Path]]:
    """The runs of a study, in the order of its methods; and those of none of these."""
    found = sorted(
        _runs_below(place, "*/seed-*"),
        key=lambda each: (each.parent.name, len(each.name), each.name),
    )
    order = [directory_name(name) for name in _labels(place)]
    if not order:
        return found, []
    of_study = [each for each in found if each.parent.name in order]
    others = [each for each in found if each.parent.name not in order]
    return sorted(of_study, key=lambda each: order.index(each.parent.name)), others


def _labels(study: Path) -> dict[str, str]:
    """The methods' labels by name, as the study has them; none where it has no results."""
    try:
        return {
            each["name"]: each["label"] for each in read_results(study / RESULTS_FILE)["methods"]
        }
    except (ValueError, OSError):
        return {}


def _run(place: Path) -> Named:
    if _has_failed(place):
        raise ValueError(
            f"The run in {place} has failed, so that there is no model to look at. What went wrong "
            f"stands in {place / FAILURE_FILE}; the command that trains it tries it again."
        )
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
        data, source = _data_of(loader, settings, asked)
        check_classes(str(place), trained.classes, data)
        execution = loader.execution(settings.recipe.precision)
        digest = read_sums(place).get(WEIGHTS_FILE) or digest_of_weights(str(place))
        subject = loader.subject(
            named,
            execution=execution,
            digest=digest,
            trained=replace(trained, model=trained.model.to(execution.device)),
            data=data,
            source=source,
            flip=settings.recipe.evaluate_flip,
            precision=settings.recipe.precision,
            epochs=kept_epochs(place),
            last_epoch=settings.recipe.epochs,
        )
        subject.notes += data.notes
        return subject

    return Named(
        method,
        of_study.get(method) or label_of_method(method),
        settings.seed,
        str(place),
        place.absolute().parts[:-2],
        load,
        "run",
        str(place),
        settings=settings,
    )


def _data_of(
    loader: Loader, settings: RunSettings, asked: DataSettings | None
) -> tuple[ImageData, DataSettings]:
    """What a run is looked at on, and where that comes from: its own data, or what is named."""
    own = settings.data
    wanted = own if asked is None else asked
    probe_label = loader.settings.probe_label
    if probe_label is not None:
        wanted = replace(wanted, probe_label=probe_label)

    def load(source: DataSettings, *, measure_only: bool = False) -> ImageData:
        return loader.data(
            (source, settings.recipe, measure_only),
            lambda: load_labelled(
                source, settings.recipe, loader.announce, measure_only=measure_only
            ),
        )

    if asked is None:
        return load(wanted), wanted
    if not _is_same(asked.name, own.name):
        # Nothing is trained on it: where there is but one split, all of it is measured on.
        return load(wanted, measure_only=True), wanted
    # Held out is what was held out of the training, or it would be measured on what it was
    # trained on.
    wanted = replace(wanted, test_fraction=own.test_fraction, data_seed=own.data_seed)
    try:
        return load(wanted), wanted
    except NothingDrawn:
        wanted = replace(wanted, data_seed=0)
        return load(wanted), wanted


def _is_same(one: str, other: str) -> bool:
    """Whether two names are of the same data."""
    return one == other or (
        "://" not in one + other
        and expand_home(one).exists()
        and expand_home(one).resolve() == expand_home(other).resolve()
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
