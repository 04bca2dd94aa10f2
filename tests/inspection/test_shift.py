from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from maxsup.data import DataSettings, PhotographSettings, load_images
from maxsup.data.corruptions import SEVERITIES, CorruptedSplit
from maxsup.evaluation import Execution
from maxsup.inspection import InspectionSettings, Subject
from maxsup.inspection._look import look_at
from maxsup.inspection.analyses import ANALYSES
from maxsup.inspection.analyses.corruptions import CORRUPTIONS
from maxsup.inspection.analyses.ood import OOD
from maxsup.models import Architecture, ModelDescription, TrainedModel

Make = Callable[..., Subject]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A model of random weights on some digits."""

    def made(channels: int = 1, **fields: object) -> Subject:
        data = load_images(DataSettings("digits", fraction=0.2))
        splits = {name: getattr(data, name) for name in ("train", "test")}
        if channels == 3:
            splits = {name: split.with_colours() for name, split in splits.items()}
        data = replace(data, **splits)
        architecture = Architecture("small-convnet", num_classes=10, in_channels=channels)
        torch.manual_seed(0)
        description = ModelDescription(
            architecture, data.classes, (0.5,) * channels, (0.5,) * channels, data.image_shape,
            "small",
        )  # fmt: skip
        return Subject(
            "maxsup", "MaxSup", 0, "here", Execution(torch.device("cpu")), "digest",
            trained=TrainedModel(architecture.build().eval(), description), data=data,
            **fields,  # type: ignore[arg-type]
        )  # fmt: skip

    return made


def write_noise(
    place: Path, classes: tuple[str, str], counts: dict[str, int], size: tuple[int, int], kind: str
) -> None:
    """Images of noise in colours, so many of each class in each split."""
    generator = np.random.default_rng(0)
    for split, count in counts.items():
        for name in classes:
            folder = place / split / name
            folder.mkdir(parents=True)
            for each in range(count):
                pixels = generator.integers(0, 256, (*size, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{each}.{kind}")


@pytest.fixture
def other(tmp_path: Path) -> str:
    """Images in colours, of other classes and another size."""
    write_noise(tmp_path / "other", ("stripes", "3"), {"train": 2, "test": 9}, (10, 12), "png")
    return str(tmp_path / "other")


def test_the_mean_is_over_kinds_of_means_over_severities(make: Make) -> None:
    subject = make()
    settings = InspectionSettings(corruptions=("fog", "jpeg", "saturate"), seed=3)
    found = CORRUPTIONS.run(subject, settings)
    assert found is not None
    assert subject.data is not None
    errors = {
        kind: [
            float((outputs.logits.argmax(dim=1) != outputs.true_labels).double().mean())
            for severity in SEVERITIES
            for outputs in [subject.of(CorruptedSplit(subject.data.test, kind, severity, 3))]
        ]
        for kind in ("fog", "jpeg")
    }
    expected = np.mean([np.mean(each) for each in errors.values()])
    assert found.values["test_corruption_error"] == pytest.approx(expected, rel=1e-12)
    assert found.details["counted"] == ["fog", "jpeg"]  # saturate is none of the common ones
    assert found.details["found"]["jpeg"]["error"] == errors["jpeg"]
    assert set(found.values) == {each["name"] for each in CORRUPTIONS.facts_under(settings)}
    assert found.resampled is not None
    again = found.resampled(torch.arange(len(subject.data.test)))
    assert again["test_corruption_error"] == pytest.approx(expected, rel=1e-12)


def test_a_sample_of_the_test_images_is_the_same_for_every_model(make: Make) -> None:
    settings = InspectionSettings(corruptions=("contrast",), corruption_samples=50)
    one, two = (CORRUPTIONS.run(make(), settings) for _ in range(2))
    assert one is not None
    assert two is not None
    assert one.details["samples"] == 50
    assert one.values == two.values
    assert one.resampled is not None
    everything = one.resampled(torch.arange(540))
    assert everything["test_corruption_error"] == pytest.approx(one.values["test_corruption_error"])


def test_what_was_found_before_a_stop_is_not_found_again(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    settings = InspectionSettings(corruptions=("fog",), corruption_samples=60)
    first = CORRUPTIONS.run(make(kept=tmp_path / "kept", announce=said.append), settings)
    assert first is not None
    assert any("passes over corrupted images; about" in each for each in said)
    (tmp_path / "kept" / "corruptions" / "found-fog-4.json").unlink()
    passes = []
    of = Subject.of
    monkeypatch.setattr(
        Subject, "of", lambda self, split: passes.append(split.severity) or of(self, split)
    )
    second = CORRUPTIONS.run(make(kept=tmp_path / "kept"), settings)
    assert second is not None
    assert passes == [4]
    assert second.values == first.values
    assert second.details == first.details


def test_a_photograph_that_cannot_be_read_is_left_out_and_named(tmp_path: Path) -> None:
    write_noise(tmp_path / "pets", ("cat", "dog"), {"train": 2, "test": 4}, (70, 80), "jpg")
    broken = tmp_path / "pets" / "test" / "dog" / "1.jpg"
    broken.write_bytes(broken.read_bytes()[:300])
    data = load_images(
        DataSettings(str(tmp_path / "pets"), max_corrupt=1),
        photographs=PhotographSettings(66, workers=0),
    )
    torch.manual_seed(0)
    architecture = Architecture("small-convnet", num_classes=2, in_channels=3)
    description = ModelDescription(
        architecture, data.classes, (0.5,) * 3, (0.5,) * 3, data.image_shape, "photographs"
    )
    subject = Subject(
        "maxsup", "MaxSup", 0, "here", Execution(torch.device("cpu")), "digest",
        trained=TrainedModel(architecture.build().eval(), description), data=data,
    )  # fmt: skip
    settings = InspectionSettings(
        corruptions=("contrast",),
        skip=tuple(each.name for each in ANALYSES if each.name not in ("corruptions", "grad-cam")),
    )
    looked = look_at(subject, settings, 2, lambda text: None)
    assert looked.facts["test"] == 7
    assert looked.facts["details"]["corruptions"]["samples"] == 7
    assert len(looked.facts["details"]["grad-cam"]["samples"]) == 7
    (named,) = (note for note in looked.facts["notes"] if "cannot be read" in note)
    assert named.startswith(f"1 test image of {data.name} cannot be read and is left out: row 5 ")
    assert "dog/1.jpg" in named


@pytest.mark.parametrize("channels", [1, 3])
def test_other_data_is_brought_to_the_models_size_and_channels(
    make: Make, other: str, channels: int
) -> None:
    settings = InspectionSettings(ood_data=(other,), resamples=2)
    subject = make(channels)
    found = OOD.run(subject, settings)
    assert found is not None
    assert set(found.values) == {each["name"] for each in OOD.facts_under(settings)}
    assert all(0 <= value <= 1 for value in found.values.values())
    assert found.details[0]["samples"] == 18
    for histogram in found.details[0]["histograms"].values():
        assert sum(histogram["known"]) == pytest.approx(1, abs=1e-4)
        assert sum(histogram["other"]) == pytest.approx(1, abs=1e-4)
    assert any("1 of the 2 classes" in note and "(3)" in note for note in found.notes)
    assert found.resampled is not None
    index = torch.arange(540)
    assert set(found.resampled(index)) == set(found.values)
    assert found.resampled(index) == found.resampled(index)
    assert found.resampled(index) != found.values  # the others are drawn anew too


@pytest.mark.parametrize("folder", [".", "test", "a/b"])
@pytest.mark.parametrize("reading", ["small", "photographs"])
def test_other_images_need_no_labels(make: Make, tmp_path: Path, folder: str, reading: str) -> None:
    write_noise(tmp_path / "all", ("a", "b"), {"test": 9}, (12, 12), "png")
    textures = tmp_path / "textures" / folder
    textures.mkdir(parents=True)
    for number, path in enumerate(sorted((tmp_path / "all").glob("*/*/*.png"))):
        path.rename(textures / f"{number}.png")
    (tmp_path / "textures" / "LICENSE.txt").write_text("free")
    subject = make(3)
    assert subject.trained is not None
    description = replace(subject.trained.description, reading=reading)
    subject.trained = replace(subject.trained, description=description)
    found = OOD.run(subject, InspectionSettings(ood_data=(str(tmp_path / "textures"),)))
    assert found is not None
    assert found.details[0]["samples"] == 18
    assert "textures: All 18 images are measured on." in found.notes
    assert any("1 .txt" in note for note in found.notes)
    # The same images with labels give the same.
    (tmp_path / "one" / "textures" / "x").mkdir(parents=True)
    for path in textures.glob("*.png"):
        path.rename(tmp_path / "one" / "textures" / "x" / path.name)
    again = OOD.run(subject, InspectionSettings(ood_data=(str(tmp_path / "one" / "textures"),)))
    assert again is not None
    assert again.values == found.values


def test_what_are_no_images_at_all_is_said(make: Make, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(ValueError, match=r"ood_data: .* no image that can be read lies in it"):
        OOD.run(make(), InspectionSettings(ood_data=(str(tmp_path),)))
    with pytest.raises(ValueError, match=r"ood_data: .* belong into a folder, which is named"):
        OOD.run(make(), InspectionSettings(ood_data=(str(tmp_path / "notes.txt"),)))


def test_nothing_is_done_that_is_not_asked_for(make: Make) -> None:
    assert CORRUPTIONS.run(make(), InspectionSettings()) is None
    assert OOD.run(make(), InspectionSettings()) is None


def test_stored_predictions_have_no_images(make: Make) -> None:
    subject = replace(make(), trained=None, data=None)
    with pytest.raises(ValueError, match="ood_data: here is stored predictions"):
        OOD.run(subject, InspectionSettings(ood_data=("digits",)))
    with pytest.raises(ValueError, match="corruptions: here is stored predictions"):
        CORRUPTIONS.run(subject, InspectionSettings(corruptions=("fog",)))


def test_data_that_is_not_there_is_named_with_its_option(make: Make) -> None:
    with pytest.raises(ValueError, match="ood_data: nowhere/at-all cannot be given to here"):
        OOD.run(make(), InspectionSettings(ood_data=("nowhere/at-all",)))


def test_unknown_corruptions_are_refused_before_anything_is_done() -> None:
    with pytest.raises(ValueError, match="corruptions: no corruption is called 'rain'; there are"):
        InspectionSettings(corruptions=("rain",))
    with pytest.raises(ValueError, match="corruption_samples must be at least 1; got 0"):
        InspectionSettings(corruption_samples=0)
    assert len(InspectionSettings(corruptions=("common",)).corruption_kinds()) == 15
    assert len(InspectionSettings(corruptions=("all",)).corruption_kinds()) == 19


def test_two_data_sets_of_one_name_are_refused(make: Make, other: str) -> None:
    with pytest.raises(ValueError, match="two data sets that are both called other"):
        OOD.facts_under(InspectionSettings(ood_data=(other, other + "/../other")))
