"""The tables as printed: nothing is lost, typed twice, or contradicts itself."""

import re

import pytest

from maxsup.methods import get_method
from maxsup.paper import Entry, Measure, all_entries, get_entry
from maxsup.paper._entry import Column, Experiment, read_printed
from maxsup.recipes import all_recipes, get_recipe

ENTRIES = {entry.name: entry for entry in all_entries()}


def test_every_table_and_figure_of_the_paper_is_there() -> None:
    numbers = {f"table{n}" for n in range(1, 10)} | {f"figure{n}" for n in range(1, 6)}
    assert numbers <= {*ENTRIES}
    assert all(name.startswith("later-") for name in {*ENTRIES} - numbers)
    assert {name for name, entry in ENTRIES.items() if entry.later} == {*ENTRIES} - numbers


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=[*ENTRIES])
def test_methods_and_recipes_exist_and_each_column_claims_something(entry: Entry) -> None:
    for method in entry.methods:
        assert get_method(method).label
    for column in entry.columns:
        experiment: Experiment | None = column.experiment
        while experiment is not None:
            get_recipe(experiment.recipe).adapted(**experiment.changes)
            experiment = experiment.backbones
        claims = entry.claims(column.name)
        assert claims
        rows = entry.methods_of(column.name)
        assert {name for claim in claims for name in (claim.method, claim.against)} <= {*rows}
        for claim in claims:
            if claim.printed:
                assert claim.sign in (0, 1 if claim.printed > 0 else -1)


@pytest.mark.parametrize(
    ("name", "column", "methods"),
    [
        ("table4", "cifar100-resnet18", 6),
        ("table4", "imagenet-mobilenetv2", 6),
        ("table7", "imagenet-resnet101", 6),
        ("table5", "imagenet-deit-small", 5),
        ("table2", "r2-val", 6),
    ],
)
def test_maxsup_is_compared_with_the_baseline_and_with_label_smoothing(
    name: str, column: str, methods: int
) -> None:
    entry = ENTRIES[name]
    claims = {
        (each.method.split(":")[0], each.against.split(":")[0]) for each in entry.claims(column)
    }
    assert ("maxsup", "baseline") in claims
    assert ("maxsup", "label-smoothing") in claims
    assert len(entry.methods_of(column)) == methods
    assert len(entry.claims(column)) == methods


def test_table_8_asks_what_the_schedule_adds() -> None:
    claims = {
        (each.method, each.against): each
        for each in ENTRIES["table8"].claims("imagenet-deit-small")
    }
    rise = claims["maxsup:alpha=0.1..0.2", "maxsup:alpha=0.1"]
    assert rise.printed == pytest.approx(76.58 - 76.12)
    assert ("label-smoothing:alpha=0.1..0.2", "label-smoothing:alpha=0.1") in claims


@pytest.mark.parametrize("recipe", all_recipes(), ids=lambda recipe: recipe.name)
def test_what_a_recipe_says_is_printed_is_printed(recipe: object) -> None:
    """A recipe's page names the paper's accuracies too; those are the table's."""
    import importlib

    module = importlib.import_module(
        "maxsup.recipes." + recipe.name.replace("-", "_")  # type: ignore[attr-defined]
    )
    said = set(re.findall(r"\b(\d\d\.\d\d) ± (0\.\d\d)", module.__doc__ or ""))
    printed = {
        (f"{number.value:.2f}", f"{number.spread:.2f}")
        for entry in ENTRIES.values()
        for number in entry.printed.values()
        if number.spread is not None
    }
    assert said <= printed


def test_r2_that_does_not_follow_is_computed_from_the_printed_distances() -> None:
    (text,) = [
        remark.text for remark in ENTRIES["table9"].remarks if "do not follow" in remark.text
    ]
    assert ".4431" in text
    assert ".4587" in text
    assert ".5508" in text
    # The others do, to the last digit or so.
    printed = ENTRIES["table9"].printed
    for method in ENTRIES["table9"].methods:
        for part in ("train", "val"):
            within = printed[method, f"within-{part}"].value
            total = printed[method, f"total-{part}"].value
            named = (method.split(":")[0], part) in (
                ("baseline", "val"),
                ("label-smoothing", "train"),
                ("zipf-label-smoothing", "train"),
            )
            off = abs(1 - within / total - printed[method, f"r2-{part}"].value)
            assert (off > 3e-4) == named


def test_a_remark_stands_beside_the_comparisons_it_is_about() -> None:
    table = ENTRIES["table4"]
    claims = {(each.method, each.against): each for each in table.claims("imagenet-resnet18")}
    penalty = table.remarks_on(claims["logit-penalty", "baseline"], "imagenet-resnet18")
    zipf = table.remarks_on(claims["zipf-label-smoothing", "baseline"], "imagenet-resnet18")
    assert any("2e-3" in text for text in penalty)
    assert not any("2e-3" in text for text in zipf)
    assert not any("best epoch" in text for text in penalty)  # that is of CIFAR-100's columns


def test_remarks_on_a_method_stand_in_its_rows_of_every_table_and_in_no_other() -> None:
    for entry in ENTRIES.values():
        for column in entry.columns if entry.printed else ():
            for claim in entry.claims(column.name):
                said = entry.remarks_on(claim, column.name)
                for method, word in (
                    ("logit-penalty", "β = 2e-3"),
                    ("online-label-smoothing", "port of online"),
                    ("zipf-label-smoothing", "code is published for Zipf"),
                ):
                    assert any(word in text for text in said) == (claim.method == method)
                assert len({*said}) == len(said)


def test_a_printed_difference_within_its_spread_is_said() -> None:
    table = ENTRIES["table7"]
    claims = {each.method: each for each in table.claims("imagenet-mobilenetv2")}
    small = claims["label-smoothing:alpha=0.1"]
    assert small.printed == pytest.approx(-0.02)
    assert any("smaller than" in text for text in table.remarks_on(small, "imagenet-mobilenetv2"))
    large = claims["logit-penalty"]
    assert not any("smaller than" in t for t in table.remarks_on(large, "imagenet-mobilenetv2"))


def test_a_name_that_is_not_known_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"no 'tabel4'\. Did you mean table4\?"):
        get_entry("tabel4")


def test_printed_tables_are_checked() -> None:
    with pytest.raises(ValueError, match="baseline: 1 numbers for 2 columns"):
        read_printed("a b\nbaseline 1.0")
    experiment = Experiment("x", "digits", "digits")
    with pytest.raises(ValueError, match="no such row or column"):
        Entry(
            "x", "X", "", (Column("a", "a", experiment, Measure("test_accuracy", "")),),
            printed=read_printed("b\nbaseline 1.0"),
        )  # fmt: skip
