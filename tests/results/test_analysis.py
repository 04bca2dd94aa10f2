import pytest

from maxsup.evaluation import measure_facts
from maxsup.results import find_primary, margin_of, read_contrasts

METHODS = ["baseline", "focal", "maxsup"]


def test_the_default_primary_is_the_first_measure() -> None:
    assert find_primary(measure_facts(), "accuracy") == measure_facts()[0]


@pytest.mark.parametrize("wrong", ["train_accuracy", "test_r2", "", "acuracy"])
def test_what_has_no_better_direction_on_the_test_set_is_not_primary(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"primary: .* there are accuracy, nll, ece"):
        find_primary(measure_facts(), wrong)


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), float("inf")])
def test_margin(wrong: float) -> None:
    with pytest.raises(ValueError, match="margin must be a finite number larger than 0"):
        margin_of(measure_facts()[0], wrong)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["maxsup"], "is no pair; write METHOD/METHOD, such as maxsup/baseline"),
        (["maxsup/mixup"], "names 'mixup', which is none of the methods; there are baseline, fo"),
        (["maxsup/maxsup"], "compares a method with itself"),
        (["maxsup/focal", "focal/maxsup"], "is there already"),
    ],
)
def test_words_that_are_no_contrasts(words: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_contrasts(words, METHODS)
