from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest

from maxsup._fields import settle_fields
from maxsup.data import DataSettings
from maxsup.recipes import get_recipe
from maxsup.study import RayCluster, StudySettings


@dataclass(frozen=True)
class Every:
    """A field of every kind that settings have."""

    flag: bool = False
    count: int = 1
    size: float = 1.0
    name: str = "n"
    kind: Literal["a", "b"] = "a"
    maybe: int | None = None
    pair: tuple[float, float] = (1.0, 2.0)
    names: tuple[str, ...] = ()
    other: object = None

    def __post_init__(self) -> None:
        settle_fields(self)


def test_values_of_the_types_stay_what_they_are() -> None:
    pair = (1, 2.5)
    found = Every(True, 3, 2, "x", "b", 7, pair, ("x",), other := object())
    assert found.pair is pair
    assert type(found.size) is int
    assert found.other is other


def test_numpys_numbers_and_lists_become_pythons() -> None:
    found = Every(
        count=np.int64(3),  # type: ignore[arg-type]
        size=np.float32(0.5),  # type: ignore[arg-type]
        maybe=np.int32(2),  # type: ignore[arg-type]
        pair=[1, 2],  # type: ignore[arg-type]
        names=["x"],  # type: ignore[arg-type]
    )
    assert found == Every(count=3, size=0.5, maybe=2, pair=(1, 2), names=("x",))
    assert (type(found.count), type(found.size), type(found.maybe)) == (int, float, int)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("flag", 1, "flag must be True or False; got 1"),
        ("count", True, "count must be a whole number; got True"),
        ("count", 1.0, "count must be a whole number; got 1.0"),
        ("size", float("nan"), "size must be a finite number; got nan"),
        ("size", None, "size must be a finite number; got None"),
        ("size", True, "size must be a finite number; got True"),
        ("name", None, "name must be text; got None"),
        ("kind", "c", "kind must be one of a, b; got 'c'"),
        ("kind", [], r"kind must be one of a, b; got \[\]"),
        ("maybe", "x", "maybe must be a whole number or None; got 'x'"),
        ("pair", (1.0,), r"pair must be 2 finite numbers; got \(1.0,\)"),
        ("pair", (1.0, float("inf")), "pair must be 2 finite numbers; got inf"),
        ("names", "ab", "names must be texts; got 'ab'"),
        ("names", ("a", 1), "names must be texts; got 1"),
    ],
)
def test_everything_else_is_refused_by_name(name: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=rf"^{message}\.$"):
        Every(**{name: value})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"methods": "maxsup"}, "methods must be texts; got 'maxsup'"),
        ({"methods": ()}, "A study needs at least one method"),
        ({"methods": ("maxsup", "maxsup")}, "twice came maxsup"),
        ({"seeds": (0, 0)}, "twice came 0"),
        ({"seeds": (-1,)}, r"seeds must lie in \[0, 4294967295\]; got -1"),
        ({"seeds": (2**63,)}, r"seeds must lie in \[0, 4294967295\]; got 9223372036854775808"),
        ({"seeds": (0.5,)}, "seeds must be whole numbers; got 0.5"),
        ({"seeds": 5}, "seeds must be whole numbers; got 5"),
    ],
)
def test_study_refuses_settings_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StudySettings(DataSettings("digits"), get_recipe("digits"), **changes)


def test_study_takes_lists_and_numpys_seeds() -> None:
    seeds: Any = [*np.arange(2)]
    study = StudySettings(DataSettings("digits"), get_recipe("digits"), ["maxsup"], seeds)  # type: ignore[arg-type]
    assert (study.methods, study.seeds) == (("maxsup",), (0, 1))
    assert type(study.seeds[0]) is int


def test_data_and_clusters_refuse_numbers_that_are_none() -> None:
    for value in (float("inf"), float("nan")):
        for name in ("validation", "test_fraction", "imbalance", "label_noise"):
            with pytest.raises(ValueError, match=f"{name} must be a finite number; got {value}"):
                DataSettings("digits", **{name: value})  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="cpus_per_run must be a finite number or None; got"):
            RayCluster(cpus_per_run=value)
    with pytest.raises(ValueError, match="data_seed must lie in"):
        DataSettings("digits", data_seed=-1)
