"""Trained models side by side: what was asked for is looked at in each, and put together."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from maxsup._places import as_place
from maxsup.inspection import schema
from maxsup.inspection._find import find_models
from maxsup.inspection._loader import Loader
from maxsup.inspection._look import Looked, look_at
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._together import together
from maxsup.inspection.analyses import ANALYSES
from maxsup.inspection.analyses.projection import choose_classes


@torch.inference_mode()
def inspect(
    models: Sequence[str],
    settings: InspectionSettings | None = None,
    directory: Path | str | None = None,
    *,
    command: str | None = None,
    announce: Callable[[str], None] = lambda text: None,
    device: torch.device | str | None = None,
) -> schema.Inspection:
    """Look inside trained models, side by side.

    Each model is run over its data once; what it gave and what each analysis found is kept in
    ``directory``, so that the same call goes on where it was stopped, and another question costs
    what is new in it alone.

    Args:
        models: Each names a run, the runs of a method or of a study, a file of weights, a model of
            timm or of the Hub, or stored predictions; ``NAME=`` before it gives it another name.
            Models that differ in their seed alone form a group. The first group is the one that
            the others are compared with.
        settings: What is looked at.
        directory: Where outputs and findings are kept, and ``inspection.json`` is written by
            :func:`write_inspection`; none to keep nothing.
        command: What makes it anew, noted in it; by default this call.
        announce: Is told what is going on, in sentences.
        device: Where the models run; by default the accelerator that there is, else the CPU.

    Returns:
        What was found, as ``inspection.json`` holds it.

    Raises:
        ValueError: A model is not known, does not fit the data, or cannot be looked at as asked.
        OSError: A file cannot be read or written.
    """
    settings = settings or InspectionSettings()
    _check_skipped(settings)
    named = find_models(models, settings)
    kept = None if directory is None else as_place(directory) / "models"
    loader = Loader(settings, device=_device(device), kept=kept, announce=announce)
    groups = list(dict.fromkeys(each.method for each in named))
    seeds = {group: [each.seed for each in named if each.method == group] for group in groups}
    first = {
        (each.method, each.seed): each.load(loader, each)
        for each in named
        if each.method == groups[0]
    }
    settings = choose_classes(settings, list(first.values()))
    # Where every group has several seeds, these give the intervals.
    resamples = settings.resamples if min(map(len, seeds.values())) == 1 else 0
    looked: dict[tuple[str, int], Looked] = {}
    for each in named:
        subject = first.pop((each.method, each.seed), None) or each.load(loader, each)
        announce(f"Looking at {subject.name} ({each.place}) …")
        looked[each.method, each.seed] = look_at(subject, settings, resamples, announce)
        subject.forget()
    return together(named, groups, looked, settings, command or _call(models, directory))


def _device(device: torch.device | str | None) -> torch.device:
    if device is not None:
        return torch.device(device)
    found = torch.accelerator.current_accelerator(check_available=True)
    return torch.device("cpu") if found is None else found


def _check_skipped(settings: InspectionSettings) -> None:
    names = [each.name for each in ANALYSES]
    unknown = [name for name in settings.skip if name not in names]
    if unknown:
        raise ValueError(
            f"skip: no analysis is called {unknown[0]!r}; there are {', '.join(names)}."
        )


def _call(models: Sequence[str], directory: Path | str | None) -> str:
    where = "" if directory is None else f", directory={str(directory)!r}"
    return f"inspect({list(models)!r}{where})"
