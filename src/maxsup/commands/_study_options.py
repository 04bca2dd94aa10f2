"""What a study is asked for, whether maxsup trains it or somebody's own script."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from maxsup.commands._options import TableOptions

if TYPE_CHECKING:
    from maxsup.study import RayCluster

_MOST_SEEDS = 10_000


@dataclass(frozen=True)
class ClusterOptions:
    """Where the runs are trained."""

    on: Literal["here", "ray"] = "here"
    """Train here, one run after the other, or all over a Ray cluster; the numbers are the same."""
    gpus_per_run: float | None = None
    """Ray: GPUs for each run, at most 1; 0.5 lets two share one. By default 1 if there are any."""
    cpus_per_run: float | None = None
    """Ray: CPU cores for each run; by default a GPU's part of its node's, or one a thread."""


def check_study(seeds: int, cluster: ClusterOptions, table: TableOptions, *, dry_run: bool) -> None:
    """See that what is asked for fits together.

    Raises:
        ValueError: It does not.
    """
    if not 1 <= seeds <= _MOST_SEEDS:
        raise ValueError(
            f"--seeds must be at least 1 and at most {_MOST_SEEDS:,}; got {seeds}. It is how many "
            "trainings each method gets; --first-seed says with which seeds."
        )
    if cluster.on == "here" and (cluster.gpus_per_run, cluster.cpus_per_run) != (None, None):
        raise ValueError("--gpus-per-run and --cpus-per-run are for Ray: add --on ray.")
    if dry_run and table != TableOptions():
        raise ValueError("--latex and --markdown have no table to print with --dry-run.")


def seeds_of(count: int, first: int) -> tuple[int, ...]:
    """So many seeds, from the first one on."""
    return tuple(range(first, first + count))


def cluster_of(options: ClusterOptions) -> "RayCluster | None":
    """The cluster to train on; none to stay here."""
    from maxsup.study import RayCluster

    if options.on == "here":
        return None
    return RayCluster(options.gpus_per_run, options.cpus_per_run)
