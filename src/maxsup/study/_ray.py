"""A study's runs on a Ray cluster: as many at once as it has room for.

What a run is does not change: each task calls the same :func:`maxsup.training.train` in the run's
directory, with as many CPU threads as this process would use, so that the numbers are those of a
study on one machine. All that passes between the machines is the study's directory and a few words;
so a run whose node is lost goes on elsewhere from its last checkpoint.
"""

import contextlib
import logging
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from maxsup import methods
from maxsup._fields import settle_fields
from maxsup._interrupts import check_interrupted
from maxsup._lock import HeldDirectory
from maxsup.evaluation import ACCURACY, MEAN_IOU, SplitName
from maxsup.study._data import StudyData
from maxsup.study._ray_node import (
    Event,
    News,
    Outcome,
    Task,
    import_ray,
    train_on_node,
    versions_here,
)
from maxsup.study._run import Runs, Trainings, failure_in_words, note_failure, run_name
from maxsup.study._settings import STUDY_FILE
from maxsup.training import (
    ProgressReport,
    RunResult,
    TrackerName,
    in_one_line,
)

MAX_RETRIES = 5
"""How often a run is started again after its node or process was lost."""

_SECONDS_BETWEEN_LOOKS = 0.5
_SECONDS_FOR_A_FILE = 60.0
"""For how long a shared file system may go on saying that a new file is not there."""


@dataclass(frozen=True)
class RayCluster:
    """A Ray cluster to train on: the running one, else one of this machine alone.

    The running cluster is the one that ``ray.init`` has connected this process to, that
    ``RAY_ADDRESS`` names, or that ``ray start`` has started on this machine.

    Raises:
        ValueError: A number is out of its range.
    """

    gpus_per_run: float | None = None
    """GPUs for each run, at most 1; a half lets two runs share one. By default 1 if there are."""
    cpus_per_run: float | None = None
    """CPU cores to keep free for each run; by default those of its node divided by its GPUs, else
    those that the run computes on."""

    def __post_init__(self) -> None:
        settle_fields(self)
        if self.gpus_per_run is not None and not 0 <= self.gpus_per_run <= 1:
            raise ValueError(
                f"gpus_per_run must lie in [0, 1], as a run trains on one GPU at most; got "
                f"{self.gpus_per_run:g}."
            )
        if self.cpus_per_run is not None and self.cpus_per_run < 0:
            raise ValueError(f"cpus_per_run must be at least 0; got {self.cpus_per_run:g}.")

    def resources(self, nodes: list[Mapping[str, float]], threads: int) -> tuple[float, float]:
        """The GPUs and cores that each run gets.

        Args:
            nodes: The resources of each node, as Ray names them.
            threads: CPU threads that a run computes on.

        >>> two_gpus, no_gpu = {"CPU": 16.0, "GPU": 2.0}, {"CPU": 8.0}
        >>> RayCluster().resources([two_gpus, no_gpu], threads=4)
        (1, 8.0)
        >>> [RayCluster().resources([no_gpu], threads) for threads in (4, 32)]
        [(0, 4), (0, 8.0)]
        """
        gpus = self.gpus_per_run
        if gpus is None:
            gpus = 1 if any(node.get("GPU", 0) >= 1 for node in nodes) else 0
        if self.cpus_per_run is not None:
            return gpus, self.cpus_per_run
        if gpus > 0:
            each = [
                math.floor(gpus * node.get("CPU", 0) / node["GPU"])
                for node in nodes
                if node.get("GPU", 0) >= gpus
            ]
            return gpus, float(min(each, default=1))
        most = max((node.get("CPU", 0) for node in nodes), default=0)
        return gpus, min(threads, most) if most else threads


def run_on_ray(
    cluster: RayCluster,
    settings: Trainings,
    data: StudyData,
    held: HeldDirectory,
    progress: ProgressReport,
    tracker: TrackerName | None = None,
    plugins: tuple[str, ...] = (),
) -> Runs:
    """Train every method with every seed as a task of its own.

    Raises:
        ModuleNotFoundError: Ray is not installed.
        ConnectionError: The cluster that ``RAY_ADDRESS`` names cannot be reached, or Ray cannot be
            started here.
        OSError, ValueError: What would stop the other runs as well: a node that cannot see the
            study's directory or has other data, a full disk, settings that do not fit.
    """
    ray = import_ray()
    directory = held.directory.absolute()
    runs = Runs({}, set())
    with connection(ray, progress.say):
        news = News.start(ray)
        waiting = _submit(
            ray, cluster, settings, data, directory, held.token, news, progress, tracker, plugins
        )
        try:
            epochs = dict.fromkeys(settings.plan(), 0)
            while waiting:
                held.check()
                ready, _ = ray.wait(list(waiting), timeout=_SECONDS_BETWEEN_LOOKS)
                for event in _ask(ray, news):
                    epochs[event.run] = event.epoch
                    if event.text is not None:
                        progress.say(event.text)
                for task in ready:
                    run = waiting.pop(task)
                    its_directory = settings.run_directory(directory, *run)
                    part = settings.run(*run).measured_on
                    runs.results[run] = _finish(
                        ray, task, run, its_directory, part, runs.devices, progress
                    )
                    epochs[run] = settings.recipe.epochs
                progress.advance_to(sum(epochs.values()))
                check_interrupted()
        finally:
            cancel(ray, list(waiting))
    return runs


def check_alone() -> None:
    """See that no launcher has started the study.

    Raises:
        ValueError: One has.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ValueError(
            "On Ray each run has a process of its own: start the study as one process, without "
            "torchrun or accelerate launch."
        )


@contextlib.contextmanager
def connection(ray: Any, say: Callable[[str], None]) -> Iterator[None]:
    if ray.is_initialized():
        say("Ray: the cluster that this process is connected to")
        yield
        return
    say(f"Ray: {_connect(ray)}")
    try:
        yield
    finally:
        ray.shutdown()


def _connect(ray: Any) -> str:
    """Connect this process to a cluster, or start one; which it is, for a person to see.

    Raises:
        ConnectionError: Neither can be done.
    """
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    named = os.environ.get("RAY_ADDRESS")
    try:
        ray.init("auto", **quiet)
    except Exception as error:  # Ray raises a dozen kinds of errors here
        if named is not None:
            raise ConnectionError(
                f"No Ray cluster can be reached at {named}, which RAY_ADDRESS names "
                f"({in_one_line(error)}). Start it, or unset RAY_ADDRESS to train on this machine."
            ) from error
        if not isinstance(error, ConnectionError):
            raise _not_started(error) from error
    else:
        if named is not None:
            return f"the cluster at {named}, which RAY_ADDRESS names"
        return "the cluster that was running on this machine already; ray stop would end it"
    try:
        ray.init("local", include_dashboard=False, **quiet)
    except Exception as error:
        raise _not_started(error) from error
    return "started on this machine for as long as the study takes"


def _not_started(error: Exception) -> ConnectionError:
    return ConnectionError(
        f"Ray could not be started on this machine ({in_one_line(error)}). Without --on ray, the "
        "study trains here, one run after the other, with the same numbers."
    )


def _submit(
    ray: Any,
    cluster: RayCluster,
    settings: Trainings,
    data: StudyData,
    directory: Path,
    token: str | None,
    news: Any,
    progress: ProgressReport,
    tracker: TrackerName | None,
    plugins: tuple[str, ...],
) -> dict[Any, tuple[str, int]]:
    """Hand all runs to the cluster, which starts them in this order as there is room."""
    threads = torch.get_num_threads()
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    gpus, cpus = cluster.resources(nodes, threads)
    needed = f"{gpus:g} GPUs and {cpus:g} CPU cores for each run"
    progress.say(f"Ray: {len(nodes)} nodes, {needed}")
    if not any(node.get("GPU", 0) >= gpus and node.get("CPU", 0) >= cpus for node in nodes):
        progress.say(f"Ray: no node has {needed} now; waiting until one joins")
    train = ray.remote(
        num_gpus=gpus, num_cpus=cpus, max_retries=MAX_RETRIES, scheduling_strategy="SPREAD"
    )(train_on_node)
    return {
        train.remote(
            Task(
                settings=settings.run(method, seed),
                method=None
                if (own := methods.known_here_alone(method)) is None
                else ray.cloudpickle.dumps(own),
                plugins=plugins,
                study_file=directory / STUDY_FILE,
                directory=settings.run_directory(directory, method, seed),
                token=token,
                data=data.fingerprint(seed),
                fingerprint=settings.run(method, seed).fingerprint(),
                working_directory=Path.cwd(),
                threads=threads,
                on_gpu=gpus > 0,
                versions=versions_here(),
                tracker=tracker,
            ),
            news,
        ): (method, seed)
        for method, seed in settings.plan()
    }


def _ask(ray: Any, news: Any) -> list[Event]:
    """What the runs have told since; nothing while the actor is away, as results do not need it."""
    try:
        events: list[Event] = ray.get(news.take.remote())
    except ray.exceptions.RayActorError:
        return []
    return events


def _finish(
    ray: Any,
    task: Any,
    run: tuple[str, int],
    directory: Path,
    part: SplitName,
    devices: set[str],
    progress: ProgressReport,
) -> RunResult | str:
    """What came of a task that is over."""
    try:
        outcome: Outcome = ray.get(task)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, OSError | ValueError):
            raise error.cause from error
        raise ValueError(
            f"{run_name(*run)} could not be started on the cluster "
            f"({in_one_line(error.cause)}). Is maxsup[ray] installed on every node?"
        ) from error
    except ray.exceptions.RayError as error:
        # Its process died time and again: killed for its memory, perhaps.
        note_failure(directory, str(error))
        outcome = Outcome(cause=in_one_line(error), device=None, trained=True)
    if outcome.device is not None:
        devices.add(outcome.device)
    if outcome.cause is not None:
        progress.say(failure_in_words(*run, outcome.cause, directory))
        return outcome.cause
    result = _read_result(directory)
    if outcome.trained:
        values = result.evaluation.values
        name, words = ACCURACY.name_on(part), "accuracy"
        if name not in values:
            name, words = f"{part}_{MEAN_IOU}", "mean IoU"
        progress.say(f"{run_name(*run)}: done, {part} {words} {100 * values[name]:.2f} %")
    return result


def _read_result(directory: Path) -> RunResult:
    patience = time.monotonic() + _SECONDS_FOR_A_FILE
    while (result := RunResult.load(directory)) is None:
        if time.monotonic() > patience:
            raise FileNotFoundError(
                f"A node has trained {directory}, but its result cannot be seen here: all nodes "
                "must reach the study's directory under the same name. Name one on a shared file "
                "system or an object store with --out."
            )
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return result


def cancel(ray: Any, tasks: list[Any]) -> None:
    """End what is still running, so that nothing goes on writing to the study."""
    if tasks:
        for task in tasks:
            ray.cancel(task, force=True)
        ray.wait(tasks, num_returns=len(tasks), timeout=10)
