"""The conclusions on a study's contrasts, in sentences, and what makes them less sure."""

from collections.abc import Callable, Mapping, Sequence

from maxsup.results import numbers
from maxsup.results._analysis import DEFAULT_PRIMARY, Analysed
from maxsup.results._wording import called, listed
from maxsup.results.schema import ImageContrast, ImageEvidence, MeasureFacts
from maxsup.statistics import FEWEST_PAIRS, Conclusion, Contrast

_IN_FULL = 6
"""The most comparisons that a sentence gives the intervals of; of more, the tables have them."""


class ContrastWords:
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
        self.in_full = len(analysed.contrasts) <= _IN_FULL

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
        sentences = self._ranked(with_baseline)
        sentences += [self._alone(each) for each in beside] if self.in_full else self._pairs(beside)
        return " ".join(sentences)

    def procedure_note(self) -> list[str]:
        """By what the conclusions were drawn."""
        if all(len(each["seeds"]) < FEWEST_PAIRS for each in self.contrasts):
            return []
        count = len(self.contrasts)
        together = (
            "The interval"
            if count == 1
            else f"The {count} intervals{'' if self.in_full else ', which the table has,'} hold "
            "the truth all together in 95 of 100 such studies; one"
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
            else f"Unlike the others, that of {listed(map(self._both, unpaired))} is"
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
            possible = (
                f"these differences are possible: {listed(ranges)}"
                if self.in_full
                else "differences are possible of which the section on test images has the "
                "intervals"
            )
            notes.append(
                f"Over other test images of the same population as well as other seeds, not these "
                f"{crossed[0]['images']:,} alone, {possible}. They are shown to weigh the "
                f"conclusions, and decide nothing.{self._for_these_images(crossed)}"
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
                f"{listed(counts)}. It speaks of these trained models, not of the methods, which "
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
            f" What is concluded of {listed(open_ones)} holds on these images; on others of the "
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
        base, measure = self._of(self.baseline), self._measure(False)
        openings: dict[Conclusion, str] = {
            "better": f"Better than {base} in {measure}",
            "worse": f"Worse than {base} in {measure}",
            "same": f"The same as {base} to within {self._margin()}",
            "undecided": f"Undecided against {base}",
        }
        return self._by_conclusion(
            contrasts, openings, lambda each: f"{self.labels[each['method']]}, "
        )

    def _pairs(self, contrasts: list[Contrast]) -> list[str]:
        """The same for many contrasts of two methods by name."""
        measure = self._measure(False)
        openings: dict[Conclusion, str] = {
            "better": f"Better in {measure}",
            "worse": f"Worse in {measure}",
            "same": f"The same to within {self._margin()}",
            "undecided": "Undecided",
        }
        words: dict[Conclusion, str] = {
            "better": "than",
            "worse": "than",
            "same": "as",
            "undecided": "against",
        }
        return self._by_conclusion(
            contrasts,
            openings,
            lambda each: (
                f"{self.labels[each['method']]} {words[each['conclusion']]} "
                f"{self._of(each['against'])}, "
            ),
        )

    def _by_conclusion(
        self,
        contrasts: list[Contrast],
        openings: Mapping[Conclusion, str],
        name: Callable[[Contrast], str],
    ) -> list[str]:
        """A sentence for each conclusion, the contrasts in it with the best first."""
        better = self.primary["better"] != "lower"
        ranked = sorted(contrasts, key=lambda each: -(each["mean"] or 0.0) * (1 if better else -1))
        evidence = self._evidence if self.in_full else self._in_brief
        sentences = []
        for conclusion, opening in openings.items():
            of_kind = [each for each in ranked if each["conclusion"] == conclusion]
            if not of_kind:
                continue
            named = "; ".join(name(each) + evidence(each) for each in of_kind)
            judged = [each for each in of_kind if each["low"] is not None]
            if conclusion == "undecided" and judged and not self.in_full:
                opening += f" ({self._seeds_needed(judged)} seeds would decide)"
            sentences.append(f"{opening}: {named}.")
        return sentences

    def _seeds_needed(self, contrasts: list[Contrast]) -> str:
        """How many seeds would decide these contrasts: the fewest, and the most."""
        needed = [each["seeds_to_decide"] for each in contrasts]
        known = [each for each in needed if each is not None]
        if not known:
            return "more than 1,000"
        fewest = f"{min(known):,}"
        most = f"{max(known):,}" if len(known) == len(needed) else "more than 1,000"
        return f"about {fewest}" if fewest == most else f"about {fewest} to {most}"

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
            less = ", less than the margin" if self._is_small(contrast) else ""
            return f"by {self._by(contrast)} ({interval}, {seeds}{less})"
        more = self._seeds_needed([contrast])
        return f"{self._by(contrast)} ({interval} is possible after {seeds}; {more} would decide)"

    def _in_brief(self, contrast: Contrast) -> str:
        """The difference without its interval, but with what makes it count for less."""
        if len(contrast["seeds"]) < FEWEST_PAIRS or contrast["low"] is None:
            return self._evidence(contrast)
        limits = ["less than the margin"] if self._is_small(contrast) else []
        if "unpaired" not in contrast and numbers.seeds_used(contrast, self.seeds):
            limits.append(self._paired_seeds(contrast))
        return self._by(contrast) + (f" ({', '.join(limits)})" if limits else "")

    def _is_small(self, contrast: Contrast) -> bool:
        """Whether a difference was found that is less than the margin."""
        found = contrast["conclusion"] in ("better", "worse")
        return found and abs(contrast["mean"] or 0.0) < self.margin

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
            f"The differences of {listed(skewed)} lean to one side. Student's t takes them for "
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
            f"The mean difference of {listed(small)} is smaller than one of the {test_images:,} "
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
        return called(name, self.labels)

    def _both(self, contrast: Contrast | ImageContrast) -> str:
        return f"{self.labels[contrast['method']]} and {self._of(contrast['against'])}"
