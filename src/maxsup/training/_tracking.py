"""The figures of each epoch, sent to a tracker of experiments."""

import contextlib
import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from accelerate.tracking import LOGGER_TYPE_TO_CLASS

from maxsup._method_names import written
from maxsup._trackers import TrackerName
from maxsup.methods import get_method
from maxsup.training._settings import RunSettings

_PROJECT = "maxsup"


def check_tracker(name: TrackerName | None) -> None:
    """See that a tracker's package is there before anything is trained.

    Raises:
        ValueError: It is not; the message says how to install it.
    """
    if name is not None and find_spec(name) is None:
        raise ValueError(
            f"--tracker {name} needs the package {name}, which is not installed: "
            f"pip install 'maxsup[{name}]' brings it."
        )


@contextlib.contextmanager
def tracking(
    name: TrackerName | None, settings: RunSettings, directory: Path, accelerator: Accelerator
) -> Iterator[Callable[[Mapping[str, float]], None]]:
    """Open a run of a tracker, one of accelerate's; go on with it where the run was stopped.

    TensorBoard's files lie in the run's directory, under ``tensorboard``. The others keep the run
    in their project ``maxsup``, in a group for each study.

    Args:
        name: The tracker; with none nothing is sent.
        settings: Of the run; they are shown beside it.
        directory: Where the run is kept.
        accelerator: Only its first process sends anything.

    Yields:
        A function that sends an epoch's row.

    Raises:
        ValueError: The tracker's package is not installed, or it cannot keep its files where the
            run is.
    """
    check_tracker(name)
    if name is None or not accelerator.is_main_process:
        yield lambda row: None
        return
    tracker = _open(name, settings, directory)

    def send(row: Mapping[str, float]) -> None:
        figures = {key: value for key, value in row.items() if key != "epoch"}
        tracker.log(figures, step=int(row["epoch"]))

    try:
        yield send
    finally:
        tracker.finish()


def _open(name: TrackerName, settings: RunSettings, directory: Path) -> Any:
    kind = LOGGER_TYPE_TO_CLASS[name]
    is_local = isinstance(directory, Path)
    if name == "tensorboard":
        if not is_local:
            raise ValueError(
                f"TensorBoard's files can only be kept on this machine, not in {directory}. Name a "
                "local --out, or another --tracker."
            )
        tracker = kind("tensorboard", logging_dir=str(directory))
        tracker.start()
        # As text: its table of hyperparameters would add a run of its own.
        tracker.log({"settings": f"```\n{settings.to_json()}```"}, step=0)
        return tracker
    place = str(directory.absolute())
    options: dict[str, Any] = {
        "name": f"{settings.method}, seed {settings.seed}",
        "group": directory.parent.parent.name or _PROJECT,
        "resume": "allow",
    }
    if name == "wandb":
        # Found again by its id, trackio's by its name.
        options["id"] = hashlib.sha256(place.encode()).hexdigest()[:16]
        if is_local:
            options["dir"] = place
    else:
        options |= {"embed": False}
    tracker = kind(_PROJECT, config=_flat(settings), **options)
    tracker.start()
    return tracker


def _flat(settings: RunSettings) -> dict[str, Any]:
    """The settings by name: ``recipe.lr`` and the like."""
    flat: dict[str, Any] = {}
    for name, value in dataclasses.asdict(settings).items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": each for inner, each in value.items()}
        else:
            flat[name] = value
    for name, value in get_method(settings.method).values().items():
        # A number where it is one, so that runs can be put in its order.
        flat[f"coefficient.{name}"] = value if isinstance(value, int | float) else written(value)
    return flat
