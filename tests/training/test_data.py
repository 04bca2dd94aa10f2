from pathlib import Path

import numpy as np
from PIL import Image

from maxsup.data import DataSettings
from maxsup.recipes import Recipe
from maxsup.training import RunSettings, load_data


def folder(root: Path) -> Path:
    for split in ("train", "test"):
        for number in range(8):
            pixels = np.random.default_rng(number).integers(0, 256, (12, 20, 3), dtype=np.uint8)
            place = root / split / ("cat", "dog")[number % 2]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(place / f"{number}.png")
    return root


def test_load_data_brings_small_images_to_the_recipes_size(tmp_path: Path) -> None:
    settings = DataSettings(str(folder(tmp_path)))
    small = Recipe("r", "small-convnet", image_size=6)
    assert load_data(settings, small).image_shape == (3, 6, 6)
    assert load_data(settings, Recipe("r", "small-convnet")).image_shape == (3, 12, 20)
    photographs = Recipe("r", "resnet18", image_size=6, eval_size=8, random_resized_crop=True)
    assert load_data(settings, photographs).image_shape == (3, 8, 8)


def test_run_settings_of_earlier_versions_have_the_image_size_in_their_data() -> None:
    settings = RunSettings("maxsup", 0, Recipe("r", "m", image_size=32), DataSettings("digits"))
    earlier = settings.to_json().replace('"name": "digits",', '"name": "digits", "image_size": 32,')
    earlier = earlier.replace('"format": 3,', "")
    assert earlier != settings.to_json()
    assert RunSettings.from_json(earlier) == settings
