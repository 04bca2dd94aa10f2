"""Studies of predictions that other programs have made."""

import json
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from pyarrow import csv, parquet
from safetensors.torch import save_file

from maxsup.commands import main
from maxsup.data.predictions._agree import Agreement
from maxsup.data.predictions._find import find_predictions
from maxsup.report import latex_table, render_report, results_table
from maxsup.results import read_results
from maxsup.study import compare_predictions, record

SKILLS = {"baseline": 1.0, "my loss": 2.0}
SAMPLES, CLASSES = 120, 4
LABELS = np.arange(SAMPLES) % CLASSES


def logits_of(method: str, seed: int) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng([seed, *method.encode()])
    return rng.normal(size=(SAMPLES, CLASSES)) + SKILLS[method] * np.eye(CLASSES)[LABELS]


def softmax(logits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def runs(seeds: int = 2) -> list[tuple[str, int]]:
    return [(method, seed) for method in SKILLS for seed in range(seeds)]


def write_npz(directory: Path, **changes: Callable[[str, int], Any]) -> Path:
    """Files that numpy alone has written, with arrays in place of some."""
    for method, seed in runs():
        (directory / method).mkdir(parents=True, exist_ok=True)
        arrays = {"logits": logits_of(method, seed), "labels": LABELS}
        arrays |= {name: change(method, seed) for name, change in changes.items()}
        np.savez(directory / method / f"seed-{seed}.npz", **arrays)
    return directory


def table(method: str, seed: int, **columns: Any) -> dict[str, Any]:
    return {"id": [f"img{k:03}" for k in range(SAMPLES)], "label": LABELS, **columns}


def joined(make: Callable[[str, int], dict[str, Any]]) -> pa.Table:
    parts = [
        pa.table({"method": [method] * SAMPLES, "seed": [seed] * SAMPLES, **make(method, seed)})
        for method, seed in runs()
    ]
    return pa.concat_tables(parts)


def as_safetensors(place: Path) -> Path:
    for method, seed in runs():
        (place / method).mkdir(parents=True, exist_ok=True)
        tensors = {"logits": torch.tensor(logits_of(method, seed)), "labels": torch.tensor(LABELS)}
        save_file(tensors, place / method / f"seed{seed}.safetensors")
    return place


def as_parquet_lists(place: Path) -> Path:
    made = joined(lambda *run: table(*run, logits=logits_of(*run).tolist()))
    parquet.write_table(made, f"{place}.parquet")
    return Path(f"{place}.parquet")


def in_columns(*run: Any) -> dict[str, Any]:
    return table(*run, **{f"logit_{k}": logits_of(*run)[:, k] for k in (2, 0, 3, 1)})


def as_csv_columns(place: Path) -> Path:
    csv.write_csv(joined(in_columns), f"{place}.csv")
    return Path(f"{place}.csv")


def as_csv_files(place: Path) -> Path:
    for method, seed in runs():
        (place / method).mkdir(parents=True, exist_ok=True)
        csv.write_csv(pa.table(in_columns(method, seed)), place / method / f"{seed}.csv")
    return place


def as_csv_of_lists(place: Path) -> Path:
    def lists(*run: Any) -> dict[str, Any]:
        return table(*run, logits=[json.dumps(row) for row in logits_of(*run).tolist()])

    csv.write_csv(joined(lists), f"{place}.csv")
    return Path(f"{place}.csv")


def as_probabilities(place: Path) -> Path:
    return write_npz(place, logits=lambda *run: softmax(logits_of(*run)))


def as_named_classes(place: Path) -> Path:
    def named(*run: Any) -> dict[str, Any]:
        found = softmax(logits_of(*run))
        columns = {f"probability_{name}": found[:, k] for k, name in enumerate("abcd")}
        return table(*run, **columns) | {"label": [("abcd")[k] for k in LABELS]}

    parquet.write_table(joined(named), f"{place}.parquet")
    return Path(f"{place}.parquet")


def shuffled(place: Path) -> Path:
    """Each file in an order of its own."""
    for method, seed in runs():
        order = np.random.default_rng(seed).permutation(SAMPLES)
        record(place, method, seed, logits_of(method, seed)[order], LABELS[order], order)
    return place


FORMS = [
    write_npz, shuffled, as_safetensors, as_parquet_lists, as_csv_columns, as_csv_files,
    as_csv_of_lists, as_probabilities, as_named_classes,
]  # fmt: skip


@pytest.mark.parametrize("write", FORMS, ids=lambda write: write.__name__)
def test_every_form_holds_the_same_predictions(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    found, passed_over, _ = find_predictions(write(tmp_path / "mine"))
    assert ([(run.method, run.seed) for run in found], passed_over) == (runs(), [])
    agreement = Agreement()
    for source in found:
        run = source.load()
        order = agreement.order(source.what, run)
        logits = logits_of(source.method, source.seed)
        np.testing.assert_allclose(softmax(run.test.logits[order]), softmax(logits), atol=1e-9)
        np.testing.assert_array_equal(run.test.labels[order], LABELS)
        assert run.test.are_probabilities is (write in (as_probabilities, as_named_classes))
        assert run.classes == (tuple("abcd") if write is as_named_classes else None)
    without = (write_npz, as_safetensors, as_probabilities)
    assert agreement.has_ids is (write not in without)


def test_numbers_are_those_of_the_predictions(tmp_path: Path) -> None:
    results = compare_predictions(write_npz(tmp_path / "mine"))
    assert [(run["method"], run["seed"]) for run in results["runs"]] == runs()
    for run in results["runs"]:
        logits = logits_of(run["method"], run["seed"])
        right = logits.argmax(axis=1) == LABELS
        nll = -np.log(softmax(logits)[np.arange(SAMPLES), LABELS]).mean()
        assert run["values"]["test_accuracy"] == pytest.approx(right.mean(), abs=1e-12)
        assert run["values"]["test_nll"] == pytest.approx(nll, abs=1e-9)
    assert results["logits"].keys() == SKILLS.keys()
    assert "have no ids" in " ".join(results["verdict"]["notes"])


def test_probabilities_are_said(tmp_path: Path) -> None:
    results = compare_predictions(as_named_classes(tmp_path / "mine"))
    said = " ".join(results["verdict"]["notes"])
    assert "are probabilities" in said
    assert "have no ids" not in said
    assert (results["logits"], results["data"]["classes"]) == ({}, list("abcd"))
    assert '<h2 id="logits">' not in render_report(results)


def test_order_of_samples_plays_no_part(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    for method, seed in runs():
        record(whole, method, seed, logits_of(method, seed), LABELS, np.arange(SAMPLES))
    found = [compare_predictions(place) for place in (whole, shuffled(tmp_path / "shuffled"))]
    for ordered, other in zip(found[0]["runs"], found[1]["runs"], strict=True):
        assert ordered["values"] == pytest.approx(other["values"], abs=1e-12)


def test_page_has_the_sections_of_what_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    for method, seed in runs():
        record(
            tmp_path / "all",
            method,
            seed,
            logits_of(method, seed),
            LABELS,
            features=rng.normal(size=(SAMPLES, 3)) + np.eye(4)[LABELS][:, :3],
            history={"test_accuracy": [0.2, 0.5], "test_nll": [math.nan, 1.0], "lr": [1.0, 0.1]},
            train_logits=logits_of(method, seed)[:50],
            train_labels=LABELS[:50],
            validation_logits=logits_of(method, seed)[50:],
            validation_labels=LABELS[50:],
        )
    assert main(["report", str(tmp_path / "all"), "--margin", "1"]) == 0
    results = read_results(tmp_path / "all-report" / "results.json")
    assert results["predictions"] == {"made_by": None, "form": "logits"}
    names = {measure["name"] for measure in results["measures"]}
    assert {"test_r2", "train_accuracy", "test_nll_scaled"} <= names
    assert results["data"]["validation"] == SAMPLES - 50
    html = (tmp_path / "all-report" / "report.html").read_text()
    for anchor in ("table", "seeds", "curves", "reliability", "calibration", "selective", "logits"):
        assert f'<h2 id="{anchor}">' in html
    assert "Test accuracy in %" in html
    assert 'id="features"' not in html
    for claim in ("share the initial weights", "<h3>Recipe</h3>", "pixels", "and so the start"):
        assert claim not in html
    assert "made by another program" in html
    assert (tmp_path / "all-report" / "summary.csv").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all", "all-report"]
    assert "my loss" in capsys.readouterr().out
    assert "paired over seeds" in latex_table(results)
    # Without them, what they would show is left out.
    bare = compare_predictions(write_npz(tmp_path / "bare"))
    assert not any("r2" in measure["name"] for measure in bare["measures"])
    assert '<h2 id="curves">' not in render_report(bare)
    # And the results can be asked again.
    assert main(["report", str(tmp_path / "all-report"), "--baseline", "my loss"]) == 0
    again = (tmp_path / "all-report" / "report-again.html").read_text()
    assert "made by another program" in again


def test_figures_of_epochs_lie_beside_tables(tmp_path: Path) -> None:
    place = as_csv_columns(tmp_path / "mine")
    rows = [
        f"{method},{seed},{epoch},{0.1 * epoch}" for method, seed in runs() for epoch in (1, 2, 3)
    ]
    text = "\n".join(["method,seed,epoch,test_accuracy", *rows])
    (tmp_path / "mine.history.csv").write_text(text + "\n")
    results = compare_predictions(place)
    assert results["runs"][0]["history"][1] == {"epoch": 2, "test_accuracy": 0.2}
    files = as_csv_files(tmp_path / "files")
    (files / "baseline" / "0.history.jsonl").write_text('{"train_loss": 2}\n{"train_loss": 1}\n')
    found = compare_predictions(files)
    assert found["runs"][0]["history"][1] == {"epoch": 2, "train_loss": 1}
    assert found["data"]["notes"] == []


def test_a_run_without_finite_logits_has_failed(tmp_path: Path) -> None:
    def broken(method: str, seed: int) -> Any:
        logits = logits_of(method, seed)
        if (method, seed) == ("my loss", 1):
            logits[[3, 7]] = np.nan
            logits[5, 0] = np.inf
        if method == "baseline":
            logits[5, 0] = -np.inf  # a class that is not available
        return logits

    results = compare_predictions(write_npz(tmp_path, logits=broken))
    (failed,) = (run for run in results["runs"] if run["status"] == "failed")
    assert failed["cause"] == (
        "3 of 120 samples have logits that are no finite numbers (rows 3, 5, 7)"
    )
    assert results["summary"]["test_accuracy"]["my loss"]["n"] == 1
    assert results["summary"]["test_accuracy"]["baseline"]["n"] == 2
    assert "failed" in render_report(results)


def test_no_run_with_finite_logits(tmp_path: Path) -> None:
    place = write_npz(tmp_path, logits=lambda *run: np.full((SAMPLES, CLASSES), np.nan))
    results = compare_predictions(place, primary="nll")
    assert {run["status"] for run in results["runs"]} == {"failed"}
    render_report(results)
    results_table(results)


def test_different_seeds_are_named_and_the_common_ones_paired(tmp_path: Path) -> None:
    write_npz(tmp_path)
    (tmp_path / "my loss" / "seed-0.npz").unlink()
    results = compare_predictions(tmp_path)
    (contrast,) = results["contrasts"]
    assert contrast["seeds"] == [1]
    assert "unpaired" not in contrast
    (note,) = (note for note in results["verdict"]["notes"] if "different seeds" in note)
    assert "baseline 0, 1; my loss 1" in note


def test_methods_without_a_common_seed_are_compared_unpaired(tmp_path: Path) -> None:
    for seed in range(3):
        record(tmp_path, "baseline", seed, logits_of("baseline", seed), LABELS)
        record(tmp_path, "my loss", 10 + seed, logits_of("my loss", seed), LABELS)
    results = compare_predictions(tmp_path)
    (contrast,) = results["contrasts"]
    assert contrast["unpaired"] == ([10, 11, 12], [0, 1, 2])
    assert contrast["conclusion"] == "better"
    assert "3 and 3 seeds" in results["verdict"]["sentence"]
    assert any("unpaired" in note and "weaker" in note for note in results["verdict"]["notes"])
    assert "Welch" in render_report(results)
    assert "unpaired (Welch)" in latex_table(results)


def test_unpaired_can_be_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = write_npz(tmp_path / "mine")
    assert main(["report", str(place), "--unpaired", "--out", str(tmp_path / "out")]) == 0
    results = read_results(tmp_path / "out" / "results.json")
    assert all("unpaired" in each for each in results["contrasts"])
    assert "unpaired, by Welch" in " ".join(capsys.readouterr().out.split())
    assert main(["report", str(tmp_path / "out")]) == 0
    assert "unpaired, by Welch" not in " ".join(capsys.readouterr().out.split())


def test_the_same_predictions_under_two_names_are_told(tmp_path: Path) -> None:
    write_npz(tmp_path, logits=lambda method, seed: logits_of("baseline", seed))
    notes = compare_predictions(tmp_path)["verdict"]["notes"]
    assert any("the same predictions under two names" in note for note in notes)


def change_one(place: Path, **arrays: Any) -> None:
    """Change a file of one run."""
    file = place / "my loss" / "seed-1.npz"
    with np.load(file) as kept:
        changed = {**dict(kept), **arrays}
    np.savez(file, **{name: each for name, each in changed.items() if each is not None})


def spoil_labels(place: Path) -> None:
    change_one(place, labels=np.where(np.arange(SAMPLES) < 2, 3, LABELS))


def spoil_count(place: Path) -> None:
    change_one(place, labels=LABELS[:-1], logits=logits_of("my loss", 1)[:-1])


def spoil_classes(place: Path) -> None:
    change_one(place, logits=logits_of("my loss", 1)[:, [0, 1, 2, 3, 3]])


def spoil_ids(place: Path) -> None:
    write_npz(place, ids=lambda *run: np.arange(SAMPLES))
    ids = np.arange(SAMPLES)
    ids[:2] = 900, 901
    change_one(place, ids=ids)


def spoil_twice(place: Path) -> None:
    change_one(place, ids=np.zeros(SAMPLES, dtype=int))


def spoil_kind(place: Path) -> None:
    change_one(place, ids=np.arange(SAMPLES))


def spoil_file(place: Path) -> None:
    file = place / "my loss" / "seed-1.npz"
    file.write_bytes(file.read_bytes()[:-100])


def spoil_middle(place: Path) -> None:
    file = place / "my loss" / "seed-1.npz"
    content = bytearray(file.read_bytes())
    content[500:510] = b"0123456789"
    file.write_bytes(content)


def spoil_pickle(place: Path) -> None:
    change_one(place, labels=np.array([[1], [1, 2]], dtype=object))


def spoil_seed(place: Path) -> None:
    (place / "my loss" / "seed_01.npz").write_bytes(b"")


def spoil_name(place: Path) -> None:
    (place / "my loss").rename(place / "my:loss")


def spoil_table(place: Path) -> None:
    (place / "notes.csv").write_text("a,b\n1,2\n")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            spoil_labels,
            r"my loss/seed-1.npz gives another label than baseline/seed-0.npz to 2 of 120 samples "
            r"\(rows 0, 1; 3 instead of 0 in the first\). If only the order differs, give ids",
        ),
        (spoil_count, "my loss/seed-1.npz has 119 samples, and baseline/seed-0.npz 120"),
        (spoil_classes, "my loss/seed-1.npz has 5 classes, and baseline/seed-0.npz 4"),
        (
            spoil_ids,
            r"lacks 2 of the 120 samples of baseline/seed-0.npz \(ids 0, 1\) and has 2 samples "
            r"that baseline/seed-0.npz has not \(ids 900, 901\)",
        ),
        (spoil_twice, r"my loss/seed-1.npz: ids .* 1 of them come more than once \(0\)"),
        (spoil_kind, "baseline/seed-0.npz has no ids, and my loss/seed-1.npz has"),
        (spoil_file, "my loss/seed-1.npz cannot be read"),
        (spoil_middle, "my loss/seed-1.npz cannot be read"),
        (spoil_pickle, "my loss/seed-1.npz: labels holds pickled objects"),
        (spoil_seed, "my loss/seed-1.npz and my loss/seed_01.npz are both of my loss, seed 1"),
        (spoil_name, "my:loss/seed-0.npz: 'my:loss' cannot be read"),
        (spoil_table, "notes.csv must have a column"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_does_not_agree_is_refused_by_name(
    spoil: Callable[[Path], None],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = write_npz(tmp_path / "mine")
    spoil(place)
    with pytest.raises(ValueError, match=message):
        compare_predictions(place)
    assert main(["report", str(place)]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "mine-report").exists()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"label": [0, 1], "logits": [[1.0, 2.0], [1.0]]}, "lists in logits differ in length"),
        ({"label": [0, 1], "logits": [[1.0, 2.0], [1.0, None]]}, "1 numbers of logits are missing"),
        ({"label": [0, 1], "logits": [[1.0, 2.0], None]}, "logits is missing in 1 rows"),
        ({"label": [0, None], "logits": [[1.0, 2.0]] * 2}, "label is missing in 1 rows"),
        ({"label": [0, 1], "logit_0": [1.0] * 2, "logit_2": [1.0] * 2}, "without a gap"),
        ({"label": [0, 1], "logit_a": [1.0] * 2, "logit_b": [1.0] * 2}, None),
        ({"logits": [[1.0, 2.0]] * 2}, "one column label"),
        ({"label": [0, 1], "output": [1.0, 2.0]}, "must have a column logits"),
        ({"label": ["x", "y"], "logits": [[1.0, 2.0]] * 2}, "are text"),
        ({"label": [0, 1], "logits": ["1 2", "2 3"]}, "a list of numbers in each row"),
        ({"label": [0, 1], "id": [4, 4], "logits": [[1.0, 2.0]] * 2}, "more than once"),
        ({"label": [0, 1], "split": ["test", "dev"], "logits": [[1.0, 2.0]] * 2}, "split must be"),
        ({"label": [0, 1], "split": ["train"] * 2, "logits": [[1.0, 2.0]] * 2}, "no rows of the"),
    ],
)
def test_tables_that_cannot_be_read(
    columns: dict[str, Any], message: str | None, tmp_path: Path
) -> None:
    made = pa.table({"method": ["a", "a"], "seed": [0, 0], **columns})
    parquet.write_table(made, tmp_path / "mine.parquet")
    if message is None:
        assert len(compare_predictions(tmp_path / "mine.parquet")["runs"]) == 1
        return
    with pytest.raises(ValueError, match=message):
        compare_predictions(tmp_path / "mine.parquet")


def test_a_table_may_hold_the_training_set_too(tmp_path: Path) -> None:
    made = pa.table(
        {
            "method": ["1"] * 4,
            "seed": [0] * 4,
            "split": ["test", "train", "test", "train"],
            "label": [0, 1, 1, 1],
            "logits": [[2.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 1.0]],
        }
    )
    csv_lists = made.set_column(4, "logits", [[json.dumps(each.as_py()) for each in made[4]]])
    csv.write_csv(csv_lists, tmp_path / "mine.csv")
    (run,) = compare_predictions(tmp_path / "mine.csv")["runs"]
    assert run["method"] == "1"
    assert (run["values"]["test_accuracy"], run["values"]["train_accuracy"]) == (1.0, 0.5)


def test_nothing_of_others_is_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = write_npz(tmp_path / "mine")
    out = tmp_path / "mine-report"
    out.mkdir()
    (out / "results.csv").write_text("precious")
    assert main(["report", str(place)]) == 2
    assert "were not written here (results.csv)" in capsys.readouterr().err
    assert (out / "results.csv").read_text() == "precious"
    assert main(["report", str(place), "--out", str(tmp_path / "new")]) == 0
    assert main(["report", str(place), "--out", str(tmp_path / "new"), "--margin", "3"]) == 0
    assert read_results(tmp_path / "new" / "results.json")["margin"] == 0.03


def test_places_without_predictions_say_what_is_expected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path / "nowhere")]) == 2
    assert "no file or directory has this path" in capsys.readouterr().err
    (tmp_path / "mine" / "baseline").mkdir(parents=True)
    (tmp_path / "mine" / "baseline" / "seed-0.pkl").write_bytes(pickle.dumps([1, 2]))
    assert main(["report", str(tmp_path / "mine")]) == 2
    shown = capsys.readouterr().err
    assert "METHOD/seed-N.npz" in shown
    assert "baseline/seed-0.pkl" in shown
    assert "Pickled files are not read" in shown


def test_questions_that_name_what_there_is_not(tmp_path: Path) -> None:
    place = write_npz(tmp_path)
    for question, message in (
        ({"baseline": "nope"}, "'nope' is not among the methods"),
        ({"primary": "nope"}, "there are accuracy"),
        ({"margin": 0.0}, "larger than 0"),
        ({"contrasts": ["nope/baseline"]}, "none of the methods"),
    ):
        with pytest.raises(ValueError, match=message):
            compare_predictions(place, **question)  # type: ignore[arg-type]


def test_predictions_are_looked_at_class_by_class_and_image_by_image(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    labels = np.arange(80) % 4
    predicted: dict[str, list[np.ndarray]] = {}
    for method, signal in (("baseline", 1.0), ("mine", 2.0)):
        for seed in range(3):
            logits = generator.normal(size=(80, 4)) + signal * np.eye(4)[labels]
            order = generator.permutation(80)
            record(tmp_path, method, seed, logits[order], labels[order], ids=order)
            predicted.setdefault(method, []).append(logits.argmax(axis=1))
    results = compare_predictions(tmp_path)
    found = results["per_class"]
    assert found is not None
    for method, seeds in predicted.items():
        assert found["right"][method] == [
            [int((each[labels == label] == label).sum()) for label in range(4)] for each in seeds
        ]
    right = {name: np.stack(each) == labels for name, each in predicted.items()}
    expected = (right["mine"].all(axis=0) & ~right["baseline"].any(axis=0)).sum()
    assert found["differing"]["mine"]["baseline"] == expected
    assert results["images"] is not None
    (evidence,) = results["images"]["contrasts"]
    assert evidence["images"] == 80
    mean = right["mine"].mean() - right["baseline"].mean()
    assert evidence["mean"] == pytest.approx(mean)
    assert evidence["low"] is not None
    assert evidence["low"] < mean
