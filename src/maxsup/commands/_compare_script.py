"""``maxsup compare --script``: a study whose runs are those of somebody's own program."""

import shlex
from typing import Any

from maxsup.commands._options import REPORT_FILE
from maxsup.commands._read import named_options
from maxsup.commands._study_options import check_study, cluster_of, seeds_of

_WITH_A_SCRIPT = frozenset(
    {
        "script", "jobs", "methods", "seeds", "first_seed", "out", "dry_run", "baseline", "primary",
        "margin", "contrasts", "on", "gpus_per_run", "cpus_per_run", "latex", "markdown",
    }
)  # fmt: skip
"""The options that mean something; the others are about training, which the script does."""


def compare_by_script(options: Any, script: str, jobs: int) -> int:
    """Run the script with every method and seed, print the table and write the page.

    Args:
        options: Those of ``maxsup compare``.
        script: The command to run.
        jobs: How many at a time.
    """
    _check(options, jobs)

    from maxsup._places import as_place
    from maxsup.commands._show_results import exit_code, show_results
    from maxsup.report import write_report
    from maxsup.study import ScriptStudy, compare_script

    study = ScriptStudy(
        script,
        methods=options.methods,
        seeds=seeds_of(options.seeds, options.study.first_seed),
        baseline=options.study.baseline,
        primary=options.study.primary,
        margin=options.study.margin,
        contrasts=options.study.contrasts,
    )
    directory = as_place(options.out or study.default_directory())
    if options.dry_run:
        from maxsup.study._compare_script import planned

        for run, is_done in planned(study, directory):
            print(f"{shlex.join(run.words)}{'  # has finished' if is_done else ''}")
        return 0
    results = compare_script(
        study,
        directory,
        jobs=jobs,
        on=cluster_of(options.cluster),
        command=options.common.command_line,
    )
    write_report(results, directory / REPORT_FILE)
    show_results(results, directory / REPORT_FILE, options.table)
    return exit_code(results)


def _check(options: Any, jobs: int) -> None:
    """See that the command line names nothing that a script would not hear of.

    Raises:
        ValueError: It does.
    """
    _, _, *words = shlex.split(options.common.command_line)
    idle = [word for word in _flags(words) if not named_options([word]) & _WITH_A_SCRIPT]
    if idle:
        raise ValueError(
            f"{', '.join(idle)} would have no effect: with --script, the script alone decides how "
            "and on what is trained. Write it into the command of the script."
        )
    if options.data:
        raise ValueError(
            f"With --script there is no DATA to name; got {options.data!r}. The script brings its "
            "own."
        )
    if "all" in options.methods:
        raise ValueError("--methods all: a script's methods have to be named.")
    if jobs < 1:
        raise ValueError(f"--jobs must be at least 1; got {jobs}.")
    if options.cluster.on == "ray" and jobs != 1:
        raise ValueError("--jobs is for this machine; Ray runs as many as it has room for.")
    check_study(options.seeds, options.cluster, options.table, dry_run=options.dry_run)


def _flags(words: list[str]) -> list[str]:
    return [word.partition("=")[0] for word in words if word.startswith("--")]
