"""A run's model as a stranger uses it."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors import safe_open

from maxsup.data import DataSettings, load_images
from maxsup.evaluation import load_outputs
from maxsup.models import (
    Architecture,
    ModelDescription,
    create_model,
    load_run,
    save_model,
)
from maxsup.recipes import Recipe, get_recipe
from maxsup.training import RunSettings, train

PHOTOGRAPHS = Recipe(
    name="photographs",
    model="resnet10t",
    image_size=32,
    random_resized_crop=True,
    eval_size=48,
    eval_crop=0.875,
    interpolation="bicubic",
    epochs=1,
    batch_size=8,
    lr=0.01,
    workers=0,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs of two classes, in colour, no two of one size."""
    root: Path = tmp_path_factory.mktemp("photographs")
    generator = np.random.default_rng(0)
    for split, count in (("train", 8), ("test", 5)):
        for name, level in (("cat", 60), ("dog", 190)):
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                shape = (40 + 7 * number, 60, 3)
                pixels = generator.integers(level - 50, level + 50, shape, dtype=np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{number}.png")
    return root


def test_digits_run_gives_the_kept_logits(tmp_path: Path) -> None:
    recipe = dataclasses.replace(get_recipe("digits"), epochs=1, batch_size=256)
    data = DataSettings("digits")
    train(RunSettings("maxsup", 0, recipe, data), tmp_path)
    run = load_run(str(tmp_path))
    assert run.classes == tuple("0123456789")
    assert not run.model.training
    images = load_images(data).test.images
    batch = []
    for image in images[:20]:
        Image.fromarray(image[0].numpy()).save(tmp_path / "digit.png")
        batch.append(run.preprocess(tmp_path / "digit.png"))
    with torch.inference_mode():
        logits = run.model(torch.stack(batch))
    kept = load_outputs(tmp_path / "outputs-test.safetensors")
    assert torch.allclose(logits, kept.logits[:20], atol=1e-5)


def test_photographs_run_gives_the_kept_logits(tmp_path: Path, folder: Path) -> None:
    settings = RunSettings("maxsup", 0, PHOTOGRAPHS, DataSettings(str(folder)))
    train(settings, tmp_path)
    run = load_run(tmp_path)
    assert run.classes == ("cat", "dog")
    files = sorted((folder / "test").glob("*/*.png"))
    with torch.inference_mode():
        logits = run.model(torch.stack([run.preprocess(file.read_bytes()) for file in files]))
    kept = load_outputs(tmp_path / "outputs-test.safetensors")
    assert torch.allclose(logits, kept.logits[kept.ids.argsort()], atol=1e-5)


def test_run_can_be_loaded_by_timm_alone(tmp_path: Path, folder: Path) -> None:
    """As the how-to says: timm reads the configuration and the weights of the run's directory."""
    settings = RunSettings("maxsup", 0, PHOTOGRAPHS, DataSettings(str(folder)))
    train(settings, tmp_path)
    run = load_run(tmp_path)
    model = timm.create_model(f"local-dir:{tmp_path}", pretrained=True).eval()
    images = torch.randn(2, 3, 48, 48)
    with torch.inference_mode():
        assert torch.equal(model(images), run.model(images))
    config = timm.data.resolve_model_data_config(model)
    assert config["input_size"] == (3, 48, 48)
    assert tuple(config["mean"]) == run.description.mean
    assert tuple(config["std"]) == run.description.std
    assert (config["interpolation"], config["crop_pct"]) == ("bicubic", 0.875)
    assert list(model.pretrained_cfg["label_names"]) == ["cat", "dog"]
    transform = timm.data.create_transform(**config, is_training=False)
    ramp = np.linspace(0, 255, 80 * 100, dtype=np.uint8).reshape(80, 100)
    Image.fromarray(ramp).convert("RGB").save(tmp_path / "ramp.png")
    theirs = transform(Image.open(tmp_path / "ramp.png"))
    # Both resize and crop, in another order, and so round sizes differently.
    assert float((theirs - run.preprocess(tmp_path / "ramp.png")).abs().max()) < 0.1


@pytest.mark.parametrize(
    "architecture",
    [
        Architecture("resnet18", 3, small_stem=True, zero_init=False),
        Architecture("resnet50.tv_in1k", 3, blur_pool=True),
        Architecture("cifar-resnet20", 3, in_channels=1),
        Architecture("deit_tiny_patch16_224", 3, drop_path=0.1, image_size=32),
    ],
    ids=lambda each: each.name,
)
def test_architecture_survives_the_round_trip(tmp_path: Path, architecture: Architecture) -> None:
    torch.manual_seed(0)
    model = architecture.build().eval()
    channels = architecture.in_channels
    mean = (0.5,) * channels
    description = ModelDescription(
        architecture, ("a", "b", "ü"), mean, mean, (channels, 32, 32), "small"
    )
    save_model(tmp_path, model, description)
    run = load_run(tmp_path)
    assert run.description == description
    images = torch.randn(2, channels, 32, 32)
    with torch.inference_mode():
        assert torch.equal(run.model(images), model(images))


def saved(directory: Path) -> ModelDescription:
    architecture = Architecture("small-convnet", 2, in_channels=1)
    description = ModelDescription(architecture, ("a", "b"), (0.5,), (0.2,), (1, 8, 8), "small")
    save_model(directory, architecture.build(), description)
    return description


def test_weights_file_alone_holds_the_description(tmp_path: Path) -> None:
    description = saved(tmp_path)
    with safe_open(tmp_path / "model.safetensors", framework="pt") as file:
        metadata = file.metadata()
    assert metadata["format"] == "pt"
    assert ModelDescription.from_config(json.loads(metadata["config"])) == description


def test_small_images_of_another_size_are_resized(tmp_path: Path) -> None:
    saved(tmp_path)
    run = load_run(tmp_path)
    Image.new("RGB", (33, 21), (200, 200, 200)).save(tmp_path / "large.png")
    found = run.preprocess(tmp_path / "large.png")
    assert found.shape == (1, 8, 8)
    assert found.unique().tolist() == pytest.approx([(200 / 255 - 0.5) / 0.2])


def test_small_images_that_are_not_square_must_fit(tmp_path: Path) -> None:
    architecture = Architecture("small-convnet", 2, in_channels=1)
    description = ModelDescription(architecture, ("a", "b"), (0.5,), (0.2,), (1, 8, 12), "small")
    save_model(tmp_path, architecture.build(), description)
    run = load_run(tmp_path)
    Image.new("L", (12, 8)).save(tmp_path / "fits.png")
    assert run.preprocess(tmp_path / "fits.png").shape == (1, 8, 12)
    Image.new("L", (8, 8)).save(tmp_path / "other.png")
    with pytest.raises(ValueError, match="8×8 pixels, and the model was trained on images of 12×8"):
        run.preprocess(tmp_path / "other.png")


def test_image_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    saved(tmp_path)
    with pytest.raises(ValueError, match="cannot be decoded: no known image format"):
        load_run(tmp_path).preprocess(b"no image")


def test_directory_without_a_model_is_refused_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no config\.json.*that has finished"):
        load_run(tmp_path)
    (tmp_path / "config.json").write_text('{"architecture": "resnet18"}')
    with pytest.raises(ValueError, match=r"config\.json was not written by maxsup"):
        load_run(tmp_path)


def test_configuration_of_a_newer_version_says_so(tmp_path: Path) -> None:
    saved(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["maxsup"]["format"] = 99
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        ValueError, match=r"config\.json was written by a newer version of maxsup, in format 99"
    ):
        load_run(tmp_path)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    other = create_model("small-convnet", num_classes=5, in_channels=1)
    description = ModelDescription(
        Architecture("small-convnet", 5, in_channels=1), tuple("abcde"), (0.5,), (0.2,), (1, 8, 8),
        "small",
    )  # fmt: skip
    (tmp_path / "other").mkdir()
    save_model(tmp_path / "other", other, description)
    weights = (tmp_path / "other" / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(weights)
    with pytest.raises(ValueError, match="does not hold the weights of small-convnet"):
        load_run(tmp_path)
