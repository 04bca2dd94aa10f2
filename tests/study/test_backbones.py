"""Which trained backbone is better fine-tuned for segmentation, as a study."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console
from safetensors.torch import load_file
from tests.data.masks import scene, write_pairs

from maxsup.commands import main
from maxsup.data import DataSettings
from maxsup.models import create_model
from maxsup.recipes import Recipe, get_recipe
from maxsup.report import render_report
from maxsup.results import Analysis, Results, analyse
from maxsup.study import (
    StudySettings,
    compare,
    find_backbones,
    kept_image_evidence,
    weights_of,
    with_backbones,
    with_teachers,
)
from maxsup.training import Distillation, RunSettings

TINY = Recipe(
    "tiny",
    "small-convnet",
    head="linear",
    freeze_backbone=True,
    crop_size=(16, 16),
    iterations=2,
    epochs=1,
    batch_size=4,
    lr=0.05,
)
NAMES = ("maxsup-alpha-0.1", "baseline")
"""In the order of the study."""


def run(settings: StudySettings, directory: Path) -> Results:
    return compare(settings, directory, command="maxsup compare", console=Console(quiet=True))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("scenes")
    for split, count, first in (("train", 6, 0), ("test", 3, 100)):
        found = [scene(seed) for seed in range(first, first + count)]
        write_pairs(root / split / "images", root / split / "masks", found)
    return str(root)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two methods with two seeds, on images of two colours."""
    root = tmp_path_factory.mktemp("colours")
    generator = np.random.default_rng(0)
    for split, count in (("train", 8), ("test", 2)):
        for name, level in (("dark", 60), ("light", 180)):
            (root / "data" / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = generator.integers(level - 60, level + 60, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / "data" / split / name / f"{number}.png")
    recipe = dataclasses.replace(
        get_recipe("digits"), model="small-convnet", epochs=1, batch_size=8
    )
    run(
        StudySettings(
            DataSettings(str(root / "data")), recipe, ("maxsup:alpha=0.1", "baseline"), (0, 1)
        ),
        root / "study",
    )
    return root / "study"


def study(
    scenes: str,
    *backbones: str,
    methods: tuple[str, ...] = ("baseline",),
    seeds: tuple[int, ...] = (0, 1),
    **changes: Any,
) -> StudySettings:
    names = with_backbones(methods, find_backbones(backbones))
    recipe = dataclasses.replace(TINY, **changes)
    return StudySettings(DataSettings(scenes), recipe, names, seeds, backbones=backbones)


def settings_in(directory: Path) -> RunSettings:
    return RunSettings.load(directory / "settings.json")


def test_places_have_the_names_that_methods_can_say(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert dict(find_backbones([str(trained)])) == {name: f"{trained}/{name}" for name in NAMES}
    file = tmp_path / "mine.v2.pth"
    torch.save({}, file)
    one = f"{trained}/baseline/seed-1"
    assert dict(find_backbones([f"{trained}/baseline/", f"again={one}", str(file), "none"])) == {
        "baseline": f"{trained}/baseline",
        "again": one,
        "mine.v2": str(file),
        "none": "none",
    }
    assert dict(find_backbones([one, "published=timm"])) == {
        "baseline": one,
        "published": "timm",
    }
    # A place that is named twice is one backbone, however it is spelt; the first spelling stays.
    assert len(find_backbones([one, one])) == 1
    monkeypatch.chdir(trained.parent)
    spelt = ["study/baseline", "./study/baseline/", f"{trained}/../study/baseline"]
    assert dict(find_backbones(spelt)) == {"baseline": "study/baseline"}
    # Methods of a study by their own names, whatever stands beside them.
    assert with_backbones(["maxsup:alpha=0.2", "baseline:backbone=x"], {"x": "x", "y": "y"}) == (
        "maxsup:alpha=0.2,backbone=x",
        "maxsup:alpha=0.2,backbone=y",
        "baseline:backbone=x",
    )
    assert weights_of(find_backbones([str(trained), "none"])) == [
        f"{trained}/{name}/seed-0" for name in NAMES
    ]


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["{}/nothing"], "there is no .*nothing. Name the directory of a study"),
        (["mine={}"], "is a study, whose methods have names. Leave mine= away, or .*mine=.*/maxs"),
        (["{}/baseline", "{}/baseline/seed-0"], "would be called baseline. Give one another name"),
        (["a={}/baseline", "b={}/./baseline"], "a and b are both .*baseline, .* Give it one name"),
        (["{}", "mine={}/baseline"], "baseline and mine are both"),
        (["a=timm", "b=timm"], "a and b are both timm"),
        (["{}/baseline/seed-0", "b={}/baseline/seed-0/model.safetensors"], "and b are both"),
        (["2nd={}/baseline"], "'2nd' cannot be a name"),
        (["a..b={}/baseline"], "cannot be a name"),
    ],
)
def test_places_that_cannot_be_named_are_refused(
    trained: Path, words: list[str], match: str
) -> None:
    with pytest.raises(ValueError, match=f"backbones: .*{match}"):
        find_backbones([word.format(trained) for word in words])


@pytest.fixture(scope="module")
def compared(
    scenes: str, trained: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Results, Path]:
    """All backbones of a study, each seed with its own, beside one that starts at random."""
    directory = tmp_path_factory.mktemp("compared")
    return run(study(scenes, str(trained), "none"), directory), directory


def test_each_seed_is_fine_tuned_on_its_own_backbone(
    compared: tuple[Results, Path], trained: Path
) -> None:
    results, directory = compared
    assert [run["status"] for run in results["runs"]] == ["finished"] * 6
    assert [each["label"] for each in results["methods"]] == [
        "Backbone maxsup-alpha-0.1",
        "Backbone Baseline",
        "No backbone",
    ]
    frozen = {}
    for name in NAMES:
        for seed in (0, 1):
            place = directory / f"baseline-backbone-{name}" / f"seed-{seed}"
            recipe = settings_in(place).recipe
            assert recipe.weights == f"{trained}/{name}/seed-{seed}"
            kept = load_file(place / "model.safetensors")
            own = load_file(Path(recipe.weights) / "model.safetensors")
            for key, value in kept.items():
                if key.startswith("backbone.model."):
                    assert torch.equal(value, own[key.removeprefix("backbone.model.")]), key
            frozen[name, seed] = torch.cat(
                [value.flatten() for key, value in kept.items() if key.startswith("backbone.")]
            )
            assert len(frozen[name, seed])
    assert len({value.sum().item() for value in frozen.values()}) == 4
    assert settings_in(directory / "baseline-backbone-none" / "seed-0").recipe.weights is None
    notes = results["verdict"]["notes"]
    assert any("test accuracy" in note and "mean of 2 seeds" in note for note in notes)
    assert any("the backbone of its own seed" in note for note in notes)
    assert not any("of different architectures" in note for note in notes)


def test_backbones_of_a_seed_are_compared_from_one_head_and_on_the_same_batches(
    compared: tuple[Results, Path],
) -> None:
    results, _ = compared
    starts: dict[int, set[tuple[str, str]]] = {}
    for each in results["runs"]:
        start = each["fingerprint"]
        assert start is not None
        starts.setdefault(each["seed"], set()).add((start["initial_weights"], start["batches"]))
    assert [len(found) for found in starts.values()] == [1, 1]
    assert len(set.union(*starts.values())) == 2
    assert [(each["method"], each["against"]) for each in results["contrasts"]] == [
        ("baseline:backbone=baseline", "baseline:backbone=maxsup-alpha-0.1"),
        ("baseline:backbone=none", "baseline:backbone=maxsup-alpha-0.1"),
    ]
    assert results["measures"][0]["name"] == "test_mean_iou"
    assert "Backbone maxsup-alpha-0.1" in render_report(results)


def test_more_or_fewer_backbones_keep_what_has_finished(
    compared: tuple[Results, Path],
    scenes: str,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, whole = compared
    first = run(study(scenes, f"{trained}/baseline"), tmp_path)
    again = run(study(scenes, str(trained), "none"), tmp_path)
    before = {(each["method"], each["seed"]): each["values"] for each in first["runs"]}
    after = {(each["method"], each["seed"]): each["values"] for each in again["runs"]}
    assert len(before) == 2
    assert before.items() <= after.items()
    # As if all had been asked for at once.
    for place in whole.glob("*/*/model.safetensors"):
        other = tmp_path / place.relative_to(whole)
        assert place.read_bytes() == other.read_bytes()
    fewer = run(study(scenes, "none"), tmp_path)
    assert {each["method"] for each in fewer["runs"]} == {method for method, _ in after}
    kept = json.loads((tmp_path / "study.json").read_text())["methods"]
    assert {*kept} == {method for method, _ in after}
    # The same place may be spelt otherwise.
    monkeypatch.chdir(trained)
    spelt = run(study(scenes, "./baseline"), tmp_path)
    assert {each["method"] for each in spelt["runs"]} == {method for method, _ in after}
    # Another place of the same name would be another study.
    with pytest.raises(ValueError, match="backbones"):
        run(study(scenes, f"baseline={trained}/{NAMES[0]}"), tmp_path)


def test_backbones_with_names_of_their_own_stay_on_the_page(
    scenes: str, trained: Path, tmp_path: Path
) -> None:
    first = run(study(scenes, f"mine={trained}/baseline", seeds=(0,)), tmp_path)
    again = run(study(scenes, "none", seeds=(0,)), tmp_path)
    assert again["asked"]["left_out"] == []
    assert [each["method"] for each in again["runs"]] == [
        "baseline:backbone=none",
        "baseline:backbone=mine",
    ]
    assert again["runs"][1]["values"] == first["runs"][0]["values"]
    # So they do when the file that keeps the study is lost.
    (tmp_path / "study.json").unlink()
    lost = run(study(scenes, f"mine={trained}/baseline", seeds=(1,)), tmp_path)
    assert {(each["method"], each["seed"]) for each in lost["runs"]} == {
        ("baseline:backbone=mine", 0),
        ("baseline:backbone=mine", 1),
    }
    (reason,) = lost["asked"]["left_out"]
    assert "backbone=none: no such backbone; there are mine. See --backbones." in reason


def test_a_backbone_whose_place_is_gone_is_named_with_its_place_and_the_remedy(
    scenes: str, trained: Path, tmp_path: Path
) -> None:
    own, out = tmp_path / "own" / "baseline", tmp_path / "out"
    shutil.copytree(trained / "baseline", own)
    first = run(study(scenes, f"mine={own}", seeds=(0,)), out)
    own.rename(tmp_path / "elsewhere")
    without = run(study(scenes, "none", seeds=(0,)), out)
    (said,) = without["asked"]["left_out"]
    assert said.startswith(
        "baseline:backbone=mine, seed 0 was finished by an earlier command and is left out: its "
        f"backbone mine was in {own}, where there is none any more. Put it back there"
    )
    assert said in without["verdict"]["notes"]
    assert f"was in {own}" in render_report(without)
    # Under another name it is fine-tuned anew; put back, it is on the page as it was.
    other = run(study(scenes, f"other={tmp_path / 'elsewhere'}", seeds=(0,)), out)
    assert "baseline:backbone=other" in {each["method"] for each in other["runs"]}
    (tmp_path / "elsewhere").rename(own)
    again = run(study(scenes, "none", seeds=(0,)), out)
    values = {each["method"]: each["values"] for each in again["runs"]}
    assert values["baseline:backbone=mine"] == first["runs"][0]["values"]


def test_what_was_trained_from_scratch_keeps_its_architecture(
    scenes: str, trained: Path, tmp_path: Path
) -> None:
    other = {"model": "test_resnet", "seeds": (0,)}
    run(study(scenes, "none", **other), tmp_path)
    with pytest.raises(
        ValueError,
        match=r"baseline-backbone-none/seed-0 was trained from scratch as test_resnet; beside "
        r"baseline it is to be small-convnet.* --out",
    ):
        run(study(scenes, "none", f"{trained}/baseline", **other), tmp_path)
    # Those of its architecture may come later.
    torch.manual_seed(0)
    torch.save(create_model("test_resnet", num_classes=2).state_dict(), tmp_path / "like.pth")
    found = run(study(scenes, "none", str(tmp_path / "like.pth"), **other), tmp_path)
    assert [each["status"] for each in found["runs"]] == ["finished", "finished"]


def test_objectives_of_the_fine_tuning_are_compared_on_each_backbone(
    scenes: str, trained: Path
) -> None:
    settings = study(scenes, f"{trained}/baseline/seed-0", methods=("baseline", "maxsup"))
    assert settings.methods == ("baseline:backbone=baseline", "maxsup:backbone=baseline")
    for method, seed in settings.plan():
        assert settings.run(method, seed).recipe.weights == f"{trained}/baseline/seed-0"
    assert settings.run("maxsup:backbone=baseline", 0).method == "maxsup"


def test_a_seed_without_a_backbone_is_named_before_anything_is_written(
    scenes: str, trained: Path, tmp_path: Path
) -> None:
    settings = study(scenes, str(trained), seeds=(0, 1, 2))
    with pytest.raises(ValueError, match=r"has no run of seed 2, .* there are seeds 0, 1"):
        run(settings, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_study_that_was_stopped_is_not_compared_in_part(
    scenes: str, trained: Path, tmp_path: Path
) -> None:
    shutil.copytree(trained, tmp_path / "begun")
    first, second = (tmp_path / "begun" / name for name in NAMES)
    run(study(scenes, str(tmp_path / "begun"), seeds=(0,)), tmp_path / "out")
    # The last run was stopped in its middle.
    for name in ("result.json", "model.safetensors"):
        (second / "seed-1" / name).unlink()
    with pytest.raises(ValueError, match=r"the run in .*/baseline/seed-1 has not finished. Repeat"):
        run(study(scenes, str(tmp_path / "begun")), tmp_path / "other")
    with pytest.raises(ValueError, match="baseline/seed-1 has not finished"):
        weights_of(find_backbones([f"one={second}/seed-1"]))
    assert run(study(scenes, str(tmp_path / "begun"), seeds=(0,)), tmp_path / "other")
    # Of its last method there is nothing yet.
    shutil.rmtree(second)
    with pytest.raises(ValueError, match=r"begun has no run of baseline yet, .*begun/maxsup-alpha"):
        find_backbones([str(tmp_path / "begun")])
    with pytest.raises(ValueError, match="begun has no run of baseline yet"):
        with_teachers(["baseline"], Distillation(str(tmp_path / "begun")))
    assert [*find_backbones([str(first)])] == [NAMES[0]]
    # What was fine-tuned on the other one before is there still.
    again = run(study(scenes, "none", seeds=(0,)), tmp_path / "out")
    assert [each["method"] for each in again["runs"]] == [
        "baseline:backbone=none",
        f"baseline:backbone={NAMES[0]}",
    ]
    (reason,) = again["asked"]["left_out"]
    assert reason.startswith("baseline:backbone=baseline, seed 0 was finished by an earlier")


def test_a_run_that_diverges_leaves_the_others(scenes: str, trained: Path, tmp_path: Path) -> None:
    names = ("baseline:backbone=baseline", "baseline:backbone=baseline,lr=1e20")
    settings = dataclasses.replace(
        study(scenes, f"{trained}/baseline", seeds=(0,), freeze_backbone=False), methods=names
    )
    results = run(settings, tmp_path)
    status = {each["method"]: each["status"] for each in results["runs"]}
    assert status == dict(zip(names, ("finished", "failed"), strict=True))
    # The others have their page, also if it is the baseline that failed.
    again = run(dataclasses.replace(settings, baseline=names[1]), tmp_path)
    assert [each["status"] for each in again["runs"]] == ["finished", "failed"]
    assert "Class by class" in render_report(again)


def test_another_question_is_asked_of_the_same_images(scenes: str, tmp_path: Path) -> None:
    settings = StudySettings(
        DataSettings(scenes),
        dataclasses.replace(TINY, freeze_backbone=False),
        ("baseline", "maxsup"),
        (0, 1, 2),
    )
    before = run(settings, tmp_path)
    assert before["images"] is not None
    (told,) = before["images"]["contrasts"]
    assert told["low"] is not None
    assert told["high"] is not None
    analysed = analyse(
        before["runs"], before["measures"], settings.methods, Analysis("maxsup", "mean_iou")
    )
    found = kept_image_evidence(before, before["runs"], analysed, tmp_path)
    assert found["reasons"] == []
    (turned,) = found["contrasts"]
    assert (turned["low"], turned["high"]) == pytest.approx((-told["high"], -told["low"]))
    page = tmp_path / "again.html"
    assert main(["report", str(tmp_path), "--baseline", "maxsup", "--page", str(page)]) == 0
    assert "no mean over images" not in page.read_text()
    (tmp_path / "maxsup" / "seed-1" / "result.json").unlink()
    reasons = kept_image_evidence(before, before["runs"], analysed, tmp_path)["reasons"]
    assert reasons == ["maxsup, seed 1 kept no outputs on the test set."]


def test_seeds_with_test_images_of_their_own_are_said_to_have_them(tmp_path: Path) -> None:
    found = [scene(seed) for seed in range(8)]
    write_pairs(tmp_path / "data" / "images", tmp_path / "data" / "masks", found)
    settings = StudySettings(
        DataSettings(str(tmp_path / "data")),
        dataclasses.replace(TINY, freeze_backbone=False),
        ("baseline", "maxsup"),
        (0, 1),
        resample_data=True,
    )
    images = run(settings, tmp_path / "out")["images"]
    assert images is not None
    (reason,) = images["reasons"]
    assert reason.startswith("The runs have not the same test images. Where each seed has a split")


def test_backbones_of_different_architectures_are_called_so(
    scenes: str, trained: Path, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    torch.save(create_model("test_resnet", num_classes=2).state_dict(), tmp_path / "other.pth")
    settings = dataclasses.replace(
        study(scenes, f"{trained}/baseline/seed-0", seeds=(0,)),
        methods=("baseline:backbone=baseline", "baseline:backbone=other"),
        recipe=dataclasses.replace(TINY, model="test_resnet"),
        backbones=(f"{trained}/baseline/seed-0", str(tmp_path / "other.pth")),
    )
    (note,) = (
        note
        for note in run(settings, tmp_path / "out")["verdict"]["notes"]
        if "of different architectures" in note
    )
    assert "baseline:backbone=baseline has small-convnet" in note
    assert "baseline:backbone=other has test_resnet" in note


def test_a_grey_backbone_fits_in_part(
    scenes: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What its error recommends can be done, in a study and in one training."""
    torch.manual_seed(0)
    weights = create_model("test_resnet", num_classes=2, in_channels=1).state_dict()
    torch.save(weights, tmp_path / "grey.pth")
    study = short(scenes, "--recipe", "camvid-upernet", "--model", "test_resnet")
    study += ["--backbones", str(tmp_path / "grey.pth"), "none", "--out", str(tmp_path / "out")]
    assert main(study) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "for images of 1 channel (grey), and these have 3 channels" in said
    assert "add --partial-weights" in said
    assert main([*study, "--partial-weights"]) == 0
    recipes = {
        name: settings_in(tmp_path / "out" / f"baseline-backbone-{name}" / "seed-0").recipe
        for name in ("grey", "none")
    }
    assert {name: recipe.partial_weights for name, recipe in recipes.items()} == {
        "grey": True,
        "none": False,
    }
    one = ["train", "camvid-upernet", "--data", scenes, "--model", "test_resnet", "--iterations"]
    one += ["1", "--epochs", "1", "--batch-size", "2", "--head", "linear", "--crop-size", "8", "8"]
    one += ["--freeze-backbone", "--partial-weights", "--out", str(tmp_path / "one")]
    assert main([*one, "--backbone", str(tmp_path / "grey.pth")]) == 0
    kept = load_file(tmp_path / "one" / "model.safetensors")
    assert kept["backbone.model.conv1.0.weight"].shape[1] == 3
    assert torch.equal(kept["backbone.model.conv1.3.weight"], weights["conv1.3.weight"])
    assert main([*one, "--backbone", "timm"]) == 2
    assert "partial_weights has no effect without" in capsys.readouterr().err


def short(*words: str) -> list[str]:
    tiny = ("--iterations", "1", "--epochs", "1", "--batch-size", "2", "--seeds", "1")
    return ["compare", *words, *tiny, "--head", "linear", "--crop-size", "8", "8"]


def test_backbones_on_the_command_line(
    scenes: str, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a recipe or methods: that for masks, and plain cross-entropy as in the paper."""
    words = short(scenes, "--backbones", str(trained), "--out", str(tmp_path / "out"))
    assert main(words) == 0
    assert "Recipe: finetune-segmentation, as images with masks" in capsys.readouterr().err
    found = json.loads((tmp_path / "out" / "study.json").read_text())
    assert found["methods"] == [f"baseline:backbone={name}" for name in NAMES]
    assert (tmp_path / "out" / "report.html").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--recipe", "digits"], "recipe digits trains to classify images"),
        (["--weights", "x.pth"], "--backbone and --weights both say"),
        (["--model", "resnet18"], "--model resnet18 does not go with"),
        (["--tune", "2"], "Leave --tune out"),
        (["--teacher", "TRAINED"], "leave --teacher out"),
        (["--primary", "nll"], "there are mean_iou"),
        (["--resample-data"], "resample_data: nothing would differ"),
        (["--label-noise", "0.2"], "label_noise has no effect"),
        (["--methods", "baseline:backbone=x"], "no backbone is called x; there are: maxsup-a"),
        (["--methods"], "at least one method"),
        (["--backbones", "none", "--partial-weights"], "partial_weights has no effect without"),
        (["--evaluate-flip"], "evaluate_flip is for images with one label"),
        (["--no-keep-outputs"], "keep_outputs is for images with one label"),
    ],
)
def test_what_does_not_go_with_backbones_is_refused(
    scenes: str,
    trained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    out = tmp_path / "out"
    recipe = [] if "--recipe" in options else ["--recipe", "camvid-upernet"]
    options = [str(trained) if each == "TRAINED" else each for each in options]
    words = ["compare", scenes, "--backbones", str(trained), *recipe, "--out", str(out), *options]
    assert main(words) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not out.exists()
