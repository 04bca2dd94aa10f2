"""What a study is asked for, whether maxsup trains it or somebody's own script."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from maxsup.commands._options import TableOptions

if TYPE_CHECKING:
    from maxsup.study import RayCluster
    from maxsup.training import Distillation

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


@dataclass(frozen=True)
class DistillationOptions:
    """A trained model to learn from beside the labels."""

    teacher: str | None = None
    """Learn from this finished run too, a directory: the loss is (1 - w) * objective + w * T^2 *
    KL(teacher || student). In a study also the directory of a method's runs (each seed learns from
    its own), or of a study (each of its methods teaches, to be compared)."""
    temperature: float | None = None
    """T, which softens the probabilities of teacher and student, by default 4."""
    distill_weight: float | None = None
    """w, the weight of the teacher's part in (0, 1], by default 0.9."""


def distillation_of(options: DistillationOptions) -> "Distillation | None":
    """Who teaches, and how.

    Raises:
        ValueError: There is a temperature or a weight, and no teacher.
    """
    from maxsup.training import Distillation

    given = {
        name: value
        for name, value in (
            ("temperature", options.temperature),
            ("weight", options.distill_weight),
        )
        if value is not None
    }
    if options.teacher is None:
        if given:
            named = " and ".join("--" + {"weight": "distill-weight"}.get(n, n) for n in given)
            raise ValueError(f"{named}: nobody teaches without --teacher; name a finished run.")
        return None
    return Distillation(options.teacher, **given)


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
