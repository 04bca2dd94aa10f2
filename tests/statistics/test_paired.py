import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from maxsup.statistics import (
    paired_difference,
    sign_flip_p,
    smallest_sign_flip_p,
    summarise,
)

numbers = st.floats(-100, 100, allow_nan=False).map(lambda value: round(value, 3))
SEEDS = range(6)
BASE = dict(enumerate([0.61, 0.62, 0.60, 0.63, 0.59, 0.60]))


def shifted(by):
    return {seed: value + by[seed % len(by)] for seed, value in BASE.items()}


def by_enumeration(differences):
    """In whole ten-thousandths, so that ties are ties."""
    exact = [round(10_000 * value) for value in differences]
    sums = [
        abs(sum(sign * value for sign, value in zip(signs, exact, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(exact))
    ]
    return sum(value >= abs(sum(exact)) for value in sums) / len(sums)


class TestSignFlip:
    @settings(deadline=None)
    @given(st.lists(numbers, min_size=1, max_size=10))
    def test_equals_the_enumeration(self, differences):
        assert sign_flip_p(differences) == by_enumeration(differences)

    @pytest.mark.parametrize("pairs", [1, 2, 5, 16])
    def test_rounding_cannot_drop_the_observed_signs(self, pairs):
        # 0.1 and its like have sums that depend on the order of adding.
        differences = 0.1 * np.arange(1, pairs + 1) + 1e-17
        assert sign_flip_p(differences) == smallest_sign_flip_p(pairs) == 2 / 2**pairs

    def test_many_pairs_are_sampled_repeatably(self):
        differences = np.linspace(-1.0, 1.6, 17)
        exact = by_enumeration(differences)
        assert 0.02 < exact < 0.5
        assert sign_flip_p(differences) == pytest.approx(exact, abs=4 * math.sqrt(exact / 1e5))
        assert sign_flip_p(differences) == sign_flip_p(differences)

    def test_many_pairs_never_give_0(self):
        assert sign_flip_p(np.ones(40)) == smallest_sign_flip_p(40) == 1 / 100_001

    def test_no_differences_give_1(self):
        assert sign_flip_p([0.0] * 5) == 1.0
        assert sign_flip_p([0.0] * 20) == 1.0

    @pytest.mark.parametrize("wrong", [[], [math.nan, 1.0], [[1.0]], 3.0])
    def test_bad_input_is_named(self, wrong):
        with pytest.raises(ValueError, match="differences must be one or more finite numbers"):
            sign_flip_p(wrong)

    def test_smallest_needs_a_pair(self):
        with pytest.raises(ValueError, match="pairs must be 1 or more; got 0"):
            smallest_sign_flip_p(0)


class TestPairedDifference:
    @settings(deadline=None)
    @given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=8))
    def test_equals_the_paired_t_test(self, pairs):
        method, baseline = map(np.array, zip(*pairs, strict=True))
        differences = method - baseline
        assume(np.ptp(differences) > 1e-6)
        found = paired_difference(dict(enumerate(method)), dict(enumerate(baseline)))
        n = len(pairs)
        half = stats.t.ppf(0.975, n - 1) * differences.std(ddof=1) / math.sqrt(n)
        assert found["pairs"] == n
        assert found["mean"] == pytest.approx(differences.mean(), abs=1e-12)
        assert found["low"] == pytest.approx(differences.mean() - half, rel=1e-9, abs=1e-11)
        assert found["high"] == pytest.approx(differences.mean() + half, rel=1e-9, abs=1e-11)
        assert found["p_t"] == pytest.approx(stats.ttest_rel(method, baseline).pvalue, rel=1e-6)
        assert found["p_sign_flip"] == by_enumeration(differences)
        assert found["p_sign_flip_smallest"] == 2 / 2**n

    @settings(deadline=None)
    @given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=8))
    def test_exchanging_the_two_flips_the_sign_alone(self, pairs):
        method, baseline = (dict(enumerate(values)) for values in zip(*pairs, strict=True))
        one, other = paired_difference(method, baseline), paired_difference(baseline, method)
        assert one["mean"] == -other["mean"]
        assert one["low"] == pytest.approx(-other["high"])
        assert one["p_t"] == pytest.approx(other["p_t"])
        assert one["p_sign_flip"] == other["p_sign_flip"]

    def test_pairs_are_by_seed_and_both_must_exist(self):
        method = {3: 5.0, 0: 1.0, 1: None, 2: math.nan, 5: math.inf, 7: 1.0}
        baseline = {0: 0.5, 1: 0.0, 2: 0.0, 3: 1.0, 5: 0.0, 8: 0.0}
        found = paired_difference(method, baseline)
        assert found["pairs"] == 2
        assert found["mean"] == (4.0 + 0.5) / 2

    def test_order_of_the_seeds_does_not_matter(self):
        method = shifted([0.013, 0.1, -0.07, 0.031, 0.2, 0.011])
        assert paired_difference(method, BASE) == paired_difference(
            dict(reversed(method.items())), BASE
        )

    def test_one_pair_has_a_mean_alone(self):
        found = paired_difference({0: 2.0}, {0: 0.5})
        assert found.pop("pairs") == 1
        assert found.pop("mean") == 1.5
        assert found.pop("seeds") == [0]
        assert set(found.values()) == {None}

    def test_no_pair_is_no_difference(self):
        assert paired_difference({0: 2.0}, {1: 0.5}) is None
        assert paired_difference({}, {}) is None

    def test_all_the_same_as_the_baseline(self):
        found = paired_difference(BASE, BASE)
        assert (found["mean"], found["low"], found["high"]) == (0.0, 0.0, 0.0)
        assert (found["p_t"], found["p_sign_flip"]) == (1.0, 1.0)

    def test_rounding_is_no_difference(self):
        method = {seed: value * (1 + 2e-16 * seed) for seed, value in BASE.items()}
        assert method != BASE
        assert paired_difference(method, BASE) == paired_difference(BASE, BASE)

    @pytest.mark.parametrize("by", [[0.1], [0.1, 0.1 + 1e-16], [-0.25]])
    def test_without_spread_there_is_no_t(self, by):
        found = paired_difference(shifted(by), BASE)
        assert found["low"] == found["mean"] == found["high"] == pytest.approx(by[0])
        assert found["p_t"] is None
        assert found["p_sign_flip"] == 2 / 2**6

    def test_a_little_spread_gives_an_interval_without_warning(self):
        # scipy warns of differences that are equal to some units in the last place.
        for exponent in range(-17, -6):
            found = paired_difference(shifted([0.1, 0.1 + 10.0**exponent]), BASE)
            assert found["low"] <= found["mean"] <= found["high"]

    def test_interval_covers_as_often_as_it_says(self):
        """With three seeds, ±1.96·s/√n would hold the truth in 81 to 82 % of studies."""
        generator = np.random.default_rng(0)
        truth, covered, studies = 0.3, 0, 2000
        for differences in generator.normal(truth, 1.0, size=(studies, 3)):
            found = paired_difference(dict(enumerate(differences)), dict.fromkeys(range(3), 0.0))
            covered += found["low"] <= truth <= found["high"]
        assert 0.93 < covered / studies < 0.97


class TestSummarise:
    def test_means_and_deviations_are_of_what_exists(self):
        found = summarise(
            {"base": {0: 1.0, 1: 2.0, 2: 6.0}, "one": {0: 4.0, 1: None}, "none": {0: math.nan}},
            "base",
        )
        assert list(found) == ["base", "one", "none"]
        assert {name: of["n"] for name, of in found.items()} == {"base": 3, "one": 1, "none": 0}
        assert [of["mean"] for of in found.values()] == [3.0, 4.0, None]
        assert found["base"]["std"] == pytest.approx(math.sqrt(7))
        assert [of["std"] for of in found.values()][1:] == [None, None]
        assert found["base"]["difference"] is None
        assert found["one"]["difference"]["mean"] == 3.0
        assert found["none"]["difference"] is None

    def test_the_same_value_every_time_has_no_deviation(self):
        assert summarise({"base": dict.fromkeys(range(3), 0.1)}, "base")["base"]["std"] == 0.0

    def test_a_baseline_without_runs_compares_nothing(self):
        found = summarise({"base": dict.fromkeys(SEEDS), "one": BASE, "two": BASE}, "base")
        assert [of["difference"] for of in found.values()] == [None, None, None]

    def test_unknown_baseline_is_named(self):
        with pytest.raises(
            ValueError, match="baseline must be one of the methods, one, two; got 'b"
        ):
            summarise({"one": BASE, "two": BASE}, "base")
