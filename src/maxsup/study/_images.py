"""What the test images add to the doubt that the seeds leave, from the outputs that runs kept."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maxsup.evaluation import ACCURACY
from maxsup.results import Analysed, schema
from maxsup.statistics import (
    FEWEST_PAIRS,
    Bounds,
    Contrast,
    bounds_of_difference,
    crossed_interval,
    mcnemar,
    within_bounds,
)
from maxsup.study._kept_outputs import CONTRIBUTIONS, KeptOutputs
from maxsup.study._run import run_name

_LISTED = 3
"""How many runs a reason names."""
_SAME = 1e-6
"""How far the mean over the kept outputs may lie from what the run reported, relative to 1."""

_OTHER_IMAGES = (
    "The runs have not the same test images. Where each seed has a split of its own, the interval "
    "over seeds speaks of other images already."
)

_ACCURACY = ACCURACY.name_on("test")


class ImageValues(NamedTuple):
    """What each test image contributes to the primary measure, of one run."""

    ids: NDArray[np.int64]
    values: NDArray[np.float64]


def image_evidence(
    runs: Sequence[schema.Run],
    analysed: Analysed,
    directory: Path | None,
    *,
    outputs: KeptOutputs | None = None,
    values: Mapping[tuple[str, int], ImageValues] | None = None,
    same_images: bool = True,
) -> schema.ImageEvidence:
    """For each contrast, a range over other seeds and other test images, as far as one can be told.

    With three seeds or more it is that of :func:`maxsup.statistics.crossed_interval`; with one,
    where the primary measure is the accuracy, McNemar's test says what these two models allow.

    Args:
        runs: The runs of a study.
        analysed: What was concluded of them.
        directory: The study's directory, in which runs may have kept their outputs; none where
            all outputs are given.
        outputs: These outputs, where something else looks at them too.
        values: By run what its images contribute, where no outputs need to be read for it.
        same_images: Whether all seeds are tested on the same images. Where it is known that they
            are not, nothing is read.

    Returns:
        The evidence, and in sentences why there is none where there is none.
    """
    primary = analysed.measures[0]
    found = schema.ImageEvidence(measure=primary["name"], contrasts=[], reasons=[])
    if not same_images:
        found["reasons"] = [_OTHER_IMAGES]
        return found
    if values is None and primary["name"] not in CONTRIBUTIONS:
        found["reasons"] = [
            f"{primary['label']} is no mean over images, of which each contributes its own part."
        ]
        return found
    reported = {
        (run["method"], run["seed"]): run["values"].get(primary["name"])
        for run in runs
        if run["status"] == "finished"
    }
    paired = [contrast for contrast in analysed.contrasts if "unpaired" not in contrast]
    if len(paired) < len(analysed.contrasts):
        found["reasons"].append("Runs that are not paired over seeds are not paired here either.")
    needed = {
        (name, seed): None
        for contrast in paired
        for name in (contrast["method"], contrast["against"])
        for seed in contrast["seeds"]
    }
    outputs = outputs or KeptOutputs(directory, primary["name"])
    images: dict[tuple[str, int], ImageValues] = {}
    missing: dict[str, list[str]] = {}
    for run in needed:
        try:
            of_run = _read(outputs, run) if values is None else _given(values, run)
            images[run] = _as_reported(of_run, reported[run])
        except FileNotFoundError:
            missing.setdefault("kept no outputs on the test set", []).append(run_name(*run))
        except (ValueError, OSError) as error:
            missing.setdefault(f"cannot be used: {error}", []).append(run_name(*run))
    found["reasons"] += [f"{_named(names)} {why}." for why, names in missing.items()]
    bounds = bounds_of_difference(primary["bounds"])
    for contrast in paired:
        reason = _conclude(found, contrast, images, bounds, len(analysed.contrasts))
        if reason and reason not in found["reasons"]:
            found["reasons"].append(reason)
    return found


def _named(names: list[str]) -> str:
    more = len(names) - _LISTED
    return "; ".join(names[:_LISTED]) + (f" and {more} more runs" if more > 0 else "")


def _read(outputs: KeptOutputs, run: tuple[str, int]) -> ImageValues:
    """Read what each test image contributes to a run's measure.

    Raises:
        FileNotFoundError: The outputs were not kept.
        ValueError: They are damaged.
    """
    found = outputs.of(*run)
    assert found.values is not None
    return ImageValues(found.predictions.ids, found.values)


def _given(values: Mapping[tuple[str, int], ImageValues], run: tuple[str, int]) -> ImageValues:
    if run not in values:
        raise FileNotFoundError(f"There are no counts of {run_name(*run)}.")
    return values[run]


def _as_reported(found: ImageValues, reported: float | None) -> ImageValues:
    """See that it is what the run reported.

    Raises:
        ValueError: It is not.
    """
    mean = float(found.values.mean()) if len(found.values) else float("nan")
    if reported is None or not abs(mean - reported) <= _SAME * max(1.0, abs(reported)):
        raise ValueError("its kept outputs are not those that were measured")
    return found


def _conclude(
    found: schema.ImageEvidence,
    contrast: Contrast,
    images: Mapping[tuple[str, int], ImageValues],
    bounds: Bounds,
    comparisons: int,
) -> str:
    """Add what can be said of a contrast, or say why nothing can; empty if that is known."""
    seeds = contrast["seeds"]
    pairs = (
        [(contrast["method"], seed) for seed in seeds],
        [(contrast["against"], seed) for seed in seeds],
    )
    if not seeds or not all(run in images for run in (*pairs[0], *pairs[1])):
        return ""
    ids = images[pairs[0][0]].ids
    if not all(np.array_equal(images[run].ids, ids) for run in (*pairs[0], *pairs[1])):
        return _OTHER_IMAGES
    if 1 < len(seeds) < FEWEST_PAIRS:
        return "Two seeds say next to nothing of their own spread."
    first, second = (np.stack([images[run].values for run in runs]) for runs in pairs)
    evidence = schema.ImageContrast(
        method=contrast["method"],
        against=contrast["against"],
        seeds=list(seeds),
        images=len(ids),
        mean=float((first - second).mean()),
        low=None,
        high=None,
        only_method=None,
        only_against=None,
        p_mcnemar=None,
    )
    if len(seeds) >= FEWEST_PAIRS and len(ids) > 1:
        low, high = crossed_interval(first - second, comparisons=comparisons)
        evidence["low"], evidence["high"] = low, high
    elif len(seeds) == 1 and found["measure"] == _ACCURACY:
        test = mcnemar(first[0] > 0, second[0] > 0)
        evidence["only_method"], evidence["only_against"] = test.only_first, test.only_second
        evidence["p_mcnemar"] = min(1.0, comparisons * test.p)
    else:
        return "With one seed, there is a test for the accuracy alone, McNemar’s."
    found["contrasts"].append(within_bounds(evidence, bounds))
    return ""
