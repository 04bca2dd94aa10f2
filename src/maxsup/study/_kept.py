"""What earlier commands have finished in a study's directory, beside what this one asks for."""

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from maxsup.study._data import StudyData
from maxsup.study._run import run_name
from maxsup.study._settings import StudySettings
from maxsup.study._variants import Variant, check_variants
from maxsup.training import RESULT_FILE, SETTINGS_FILE, RunResult, RunSettings, check_run


class KeptRuns(NamedTuple):
    """Finished runs of a study that a command does not ask for."""

    results: Mapping[tuple[str, int], RunResult]
    """By method and seed."""
    left_out: tuple[str, ...]
    """What lies there too and cannot be shown, in sentences."""


NONE_KEPT = KeptRuns({}, ())


def kept_runs(
    settings: StudySettings,
    data: StudyData,
    directory: Path,
    asked: Mapping[tuple[str, int], RunResult | str],
) -> KeptRuns:
    """Read the finished runs of a study that are not asked for.

    Args:
        settings: What is asked for.
        data: The data of each seed, which theirs must be.
        directory: The study's directory.
        asked: What came of the runs that are asked for, by method and seed; only runs that had the
            same start can be shown beside them.
    """
    starts = {
        _group(settings, method, seed): _start(run)
        for (method, seed), run in asked.items()
        if isinstance(run, RunResult)
    }
    results: dict[tuple[str, int], RunResult] = {}
    left_out = []
    gone = settings.gone_backbones(directory)
    for method, seed in sorted(_finished(settings, directory, gone) - set(settings.plan())):
        try:
            _check_backbone(method, gone)
            together = dict.fromkeys((*settings.methods, *_methods(results), method))
            check_variants(list(together), settings.recipe)
            run = _read(settings, data, directory, method, seed)
            if _start(run) != starts.setdefault(_group(settings, method, seed), _start(run)):
                raise ValueError(
                    "it did not have the same start as the others of its seed. Name its method and "
                    "a new --out to train it again."
                )
            results[method, seed] = run
        except (ValueError, OSError) as error:
            left_out.append(
                f"{run_name(method, seed)} was finished by an earlier command and is left out: "
                f"{error}"
            )
    return KeptRuns(results, tuple(left_out))


def _check_backbone(method: str, gone: Mapping[str, str]) -> None:
    """See that the backbone that a method's name says is still where it was.

    Raises:
        ValueError: It is not.
    """
    name = Variant.read(method).backbone
    if name is not None and name in gone:
        raise ValueError(
            f"its backbone {name} was in {gone[name]}, where there is none any more. Put it back "
            "there and repeat the command. One that lies elsewhere now is fine-tuned anew, under "
            "another name, as in --backbones other=PLACE."
        )


def _group(settings: StudySettings, method: str, seed: int) -> tuple[int, str]:
    """The runs that begin with the same weights: those of a seed, and of a backbone's kind."""
    return seed, settings.run(method, seed).recipe.model


def _start(run: RunResult) -> tuple[str, str]:
    return run.initial_weights, run.batches


def _finished(
    settings: StudySettings, directory: Path, gone: Mapping[str, str]
) -> set[tuple[str, int]]:
    found = set()
    for path in directory.glob(f"*/seed-*/{RESULT_FILE}"):
        with contextlib.suppress(ValueError):
            method = _method_of(path.parent, {**settings.found_backbones, **gone})
            found.add((method, int(path.parent.name.removeprefix("seed-"))))
    return found


def _method_of(run: Path, backbones: Mapping[str, str]) -> str:
    """The method that a run's directory is named after, with its coefficients."""
    directory = run.parent.name
    with contextlib.suppress(ValueError, OSError):
        kept = RunSettings.load_kept(run / SETTINGS_FILE)
        variant = Variant.of_run(kept, directory, backbones)
        if variant is not None:
            return str(variant)
    return directory


def _methods(results: Mapping[tuple[str, int], RunResult]) -> list[str]:
    return [method for method, _ in results]


def _read(
    settings: StudySettings, data: StudyData, directory: Path, method: str, seed: int
) -> RunResult:
    place = settings.run_directory(directory, method, seed)
    result = RunResult.load(place)
    if result is None:
        raise FileNotFoundError(f"{place} has no result any more.")
    if isinstance(place, Path):
        check_run(place)
    if result.settings not in ("", settings.run(method, seed).fingerprint()):
        raise ValueError(f"{place} is of other settings.")
    if result.data != data.fingerprint(seed):
        raise ValueError(f"{place} is of other data.")
    return result


def with_kept(settings: StudySettings, kept: KeptRuns) -> StudySettings:
    """The settings with the methods and seeds of runs that are kept after those asked for."""
    methods = dict.fromkeys((*settings.methods, *_methods(kept.results)))
    seeds = dict.fromkeys((*settings.seeds, *sorted(seed for _, seed in kept.results)))
    return replace(settings, methods=tuple(methods), seeds=tuple(seeds))
