import itertools
import math

import numpy as np
import pytest
from scipy import stats

from maxsup.statistics import judge, unpaired_difference

RNG = np.random.default_rng(0)
A = {k: float(v) for k, v in enumerate(RNG.normal(0.7, 0.01, 5))}
B = {k + 10: float(v) for k, v in enumerate(RNG.normal(0.72, 0.03, 4))}


def test_difference_is_that_of_welch():
    found = unpaired_difference(B, A)
    test = stats.ttest_ind(list(B.values()), list(A.values()), equal_var=False)
    interval = test.confidence_interval(0.95)
    assert found["mean"] == pytest.approx(np.mean(list(B.values())) - np.mean(list(A.values())))
    assert (found["low"], found["high"]) == pytest.approx((interval.low, interval.high))
    assert found["p_t"] == pytest.approx(test.pvalue)
    assert found["pairs"] == 4


@pytest.mark.parametrize("comparisons", [1, 3])
def test_interval_is_widened_for_all_contrasts(comparisons):
    values = {"a": A, "b": B, "c": A, "d": A}
    contrasts = [("b", "a"), ("c", "a"), ("d", "a")][:comparisons]
    found = judge(values, contrasts, margin=0.005)[0]
    test = stats.ttest_ind(list(B.values()), list(A.values()), equal_var=False)
    interval = test.confidence_interval(1 - 0.05 / comparisons)
    assert (found["low"], found["high"]) == pytest.approx((interval.low, interval.high))
    assert found["unpaired"] == ([10, 11, 12, 13], [0, 1, 2, 3, 4])
    assert found["seeds"] == [10, 11, 12, 13]


def test_seeds_in_common_are_paired_unless_it_is_asked_otherwise():
    values = {"a": {0: 0.70, 1: 0.75, 2: 0.80}, "b": {0: 0.71, 1: 0.7602, 2: 0.8099}}
    (paired,) = judge(values, [("b", "a")], margin=0.001)
    (apart,) = judge(values, [("b", "a")], margin=0.001, unpaired=True)
    assert (paired["conclusion"], apart["conclusion"]) == ("better", "undecided")
    assert "unpaired" not in paired
    assert apart["mean"] == pytest.approx(paired["mean"])


def test_so_many_seeds_as_are_said_would_decide():
    # n values each with the same mean and variance as those that there are.
    (found,) = judge({"a": A, "b": B}, [("b", "a")], margin=0.0001)
    assert found["conclusion"] == "undecided"
    of_a, of_b = list(A.values()), list(B.values())
    variances = np.var(of_a, ddof=1), np.var(of_b, ddof=1)

    def decides(n):
        degrees = (n - 1) * sum(variances) ** 2 / sum(v**2 for v in variances)
        half = stats.t.ppf(0.975, degrees) * math.sqrt(sum(variances) / n)
        return half < abs(found["mean"])

    assert found["seeds_to_decide"] == next(filter(decides, itertools.count(3)))


def test_values_without_spread_are_judged_by_their_order():
    def conclude(seeds):
        values = {
            "a": dict.fromkeys(range(seeds), 0.5),
            "b": dict.fromkeys(range(50, 50 + seeds), 1),
        }
        return judge(values, [("b", "a")], margin=0.01)[0]

    few, more = conclude(3), conclude(4)
    assert (few["conclusion"], few["p"], few["without_spread"]) == ("undecided", 2 / 20, True)
    assert few["seeds_to_decide"] == 4
    assert (more["conclusion"], more["p"], more["low"]) == ("better", 2 / 70, 0.5)
    same = {"a": {0: 0.5, 1: 0.5, 2: 0.5}, "b": {3: 0.5, 4: 0.5, 5: 0.5}}
    assert judge(same, [("b", "a")], margin=0.01)[0]["conclusion"] == "same"
