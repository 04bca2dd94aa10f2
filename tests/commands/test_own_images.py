"""Images of one's own on the command line, without a recipe."""

import json
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from maxsup.commands import main
from maxsup.results import read_results


def folder(root: Path, count: int, size: tuple[int, int], suffix: str = "jpg") -> str:
    generator = np.random.default_rng(0)
    for number in range(count):
        place = root / ("cat", "dog")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        pixels = generator.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"{number}.{suffix}")
    return str(root)


def weights_of(path: Path, num_classes: int = 5) -> Path:
    torch.save(
        {"state_dict": timm.create_model("test_resnet", num_classes=num_classes).state_dict()}, path
    )
    return path


def text_of(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    return " ".join((out + err).split())


def test_compare_says_what_it_chose_on_the_terminal_and_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder(tmp_path / "pets", 20, (120, 100))
    weights_of(tmp_path / "w.pth")
    words = [
        *("compare", "pets", "--model", "test_resnet", "--weights", "w.pth", "--image-size", "32"),
        *("--epochs", "1", "--seeds", "1", "--methods", "baseline", "maxsup", "--workers", "0"),
    ]
    assert main([*words, "--dry-run"]) == 0
    said = text_of(capsys)
    assert "Recipe: finetune, since the images are photographs (120×100 pixels each" in said
    assert "model test_resnet, 0.37 M parameters" in said
    assert not (tmp_path / "runs").exists()
    assert main(words) == 0
    said = " ".join(capsys.readouterr().err.split())
    results = read_results(tmp_path / "runs" / "pets" / "results.json")
    notes = results["data"]["notes"]
    assert results["recipe"]["name"] == "finetune"
    assert results["recipe"]["weights"] == "w.pth"
    page = (tmp_path / "runs" / "pets" / "report.html").read_text()
    for start in ("Recipe: finetune, since", "finetune, fitted to about 16", "Model: test_resnet"):
        (note,) = (note for note in notes if note.startswith(start))
        assert said.count(note) == 1
        assert note in results["verdict"]["notes"]
        assert start in page
    assert "Weights: Of w.pth, the entry state_dict is taken." in notes
    assert said.count("Weights: The last layer starts anew") == 1

    assert main(words) == 0  # goes on, and is done
    assert read_results(tmp_path / "runs" / "pets" / "results.json")["runs"] == results["runs"]
    capsys.readouterr()
    weights_of(tmp_path / "w.pth")  # another random start
    assert main(words) == 2
    assert "started from other weights than w.pth now holds" in text_of(capsys)


def test_train_needs_no_recipe_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    data = folder(tmp_path / "icons", 20, (8, 8), "png")
    words = ["train", "--data", data, "--model", "small-convnet", "--epochs", "1"]
    assert main(words) == 0
    said = text_of(capsys)
    assert "Recipe: small-images, since the images are small (8×8 pixels each" in said
    run = tmp_path / "runs" / "small-images" / "maxsup" / "seed-0"
    settings = json.loads((run / "settings.json").read_text())
    assert settings["recipe"]["batch_size"] == 16
    # The file repeats it as it was, whatever would be chosen now.
    words = ["train", str(run / "settings.json"), "--out", "again"]
    assert main(words) == 0
    assert "Recipe:" not in text_of(capsys)
    kept = [(place / "result.json").read_text() for place in (run, tmp_path / "again")]
    assert json.loads(kept[0])["initial_weights"] in kept[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["compare", "none/such"], "no file or folder has this path"),
        (["compare", "digts"], "Did you mean 'digits'?"),
        (["compare", "pets", "--weights", "none.pth"], "there is no file none.pth"),
        (["compare", "pets", "--model", "resnett50"], "No model is called 'resnett50'"),
        (["compare", "pets", "--weights", "w.pth"], "Name it with --model"),
        (["compare", "pets", "--model", "timm/resnet50.a1_in1k"], "timm lists it: resnet50.a1"),
        (["compare", "pets", "--partial-weights"], "partial_weights has no effect without weights"),
        (["compare", "pets", "--streaming"], "no recipe can be chosen"),
        (["compare", "pets", "--epochs", "0"], "epochs must be at least 1; got 0"),
        (["train", "pets"], "To train on it: maxsup train --data pets"),
        (["train", "--data", "none/such"], "no file or folder has this path"),
    ],
)
def test_what_cannot_be_chosen_is_refused_before_anything_is_written(
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    folder(tmp_path / "pets", 8, (120, 100))
    weights_of(tmp_path / "w.pth")
    assert main(words) == 2
    assert message in text_of(capsys)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pets", "w.pth"]
