"""Agrees, contradicts, cannot tell: by sign and interval, and honest in the long run."""

import numpy as np
import pytest

from maxsup.paper import Claim, outcome_of
from maxsup.statistics import Contrast, judge


def contrast_of(differences: list[float]) -> Contrast:
    values = {
        "a": {seed: 70 + value for seed, value in enumerate(differences)},
        "b": dict.fromkeys(range(len(differences)), 70.0),
    }
    return judge(values, [("a", "b")], margin=1e-12)[0]


@pytest.mark.parametrize(
    ("differences", "sign", "outcome", "reason"),
    [
        ([1.0, 1.1, 0.9], 1, "agrees", "above 0, as is claimed"),
        ([1.0, 1.1, 0.9], -1, "contradicts", "above 0, what is claimed below"),
        ([-1.0, -1.1, -0.9], -1, "agrees", "below 0, as is claimed"),
        ([1.0, -1.1, 0.3], 1, "cannot tell", "has 0 in it"),
        ([1.0, 1.1, 0.9], 0, "cannot tell", "Nothing is claimed of the sign"),
        ([1.0, 1.1], 1, "cannot tell", "takes 3 seeds that both have finished; there are 2"),
        ([1.0], 1, "cannot tell", "there is 1"),
        ([1.0, 1.0, 1.0], 1, "cannot tell", "the same in every seed"),
        ([], 1, "cannot tell", "Nothing has been measured yet"),
    ],
)
def test_outcomes(differences: list[float], sign: int, outcome: str, reason: str) -> None:
    found, why = outcome_of(Claim("a", "b", sign), contrast_of(differences))
    assert found == outcome
    assert reason in why


def test_without_a_difference_a_wrong_outcome_is_as_rare_as_the_interval_says() -> None:
    """Of no difference at all, one in twenty intervals leaves 0 out, half of these on each side."""
    generator = np.random.default_rng(0)
    studies = 4_000
    counts = {"agrees": 0, "contradicts": 0, "cannot tell": 0}
    for differences in generator.normal(0, 0.3, (studies, 5)):
        outcome, _ = outcome_of(Claim("a", "b", 1), contrast_of(differences.tolist()))
        counts[outcome] += 1
    # Four standard deviations of a binomial count.
    assert counts["agrees"] + counts["contradicts"] == pytest.approx(0.05 * studies, abs=55)
    assert counts["contradicts"] == pytest.approx(0.025 * studies, abs=40)
