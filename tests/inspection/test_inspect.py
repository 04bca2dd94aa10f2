import json
import math
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from maxsup.data import DataSettings, load_images
from maxsup.evaluation import Execution, join_outputs, model_outputs
from maxsup.inspection import (
    ANALYSES,
    Inspection,
    InspectionSettings,
    _subject,
    inspect,
    read_inspection,
    write_inspection,
)
from maxsup.models import load_run
from maxsup.results import Results
from maxsup.statistics import paired_difference
from maxsup.study import record

Study = tuple[Results, Path]
FEW = InspectionSettings(resamples=8)


def run_of(study: Study, method: str = "label-smoothing", seed: int = 0) -> Path:
    return study[1] / method / f"seed-{seed}"


def test_inspection_of_a_study_has_the_numbers_that_training_ended_with(
    study: Study, inspected: tuple[Inspection, Path]
) -> None:
    found = {(each["method"], each["seed"]): each["values"] for each in inspected[0]["models"]}
    for run in study[0]["runs"]:
        values = found[run["method"], run["seed"]]
        for name, value in run["values"].items():
            # Training accuracy aside, which a training takes in another order.
            assert values[name] == pytest.approx(value, rel=1e-6, abs=1e-9), name


def test_inspection_groups_seeds_and_pairs_differences_over_them(
    inspected: tuple[Inspection, Path],
) -> None:
    found, _ = inspected
    assert [each["name"] for each in found["methods"]] == ["label-smoothing", "maxsup:alpha=0.2"]
    assert found["baseline"] == "label-smoothing"
    by_method = {
        name: {each["seed"]: each["values"]["test_nll"] for each in found["models"]
               if each["method"] == name}
        for name in ("label-smoothing", "maxsup:alpha=0.2")
    }  # fmt: skip
    expected = paired_difference(by_method["maxsup:alpha=0.2"], by_method["label-smoothing"])
    difference = found["differences"]["test_nll"]["maxsup:alpha=0.2"]
    assert expected is not None
    assert (difference["mean"], difference["low"]) == (expected["mean"], expected["low"])
    assert difference["over"] == "seeds"
    assert difference["number"] == 2
    assert "over seeds" in found["notes"][0]


def test_no_interval_reaches_beyond_what_a_measure_can_be(
    inspected: tuple[Inspection, Path],
) -> None:
    found, _ = inspected
    cut = 0
    for measure in found["measures"]:
        least, greatest = measure["bounds"]
        for interval in found["intervals"][measure["name"]].values():
            low, mean, high = interval["low"], interval["mean"], interval["high"]
            if low is None or mean is None or high is None:
                continue
            assert least is None or min(low, mean + 1e-9) >= least, measure["name"]
            assert greatest is None or max(high, mean - 1e-9) <= greatest, measure["name"]
            cut += (
                measure["percent"]
                and (low, high) != (mean, mean)
                and {low, high} & {0.0, 1.0} != set()
            )
    # Two seeds have wide intervals.
    assert cut


def test_interval_of_one_seed_is_that_of_other_test_samples(study: Study) -> None:
    runs = [str(run_of(study)), str(run_of(study, "maxsup-alpha-0.2"))]
    # What is measured of logits alone, as draws of everything take long.
    names = [each.name for each in ANALYSES if each.name != "logits"]
    found = inspect(runs, InspectionSettings(resamples=50, skip=tuple(names)))
    interval = found["intervals"]["test_accuracy"]["label-smoothing"]
    assert interval["over"] == "samples"
    assert interval["number"] == 540
    accuracy = interval["mean"]
    assert accuracy is not None
    assert interval["high"] is not None
    half = 1.96 * math.sqrt(accuracy * (1 - accuracy) / 540)
    assert interval["high"] - accuracy == pytest.approx(half, rel=0.2)
    # The same samples for both: the difference is surer than two models by themselves would be.
    difference = found["differences"]["test_accuracy"]["maxsup:alpha=0.2"]
    assert difference["high"] is not None
    assert difference["mean"] is not None
    other = found["intervals"]["test_accuracy"]["maxsup:alpha=0.2"]
    assert other["high"] is not None
    assert other["mean"] is not None
    apart = math.hypot(interval["high"] - accuracy, other["high"] - other["mean"])
    assert difference["high"] - difference["mean"] < apart
    assert "over test samples" in found["notes"][0]


def test_inspection_goes_on_without_running_a_model_again(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [str(run_of(study))]
    first = inspect(models, FEW, tmp_path)

    def never(*arguments: object, **named: object) -> None:
        raise AssertionError("a model was run")

    monkeypatch.setattr(_subject, "model_outputs", never)
    again = inspect(models, FEW, tmp_path)
    assert json.dumps(again) == json.dumps(first)


def test_numbers_without_an_interval_are_named_with_the_reason(study: Study) -> None:
    found = inspect([str(run_of(study))], FEW)
    # What has none is named, with the reason.
    without = " ".join(note for note in found["notes"] if "o interval where a method" in note)
    labels = {each["name"]: each["label"] for each in found["measures"]}
    assert "Numbers of training samples have no interval" in without
    for each in found["measures"]:
        has_one = found["intervals"][each["name"]]["label-smoothing"]["low"] is not None
        named = re.search(rf"[:;] {re.escape(each['label'])}[;.]", without)
        assert has_one or named or each["split"] == "train", each["name"]
    assert f"{labels['layer_rank']};" in without


def test_findings_that_are_damaged_are_made_anew_with_a_word(study: Study, tmp_path: Path) -> None:
    models = [str(run_of(study))]
    first = inspect(models, FEW, tmp_path)
    (file,) = tmp_path.rglob("found-confidence.json")
    file.write_text(file.read_text().replace('"mistakes": ', '"mistakes": 1'))
    said: list[str] = []
    again = inspect(models, FEW, tmp_path, announce=said.append)
    assert json.dumps(again) == json.dumps(first)
    assert any("is damaged" in each and "made anew" in each for each in said)


def test_inspection_of_other_settings_in_the_same_place_is_not_the_old_one(
    study: Study, tmp_path: Path
) -> None:
    models = [str(run_of(study))]
    inspect(models, FEW, tmp_path)
    settings = InspectionSettings(resamples=8, projection_classes=("1", "2", "7"))
    found = inspect(models, settings, tmp_path)
    assert found["models"][0]["details"]["projection"]["classes"] == ["1", "2", "7"]


def test_stored_predictions_give_what_the_run_gives(study: Study, tmp_path: Path) -> None:
    run = load_run(run_of(study))
    data = load_images(DataSettings("digits", label_noise=0.2))
    execution = Execution(torch.device("cpu"))
    of = {
        part: join_outputs(model_outputs(run.model, split, run.normalization, execution))
        for part, split in (("test", data.test), ("train", data.train))
    }
    generator = np.random.default_rng(0)
    order = generator.permutation(len(of["test"]))
    test, train = of["test"], of["train"]
    assert test.features is not None
    assert train.features is not None
    record(
        tmp_path / "mine",
        "mine",
        0,
        test.logits[order].numpy(),
        test.true_labels[order].numpy(),
        ids=test.ids[order].numpy(),
        features=test.features[order].numpy(),
        train_logits=train.logits.numpy(),
        train_labels=train.true_labels.numpy(),
        train_features=train.features.numpy(),
    )
    (theirs,) = inspect([str(tmp_path / "mine")], FEW)["models"]
    (ours,) = inspect([str(run_of(study))], FEW)["models"]
    same = {"test_nll", "test_r2", "train_r2", "test_error_enhancement", "test_logit_top_std"}
    assert same <= set(theirs["values"])
    for name in same:
        assert theirs["values"][name] == pytest.approx(ours["values"][name], rel=1e-5), name


def test_features_of_two_layers_are_refused_before_anything_is_looked_at(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    widths = {"one": (4, 4), "other": (4, 6)}
    labels = np.arange(12) % 3
    for name, (of_test, of_train) in widths.items():
        (tmp_path / "stored" / name).mkdir(parents=True)
        np.savez(
            tmp_path / "stored" / name / "seed-0.npz",
            logits=generator.normal(size=(12, 3)).astype("float32"),
            labels=labels,
            features=generator.normal(size=(12, of_test)).astype("float32"),
            train_logits=generator.normal(size=(12, 3)).astype("float32"),
            train_labels=labels,
            train_features=generator.normal(size=(12, of_train)).astype("float32"),
        )
    with pytest.raises(ValueError, match=r"other/seed-0\.npz: features .* 4 of test .* 6 of train"):
        inspect([str(tmp_path / "stored")], directory=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_weights_in_one_file_are_looked_at_on_data_that_is_named(
    study: Study, tmp_path: Path
) -> None:
    file = tmp_path / "mine.safetensors"
    shutil.copy(run_of(study) / "model.safetensors", file)
    found = inspect([f"copied={file}"], InspectionSettings(data="digits", resamples=0))
    (model,) = found["models"]
    assert (model["method"], model["architecture"]) == ("copied", "small-convnet")
    (ours,) = inspect([str(run_of(study))], InspectionSettings(resamples=0))["models"]
    assert model["values"]["test_nll"] == pytest.approx(ours["values"]["test_nll"])
    # The file has its configuration within, which names the classes.
    assert not any("in the order of those of digits" in note for note in found["notes"])


def test_run_is_looked_at_on_data_that_is_named_instead_of_its_own(study: Study) -> None:
    settings = InspectionSettings(data="digits", resamples=0)
    (model,) = inspect([str(run_of(study))], settings)["models"]
    (own,) = inspect([str(run_of(study))], InspectionSettings(resamples=0))["models"]
    # The same images; but without the wrong labels that it was trained on.
    assert model["values"]["test_nll"] == own["values"]["test_nll"]
    assert model["values"]["train_accuracy"] != own["values"]["train_accuracy"]


def test_models_of_one_name_are_told_apart_by_where_they_lie(study: Study, tmp_path: Path) -> None:
    shutil.copytree(run_of(study), tmp_path / "other" / "label-smoothing" / "seed-0")
    models = [str(run_of(study)), str(tmp_path / "other" / "label-smoothing" / "seed-0")]
    found = inspect(models, InspectionSettings(resamples=0))
    names = [each["name"] for each in found["methods"]]
    assert names == [f"{study[1].name}/label-smoothing", "other/label-smoothing"]
    assert found["differences"]["test_nll"][names[1]]["mean"] == 0


@pytest.mark.parametrize(
    ("models", "changes", "message"),
    [
        ([], {}, "No model is named"),
        (["{run}", "{run}"], {}, "is named twice"),
        (["{study}/nothing"], {}, "There is no"),
        (["mine={study}/nothing"], {}, r"mine: There is no .*/nothing; it may have been moved"),
        (["mine=gone"], {}, "mine: Nothing lies at gone. No model is called 'gone'"),
        (["resnet81"], {}, "No model is called 'resnet81'. Close to it"),
        (["resnet18"], {}, "Name it with --data"),
        (["small-convnet"], {}, "without weights"),
        (["x={study}"], {}, "several methods"),
        (["{empty}"], {}, "holds no model"),
        (["{file}"], {}, "is no model"),
        (["{unfinished}"], {}, "No run in .* has finished"),
        (["{run}"], {"skip": ("grad",)}, "no analysis is called 'grad'"),
        (["{run}"], {"projection_classes": ("1", "2", "x")}, "'x' is none of the 10 classes"),
        (["{run}"], {"data": "{other}"}, "does not know|which are not the"),
    ],
)  # fmt: skip
def test_what_cannot_be_looked_at_is_said(
    study: Study,
    tmp_path: Path,
    models: list[str],
    changes: dict[str, object],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no model")
    unfinished = tmp_path / "unfinished" / "maxsup" / "seed-0"
    unfinished.mkdir(parents=True)
    shutil.copy(run_of(study) / "settings.json", unfinished)
    other = tmp_path / "other"
    for name in ("cat", "dog"):
        (other / name).mkdir(parents=True)

        for number in range(10):
            Image.new("L", (8, 8), 20 * number).save(other / name / f"{number}.png")
    places = {
        "run": run_of(study),
        "study": study[1],
        "empty": tmp_path / "empty",
        "file": tmp_path / "notes.txt",
        "unfinished": tmp_path / "unfinished",
        "other": other,
    }

    def filled(value: object) -> object:
        return value.format(**places) if isinstance(value, str) else value

    settings = InspectionSettings(**{k: filled(v) for k, v in changes.items()})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        inspect([str(filled(model)) for model in models], settings)


def test_model_that_gives_no_finite_numbers_is_named(study: Study, tmp_path: Path) -> None:
    labels = np.arange(20) % 2
    logits = np.zeros((20, 2))
    logits[3, 0] = np.nan
    record(tmp_path / "mine", "mine", 0, logits, labels)
    with pytest.raises(ValueError, match="no finite numbers"):
        inspect([str(tmp_path / "mine")])


def test_inspection_is_read_as_it_was_written(
    inspected: tuple[Inspection, Path], tmp_path: Path
) -> None:
    write_inspection(inspected[0], tmp_path)
    assert read_inspection(tmp_path / "inspection.json") == json.loads(json.dumps(inspected[0]))
    rows = (tmp_path / "inspection.csv").read_text().splitlines()
    assert len(rows) == 1 + 4 * len(inspected[0]["measures"])
    file = tmp_path / "inspection.json"
    file.write_text(file.read_text().replace('"seed": 1', '"seed": 2'))
    with pytest.raises(ValueError, match="is damaged"):
        read_inspection(file)


def test_other_data_that_changed_under_its_name_is_looked_at_anew(
    study: Study, tmp_path: Path
) -> None:
    only_ood = tuple(each.name for each in ANALYSES if each.name != "ood")
    other = tmp_path / "other"
    settings = InspectionSettings(ood_data=(str(other),), resamples=0, skip=only_ood)
    found = []
    for brightness in (3, 12):
        for name in ("cat", "dog"):
            (other / name).mkdir(parents=True, exist_ok=True)
            for number in range(10):
                grey = brightness * (number + 1)
                Image.new("L", (8, 8), grey).save(other / name / f"{number}.png")
        (model,) = inspect([str(run_of(study))], settings, tmp_path / "out")["models"]
        found.append(model["values"]["test_ood_other_energy_auroc"])
    assert found[0] != found[1]


def test_part_of_data_that_is_not_named_is_refused() -> None:
    with pytest.raises(ValueError, match="test_split says which part of --data"):
        InspectionSettings(test_split="test[:9]")


def test_seeds_are_not_paired_where_the_samples_differ(study: Study, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for method, samples in (("baseline", 40), ("mine", 60)):
        for seed in range(2):
            labels = np.arange(samples) % 2
            record(tmp_path / method, method, seed, generator.normal(size=(samples, 2)), labels)
    models = [str(tmp_path / "baseline"), str(tmp_path / "mine")]
    found = inspect(models, InspectionSettings(resamples=0))
    difference = found["differences"]["test_nll"]["mine"]
    assert difference["low"] is None
    assert difference["mean"] is not None
    assert any("not looked at on the same test samples" in note for note in found["notes"])
