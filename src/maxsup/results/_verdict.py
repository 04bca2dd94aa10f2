"""What a study's numbers say, in words."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import cast

from maxsup.results import numbers
from maxsup.results._also import also_differs
from maxsup.results._analysis import DEFAULT_PRIMARY, Analysed, Analysis, analyse
from maxsup.results._guessing import no_better_than_guessing
from maxsup.results._shown import shown
from maxsup.results._tuned import tuned_contrasts, tuning_notes
from maxsup.results._unfinished import still_rising
from maxsup.results.schema import (
    Asked,
    DataFacts,
    ImageContrast,
    ImageEvidence,
    MeasureFacts,
    MethodFacts,
    PredictionsFacts,
    Results,
    Run,
    Tuning,
    Verdict,
)
from maxsup.statistics import FEWEST_PAIRS, Conclusion, Contrast, summarise

_FITTED = 0.005
"""Fraction wrong in training at which label smoothing and MaxSup have next to nothing to differ
in."""
_DIFFER_WHERE_WRONG = ("label-smoothing", "maxsup")
_GUESSING_NOTES = 3
"""How many of the runs that came to nothing are named."""


def verdict(
    data: DataFacts,
    methods: Sequence[MethodFacts],
    baseline: str,
    asked: Asked,
    seeds: Sequence[int],
    runs: Sequence[Run],
    analysed: Analysed,
    *,
    images: ImageEvidence | None = None,
    tuning: Tuning | None = None,
    predictions: PredictionsFacts | None = None,
) -> Verdict:
    """The answer in one or two sentences, and what a reader must know to weigh it."""
    labels = {method["name"]: method["label"] for method in methods}
    words = _Words(labels, baseline, seeds, analysed)
    return Verdict(
        sentence=words.sentence(),
        also=also_differs(analysed, labels, runs),
        notes=[
            *_asked_note(asked, labels, runs),
            *asked["left_out"],
            *_strength_notes(methods, tuning, predictions),
            *words.unpaired_note(),
            *words.procedure_note(),
            *words.contrast_notes(data["test"]),
            *_noise_note(data),
            *_fitted_note(labels, runs),
            *_unfinished_note(labels, runs),
            *_failure_note(labels, runs, analysed.contrasts),
            *_guessing_notes(data, runs),
            *_same_note(labels, baseline, runs, predictions),
            *_scope_note(seeds, data),
            *words.image_notes(images),
            *data["notes"],
        ],
    )


def analyse_again(
    results: Results,
    analysis: Analysis,
    images: Callable[[list[Run], Analysed], ImageEvidence] | None = None,
) -> Results:
    """The same numbers under another question: another baseline, margin, contrasts or measure.

    Args:
        results: The results of a study; they are not changed.
        analysis: What is asked.
        images: Tells what the test images add, from the runs' outputs; asked where contrasts or
            primary measure are others, as what the results say of that is kept otherwise.

    Raises:
        ValueError: The primary measure does not exist or has no better direction, the margin is not
            more than 0, or a contrast or the baseline names another method.

    Example:
        >>> from maxsup.results import read_results
        >>> results = read_results("runs/digits/results.json")  # doctest: +SKIP
        >>> stricter = analyse_again(results, Analysis("baseline", margin=0.2))  # doctest: +SKIP
    """
    methods = [method["name"] for method in results["methods"]]
    tuning = results.get("tuning")
    if tuning is not None and not analysis.contrasts:
        contrasts = tuned_contrasts(tuning, methods, analysis.baseline)
        analysis = replace(analysis, contrasts=contrasts)
    analysed = analyse(results["runs"], results["measures"], methods, analysis)
    evidence = _same_evidence(results, analysed)
    if evidence is None and images is not None:
        evidence = images(results["runs"], analysed)
    timed: dict[str, dict[int, float | None]] = {method: {} for method in methods}
    for row in results["timings"]["runs"]:
        timed[row["method"]][row["seed"]] = row["seconds_per_epoch"]
    changed = {
        "baseline": analysis.baseline,
        "measures": analysed.measures,
        "summary": analysed.summary,
        "margin": analysed.margin,
        "contrasts": analysed.contrasts,
        "images": evidence,
        "verdict": verdict(
            results["data"],
            results["methods"],
            analysis.baseline,
            results["asked"],
            results["seeds"],
            results["runs"],
            analysed,
            images=evidence,
            tuning=tuning,
            predictions=results.get("predictions"),
        ),
        "timings": {**results["timings"], "seconds_per_epoch": summarise(timed, analysis.baseline)},
    }
    return shown(cast(Results, {**results, **changed}))


def _same_evidence(results: Results, analysed: Analysed) -> ImageEvidence | None:
    """What was told of the test images, unless another question was asked then."""
    asked = [(each["method"], each["against"]) for each in analysed.contrasts]
    before = [(each["method"], each["against"]) for each in results["contrasts"]]
    evidence = results.get("images")
    if evidence is None or evidence["measure"] != analysed.measures[0]["name"] or asked != before:
        return None
    return evidence


class _Words:
    """How the conclusions on a study's contrasts are said."""

    def __init__(
        self, labels: dict[str, str], baseline: str, seeds: Sequence[int], analysed: Analysed
    ) -> None:
        self.labels = labels
        self.seeds = seeds
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

    def image_notes(self, images: ImageEvidence | None) -> list[str]:
        """What other test images would leave of it; it decides nothing."""
        if images is None:
            return []
        crossed = [each for each in images["contrasts"] if each["low"] is not None]
        notes = []
        if crossed:
            ranges = (
                f"{self._both(each)} {numbers.interval(each, self.primary)}" for each in crossed
            )
            notes.append(
                f"Over other test images of the same population as well as other seeds, not these "
                f"{crossed[0]['images']:,} alone, these differences are possible: "
                f"{_listed(ranges)}. They are shown to weigh the conclusions, and decide nothing."
                f"{self._for_these_images(crossed)}"
            )
        tested = [each for each in images["contrasts"] if each["p_mcnemar"] is not None]
        if tested:
            counts = (
                f"{self.labels[each['method']]} alone is right on {each['only_method']:,}, "
                f"{self._of(each['against'])} alone on {each['only_against']:,} "
                f"(p = {numbers.p_value(each['p_mcnemar'])})".replace("= <", "<")
                for each in tested
            )
            notes.append(
                f"McNemar's exact test on the {tested[0]['images']:,} test images: "
                f"{_listed(counts)}. It speaks of these trained models, not of the methods, which "
                "another seed may bring into another order."
            )
        return notes

    def _for_these_images(self, crossed: Sequence[ImageContrast]) -> str:
        """Name the contrasts that are decided on these images and may differ on others."""
        ranges = {(each["method"], each["against"]): each for each in crossed}
        open_ones = []
        for contrast in self.contrasts:
            found = ranges.get((contrast["method"], contrast["against"]))
            if found is None or contrast["conclusion"] not in ("better", "worse"):
                continue
            if (found["low"] or 0.0) <= 0 <= (found["high"] or 0.0):
                open_ones.append(self._both(contrast))
        if not open_ones:
            return ""
        return (
            f" What is concluded of {_listed(open_ones)} holds on these images; on others of the "
            "kind there may be no difference, or one the other way."
        )

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
        seeds = self._paired_seeds(contrast)
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

    def _paired_seeds(self, contrast: Contrast) -> str:
        """How many seeds a contrast is over, and which where these are not all."""
        if "unpaired" in contrast:
            left, right = map(len, contrast["unpaired"])
            return f"{left} and {right} seeds"
        some = numbers.seeds_used(contrast, self.seeds)
        return f"{len(contrast['seeds'])} seeds" + (f", {some}" if some else "")

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

    def _both(self, contrast: Contrast | ImageContrast) -> str:
        return f"{self.labels[contrast['method']]} and {self._of(contrast['against'])}"


def _strength_notes(
    methods: Sequence[MethodFacts], tuning: Tuning | None, predictions: PredictionsFacts | None
) -> list[str]:
    """At which strengths the methods ran, as far as that is known."""
    if predictions is not None:
        return [_foreign_note(predictions)]
    return [_untuned_note(methods)] if tuning is None else tuning_notes(tuning, methods)


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
    alike = (
        "the same ones for every method, others with each seed"
        if data.get("redrawn")
        else "the same ones for every method and seed"
    )
    return [
        f"{data['noisy_labels']:,} of {data['train']:,} training labels were replaced at random by "
        f"a wrong class, {alike}; all measures but the training accuracy use the true labels."
    ]


def _fitted_note(labels: dict[str, str], runs: Sequence[Run]) -> list[str]:
    """Say so where label smoothing and MaxSup came to be nearly the same objective."""
    wrong = {}
    for name, label in labels.items():
        if name.partition(":")[0] not in _DIFFER_WHERE_WRONG:
            continue
        ends = [
            end
            for run in runs
            if run["method"] == name
            and run["history"]
            and (end := run["history"][-1].get("train_wrong")) is not None
        ]
        if ends:
            wrong[label] = fmean(ends)
    fitted = [label for label, fraction in wrong.items() if fraction <= _FITTED]
    if not fitted:
        return []
    most = 100 * max(wrong[label] for label in fitted)
    return [
        f"In the last epoch {_listed(fitted)} got {'at most ' * (len(fitted) > 1)}{most:.2g} % of "
        "the training images wrong, as they were trained on. Label smoothing and MaxSup differ "
        "only where a model is wrong in training, so by then they were nearly the same objective."
    ]


def _unfinished_note(labels: dict[str, str], runs: Sequence[Run]) -> list[str]:
    rising = still_rising(labels, runs)
    if not rising:
        return []
    return [
        f"Training had not finished: in its last tenth the test accuracy of {_listed(rising)} "
        "still rose by more than it spreads over the seeds. More --epochs may change the order."
    ]


def _failure_note(
    labels: Mapping[str, str], runs: Sequence[Run], contrasts: Sequence[Contrast]
) -> list[str]:
    """Which runs failed, and what that means for those that are left."""
    failed = [run for run in runs if run["status"] == "failed"]
    if not failed:
        return []
    counts = []
    fractions = {}
    for name, label in labels.items():
        of_method = [run["seed"] for run in failed if run["method"] == name]
        tried = sum(run["method"] == name for run in runs)
        fractions[name] = len(of_method) / tried if tried else 0.0
        if of_method:
            counts.append(f"{label} {len(of_method)} of {tried} ({_seeds(of_method)})")
    for_survivors = [
        labels[each["method" if each["conclusion"] == "better" else "against"]]
        for each in contrasts
        if each["conclusion"] in ("better", "worse")
        and (fractions[each["method"]] - fractions[each["against"]])
        * (1 if each["conclusion"] == "better" else -1)
        > 0
    ]
    named = _listed(dict.fromkeys(for_survivors))
    return [
        f"{len(failed)} of {len(runs)} runs failed: {_listed(counts)}. Means are over the seeds "
        "that finished, differences over those that both methods finished. A method that fails is "
        "not better for its survivors: the seeds that it fails on may be the hard ones."
        + (f" {named} came out better and failed more often." if named else "")
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


def _scope_note(seeds: Sequence[int], data: DataFacts) -> list[str]:
    """Of which population an interval over seeds speaks."""
    redrawn = data.get("redrawn")
    if len(seeds) < 2:
        return []
    if not redrawn:
        return [
            "Intervals speak of other seeds (initial weights, order, augmentation) on this data "
            "and split, the same test images among them, not of other data."
        ]
    return [
        f"Drawn anew for each seed, the same for all methods: {_together(redrawn)}. Intervals "
        "speak of other seeds and other draws of that kind from this data. Such draws have images "
        "in common, so on other data the differences spread further (Nadeau and Bengio 2003)."
    ]
