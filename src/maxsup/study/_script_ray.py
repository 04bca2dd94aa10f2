"""The runs of a script on a Ray cluster: as many at once as it has room for."""

import platform
from typing import Any, Protocol

from maxsup._interrupts import check_interrupted
from maxsup._lock import HeldDirectory
from maxsup.data.predictions._archive import read_archive
from maxsup.data.predictions._run import RunPredictions
from maxsup.study._ray import MAX_RETRIES, RayCluster, cancel, connection
from maxsup.study._ray_node import import_ray
from maxsup.study._script_run import ScriptOutcome, ScriptRun, execute
from maxsup.training import in_one_line

_SECONDS_BETWEEN_LOOKS = 0.5


class Following(Protocol):
    """What is told of the runs."""

    def say(self, text: str, /) -> None: ...

    def accept(self, run: ScriptRun, found: RunPredictions) -> None: ...

    def end(self, run: ScriptRun, outcome: ScriptOutcome) -> None: ...


def run_on_ray(
    cluster: RayCluster, runs: list[ScriptRun], held: HeldDirectory, following: Following
) -> dict[ScriptRun, ScriptOutcome]:
    """Run each as a task of its own; a run whose node is lost is started again elsewhere.

    Raises:
        ModuleNotFoundError: Ray is not installed.
        ConnectionError: There is no cluster, and none can be started.
        OSError, ValueError: A node does not see the study's directory or the script, or the runs
            predict different samples.
    """
    ray = import_ray()
    outcomes: dict[ScriptRun, ScriptOutcome] = {}
    with connection(ray, following.say):
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        gpus, cpus = cluster.resources(nodes, threads=1)
        following.say(f"Ray: {len(nodes)} nodes, {gpus:g} GPUs and {cpus:g} CPU cores for each run")
        call = ray.remote(
            num_gpus=gpus, num_cpus=cpus, max_retries=MAX_RETRIES, scheduling_strategy="SPREAD"
        )(_run_on_node)
        waiting = {call.remote(run): run for run in runs}
        try:
            while waiting:
                held.check()
                ready, _ = ray.wait(list(waiting), timeout=_SECONDS_BETWEEN_LOOKS)
                for task in ready:
                    run = waiting.pop(task)
                    outcomes[run] = outcome = _outcome(ray, task)
                    if outcome.cause is None:
                        following.accept(run, read_archive(run.predictions, run.what)[0])
                    following.end(run, outcome)
                check_interrupted()
        finally:
            cancel(ray, list(waiting))
    return outcomes


def _run_on_node(run: ScriptRun) -> ScriptOutcome:
    for place in (run.directory.parent.parent, run.working_directory):
        if not place.exists():
            raise FileNotFoundError(
                f"{place} cannot be seen on {platform.node()}: all nodes must reach the study's "
                "directory and the script under the same name."
            )
    return execute(run, lambda: False)


def _outcome(ray: Any, task: Any) -> ScriptOutcome:
    try:
        found: ScriptOutcome = ray.get(task)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, OSError | ValueError):
            raise error.cause from error
        raise
    except ray.exceptions.RayError as error:
        # Its process died time and again.
        return ScriptOutcome(in_one_line(error), 0.0)
    return found
