"""What is reported of a model is computed, and what is computed is reported."""

import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from maxsup import evaluation
from maxsup.evaluation import (
    MEASURES,
    RECORDS,
    Accumulation,
    Context,
    Found,
    Measure,
    Outputs,
    Sizes,
    measure_facts,
    measure_outputs,
    measures_on,
    records_on,
)
from maxsup.measures import Classification
from maxsup.results import Results
from maxsup.study import compare

SPLITS = ("train", "validation", "test")


def random_outputs(samples: int = 60, classes: int = 5, features: int | None = 7) -> Outputs:
    generator = torch.Generator().manual_seed(samples)
    labels = torch.arange(samples) % classes
    wrong = torch.where(torch.arange(samples) % 4 == 0, (labels + 1) % classes, labels)
    return Outputs(
        2 * torch.randn(samples, classes, generator=generator),
        wrong,
        labels,
        torch.arange(samples),
        None if features is None else torch.randn(samples, features, generator=generator),
    )


def assert_equal(first: Found, second: Found) -> None:
    assert first.values.keys() == second.values.keys()
    for name, value in first.values.items():
        assert value == pytest.approx(second.values[name], rel=1e-12, nan_ok=True), name
    assert first.records.keys() == second.records.keys()
    for name, tensor in first.records.items():
        assert torch.allclose(tensor, second.records[name], rtol=1e-12), name


def everything(outputs: list[Outputs], split: str = "test") -> Found:
    return measure_outputs(outputs, split, MEASURES, RECORDS)  # type: ignore[arg-type]


def test_measures_that_are_described_are_those_that_are_computed() -> None:
    computed = [
        name
        for split in SPLITS
        for name in measure_outputs([random_outputs()], split, measures_on(split)).values  # type: ignore[arg-type]
    ]
    described = [facts["name"] for facts in measure_facts()]
    assert sorted(computed) == sorted(described)
    assert len(set(described)) == len(described)


def test_measures_are_described_in_full() -> None:
    for facts in measure_facts():
        assert facts["label"]
        assert facts["help"]
        assert "{" not in facts["help"]
        assert facts["name"].startswith(f"{facts['split']}_")
    labels = [facts["label"] for facts in measure_facts()]
    assert len(set(labels)) == len(labels)
    assert [facts["name"] for facts in measure_facts() if facts["headline"]] == [
        "test_accuracy",
        "test_nll_scaled",
        "test_aurc",
        "test_confidence_wrong",
        "test_r2",
        "train_accuracy",
    ]


def test_measures_do_not_depend_on_how_outputs_are_divided() -> None:
    outputs = random_outputs()
    parts = [outputs.select(index) for index in torch.arange(60).split([1, 30, 29])]
    assert_equal(everything([outputs]), everything(parts))


def test_measures_do_not_depend_on_the_order_of_samples() -> None:
    outputs = random_outputs()
    order = torch.randperm(60, generator=torch.Generator().manual_seed(1))
    assert_equal(everything([outputs]), everything([outputs.select(order)]))


def test_measures_are_those_of_brute_force() -> None:
    outputs = random_outputs()
    found = everything([outputs]).values
    probabilities = outputs.logits.double().softmax(dim=1)
    confidence, predicted = probabilities.max(dim=1)
    right = predicted == outputs.true_labels
    of_true = probabilities[torch.arange(60), outputs.true_labels]
    assert found["test_nll"] == pytest.approx(float(-of_true.log().mean()))
    assert found["test_confidence_wrong"] == pytest.approx(float(confidence[~right].mean()))
    assert found["test_confidence_right"] == pytest.approx(float(confidence[right].mean()))
    one_hot = torch.nn.functional.one_hot(outputs.true_labels, 5)
    brier = (probabilities - one_hot).square().sum(dim=1).mean()
    assert found["test_brier"] == pytest.approx(float(brier))
    trained = measure_outputs([outputs], "train", measures_on("train")).values
    assert trained["train_accuracy"] == float((predicted == outputs.labels).double().mean())


def test_measures_of_features_are_left_out_where_there_are_none() -> None:
    with_features = everything([random_outputs()]).values
    without = everything([random_outputs(features=None)]).values
    assert set(with_features) - set(without) == {"test_d_within", "test_d_total", "test_r2"}
    assert without == {name: with_features[name] for name in without}


def test_measures_that_share_an_accumulation_are_computed_once() -> None:
    built: list[Context] = []

    def build(context: Context) -> Classification:
        built.append(context)
        return Classification()

    shared = Accumulation(
        build=build, update=lambda metric, outputs: metric.update(outputs.logits, outputs.labels)
    )
    accuracy = Measure(
        name="a", label="A", help="", better="higher", accumulation=shared, value=lambda v: v.nll
    )
    second = dataclasses.replace(accuracy, name="b", value=lambda v: v.brier)
    found = measure_outputs([random_outputs()] * 2, "test", [accuracy, second])
    assert set(found.values) == {"test_a", "test_b"}
    assert built == [(5, 7, None)]


def test_outputs_are_needed_or_their_sizes() -> None:
    with pytest.raises(ValueError, match="no test outputs to measure"):
        measure_outputs([], "test", MEASURES)
    sizes = Sizes(5, 7, torch.device("cpu"))
    assert measure_outputs([], "test", measures_on("test")[:1], sizes=sizes).values.keys() == {
        "test_accuracy"
    }


def test_records_are_those_of_their_splits() -> None:
    assert [record.name for record in records_on("test")] == [
        "reliability",
        "logit_counts",
        "risk_coverage",
    ]
    assert [record.name for record in records_on("train")] == ["confusion"]
    assert [record.name for record in records_on("validation")] == ["temperature"]


MARGIN = Measure(
    name="margin",
    label="Margin of the top logit",
    help="a measure that somebody added, on the {split} set",
    better="higher",
    splits=("test", "validation"),
    headline=True,
    accumulation=Accumulation(
        build=lambda context: Classification(),
        update=lambda metric, outputs: metric.update(outputs.logits, outputs.true_labels),
    ),
    value=lambda found: found.nll + found.accuracy,
)


def test_measure_that_is_added_stands_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_study: Callable[..., object]
) -> None:
    """In a run's result, results.json, the CSV, the terminal's table and the page."""
    from rich.console import Console

    from maxsup.report import render_report, results_table

    monkeypatch.setattr(evaluation._reported, "MEASURES", (*MEASURES, MARGIN))
    results: Results = compare(tiny_study(validation=0.2), tmp_path, console=Console(quiet=True))  # type: ignore[arg-type]
    names = ("test_margin", "validation_margin")
    for name in names:
        assert name in {facts["name"] for facts in results["measures"]}
        for run in results["runs"]:
            assert run["values"][name] is not None
        assert results["summary"][name]["maxsup"]["mean"] is not None
        assert name in (tmp_path / "results.csv").read_text().splitlines()[0]
        kept = json.loads((tmp_path / "maxsup" / "seed-0" / "result.json").read_text())
        assert name in kept["values"]
    page = render_report(results)
    assert "Margin of the top logit (validation)" in page
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(results_table(results))
    assert "Margin of the top logit" in console.export_text()


def test_many_classes_take_no_memory_of_their_square() -> None:
    """50,000 classes: a matrix of all pairs would have 20 GB."""
    logits = torch.zeros(2, 50_000).scatter_(1, torch.tensor([[7], [49_999]]), 9.0)
    labels = torch.tensor([7, 49_999])
    outputs = Outputs(logits, labels, labels, torch.arange(2), torch.ones(2, 3))
    names = set()
    for split in SPLITS:
        found = measure_outputs([outputs], split, measures_on(split), records_on(split))
        names |= set(found.records)
        assert all(record.numel() < 1_000_000 for record in found.records.values())
    assert names == {record.name for record in RECORDS} - {"confusion"}
    few = Outputs(torch.eye(3), *[torch.arange(3)] * 3)
    assert "confusion" in measure_outputs([few], "train", [], records_on("train")).records
