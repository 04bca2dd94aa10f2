"""What a reader may do now, as it follows from what was concluded."""

import inspect
import re
from collections.abc import Iterator
from typing import NamedTuple

from maxsup.results import (
    DIVERGENCE_REMEDIES,
    Results,
    no_better_than_guessing,
    still_rising,
)
from maxsup.results.schema import MethodFacts
from maxsup.statistics import FEWEST_PAIRS, Contrast

_SEEDS = 5
"""Seeds that are proposed where there are too few to conclude anything."""
_MANY = 30
"""More seeds than this are not proposed to everybody."""


class Step(NamedTuple):
    """Something to do, in a sentence or two, with the code or the command for it."""

    text: str
    code: str = ""


def next_steps(results: Results) -> list[Step]:
    """What to do, the most pressing first.

    Args:
        results: The results of a study.

    Returns:
        The steps; each follows from a conclusion or from what makes one less sure.
    """
    compared = [each for each in results["contrasts"] if each["mean"] is not None]
    steps = [*_failed(results), *_come_to_nothing(results)]
    if compared and all(len(each["seeds"]) < FEWEST_PAIRS for each in compared):
        steps += _too_few(results)
    else:
        with_baseline = [each for each in compared if each["against"] == results["baseline"]]
        steps += _use(results, with_baseline)
        steps += _undecided(results, compared)
        steps += _unsure(results, compared)
    return [*steps, *_unfinished(results), *_untuned(results)]


def _failed(results: Results) -> Iterator[Step]:
    failed = [run for run in results["runs"] if run["status"] == "failed"]
    if failed:
        are = "run" if len(failed) == 1 else "runs"
        yield Step(
            f"Look at why {len(failed)} {are} failed, below the table of the measures. The study's "
            "command tries them again, and keeps what is finished."
        )


def _guessing(results: Results) -> list[str]:
    """The labels of the methods that end no better than guessing, in most of their runs."""
    found = []
    classes, images = len(results["data"]["classes"]), results["data"]["test"]
    for method in results["methods"]:
        values = [run["values"] for run in results["runs"] if run["method"] == method["name"]]
        nothing = [each for each in values if no_better_than_guessing(each, classes, images)]
        if 2 * len(nothing) > len(values):
            found.append(method["label"])
    return found


def _come_to_nothing(results: Results) -> Iterator[Step]:
    if guessing := _guessing(results):
        yield Step(
            f"Mend the training of {_listed(guessing)}, which ended no better than guessing: "
            f"{DIVERGENCE_REMEDIES} may help. Till then nothing here speaks of it."
        )


def _too_few(results: Results) -> Iterator[Step]:
    yield Step(
        f"Train more seeds: from three on there is an answer, and {_SEEDS} are a good start.",
        _with_seeds(results["command"], _SEEDS),
    )


def _use(results: Results, contrasts: list[Contrast]) -> Iterator[Step]:
    """What to train with."""
    primary = results["measures"][0]
    sign = -1 if primary["better"] == "lower" else 1
    ranked = sorted(contrasts, key=lambda each: -sign * (each["mean"] or 0.0))
    of_kind = {
        kind: [
            each["method"]
            for each in ranked
            if each["conclusion"] == kind
            and _label(results, each["method"]) not in _guessing(results)
        ]
        for kind in ("better", "same", "worse", "undecided")
    }
    base = _label(results, results["baseline"])
    if better := of_kind["better"]:
        best = next(method for method in results["methods"] if method["name"] == better[0])
        others = (
            f" {_labels(results, better[1:])} also came out better; of several the first one is "
            "ahead in its mean alone, unless they were compared with each other."
            if len(better) > 1
            else ""
        )
        yield Step(
            f"Train with {best['label']}: on this data it is better than {base}.{others}",
            _criterion(results, best),
        )
        return
    if same := of_kind["same"]:
        margin = f"{(100 if primary['percent'] else 1) * results['margin']:.3g}"
        unit = " points" if primary["percent"] else ""
        yield Step(
            f"Take the simpler one, {base}: {_labels(results, same)} "
            f"{'gives' if len(same) == 1 else 'give'} the same to within {margin}{unit}. "
            "If another measure matters to you, look there."
        )
    elif of_kind["worse"] and not of_kind["undecided"]:
        yield Step(f"Stay with {base}: everything else came out worse.")
    elif of_kind["worse"]:
        yield Step(f"Leave {_labels(results, of_kind['worse'])} as it ran here: it is worse.")


def _undecided(results: Results, contrasts: list[Contrast]) -> Iterator[Step]:
    undecided = [
        each
        for each in contrasts
        if each["conclusion"] == "undecided" and len(each["seeds"]) >= FEWEST_PAIRS
    ]
    needed = {
        f"{_label(results, each['method'])} against {_label(results, each['against'])}": seeds
        for each in undecided
        if (seeds := each["seeds_to_decide"]) is not None and seeds > len(each["seeds"])
    }
    if not undecided:
        return
    within = [seeds for seeds in needed.values() if seeds <= _MANY]
    far = len(undecided) - len(within)
    if within:
        goal = max(within)
        which = [pair for pair, seeds in needed.items() if seeds <= _MANY]
        # Names of many comparisons make no sentence that can be read.
        all_open = f"all {len(which)} comparisons that are open"
        pairs = _listed(which) if far or len(which) < 3 else all_open
        rest = f" For {far} other comparison{'s' * (far != 1)} that is too few." if far else ""
        yield Step(
            f"Train up to {goal} seeds: were mean and spread to stay as they are, that would about "
            f"decide {pairs}.{rest} What is finished is kept. Judge when all are there, and not "
            "after each: who looks often enough finds a difference.",
            _with_seeds(results["command"], goal),
        )
    else:
        fewest = min(needed.values(), default=None)
        how_many = f"about {fewest:,}" if fewest is not None else "more than 1,000"
        yield Step(
            f"Expect no answer from a few more seeds: {how_many} would be needed for the first of "
            f"the {len(undecided)} open comparison{'s' * (len(undecided) != 1)}. If so small a "
            "difference does not matter to you, say so with a larger --margin before you look "
            "again; else choose by cost, or by another measure."
        )


def _unsure(results: Results, contrasts: list[Contrast]) -> Iterator[Step]:
    apart = {(each["method"], each["apart"]) for each in contrasts if each["apart"] is not None}
    if apart:
        runs = [f"{_label(results, method)}, seed {seed}" for method, seed in sorted(apart)]
        yield Step(
            f"Look at the curves of {_listed(runs)}: it lies far from the other seeds. Leave it "
            "out only for a reason that you could have named beforehand."
        )
    if any(each["skewed"] for each in contrasts):
        yield Step(
            "Where differences lean to one side (see the notes), ask for more seeds than the "
            "interval alone would, before you rely on a small difference."
        )


def _unfinished(results: Results) -> Iterator[Step]:
    labels = {method["name"]: method["label"] for method in results["methods"]}
    rising = still_rising(labels, results["runs"])
    epochs = results["recipe"].get("epochs")
    if rising and isinstance(epochs, int):
        yield Step(
            f"Train longer, say --epochs {2 * epochs} in a new --out: the accuracy of "
            f"{_listed(rising)} still rose at the end, and the order may change."
        )


def _untuned(results: Results) -> Iterator[Step]:
    can_differ = [each for each in results["methods"] if each["coefficients"] or each["settings"]]
    if results.get("tuning") or not can_differ or not _is_comparison(results["command"]):
        return
    if results.get("segmentation"):
        return  # strengths are chosen by how images are classified
    yield Step(
        "Before you rule a method out, or publish: add --tune 5, which tries each at five "
        "strengths on validation images, with as many trials for the baseline."
    )


def _criterion(results: Results, method: MethodFacts) -> str:
    """The line of code that trains with a method; empty for one that is not maxsup's own."""
    import maxsup
    from maxsup.methods import Training, get_method

    classes = len(results["data"]["classes"])
    try:
        training = Training(num_classes=classes, steps=1, steps_per_epoch=1)
        # Its class is the same at every strength, and a name may hold a learning rate too.
        kind = type(get_method(method["name"].partition(":")[0]).criterion(training))
    except ValueError:
        return ""  # a plug-in's that is not loaded here
    homes = {"maxsup": maxsup, "maxsup.losses": maxsup.losses}
    home = next((n for n, h in homes.items() if getattr(h, kind.__name__, None) is kind), None)
    if home is None:
        return ""
    values: list[str] = []
    if "num_classes" in inspect.signature(kind).parameters:
        values.append(f"num_classes={classes}")
    steps = ""
    for name, value in method["coefficients"].items():
        if isinstance(value, list):
            first, last = value
            values.append(f"{name}=maxsup.schedules.linear({first:g}, {last:g}, steps=steps)")
            steps = "\ncriterion.step()  # after each of all the steps of the optimiser"
        else:
            values.append(f"{name}={value!r}" if isinstance(value, str) else f"{name}={value:g}")
    return f"criterion = {home}.{kind.__name__}({', '.join(values)}){steps}"


def _is_comparison(command: str) -> bool:
    return command.startswith("maxsup compare ")


def _with_seeds(command: str, seeds: int) -> str:
    """The command with so many seeds; empty where it is none of the command line."""
    if not _is_comparison(command):
        return ""
    changed, found = re.subn(r"(?<=\s)--seeds[ =]\d+", f"--seeds {seeds}", command)
    return changed if found else f"{command} --seeds {seeds}"


def _label(results: Results, name: str) -> str:
    if name == "baseline":
        return "the baseline"
    return next(each["label"] for each in results["methods"] if each["name"] == name)


def _labels(results: Results, names: list[str]) -> str:
    return _listed([_label(results, name) for name in names])


def _listed(names: list[str]) -> str:
    """Names that may hold an "and" themselves; of many, the first few.

    >>> _listed(["A", "B"]), _listed(["A"]), _listed(list("ABCDEFG"))
    ('A; B', 'A', 'A; B; C; D and 3 more')
    """
    if len(names) < 6:
        return "; ".join(names)
    return f"{'; '.join(names[:4])} and {len(names) - 4} more"
