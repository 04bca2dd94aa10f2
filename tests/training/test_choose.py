"""The recipe for images of one's own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
from PIL import Image
from safetensors.torch import load_file, save_file

from maxsup.data import DataSettings, look_at
from maxsup.models import Architecture, ModelDescription, save_model
from maxsup.recipes import get_recipe, rule_of
from maxsup.training import RunSettings, choose_recipe, train


def image(seed: int, size: tuple[int, int], mode: str) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def folder(
    root: Path, count: int, *sizes: tuple[int, int], mode: str = "RGB", suffix: str = "png"
) -> DataSettings:
    for number in range(count):
        place = root / ("cat", "dog")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        image(number, sizes[number % len(sizes)], mode).save(place / f"{number}.{suffix}")
    return DataSettings(str(root))


def weights_file(path: Path, name: str = "test_resnet") -> str:
    state = timm.create_model(name, num_classes=5).state_dict()
    save_file({key: value.contiguous() for key, value in state.items()}, path)
    return str(path)


def test_small_images_are_trained_from_scratch(tmp_path: Path) -> None:
    recipe, notes = choose_recipe(folder(tmp_path / "own", 40, (32, 32)))
    assert (recipe.name, recipe.model, recipe.weights) == ("small-images", "resnet18", None)
    assert (recipe.image_size, recipe.crop_padding, recipe.flip) == (32, 4, True)
    assert recipe.small_stem
    assert not recipe.random_resized_crop
    said = " ".join(notes)
    assert "Recipe: small-images, since the images are small (32×32 pixels" in said
    assert "--recipe names another" in said
    assert "about 32 images to train on: 100 epochs, batches of 16, learning rate 0.0125" in said
    assert "from scratch" in said


def test_grey_images_of_several_sizes(tmp_path: Path) -> None:
    data = folder(tmp_path / "own", 12, (30, 20), (28, 28), (28, 28), mode="L")
    recipe, notes = choose_recipe(data)
    assert (recipe.image_size, recipe.flip) == (28, False)
    assert "Grey images are not mirrored" in " ".join(notes)
    assert "differ in size" in " ".join(notes)
    recipe, notes = choose_recipe(data, flip=True, image_size=16, epochs=3)
    assert (recipe.image_size, recipe.flip, recipe.epochs) == (16, True, 3)
    assert "3 epochs (as asked), batches of 8, learning rate" in " ".join(notes)
    assert "mirrored" not in " ".join(notes)


def test_small_images_that_are_not_square_stay_as_they_are(tmp_path: Path) -> None:
    assert choose_recipe(folder(tmp_path / "own", 8, (40, 20))).recipe.image_size is None


def test_photographs_start_from_published_weights(tmp_path: Path) -> None:
    data = folder(tmp_path / "own", 10, (120, 90), (150, 200), suffix="jpg")
    recipe, notes = choose_recipe(data)
    assert (recipe.name, recipe.weights, recipe.batch_size) == ("finetune", "timm", 8)
    assert recipe.mean == (0.485, 0.456, 0.406)
    assert "the images are photographs" in notes[0]
    recipe, _ = choose_recipe(data, model="vit_tiny_patch16_224")
    assert (recipe.mean, recipe.eval_crop, recipe.image_size) == ((0.5,) * 3, 0.9, 224)
    recipe, _ = choose_recipe(data, model="vit_tiny_patch16_224", mean=(0.1,) * 3, std=(1.0,) * 3)
    assert recipe.mean == (0.1, 0.1, 0.1)
    recipe, notes = choose_recipe(data, weights=None)
    assert (recipe.weights, recipe.mean) == (None, None)
    assert "from scratch" in " ".join(notes)
    with pytest.raises(ValueError, match="timm publishes no weights of coatnet_0_224"):
        choose_recipe(data, model="coatnet_0_224")


def test_weights_from_a_file_say_what_they_expect(tmp_path: Path) -> None:
    data = folder(tmp_path / "own", 10, (120, 90))
    path = weights_file(tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match="Name it with --model"):
        choose_recipe(data, weights=path)
    recipe, notes = choose_recipe(data, weights=path, model="test_resnet", image_size=64)
    assert (recipe.model, recipe.weights, recipe.image_size) == ("test_resnet", path, 64)
    said = " ".join(notes)
    assert f"Model: test_resnet, from {path}. Its images are as timm of test_resnet has" in said
    assert "64 pixels (as asked), crop 0.95" in said


def test_small_images_and_weights(tmp_path: Path) -> None:
    data = folder(tmp_path / "own", 10, (16, 16))
    path = weights_file(tmp_path / "w.safetensors")
    recipe, notes = choose_recipe(data, weights=path, model="test_resnet")
    assert recipe.name == "finetune"
    assert "enlarged" in notes[0]
    architecture = Architecture("resnet10t", num_classes=3, image_size=16)
    description = ModelDescription(
        architecture, ("a", "b", "c"), (0.5,) * 3, (0.2,) * 3, (3, 16, 16), "small"
    )
    (tmp_path / "run").mkdir()
    save_model(tmp_path / "run", architecture.build(), description)
    recipe, _ = choose_recipe(data, weights=str(tmp_path / "run"))
    assert (recipe.name, recipe.model, recipe.mean) == ("small-images", "resnet10t", (0.5,) * 3)


def test_named_recipe_is_kept_and_only_one_with_a_rule_is_fitted(tmp_path: Path) -> None:
    data = folder(tmp_path / "own", 10, (120, 90))
    recipe, notes = choose_recipe(data, "small-images", image_size=32)
    assert (recipe.name, recipe.batch_size) == ("small-images", 8)
    assert not any("--recipe" in note for note in notes)
    assert choose_recipe(data, "cub-resnet50") == (get_recipe("cub-resnet50"), ())
    assert choose_recipe(DataSettings("digits")) == (get_recipe("digits"), ())
    with pytest.raises(ValueError, match="No recipe is called 'nope'"):
        choose_recipe(data, "nope")
    with pytest.raises(ValueError, match="There is no data called 'digts'"):
        choose_recipe(DataSettings("digts"))
    with pytest.raises(ValueError, match="Name a recipe with --recipe"):
        choose_recipe(DataSettings(data.name, streaming=True))


@pytest.mark.parametrize(
    ("settings", "images"),
    [({}, 32), ({"validation": 0.25}, 24), ({"fraction": 0.5}, 16), ({"test_fraction": 0.5}, 20)],
)
def test_look_counts_what_will_be_trained_on(
    settings: dict[str, Any], images: int, tmp_path: Path
) -> None:
    data = folder(tmp_path / "own", 40, (8, 8))
    assert look_at(DataSettings(data.name, **settings)).images == images


def test_look_passes_over_what_cannot_be_read(tmp_path: Path) -> None:
    data = folder(tmp_path / "own", 6, (8, 8))
    (tmp_path / "own" / "cat" / "0.png").write_bytes(b"nothing")
    assert look_at(data).sampled == 5
    for path in (tmp_path / "own").glob("*/*.png"):
        path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="None of the images"):
        look_at(data)


def test_rules_hold_their_bounds() -> None:
    for name in ("small-images", "finetune"):
        rule, recipe = rule_of(name), get_recipe(name)
        assert rule is not None
        for images in (1, 2, 15, 16, 100, 319, 1_000, 50_000, 1_300_000):
            fitted = rule.fit(recipe, images)
            assert fitted.batch_size <= max(1, images)
            assert fitted.batch_size <= rule.batch_sizes[1]
            assert rule.epochs[0] <= fitted.epochs <= rule.epochs[1]
            steps = fitted.epochs * (images // fitted.batch_size)
            assert steps >= rule.least_steps or fitted.epochs == rule.epochs[1]
            assert fitted.lr / fitted.batch_size == pytest.approx(recipe.lr / recipe.batch_size)
            assert fitted.warmup_epochs == recipe.warmup_epochs


def test_folder_as_people_have_it_is_trained_on_and_a_changed_file_is_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A .jpeg among .jpg, a GIF in place of a picture that is gone; weights that change."""
    data = folder(tmp_path / "own", 59, (60, 45), (100, 120), suffix="jpg")
    image(0, (50, 50), "RGB").save(tmp_path / "own" / "dog" / "1.jpeg")
    image(0, (30, 30), "P").save(tmp_path / "own" / "cat" / "imageNotFound.gif")
    path = weights_file(tmp_path / "w.safetensors")
    recipe, _ = choose_recipe(
        data, "finetune", weights=path, model="test_resnet", image_size=32, epochs=1, workers=0
    )
    settings = RunSettings("maxsup", 0, recipe, data)
    result = train(settings, tmp_path / "run")
    said = " ".join(capsys.readouterr().err.split())
    assert "1 image of 61 is of another kind of file than JPEG" in said
    assert "cat/imageNotFound.gif" in said
    assert "Weights: The last layer starts anew: the file has one for other classes." in said
    assert result.history[0]["epoch"] == 1
    assert train(settings, tmp_path / "run").initial_weights == result.initial_weights

    before = settings.fingerprint()
    save_file({key: value + 1 for key, value in load_file(path).items()}, path)
    assert settings.fingerprint() != before
    with pytest.raises(ValueError, match="started from other weights than"):
        train(settings, tmp_path / "run")
    Path(path).unlink()
    with pytest.raises(ValueError, match="weights: there is no file"):
        train(settings, tmp_path / "run")
