from types import SimpleNamespace
from typing import Any

import torch

from maxsup.study._densities import pooled_logits


def test_a_method_that_spreads_far_has_an_axis_of_its_own() -> None:
    def counts(*bins: int) -> torch.Tensor:
        found = torch.zeros(4000, dtype=torch.int64)
        found[list(bins)] = 1
        return found

    of: dict[str, torch.Tensor] = {
        "a": counts(2000, 2001, 2010),
        "b": counts(1990, 2000, 2005),
        "c": counts(2000, 2012),
        "wide": counts(0, 2000, 3999),
    }
    methods = list(of)
    finished: Any = {
        (name, 0): SimpleNamespace(records={"logit_counts": each}) for name, each in of.items()
    }
    found = pooled_logits(methods, finished)
    assert set(found) == set(of)
    assert found["a"]["edges"] == found["b"]["edges"] == found["c"]["edges"]
    assert len(found["a"]["edges"]) < 40
    assert found["wide"]["edges"][-1] - found["wide"]["edges"][0] > 100
    assert set(pooled_logits(methods[3:], finished)) == {"wide"}
