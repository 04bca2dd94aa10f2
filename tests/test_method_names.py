import re

import pytest

from maxsup._method_names import MethodName, Ramp, canonical, directory_name, shortest


@pytest.mark.parametrize(
    ("typed", "name", "directory"),
    [
        ("maxsup", "maxsup", "maxsup"),
        ("maxsup:alpha=0.05", "maxsup:alpha=0.05", "maxsup-alpha-0.05"),
        ("maxsup:alpha=.050", "maxsup:alpha=0.05", "maxsup-alpha-0.05"),
        ("maxsup: alpha = 5e-2", "maxsup:alpha=0.05", "maxsup-alpha-0.05"),
        ("maxsup:alpha=0.10..0.20", "maxsup:alpha=0.1..0.2", "maxsup-alpha-0.1-to-0.2"),
        ("maxsup:alpha=0.1..0.1", "maxsup:alpha=0.1", "maxsup-alpha-0.1"),
        ("focal:gamma=2.0", "focal:gamma=2", "focal-gamma-2"),
        ("x:alpha=-0", "x:alpha=0", "x-alpha-0"),
        ("x:alpha=0.00001", "x:alpha=1e-5", "x-alpha-1e-5"),
        ("acls:margin=6,alpha=0.1", "acls:alpha=0.1,margin=6", "acls-alpha-0.1-margin-6"),
        ("acls:pos-lambda=2", "acls:pos_lambda=2", "acls-pos_lambda-2"),
        ("ols:variant=fine-grained", "ols:variant=fine-grained", "ols-variant-fine-grained"),
    ],
)
def test_name_has_one_spelling_and_one_directory(typed: str, name: str, directory: str) -> None:
    assert canonical(typed) == name
    assert canonical(name) == name
    assert directory_name(typed) == directory
    assert re.fullmatch(r"[a-z0-9_.-]*[a-z0-9]", directory)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("maxsup:", "write METHOD:NAME=VALUE"),
        ("maxsup:0.1", "write METHOD:NAME=VALUE"),
        ("maxsup:alpha", "write METHOD:NAME=VALUE"),
        ("maxsup:alpha=", "write METHOD:NAME=VALUE"),
        ("maxsup:=0.1", "write METHOD:NAME=VALUE"),
        (":alpha=0.1", "write METHOD:NAME=VALUE"),
        ("maxsup:alpha=0.1,", "write METHOD:NAME=VALUE"),
        ("acls:alpha=0.1;margin=6", "neither a number nor a word"),
        ("maxsup:alpha=0.1->0.2", "neither a number nor a word"),
        ("maxsup:alpha=0,1", "write METHOD:NAME=VALUE"),
        ("maxsup:alpha=../../etc", "no FROM..TO"),
        ("maxsup:alpha=0.1..", "no FROM..TO"),
        ("maxsup:alpha=0...1", "no FROM..TO"),
        ("maxsup:alpha=0.1..0.2..0.3", "no FROM..TO"),
        ("maxsup:alpha=a..b", "no FROM..TO"),
        ("maxsup:alpha=0.1,alpha=0.2", "sets alpha twice"),
    ],
)
def test_name_that_cannot_be_read_is_refused(typed: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(typed)) + ".*" + re.escape(message)):
        MethodName.read(typed)


@pytest.mark.parametrize("number", [0.1, 1 / 3, 1e-7, 1.5e300, 123456789.125, 5e-324, -2.5])
def test_shortest_number_gives_the_number_back(number: float) -> None:
    assert float(shortest(number)) == number
    assert MethodName.read(f"x:a={shortest(number)}").coefficients == (("a", number),)
    ramp = MethodName.read(f"x:a={Ramp(number, 7.0)}").coefficients
    assert ramp == (("a", Ramp(number, 7.0)),)


def test_different_values_have_different_directories() -> None:
    values = ("0.1", "0.11", "0.1..0.2", "0.2..0.1", "1e-5", "1e5", "-1", "cifar", "1")
    names = [f"x:alpha={value}" for value in values]
    assert len({directory_name(name).casefold() for name in names}) == len(names)
