import itertools

import numpy as np
import pytest

from maxsup.statistics import expected_best


@pytest.mark.parametrize("better", ["higher", "lower"])
@pytest.mark.parametrize("values", [[0.3], [0.3, 0.1], [2.0, 2.0, 5.0], [0.4, -1.0, 3.0, 2.5]])
def test_expected_best_is_the_mean_over_all_draws(values: list[float], better: str) -> None:
    best = max if better == "higher" else min
    found = expected_best(values, better)  # type: ignore[arg-type]
    for draws, expectation in enumerate(found, start=1):
        each = [best(drawn) for drawn in itertools.product(values, repeat=draws)]
        assert expectation == pytest.approx(np.mean(each), abs=1e-12)
    assert found == expected_best(values[::-1], better)  # type: ignore[arg-type]


def test_expected_best_of_nothing() -> None:
    assert expected_best([], "lower") == []
