"""What a study's numbers say, in words."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, stdev
from typing import cast

from maxsup.results import numbers
from maxsup.results._analysis import DEFAULT_PRIMARY, Analysed, Analysis, analyse
from maxsup.results._guessing import no_better_than_guessing
from maxsup.results._shown import shown
from maxsup.results.schema import (
    Asked,
    DataFacts,
    MeasureFacts,
    MethodFacts,
    PredictionsFacts,
    Results,
    Run,
    Verdict,
)
from maxsup.statistics import FEWEST_PAIRS, Conclusion, Contrast, Summary, summarise

_FITTED = 0.995
"""Training accuracy from which label smoothing and MaxSup have next to nothing to differ in."""
_LAST_PART = 0.1
"""The last part of a training, in which a finished one no longer gains."""
_GUESSING_NOTES = 3
"""How many of the runs that came to nothing are named."""
_SHORTEST = 5
"""Epochs that a training must have for it to be said that it had not finished."""


def verdict(
    data: DataFacts,
    methods: Sequence[MethodFacts],
    baseline: str,
    asked: Asked,
    seeds: Sequence[int],
    runs: Sequence[Run],
    analysed: Analysed,
    *,
    predictions: PredictionsFacts | None = None,
) -> Verdict:
    """The answer in one or two sentences, and what a reader must know to weigh it."""
    labels = {method["name"]: method["label"] for method in methods}
    words = _Words(labels, baseline, analysed)
    return Verdict(
        sentence=words.sentence(),
        notes=[
            *_asked_note(asked, labels, runs),
            *asked["left_out"],
            _untuned_note(methods) if predictions is None else _foreign_note(predictions),
            *words.unpaired_note(),
            *words.procedure_note(),
            *words.contrast_notes(data["test"]),
            *_noise_note(data),
            *_fitted_note(analysed.summary.get("train_accuracy", {})),
            *_unfinished_note(labels, runs),
            *_failure_note(runs),
            *_guessing_notes(data, runs),
            *_same_note(labels, baseline, runs, predictions),
            *_scope_note(seeds),
            *data["notes"],
        ],
    )


def analyse_again(results: Results, analysis: Analysis) -> Results:
    """The same numbers under another question: another baseline, margin, contrasts or measure.

    Args:
        results: The results of a study; they are not changed.
        analysis: What is asked.

    Raises:
        ValueError: The primary measure does not exist or has no better direction, the margin is not
            more than 0, or a contrast or the baseline names another method.

    Example:
        >>> from maxsup.results import read_results
        >>> results = read_results("runs/digits/results.json")  # doctest: +SKIP
        >>> stricter = analyse_again(results, Analysis("baseline", margin=0.2))  # doctest: +SKIP
    """
    methods = [method["name"] for method in results["methods"]]
    analysed = analyse(results["runs"], results["measures"], methods, analysis)
    timed: dict[str, dict[int, float | None]] = {method: {} for method in methods}
    for row in results["timings"]["runs"]:
        timed[row["method"]][row["seed"]] = row["seconds_per_epoch"]
    changed = {
        "baseline": analysis.baseline,
        "measures": analysed.measures,
        "summary": analysed.summary,
        "margin": analysed.margin,
        "contrasts": analysed.contrasts,
        "verdict": verdict(
            results["data"],
            results["methods"],
            analysis.baseline,
            results["asked"],
            results["seeds"],
            results["runs"],
            analysed,
            predictions=results.get("predictions"),
        ),
        "timings": {**results["timings"], "seconds_per_epoch": summarise(timed, analysis.baseline)},
    }
    return shown(cast(Results, {**results, **changed}))


class _Words:
    """How the conclusions on a study's contrasts are said."""

    def __init__(self, labels: dict[str, str], baseline: str, analysed: Analysed) -> None:
        self.labels = labels
        self.baseline = baseline
        self.primary: MeasureFacts = analysed.measures[0]
        self.summary = analysed.summary[self.primary["name"]]
        self.margin = analysed.margin
        self.contrasts = analysed.contrasts

    def sentence(self) -> str:
        """The answer."""
        if not self.contrasts:
            return self._single()
        compared = [each for each in self.contrasts if each["mean"] is not None]
        if not compared:
            return (
                "Nothing can be compared: no method has a finished run beside one of "
                f"{self._of(self.contrasts[0]['against'])}."
            )
        if all(len(each["seeds"]) < FEWEST_PAIRS for each in compared):
            return self._too_few(compared)
        with_baseline = [each for each in compared if each["against"] == self.baseline]
        beside = [each for each in compared if each["against"] != self.baseline]
        sentences = self._ranked(with_baseline) + [self._alone(each) for each in beside]
        return " ".join(sentences)

    def procedure_note(self) -> list[str]:
        """By what the conclusions were drawn."""
        if all(len(each["seeds"]) < FEWEST_PAIRS for each in self.contrasts):
            return []
        count = len(self.contrasts)
        together = (
            "The interval"
            if count == 1
            else f"The {count} intervals hold the truth all together in 95 of 100 such studies; one"
        )
        return [
            f"{together} that lies beyond 0 decides, and one within ±{self._margin()} says that "
            f"the difference is too small to matter (the margin, --margin). {self._measure()} "
            "is the one primary measure; all others are shown to explore, and decide nothing."
        ]

    def unpaired_note(self) -> list[str]:
        """Which contrasts are weaker than they could be."""
        unpaired = [each for each in self.contrasts if "unpaired" in each]
        if not unpaired:
            return []
        which = (
            "All comparisons are"
            if len(unpaired) == len(self.contrasts)
            else f"Unlike the others, that of {_listed(map(self._both, unpaired))} is"
        )
        return [
            f"{which} unpaired, by Welch's interval: no seed joins the runs, or none was to. What "
            "a seed does to both methods alike stays in the spread, so this is weaker than "
            "differences within seeds."
        ]

    def contrast_notes(self, test_images: int) -> list[str]:
        """What makes a conclusion less sure than it looks, contrast by contrast."""
        return [
            *self._apart_note(),
            *self._skewed_note(),
            *self._spread_note(),
            *self._one_image_note(test_images),
        ]

    def _single(self) -> str:
        mean = self.summary[self.baseline]["mean"]
        if mean is None:
            return "Its only run failed."
        reached = numbers.number(mean, self.primary) + (" %" if self.primary["percent"] else "")
        return (
            f"{self.labels[self.baseline]}: {self._measure(False)} {reached}; there is nothing to "
            "compare it with."
        )

    def _too_few(self, compared: list[Contrast]) -> str:
        pairs = max(len(each["seeds"]) for each in compared)
        furthest = max(compared, key=lambda each: abs(each["mean"] or 0.0))
        return (
            f"{'One seed concludes' if pairs == 1 else 'Two seeds conclude'} nothing, whatever the "
            f"difference; {self.labels[furthest['method']]} came out {self._by(furthest)} against "
            f"{self._of(furthest['against'])} in {self._measure(False)}. From three seeds on there "
            "is an answer."
        )

    def _ranked(self, contrasts: list[Contrast]) -> list[str]:
        """A sentence for each of the four conclusions that is there, with its methods."""
        if not contrasts:
            return []
        base, measure = self._of(self.baseline), self._measure(False)
        better = self.primary["better"] != "lower"
        ranked = sorted(contrasts, key=lambda each: -(each["mean"] or 0.0) * (1 if better else -1))
        openings: dict[Conclusion, str] = {
            "better": f"Better than {base} in {measure}: ",
            "worse": f"Worse than {base} in {measure}: ",
            "same": f"The same as {base} to within {self._margin()}: ",
            "undecided": f"Undecided against {base}: ",
        }
        sentences = []
        for conclusion, opening in openings.items():
            of_kind = [each for each in ranked if each["conclusion"] == conclusion]
            if of_kind:
                named = (
                    f"{self.labels[each['method']]}, {self._evidence(each)}" for each in of_kind
                )
                sentences.append(opening + "; ".join(named) + ".")
        return sentences

    def _alone(self, contrast: Contrast) -> str:
        """A sentence on a contrast of two methods by name."""
        method, against = self.labels[contrast["method"]], self._of(contrast["against"])
        verbs: dict[Conclusion, str] = {
            "better": f"{method} is better than {against}",
            "worse": f"{method} is worse than {against}",
            "same": f"{method} is the same as {against} to within {self._margin()}",
            "undecided": f"{method} against {against} is undecided",
        }
        return f"{verbs[contrast['conclusion']]}: {self._evidence(contrast)}."

    def _evidence(self, contrast: Contrast) -> str:
        seeds = _seeds_of(contrast)
        if len(contrast["seeds"]) < FEWEST_PAIRS:
            pairs = len(contrast["seeds"])
            return f"{self._by(contrast)} in {pairs} seed{'s' * (pairs != 1)}, too few to conclude"
        if contrast["low"] is None:
            return (
                f"by {self._by(contrast)} in each of {seeds}, so there is no spread to judge by; "
                f"the same in {contrast['seeds_to_decide']} seeds would decide"
            )
        if contrast["low"] == contrast["high"]:
            return f"by {self._by(contrast)} in each of {seeds}"
        interval = numbers.interval(contrast, self.primary)
        if contrast["conclusion"] != "undecided":
            small = abs(contrast["mean"] or 0.0) < self.margin
            less = ", less than the margin" if small and contrast["conclusion"] != "same" else ""
            return f"by {self._by(contrast)} ({interval}, {seeds}{less})"
        needed = contrast["seeds_to_decide"]
        more = f"about {needed:,}" if needed is not None else "more than 1,000"
        return f"{self._by(contrast)} ({interval} is possible after {seeds}; {more} would decide)"

    def _apart_note(self) -> list[str]:
        found = [each for each in self.contrasts if each["apart"] is not None]
        return [
            f"Seed {each['apart']} lies far from the others in the difference of "
            f"{self._both(each)}: look at that run before you trust the mean."
            for each in found
        ]

    def _skewed_note(self) -> list[str]:
        skewed = [self._both(each) for each in self.contrasts if each["skewed"]]
        if not skewed:
            return []
        return [
            f"The differences of {_listed(skewed)} lean to one side. Student's t takes them for "
            "normal, and the sign-flip test for symmetric; with skewed ones both find differences "
            "that are not there in up to one of five studies."
        ]

    def _spread_note(self) -> list[str]:
        return [
            f"{self._both(each)} differ by the same amount in every seed. Without a spread "
            + (
                "the order of their values alone was judged."
                if "unpaired" in each
                else "their signs alone were judged: of n seeds, one in 2^(n − 1) agrees by chance."
            )
            for each in self.contrasts
            if each["without_spread"]
        ]

    def _one_image_note(self, test_images: int) -> list[str]:
        if self.primary["name"] != DEFAULT_PRIMARY or not test_images:
            return []
        small = [
            self._both(each)
            for each in self.contrasts
            if each["mean"] is not None and 0 < abs(each["mean"]) < 1 / test_images
        ]
        if not small:
            return []
        return [
            f"The mean difference of {_listed(small)} is smaller than one of the {test_images:,} "
            "test images."
        ]

    def _by(self, contrast: Contrast) -> str:
        unit = " points" if self.primary["percent"] else ""
        return numbers.number(contrast["mean"], self.primary, signed=True) + unit

    def _margin(self) -> str:
        shown = 100 * self.margin if self.primary["percent"] else self.margin
        return f"{shown:.3g}" + (" points" if self.primary["percent"] else "")

    def _measure(self, begins: bool = True) -> str:
        label = self.primary["label"]
        return label if begins or label[:2].isupper() else label[0].lower() + label[1:]

    def _of(self, name: str) -> str:
        return "the baseline" if name == "baseline" else self.labels[name]

    def _both(self, contrast: Contrast) -> str:
        return f"{self.labels[contrast['method']]} and {self._of(contrast['against'])}"


def _seeds_of(contrast: Contrast) -> str:
    """How many seeds a contrast is over, in words."""
    if "unpaired" not in contrast:
        return f"{len(contrast['seeds'])} seeds"
    left, right = map(len, contrast["unpaired"])
    return f"{left} and {right} seeds"


def _foreign_note(predictions: PredictionsFacts) -> str:
    """What cannot be known of a training that was another program's."""
    by = predictions["made_by"]
    made = "by another program" if by is None else f"by {by}"
    return (
        f"The predictions were made {made}. Whether methods of one seed shared their start and "
        "their batches, whether they differ in nothing else, what was tuned for which of them, and "
        "whether the test set chose anything, cannot be seen here."
    )


def _untuned_note(methods: Sequence[MethodFacts]) -> str:
    """At which coefficients the methods ran, and for which of them the recipe was tuned."""
    named = [method["label"] for method in methods if ":" in method["name"]]
    can_differ = [method for method in methods if method["coefficients"] or method["settings"]]
    recipe = "the recipe was tuned for none of the methods"
    if not can_differ:
        return f"Nothing was tuned on this data, and {recipe}."
    if not named:
        ran = "Every method ran at its own default"
    elif len(named) == len(can_differ):
        ran = "Every method ran at the values that were named for it"
    else:
        ran = (
            f"{_listed(named)} ran at the values that were named, every other method at its own "
            "default"
        )
    return (
        f"{ran}: no coefficient was tuned on this data, and {recipe}. At its best another may lead."
    )


def _listed(names: Iterable[str]) -> str:
    """Names that may hold an "and" themselves."""
    return "; ".join(names)


def _asked_note(asked: Asked, labels: Mapping[str, str], runs: Sequence[Run]) -> list[str]:
    """Which part the command asked for, where more is shown."""
    kept: dict[str, list[int]] = {}
    for run in runs:
        if run["method"] not in asked["methods"] or run["seed"] not in asked["seeds"]:
            kept.setdefault(run["method"], []).append(run["seed"])
    if not kept:
        return []
    by_seeds: dict[str, list[str]] = {}
    for name, seeds in kept.items():
        by_seeds.setdefault(_seeds(seeds), []).append(labels[name])
    others = "; ".join(f"{_together(names)} with {seeds}" for seeds, names in by_seeds.items())
    return [
        f"The command asked for {_together([labels[name] for name in asked['methods']])} with "
        f"{_seeds(asked['seeds'])}. All else here was finished by earlier commands and is kept, in "
        f"every mean and comparison too: {others}."
    ]


def _together(names: list[str]) -> str:
    """Names in a row, none of which is mistaken for a part of another.

    >>> _together(["A", "B", "C"]), _together(["A", "B, α 0.1", "B, α 0.2"])
    ('A, B and C', 'A and B, α 0.1 and B, α 0.2')
    """
    if any("," in name for name in names):
        return " and ".join(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _seeds(seeds: list[int]) -> str:
    """Seeds in words.

    >>> _seeds([3]), _seeds([2, 0, 1]), _seeds([0, 2])
    ('seed 3', 'seeds 0 to 2', 'seeds 0 and 2')
    """
    first, *_ = ordered = sorted(seeds)
    if len(ordered) > 2 and ordered == list(range(first, first + len(ordered))):
        return f"seeds {first} to {ordered[-1]}"
    return ("seed " if len(ordered) == 1 else "seeds ") + _together([str(s) for s in ordered])


def _noise_note(data: DataFacts) -> list[str]:
    if not data["label_noise"]:
        return []
    return [
        f"{data['noisy_labels']:,} of {data['train']:,} training labels were replaced at random by "
        "a wrong class, the same ones for every method and seed; all measures but the training "
        "accuracy use the true labels."
    ]


def _fitted_note(train_accuracy: dict[str, Summary]) -> list[str]:
    means = [s["mean"] for s in train_accuracy.values() if s["mean"] is not None]
    if not means or max(means) < _FITTED:
        return []
    return [
        f"The models fit their training labels almost entirely (up to {100 * max(means):.1f} %). "
        "Label smoothing and MaxSup differ only where a model is wrong in training, so on this "
        "data they are nearly the same objective."
    ]


def _unfinished_note(labels: dict[str, str], runs: Sequence[Run]) -> list[str]:
    """Name the methods whose accuracy still rose at the end by more than it spreads over seeds."""
    rising = []
    for name, label in labels.items():
        curves = [
            [row.get(DEFAULT_PRIMARY) for row in run["history"]]
            for run in runs
            if run["method"] == name and run["status"] == "finished"
        ]
        ends = [
            (curve[-1 - max(1, round(_LAST_PART * len(curve)))], curve[-1])
            for curve in curves
            if len(curve) >= _SHORTEST
        ]
        gains = [last - before for before, last in ends if before is not None and last is not None]
        finals = [last for _, last in ends if last is not None]
        if len(gains) >= FEWEST_PAIRS and fmean(gains) > stdev(finals):
            rising.append(label)
    if not rising:
        return []
    return [
        f"Training had not finished: in its last tenth the test accuracy of {_listed(rising)} "
        "still rose by more than it spreads over the seeds. More --epochs may change the order."
    ]


def _failure_note(runs: Sequence[Run]) -> list[str]:
    failed = [run for run in runs if run["status"] == "failed"]
    if not failed:
        return []
    return [
        f"{len(failed)} of {len(runs)} runs failed and are left out of every mean; a method that "
        "fails on hard seeds looks better than it is."
    ]


def _guessing_notes(data: DataFacts, runs: Sequence[Run]) -> list[str]:
    """A sentence for each run that has come to nothing, of many for the first few."""
    notes = [
        f"{run['method']}, seed {run['seed']} {note}."
        for run in runs
        if (note := no_better_than_guessing(run["values"], len(data["classes"]), data["test"]))
    ]
    more = len(notes) - _GUESSING_NOTES
    if more <= 0:
        return notes
    return [*notes[:_GUESSING_NOTES], f"{more} more of the {len(runs)} runs ended like that."]


def _same_note(
    labels: dict[str, str],
    baseline: str,
    runs: Sequence[Run],
    predictions: PredictionsFacts | None = None,
) -> list[str]:
    """Name the methods that did what the baseline does, to the last digit."""
    values: dict[str, dict[int, dict[str, float | None]]] = {name: {} for name in labels}
    for run in runs:
        if run["values"]:
            values[run["method"]][run["seed"]] = run["values"]
    same = [
        label
        for name, label in labels.items()
        if name != baseline and values[name] and values[name].items() <= values[baseline].items()
    ]
    if not same:
        return []
    base = "the baseline" if baseline == "baseline" else labels[baseline]
    if predictions is not None:
        return [
            f"{' and '.join(same)} gave exactly the numbers of {base}, seed by seed: are these the "
            "same predictions under two names, or did the script not look at the method?"
        ]
    return [
        f"{' and '.join(same)} gave exactly the numbers of {base}, seed by seed: on this data "
        "their penalty never set in (a margin, for instance, was wider than the logits differ)."
    ]


def _scope_note(seeds: Sequence[int]) -> list[str]:
    if len(seeds) < 2:
        return []
    return [
        "Intervals speak of other seeds (initial weights, order, augmentation) on this data and "
        "split, not of other data."
    ]
