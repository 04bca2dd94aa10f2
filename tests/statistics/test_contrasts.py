import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from maxsup.statistics import default_contrasts, judge, seeds_to_decide


def by_seed(values):
    return dict(enumerate(values))


def judge_differences(differences, *, margin=0.5, comparisons=1, better="higher"):
    """One contrast whose differences are known, among as many that say nothing."""
    values = {"base": by_seed([0.0] * len(differences)), "mine": by_seed(differences)}
    values |= {f"idle-{k}": {} for k in range(comparisons - 1)}
    contrasts = [(name, "base") for name in values if name != "base"]
    return judge(values, contrasts, margin=margin, better=better)[0]


class TestInterval:
    @settings(deadline=None)
    @given(
        st.lists(st.integers(-9999, 9999).map(lambda v: v / 1000), min_size=3, max_size=12),
        st.integers(1, 13),
    )
    def test_is_students_at_bonferronis_level(self, differences, comparisons):
        found = judge_differences(differences, comparisons=comparisons)
        values = np.array(differences)
        if np.ptp(values) == 0:
            return
        test = stats.ttest_1samp(values, 0.0)
        interval = test.confidence_interval(1 - 0.05 / comparisons)
        assert found["low"] == pytest.approx(interval.low, abs=1e-9)
        assert found["high"] == pytest.approx(interval.high, abs=1e-9)
        assert found["p"] == pytest.approx(min(1, comparisons * test.pvalue), abs=1e-9)

    @settings(deadline=None)
    @given(
        st.lists(st.integers(-20, 20).map(lambda v: v / 10), min_size=1, max_size=8),
        st.sampled_from([0.1, 0.5, 3.0]),
        st.integers(1, 13),
        st.sampled_from(["higher", "lower"]),
    )
    def test_never_disagrees_with_the_conclusion(self, differences, margin, comparisons, better):
        found = judge_differences(
            differences, margin=margin, comparisons=comparisons, better=better
        )
        low, high = found["low"], found["high"]
        if low is None or high is None:
            assert found["conclusion"] == "undecided"
            return
        up, down = ("better", "worse") if better == "higher" else ("worse", "better")
        expected = (
            up
            if low > 0
            else down
            if high < 0
            else "same"
            if -margin <= low and high <= margin
            else "undecided"
        )
        assert found["conclusion"] == expected
        assert (found["p"] < 0.05) == (low > 0 or high < 0)


class TestConclusion:
    def test_two_seeds_conclude_nothing(self):
        found = judge_differences([5.0, 5.001])
        assert (found["conclusion"], found["low"], found["p"]) == ("undecided", None, None)
        assert found["seeds"] == [0, 1]

    def test_without_a_pair_there_is_no_mean(self):
        found = judge({"a": {0: 1.0}, "b": {1: 1.0}}, [("a", "b")], margin=1.0)[0]
        assert (found["seeds"], found["mean"], found["conclusion"]) == ([], None, "undecided")

    def test_the_same_to_within_the_margin(self):
        differences = [0.1, -0.1, 0.05, -0.05, 0.0]
        assert judge_differences(differences, margin=0.5)["conclusion"] == "same"
        assert judge_differences(differences, margin=0.01)["conclusion"] == "undecided"

    def test_a_small_certain_difference_is_one(self):
        assert judge_differences([0.1, 0.11, 0.09, 0.1], margin=0.5)["conclusion"] == "better"

    def test_no_difference_at_all_is_the_same(self):
        found = judge_differences([0.0] * 3, margin=1e-9)
        assert (found["conclusion"], found["low"], found["high"]) == ("same", 0.0, 0.0)
        assert not found["without_spread"]

    @pytest.mark.parametrize(
        ("seeds", "comparisons", "conclusion"),
        [(5, 1, "undecided"), (6, 1, "better"), (6, 2, "undecided"), (7, 2, "better")],
    )
    def test_one_difference_in_all_seeds_is_judged_by_its_signs(
        self, seeds, comparisons, conclusion
    ):
        found = judge_differences([0.3] * seeds, comparisons=comparisons)
        assert found["without_spread"]
        assert found["p"] == min(1.0, comparisons * 2 / 2**seeds)
        assert found["conclusion"] == conclusion
        if conclusion == "undecided":
            assert (
                judge_differences([0.3] * found["seeds_to_decide"], comparisons=comparisons)[
                    "conclusion"
                ]
                == "better"
            )

    def test_a_lower_measure_may_be_better(self):
        differences = [-0.3, -0.31, -0.29]
        assert judge_differences(differences, better="lower")["conclusion"] == "better"
        assert judge_differences(differences)["conclusion"] == "worse"

    def test_failed_seeds_are_left_out_and_the_others_named(self):
        values = {
            "base": {0: 1.0, 1: None, 2: 1.0, 3: 1.0, 4: 1.0},
            "mine": {0: 2.0, 1: 2.0, 2: 2.1, 3: math.nan, 4: 1.9},
        }
        assert judge(values, [("mine", "base")], margin=0.1)[0]["seeds"] == [0, 2, 4]


class TestSeedsToDecide:
    @pytest.mark.parametrize("mean", [0.0, 0.2, 1.0])
    @pytest.mark.parametrize("comparisons", [1, 5])
    def test_is_the_first_number_that_decides(self, mean, comparisons):
        needed = seeds_to_decide(mean, 1.0, 0.6, comparisons)
        for n, decides in ((needed - 1, False), (needed, True)):
            half = stats.t.ppf(1 - 0.025 / comparisons, n - 1) / math.sqrt(n)
            assert bool(half < mean or half + mean <= 0.6) == decides

    def test_out_of_reach(self):
        assert seeds_to_decide(0.001, 1.0, 0.001) is None


class TestWarnings:
    def test_a_seed_that_lies_apart_is_named(self):
        assert judge_differences([0.1, 0.12, 0.09, 5.0, 0.11])["apart"] == 3
        assert judge_differences([0.1, 0.12, 0.09, 0.13, 0.11])["apart"] is None

    def test_skewed_differences_are_told(self):
        skewed = [-0.1, -0.12, -0.09, -0.1, -0.11, -0.08, -0.5, -2.0]
        assert judge_differences(skewed)["skewed"]
        assert not judge_differences([-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3])["skewed"]

    def test_normal_differences_rarely_look_so(self):
        draws = np.random.default_rng(0).normal(size=(400, 6)).tolist()
        judged = [judge_differences(each) for each in draws]
        assert sum(each["skewed"] for each in judged) / 400 < 0.08
        assert 0.02 < sum(each["apart"] is not None for each in judged) / 400 < 0.09


class TestInput:
    @pytest.mark.parametrize("margin", [0.0, -1.0, math.nan, math.inf])
    def test_margin(self, margin):
        with pytest.raises(ValueError, match="margin must be a finite number larger than 0"):
            judge({"a": {}, "b": {}}, [("a", "b")], margin=margin)

    def test_names(self):
        with pytest.raises(ValueError, match=r"contrasts name 'c', which is none of .* a, b"):
            judge({"a": {}, "b": {}}, [("a", "c")], margin=1.0)
        with pytest.raises(ValueError, match="needs two methods; got 'a' twice"):
            judge({"a": {}, "b": {}}, [("a", "a")], margin=1.0)


def test_default_contrasts_hold_maxsup_against_label_smoothing():
    names = [tuple(pair) for pair in default_contrasts(["maxsup", "x", "label-smoothing"], "x")]
    assert names == [("maxsup", "x"), ("label-smoothing", "x"), ("maxsup", "label-smoothing")]
    assert default_contrasts(["label-smoothing", "maxsup"], "label-smoothing") == [
        ("maxsup", "label-smoothing")
    ]


def test_the_whole_decision_errs_as_rarely_as_it_promises():
    """1,000 studies of five seeds and four rivals that do not differ: at most 5 % may decide."""
    generator = np.random.default_rng(1)
    names = ["base", "a", "b", "c", "d"]
    wrong = 0
    for study in generator.normal(size=(1000, 5, 5)).tolist():
        values = {name: by_seed(row) for name, row in zip(names, study, strict=True)}
        judged = judge(values, [(name, "base") for name in names[1:]], margin=0.1)
        wrong += any(each["conclusion"] in ("better", "worse") for each in judged)
    assert 0.005 < wrong / 1000 < 0.06


@pytest.mark.parametrize(
    ("methods", "baseline", "rivals"),
    [
        # One of each: they are compared, whatever their strengths.
        ("b maxsup:alpha=0.05 label-smoothing", "b", ["maxsup:alpha=0.05 label-smoothing"]),
        # Several: those of equal strength.
        (
            "b maxsup maxsup:alpha=0.1 maxsup:alpha=0.1..0.3 label-smoothing:alpha=0.1 "
            "label-smoothing:alpha=0.1..0.3",
            "b",
            [
                "maxsup:alpha=0.1 label-smoothing:alpha=0.1",
                "maxsup:alpha=0.1..0.3 label-smoothing:alpha=0.1..0.3",
            ],
        ),
        ("b maxsup:alpha=0.1 maxsup:alpha=0.2 label-smoothing", "b", []),
        ("b maxsup maxsup:alpha=0.2 label-smoothing", "b", ["maxsup label-smoothing"]),
        ("b maxsup-like label-smoothing", "b", []),
        # Teachers and backbones that were trained with the two.
        (
            "m:backbone=none m:backbone=baseline m:backbone=label-smoothing m:backbone=maxsup",
            "m:backbone=none",
            ["m:backbone=maxsup m:backbone=label-smoothing"],
        ),
        (
            "b m:backbone=maxsup-alpha-0.1-to-0.2 m:backbone=label-smoothing m:backbone=mine",
            "b",
            ["m:backbone=maxsup-alpha-0.1-to-0.2 m:backbone=label-smoothing"],
        ),
        (
            "b m:teacher=maxsup m:teacher=maxsup-alpha-0.1 m:teacher=label-smoothing-alpha-0.1",
            "b",
            ["m:teacher=maxsup-alpha-0.1 m:teacher=label-smoothing-alpha-0.1"],
        ),
        # With the same objective and the same learning rate.
        (
            "b m:backbone=maxsup,lr=0.1 m:backbone=label-smoothing n:backbone=label-smoothing "
            "m:backbone=label-smoothing,lr=0.1 n:backbone=maxsup",
            "b",
            [
                "m:backbone=maxsup,lr=0.1 m:backbone=label-smoothing,lr=0.1",
                "n:backbone=maxsup n:backbone=label-smoothing",
            ],
        ),
        ("b m:backbone=maxsup n:backbone=label-smoothing m:backbone=maxsup-like", "b", []),
        (
            "m:backbone=label-smoothing m:backbone=maxsup",
            "m:backbone=label-smoothing",
            [],
        ),
        # What holds the baseline is there already.
        ("label-smoothing:alpha=0.1 maxsup:alpha=0.1 maxsup", "label-smoothing:alpha=0.1", []),
    ],
)
def test_default_contrasts_hold_maxsup_against_label_smoothing_of_its_strength(
    methods, baseline, rivals
):
    names = methods.split()
    found = [" ".join(pair) for pair in default_contrasts(names, baseline)]
    assert found == [f"{name} {baseline}" for name in names if name != baseline] + rivals
