"""Settings files of this version, of earlier ones and of later ones."""

import dataclasses
import json
from pathlib import Path

import pytest

from maxsup.data import DataSettings
from maxsup.recipes import get_recipe
from maxsup.study import StudySettings
from maxsup.training import RunSettings

SETTINGS = RunSettings(
    "maxsup", 3, get_recipe("cifar100-resnet18"), DataSettings("digits", label_noise=0.4)
)


def changed(text: str, **changes: object) -> str:
    fields = json.loads(text)
    del fields["sha256"]
    return json.dumps(fields | changes)


def test_settings_come_back_as_they_were(tmp_path: Path) -> None:
    SETTINGS.save(tmp_path / "settings.json")
    assert RunSettings.load(tmp_path / "settings.json") == SETTINGS


def test_settings_of_version_0_1_are_read() -> None:
    """Without a format; the side of the images stood twice; what came later gets its default."""
    fields = json.loads(SETTINGS.to_json())
    del fields["format"], fields["recipe"]["keep_outputs"]
    fields["data"]["image_size"] = None
    assert RunSettings.from_json(json.dumps(fields)) == SETTINGS


def test_settings_of_version_0_1_keep_the_side_of_small_images() -> None:
    fields = json.loads(SETTINGS.to_json())
    del fields["format"]
    fields["data"]["image_size"] = 48
    assert RunSettings.from_json(json.dumps(fields)).recipe.image_size == 48
    fields["format"] = 2
    with pytest.raises(ValueError, match=r"name data\.image_size"):
        RunSettings.from_json(json.dumps(fields))


def test_settings_of_a_newer_version_say_so() -> None:
    with pytest.raises(ValueError, match=r"newer version of maxsup, in format 99.*1 to 3"):
        RunSettings.from_json(changed(SETTINGS.to_json(), format=99))


def test_settings_that_are_not_known_are_named() -> None:
    fields = json.loads(SETTINGS.to_json())
    fields["recipe"]["lookahead"] = 5
    with pytest.raises(ValueError, match=r"name recipe\.lookahead, which this version"):
        RunSettings.from_json(json.dumps(fields))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"method": "maxsup", "seed": 0, "recipe": 1}'])
def test_settings_of_another_kind_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no settings file of a run"):
        RunSettings.from_json(text)


def study() -> StudySettings:
    return StudySettings(SETTINGS.data, SETTINGS.recipe, seeds=(0, 1))


def test_study_of_version_0_1_goes_on(tmp_path: Path) -> None:
    fields = {**json.loads(json.dumps(dataclasses.asdict(study())))}
    del fields["recipe"]["keep_outputs"]
    fields["data"]["image_size"] = None
    (tmp_path / "study.json").write_text(json.dumps(fields))
    study().claim(tmp_path)
    assert json.loads((tmp_path / "study.json").read_text())["format"] == 3


def test_study_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    study().claim(tmp_path)
    text = changed((tmp_path / "study.json").read_text(), format=99)
    (tmp_path / "study.json").write_text(text)
    with pytest.raises(ValueError, match="newer version of maxsup, in format 99"):
        study().claim(tmp_path)
    assert (tmp_path / "study.json").read_text() == text


def test_study_may_be_taken_up_with_other_workers(tmp_path: Path) -> None:
    """What changes no number may be changed."""
    before = dataclasses.replace(study(), recipe=get_recipe("imagenet-resnet18"))
    before.claim(tmp_path)
    recipe = dataclasses.replace(before.recipe, workers=3, keep_outputs=False)
    dataclasses.replace(before, recipe=recipe).claim(tmp_path)
    assert StudySettings.load(tmp_path / "study.json").recipe.workers == 3
