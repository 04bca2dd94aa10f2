"""What a node of a Ray cluster does for a study: one run, and word of how far it is."""

import contextlib
import functools
import importlib
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.console import Console

from maxsup import _lock as lock
from maxsup import methods
from maxsup._version import __version__
from maxsup.data import DataSettings
from maxsup.models import TIMM
from maxsup.recipes import Recipe
from maxsup.study._run import attempt, device_name
from maxsup.training import (
    AnyData,
    ProgressReport,
    RunSettings,
    TrackerName,
    build_accelerator,
    load_data,
)


def import_ray() -> Any:
    """Ray itself, where it is installed.

    Raises:
        ModuleNotFoundError: It is not; the message says how to install it.
    """
    try:
        return importlib.import_module("ray")
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise ModuleNotFoundError(
            "--on ray needs Ray, which is not installed: pip install 'maxsup[ray]' brings it.",
            name="ray",
        ) from error


@dataclass(frozen=True)
class Task:
    """All that a node must know of a run."""

    settings: RunSettings
    method: bytes | None
    """The method of the settings, pickled, where only the study's own process knows it."""
    plugins: tuple[str, ...]
    """What defines methods of the study, as :func:`maxsup.methods.load_plugin` takes it."""
    study_file: Path
    directory: Path
    token: str | None
    """That of the lock on the study's directory, which its process holds; none in a store."""
    data: str
    """Fingerprint of the run's data."""
    fingerprint: str
    """That of the run's settings, with the weights that it starts from and its teacher."""
    working_directory: Path
    threads: int
    on_gpu: bool
    versions: Mapping[str, str]
    tracker: TrackerName | None = None


class Outcome(NamedTuple):
    """The end of a task; the result itself is in the run's directory."""

    cause: str | None
    """The cause of its failure."""
    device: str | None
    trained: bool
    """Whether there was anything left to train."""


class Event(NamedTuple):
    run: tuple[str, int]
    epoch: int
    """The epochs it has done."""
    text: str | None


class News:
    """Keeps what runs have to tell until the study asks for it; an actor."""

    def __init__(self) -> None:
        self._told: list[Event] = []

    @classmethod
    def start(cls, ray: Any) -> Any:
        """Start it beside the study's process, where no lost node takes it along."""
        beside = importlib.import_module(
            "ray.util.scheduling_strategies"
        ).NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        return ray.remote(num_cpus=0, max_restarts=-1, scheduling_strategy=beside)(cls).remote()

    def tell(self, event: Event) -> None:
        self._told.append(event)

    def take(self) -> list[Event]:
        told, self._told = self._told, []
        return told


class NodeProgress(ProgressReport):
    """Tells the study's process how far a run is."""

    def __init__(self, news: Any, run: tuple[str, int]) -> None:
        super().__init__(Console(quiet=True), 0, quiet=True)
        self._news = news
        self._key = run
        self.trained = False

    def start_run(self, name: str, *, epochs: int, done: int, steps: int = 0) -> None:
        self.trained = True
        how = f"goes on after epoch {done} of {epochs}" if done else "starts"
        if steps:
            how = f"goes on after step {steps:,} of epoch {done + 1} of {epochs}"
        self._tell(done, f"{name}: {how} on {platform.node()}")

    def end_epoch(self, epoch: int, row: Mapping[str, float | None]) -> None:
        super().end_epoch(epoch, row)
        self._tell(epoch)

    def _tell(self, epoch: int, text: str | None = None) -> None:
        self._news.tell.remote(Event(self._key, epoch, text))


def train_on_node(task: Task, news: Any) -> Outcome:
    """Train one model on this node."""
    _check_node(task)
    # Ray gives a process one thread for each of its cores; sums over another number of parts
    # differ in their last bits.
    torch.set_num_threads(task.threads)
    if not task.on_gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    with contextlib.suppress(FileNotFoundError):
        # Names of data and weights may be relative to where the study was started.
        os.chdir(task.working_directory)
    # This process may know an earlier study's method by the same name.
    methods.forget_adopted()
    for plugin in task.plugins:
        methods.load_plugin(plugin)
    if task.method is not None:
        # Ray sends what a node cannot import as a whole, and so must this be read by its means.
        methods.adopt(import_ray().cloudpickle.loads(task.method))
    recipe = task.settings.recipe
    _check_weights(task)
    accelerator = build_accelerator(recipe)
    data = _load_data(task.settings.data, recipe)
    if data.fingerprint != task.data:
        raise ValueError(
            f"On {platform.node()}, images, labels or classes of {data.name} are not those of the "
            "machine that the study was started on. All nodes must see the same data."
        )
    run = (task.settings.method, task.settings.seed)
    with (
        NodeProgress(news, run) as progress,
        lock.join(task.study_file.parent, task.token),
    ):
        result = attempt(
            task.settings,
            data,
            task.directory,
            accelerator=accelerator,
            progress=progress,
            tracker=task.tracker,
        )
        cause = result if isinstance(result, str) else None
        return Outcome(cause, device_name(), progress.trained)


@functools.lru_cache(maxsize=1)
def _load_data(settings: DataSettings, recipe: Recipe) -> AnyData:
    """A run's data, loaded once where it is that of the run before.

    Ray keeps a process for several runs on CPUs, and all runs of a study have the same data unless
    it is drawn anew for each seed.

    Loaded here rather than taken from Ray's object store: photographs that are read as they are
    needed cannot be sent, and those that are not would be in a node's memory twice.
    """
    return load_data(settings, recipe)


def _check_node(task: Task) -> None:
    """See before an hour of training whether it can be of use."""
    node = platform.node()
    if not task.study_file.exists():
        raise FileNotFoundError(
            f"{task.study_file} cannot be seen on {node}: all nodes must reach the study's "
            "directory under the same name. Name one on a shared file system or an object store "
            "with --out."
        )
    here = versions_here()
    differing = [f"{k} {v} there, {here[k]} on {node}" for k, v in task.versions.items()]
    if here != task.versions:
        raise ValueError(
            f"The nodes and the machine that the study was started on must have the same versions "
            f"for their numbers to be compared: {'; '.join(differing)}."
        )


def _check_weights(task: Task) -> None:
    """See that weights to start from and teacher are what they are where the study was started."""
    node, taught = platform.node(), task.settings.distillation
    places = (task.settings.recipe.weights, None if taught is None else taught.teacher)
    weights = " or ".join(each for each in places if each not in (None, TIMM))
    try:
        same = task.settings.fingerprint() == task.fingerprint
    except ValueError as error:
        raise FileNotFoundError(
            f"On {node}, weights of the study cannot be seen: {error} All nodes must reach "
            f"{weights} under the same name, on a shared file system for example."
        ) from error
    if not same:
        raise ValueError(
            f"On {node}, {weights} holds other weights than on the machine that the study was "
            "started on. All nodes must see the same file."
        )


def versions_here() -> dict[str, str]:
    """The versions that all machines of a study must have in common."""
    return {"maxsup": __version__, "torch": torch.__version__}
