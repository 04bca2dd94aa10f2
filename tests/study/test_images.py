"""What the kept outputs tell of other test images."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from maxsup.evaluation import Outputs, load_outputs, save_outputs
from maxsup.results import Analysis, Results, analyse, analyse_again, read_results
from maxsup.statistics import crossed_interval, mcnemar
from maxsup.study import _images, _kept_outputs, image_evidence

Study = Callable[..., Results]
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, Path]:
    from rich.console import Console

    from maxsup.study import compare

    from .conftest import settings

    directory = tmp_path_factory.mktemp("three")
    study = settings(methods=("baseline", "maxsup"), seeds=SEEDS)
    return compare(study, directory, console=Console(quiet=True)), directory


def right(directory: Path, method: str, seed: int) -> np.ndarray:
    outputs = load_outputs(directory / method / f"seed-{seed}" / "outputs-test.safetensors")
    return (outputs.logits.argmax(dim=1) == outputs.true_labels).double().numpy()


def ask(results: Results, directory: Path, primary: str = "accuracy", seeds: int = 3) -> dict:
    runs = [run for run in results["runs"] if run["seed"] < seeds]
    methods = [method["name"] for method in results["methods"]]
    analysed = analyse(runs, results["measures"], methods, Analysis("baseline", primary))
    return image_evidence(runs, analysed, directory)  # type: ignore[return-value]


def test_interval_over_seeds_and_images_is_that_of_the_outputs(
    three: tuple[Results, Path],
) -> None:
    results, directory = three
    evidence = results["images"]
    assert evidence is not None
    (found,) = evidence["contrasts"]
    differences = np.stack(
        [right(directory, "maxsup", s) - right(directory, "baseline", s) for s in SEEDS]
    )
    assert (found["low"], found["high"]) == pytest.approx(crossed_interval(differences))
    (contrast,) = results["contrasts"]
    assert found["mean"] == pytest.approx(contrast["mean"])
    assert found["images"] == 540
    # It speaks of more, so it is the wider one.
    assert found["low"] <= contrast["low"]
    assert found["high"] >= contrast["high"]
    assert evidence["reasons"] == []
    notes = " ".join(results["verdict"]["notes"])
    assert "other test images of the same population as well as other seeds" in notes
    assert "decide nothing" in notes
    assert "on this data and split, the same test images among them" in notes


def test_no_interval_reaches_beyond_what_a_difference_can_be(
    three: tuple[Results, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    results, directory = three
    monkeypatch.setattr(_images, "crossed_interval", lambda *_, **__: (-1.2, 1.4))
    for primary, expected in (("accuracy", (-1.0, 1.0)), ("nll", (-1.2, 1.4))):
        (found,) = ask(results, directory, primary)["contrasts"]
        assert (found["low"], found["high"]) == expected


@pytest.mark.parametrize("primary", ["nll", "brier"])
def test_likelihood_and_brier_are_means_over_images_too(
    three: tuple[Results, Path], primary: str
) -> None:
    results, directory = three
    (found,) = ask(results, directory, primary)["contrasts"]
    differences = [
        run["values"][f"test_{primary}"] - results["runs"][seed]["values"][f"test_{primary}"]
        for seed, run in enumerate(results["runs"][3:])
    ]
    assert found["mean"] == pytest.approx(np.mean(differences))
    assert found["low"] < found["mean"] < found["high"]


def test_calibration_is_no_mean_over_images(three: tuple[Results, Path]) -> None:
    results, directory = three
    found = ask(results, directory, "ece")
    assert found["contrasts"] == []
    assert found["reasons"] == [
        "ECE is no mean over images, of which each contributes its own part."
    ]


def test_one_seed_has_mcnemars_test_and_two_have_nothing(three: tuple[Results, Path]) -> None:
    results, directory = three
    (found,) = ask(results, directory, seeds=1)["contrasts"]
    expected = mcnemar(right(directory, "maxsup", 0) > 0, right(directory, "baseline", 0) > 0)
    assert (found["only_method"], found["only_against"], found["p_mcnemar"]) == expected
    assert found["low"] is None
    (reason,) = ask(results, directory, seeds=2)["reasons"]
    assert reason == "Two seeds say next to nothing of their own spread."
    (reason,) = ask(results, directory, "nll", seeds=1)["reasons"]
    assert "McNemar" in reason


def test_what_was_removed_or_changed_is_named(three: tuple[Results, Path], tmp_path: Path) -> None:
    results, directory = three
    shutil.copytree(directory, tmp_path / "study")
    place = tmp_path / "study" / "maxsup" / "seed-1"
    outputs = load_outputs(place / "outputs-test.safetensors")
    (place / "outputs-test.safetensors").unlink()
    (place / "SHA256SUMS").unlink()
    found = ask(results, tmp_path / "study")
    assert found["contrasts"] == []
    assert found["reasons"] == ["maxsup, seed 1 kept no outputs on the test set."]

    others = outputs.logits.roll(1, dims=1), outputs.labels, outputs.true_labels, outputs.ids
    save_outputs(place / "outputs-test.safetensors", Outputs(*others))
    (reason,) = ask(results, tmp_path / "study")["reasons"]
    assert "maxsup, seed 1 cannot be used: its kept outputs are not those" in reason

    shifted = outputs.logits, outputs.labels, outputs.true_labels, outputs.ids + 1
    save_outputs(place / "outputs-test.safetensors", Outputs(*shifted))
    (reason,) = ask(results, tmp_path / "study")["reasons"]
    assert reason.startswith("The runs have not the same test images.")


def test_order_of_the_kept_images_plays_no_part(
    three: tuple[Results, Path], tmp_path: Path
) -> None:
    results, directory = three
    shutil.copytree(directory, tmp_path / "study")
    place = tmp_path / "study" / "baseline" / "seed-2"
    outputs = load_outputs(place / "outputs-test.safetensors")
    (place / "SHA256SUMS").unlink()
    save_outputs(place / "outputs-test.safetensors", outputs.select(torch.randperm(len(outputs))))
    assert ask(results, tmp_path / "study")["contrasts"] == ask(results, directory)["contrasts"]


def test_study_without_kept_outputs_says_so(run_study: Study, tmp_path: Path) -> None:
    results = run_study(
        tmp_path, methods=("baseline", "maxsup"), seeds=(0,), epochs=1, keep_outputs=False
    )
    assert results["images"] is not None
    assert results["images"]["reasons"] == [
        "maxsup, seed 0; baseline, seed 0 kept no outputs on the test set."
    ]


def test_another_question_is_answered_from_the_outputs(three: tuple[Results, Path]) -> None:
    results, directory = three
    asked: list[str] = []

    def images(runs: object, analysed: object) -> object:
        asked.append("outputs")
        return image_evidence(runs, analysed, directory)  # type: ignore[arg-type]

    read = read_results(directory / "results.json")
    again = analyse_again(read, Analysis("baseline", margin=5.0), images)  # type: ignore[arg-type]
    assert again["images"] == results["images"]
    assert asked == []
    other = analyse_again(read, Analysis("maxsup"), images)  # type: ignore[arg-type]
    assert asked == ["outputs"]
    assert other["images"]["contrasts"][0]["method"] == "baseline"  # type: ignore[index]
    assert analyse_again(read, Analysis("maxsup"))["images"] is None


def test_outputs_of_a_study_are_read_once(
    run_study: Callable[..., Results], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Classes, images and intervals look at them."""
    read: list[Path] = []
    whole = _kept_outputs.load_outputs

    def load(path: Path) -> Outputs:
        read.append(path)
        return whole(path)

    monkeypatch.setattr(_kept_outputs, "load_outputs", load)
    results = run_study(tmp_path, methods=("baseline", "maxsup"), seeds=(0,), epochs=1)
    assert results["per_class"] is not None
    assert results["images"] is not None
    assert len(results["images"]["contrasts"]) == 1
    assert sorted(read) == sorted(tmp_path.glob("*/seed-0/outputs-test.safetensors"))
    assert len(read) == 2
