"""Every method with every seed by somebody's own script, and what came of it."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from rich.console import Console

from maxsup._console import console as new_console
from maxsup._digests import DamagedFile
from maxsup._interrupts import check_interrupted
from maxsup._lock import HeldDirectory, check_free, hold
from maxsup._method_names import canonical
from maxsup._places import as_place
from maxsup.data.predictions._agree import Agreement
from maxsup.data.predictions._archive import read_archive
from maxsup.data.predictions._find import RunSource
from maxsup.data.predictions._run import RunPredictions
from maxsup.results import Results, schema, write_results
from maxsup.study._predictions import results_of
from maxsup.study._ray import RayCluster
from maxsup.study._run import run_name
from maxsup.study._script import Script
from maxsup.study._script_ray import run_on_ray
from maxsup.study._script_run import LOG_FILE, ScriptOutcome, ScriptRun, execute, finished
from maxsup.study._script_study import ScriptStudy, finished_runs
from maxsup.training import duration

_SECONDS_BETWEEN_LOOKS = 0.2

Say = Callable[[str], None]


def compare_script(
    study: ScriptStudy,
    directory: Path | str | None = None,
    *,
    jobs: int = 1,
    on: RayCluster | None = None,
    command: str | None = None,
    console: Console | None = None,
) -> Results:
    """Run a script with every method and every seed, and say which differences hold.

    A run has finished once the script has ended with exit code 0 and left predictions that can be
    read; finished runs are not run again by the same call. What a script prints stands in
    ``METHOD/seed-N/log.txt``. A run that fails is noted with its cause, and the others go on; it is
    tried again by the next call. The script and what it starts end with this process, however that
    ends.

    Args:
        study: What to run, and what to ask of it.
        directory: Where the study is kept: ``METHOD/seed-N/`` for each run, in which its script
            may keep files of its own too, and the ``results.json``, ``results.csv`` and
            ``summary.csv`` that this writes. By default ``runs/`` and the name of the script.
        jobs: How many runs at a time, on this machine.
        on: A Ray cluster to run on instead, as many at once as it has room for; all its nodes must
            reach the directory and the script under the same name.
        command: The command that repeats the study, noted in the results; by default this call.
        console: Where progress is shown; standard error by default.

    Returns:
        What was written to ``results.json``; runs that earlier calls have finished stand in it too.

    Raises:
        ValueError: The script cannot be started, its runs predict different samples, or the
            directory holds something else or is another process's.
        OSError: A file could not be written.
        ModuleNotFoundError: The study is to run on Ray, which is not installed.
    """
    if jobs < 1:
        raise ValueError(f"jobs must be at least 1; got {jobs}.")
    place = as_place(study.default_directory() if directory is None else directory)
    Script(study.script).check()
    printer = console or new_console(stderr=True)

    def say(text: str) -> None:
        printer.print(text, highlight=False, markup=False, soft_wrap=True)

    check_free(place, say)
    study.check(place)
    with hold(place, say) as held:
        study.claim(place)
        plan = [study.run(place, method, seed) for method, seed in study.plan()]
        seconds, left = _split(plan, say)
        following = _Following(left, say)
        for run in plan:
            if run not in left:
                following.accept(run, read_archive(run.predictions, run.what)[0])
        if on is not None and left:
            outcomes = run_on_ray(on, left, held, following)
        else:
            outcomes = _run_here(left, jobs, held, following)
        held.check_now()
        seconds |= {
            (run.method, run.seed): outcome.seconds
            for run, outcome in outcomes.items()
            if outcome.cause is None
        }
        results = _gather(study, place, plan, outcomes, seconds, command)
        write_results(results, place)
    return results


def planned(study: ScriptStudy, directory: Path) -> list[tuple[ScriptRun, bool]]:
    """Every run, and whether it has finished already; for a look beforehand."""
    plan = [study.run(directory, method, seed) for method, seed in study.plan()]
    _, left = _split(plan, lambda text: None)
    return [(run, run not in left) for run in plan]


def _split(
    plan: Iterable[ScriptRun], say: Say
) -> tuple[dict[tuple[str, int], float], list[ScriptRun]]:
    """The seconds that finished runs took, and the runs that are left."""
    seconds: dict[tuple[str, int], float] = {}
    left = []
    for run in plan:
        try:
            found = finished(run)
        except DamagedFile as error:
            say(f"{run_name(run.method, run.seed)} is run again: {error}")
            found = None
        if found is None:
            left.append(run)
        else:
            seconds[run.method, run.seed] = found
    return seconds, left


class _Following:
    """Says how far the runs are, and sees that they predict the same samples."""

    def __init__(self, left: list[ScriptRun], say: Say) -> None:
        self._agreement = Agreement()
        self._lock = threading.Lock()
        self._count = len(left)
        self._done = 0
        self.say = say

    def start(self, run: ScriptRun) -> None:
        self.say(f"{run_name(run.method, run.seed)}: starts")

    def accept(self, run: ScriptRun, found: RunPredictions) -> None:
        """See that predictions are for the samples of all others.

        Raises:
            ValueError: They are not: the runs that are left would be no better.
        """
        with self._lock:
            try:
                self._agreement.order(run.what, found)
            except ValueError as error:
                raise ValueError(
                    f"{error} Remove the directory of the run that is wrong; the same command goes "
                    "on."
                ) from error

    def end(self, run: ScriptRun, outcome: ScriptOutcome) -> None:
        name, took = run_name(run.method, run.seed), duration(outcome.seconds)
        with self._lock:
            self._done += 1
            where = f"({self._done} of {self._count}, {took})"
        if outcome.cause is None:
            self.say(f"{name}: done {where}")
        else:
            self.say(
                f"{name} failed {where}: {outcome.cause}; all it printed: "
                f"{run.directory / LOG_FILE}"
            )


def _run_here(
    runs: list[ScriptRun], jobs: int, held: HeldDirectory, following: _Following
) -> dict[ScriptRun, ScriptOutcome]:
    stop = threading.Event()

    def one(run: ScriptRun) -> ScriptOutcome:
        if stop.is_set():
            raise KeyboardInterrupt
        following.start(run)
        outcome = execute(run, stop.is_set, lambda found: following.accept(run, found))
        following.end(run, outcome)
        return outcome

    outcomes: dict[ScriptRun, ScriptOutcome] = {}
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        waiting: dict[Future[ScriptOutcome], ScriptRun] = {
            pool.submit(one, run): run for run in runs
        }
        try:
            while waiting:
                held.check()
                ready, _ = wait(waiting, _SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED)
                for future in ready:
                    outcomes[waiting.pop(future)] = future.result()
                check_interrupted()
        finally:
            stop.set()
            for future in waiting:
                future.cancel()
    return outcomes


def _gather(
    study: ScriptStudy,
    directory: Path,
    plan: list[ScriptRun],
    outcomes: dict[ScriptRun, ScriptOutcome],
    seconds: dict[tuple[str, int], float],
    command: str | None,
) -> Results:
    """The results of what was asked for, and of what earlier calls have finished."""
    failed = [
        (run.method, run.seed, outcome.cause)
        for run, outcome in outcomes.items()
        if outcome.cause is not None
    ]
    asked = {(run.method, run.seed) for run in plan}
    runs = {(run.method, run.seed): run for run in plan if (run.method, run.seed) in seconds}
    left_out = []
    for method, seed in finished_runs(directory):
        if (method, seed) in asked:
            continue
        run = study.run(directory, method, seed)
        try:
            found = finished(run)
        except DamagedFile as error:
            left_out.append(
                f"{run_name(method, seed)} was finished by an earlier command and is left out: "
                f"{error}"
            )
            continue
        if found is not None:
            runs[method, seed], seconds[method, seed] = run, found
    return results_of(
        [RunSource(*key, run.what, _loader(run)) for key, run in runs.items()],
        study.question(),
        name=Script(study.script).name,
        made_by=study.script,
        command=command or f"compare_script({study!r}, {str(directory)!r})",
        failed=failed,
        asked=schema.Asked(
            methods=list(map(canonical, study.methods)), seeds=list(study.seeds), left_out=left_out
        ),
        seconds=sum(seconds.values()),
    )


def _loader(run: ScriptRun) -> Callable[[], RunPredictions]:
    return lambda: read_archive(run.predictions, run.what)[0]
