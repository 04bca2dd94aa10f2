"""Trained models side by side: what was asked for is looked at in each, and put together."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from maxsup._places import as_place
from maxsup.inspection import schema
from maxsup.inspection._checks import check_subject
from maxsup.inspection._find import find_models
from maxsup.inspection._loader import Loader
from maxsup.inspection._look import Looked, look_at
from maxsup.inspection._processes import joined_processes, own_device
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._together import together
from maxsup.inspection._without_effect import check_effect
from maxsup.inspection.analyses.projection import choose_classes


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
    with joined_processes():
        plan = Plan(models, settings, announce=announce, device=device)
        return plan.carry_out(directory, command=command)


class Plan:
    """Models that were found, loaded once, and seen to allow what is asked; nothing is written.

    Args:
        models: Each names one or several, as :func:`inspect` takes them.
        settings: What is looked at.
        announce: Is told what is going on, in sentences.
        device: Where the models run; by default the accelerator that there is, else the CPU.

    Raises:
        ValueError: A model is not known, does not fit the data, or cannot be looked at as asked.
        OSError: A file cannot be read.
    """

    @torch.inference_mode()
    def __init__(
        self,
        models: Sequence[str],
        settings: InspectionSettings | None = None,
        *,
        announce: Callable[[str], None] = lambda text: None,
        device: torch.device | str | None = None,
    ) -> None:
        self._models = models
        self._settings = settings or InspectionSettings()
        self._announce = announce
        self._named, self._notes = find_models(models, self._settings)
        check_effect(self._settings, self._named)
        on = own_device() if device is None else torch.device(device)
        self._loader = Loader(self._settings, device=on, announce=announce)
        for each in self._named:
            check_subject(each.load(self._loader, each), self._settings)

    @torch.inference_mode()
    def carry_out(
        self, directory: Path | str | None = None, *, command: str | None = None
    ) -> schema.Inspection:
        """Look at the models, one after the other, as :func:`inspect` does."""
        loader, named, announce = self._loader, self._named, self._announce
        loader.kept = None if directory is None else as_place(directory) / "models"
        groups = list(dict.fromkeys(each.method for each in named))
        seeds = {group: [each.seed for each in named if each.method == group] for group in groups}
        first = {
            (each.method, each.seed): each.load(loader, each)
            for each in named
            if each.method == groups[0]
        }
        settings = choose_classes(self._settings, list(first.values()))
        looked: dict[tuple[str, int], Looked] = {}
        for each in named:
            subject = first.pop((each.method, each.seed), None) or each.load(loader, each)
            announce(f"Looking at {subject.name} ({each.place}) …")
            # Where a group has several seeds, these give its intervals.
            resamples = settings.resamples if len(seeds[each.method]) == 1 else 0
            looked[each.method, each.seed] = look_at(subject, settings, resamples, announce)
            subject.forget()
        command = command or _call(self._models, directory)
        return together(named, groups, looked, settings, command, self._notes)


def _call(models: Sequence[str], directory: Path | str | None) -> str:
    where = "" if directory is None else f", directory={str(directory)!r}"
    return f"inspect({list(models)!r}{where})"
