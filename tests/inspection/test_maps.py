"""Class activation maps in an inspection: pictures, and numbers against boxes and masks."""

import io
import json
import math
import re

import datasets
import numpy as np
import pytest
import torch
from PIL import Image

from maxsup.data import DataSettings, load_images
from maxsup.evaluation import Execution
from maxsup.inspection import InspectionSettings, Subject
from maxsup.inspection.analyses.grad_cam import GRAD_CAM
from maxsup.inspection.analyses.localization import LOCALIZATION
from maxsup.measures import BoxLocalization, PixelLocalization, boxes_as_mask
from maxsup.models import Architecture, ModelDescription, TrainedModel, grad_cam
from maxsup.report.inspection.grad_cam import GRAD_CAM as MAPS_SECTION
from maxsup.report.inspection.grad_cam import most_different
from maxsup.report.inspection.localization import LOCALIZATION as LOCALIZATION_SECTION
from maxsup.statistics import summarise

SIDE, COUNT = 16, 12


def encoded(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return {"bytes": buffer.getvalue(), "path": None}


def write(path, boxes):
    """Squares on noise, each with its box, or none, and its mask."""
    random = np.random.default_rng(0)
    images, masks = [], []
    for box in boxes:
        pixels = random.integers(0, 60, (SIDE, SIDE), dtype=np.uint8)
        mask = np.zeros((SIDE, SIDE), dtype=np.uint8)
        for left, top, width, height in box:
            pixels[int(top) : int(top + height), int(left) : int(left + width)] += 150
            mask[int(top) : int(top + height), int(left) : int(left + width)] = 255
        images.append(encoded(pixels))
        masks.append(encoded(mask))
    table = datasets.Dataset.from_dict(
        {
            "image": images,
            "mask": masks,
            "label": [number % 2 for number in range(len(boxes))],
            "objects": [{"bbox": box} for box in boxes],
        }
    )
    table = table.cast_column("image", datasets.Image()).cast_column("mask", datasets.Image())
    path.mkdir()
    for split in ("train", "test"):
        table.to_parquet(path / f"{split}.parquet")
    return DataSettings(str(path), image_column="image")


def drawn_boxes():
    random = np.random.default_rng(1)
    found = []
    for number in range(COUNT):
        corners = random.integers(0, 10, (1 + number % 2, 2))
        found.append([[float(x), float(y), 5.0, 4.0] for x, y in corners])
    return found


def subject(settings, seed=0):
    data = load_images(settings)
    torch.manual_seed(seed)
    architecture = Architecture("small-convnet", num_classes=2, in_channels=1)
    description = ModelDescription(
        architecture, data.classes, (0.5,), (0.25,), data.image_shape, "small"
    )
    return Subject(
        "maxsup",
        "MaxSup",
        seed,
        "here",
        Execution(torch.device("cpu")),
        "digest",
        TrainedModel(architecture.build().eval(), description),
        data,
        settings,
    )


@pytest.fixture
def boxes():
    return drawn_boxes()


@pytest.mark.parametrize("kind", ["boxes", "masks"])
def test_numbers_are_those_of_the_measures(tmp_path, boxes, kind):
    boxes[3] = []  # nothing to be found
    of = subject(write(tmp_path / "data", boxes))
    columns = {"boxes": "objects.bbox"} if kind == "boxes" else {"masks": "mask"}
    with torch.inference_mode():
        found = LOCALIZATION.run(of, InspectionSettings(**columns))
    kept = [number for number in range(COUNT) if number != 3]
    test = of.data.test
    images = of.trained.normalization(test.images[kept])
    maps = grad_cam(of.trained.model, images, test.labels[kept]).maps
    edges = [torch.tensor([[x, y, x + w, y + h] for x, y, w, h in boxes[n]]) for n in kept]
    pixel = PixelLocalization((SIDE, SIDE))
    pixel.update(maps, torch.stack([boxes_as_mask(each, (SIDE, SIDE)) for each in edges]))
    expected = {
        "test_pxap": float(pixel.compute().pxap),
        "test_pixel_energy": float(pixel.compute().energy),
    }
    if kind == "boxes":
        box = BoxLocalization((SIDE, SIDE))
        box.update(maps, edges)
        values = box.compute()
        expected |= {
            "test_max_box_acc": float(values.max_box_acc),
            "test_max_box_acc_v2": float(values.max_box_acc_v2),
            "test_box_threshold": float(values.threshold),
        }
    assert found.values == pytest.approx(expected)
    assert (found.details["images"], found.details["left_out"], found.details["cut"]) == (11, 1, 0)
    assert (found.details["layer"], found.details["kind"]) == ("body", kind)
    assert "1 test images are left out" in found.notes[0]
    for name, each in found.contributions.items():
        assert math.isnan(each[3])
        assert float(each.nanmean()) == pytest.approx(found.values[name], abs=1e-6)
    assert set(found.details["baselines"]) == {"random", "centre", "whole"}
    share = np.mean([float(boxes_as_mask(each, (SIDE, SIDE)).double().mean()) for each in edges])
    whole = found.details["baselines"]["whole"]
    assert whole["test_pxap"] == pytest.approx(share)
    assert whole["test_pixel_energy"] == pytest.approx(share)
    json.dumps([found.details, dict(found.values)], allow_nan=False)


def test_random_maps_repeat_and_do_not_depend_on_the_model(tmp_path, boxes):
    settings = write(tmp_path / "data", boxes)
    found = [
        LOCALIZATION.run(subject(settings, seed), InspectionSettings(boxes="objects.bbox")).details
        for seed in (0, 1)
    ]
    assert found[0]["baselines"] == found[1]["baselines"]
    assert found[0]["curves"] != found[1]["curves"]


def test_without_boxes_nothing_is_measured(tmp_path, boxes):
    of = subject(write(tmp_path / "data", boxes))
    assert LOCALIZATION.run(of, InspectionSettings()) is None


def test_a_box_outside_its_image_names_the_sample(tmp_path, boxes):
    boxes[5] = [[10.0, 10.0, 9.0, 3.0]]
    of = subject(write(tmp_path / "data", boxes))
    with pytest.raises(ValueError, match=r"row 5 of split test.*\[10.0, 10.0, 9.0, 3.0\].*16×16"):
        LOCALIZATION.run(of, InspectionSettings(boxes="objects.bbox"))


def test_boxes_and_masks_at_once():
    with pytest.raises(ValueError, match="boxes and masks both say where the objects are"):
        InspectionSettings(boxes="objects.bbox", masks="mask")


def test_pictures_are_of_the_same_images_for_every_model(tmp_path, boxes):
    settings = write(tmp_path / "data", boxes)
    one, other = (
        GRAD_CAM.run(subject(settings, seed), InspectionSettings(boxes="objects.bbox")).details
        for seed in (0, 1)
    )
    assert [each["row"] for each in one["samples"]] == [each["row"] for each in other["samples"]]
    assert [each["map"] for each in one["samples"]] != [each["map"] for each in other["samples"]]
    assert (one["layer"], one["grid"], one["class"]) == ("body", [4, 4], "true")
    first = one["samples"][0]
    assert max(first["map"]) in (0, 255)
    x, y, width, height = boxes[first["row"]][0]
    edges = [each / SIDE for each in (x, y, x + width, y + height)]
    assert first["boxes"][0] == pytest.approx(edges)
    json.dumps(one, allow_nan=False)


def test_a_layer_that_is_not_there(tmp_path, boxes):
    of = subject(write(tmp_path / "data", boxes))
    with pytest.raises(ValueError, match=r"the model has no module called 'bdy'.*body"):
        GRAD_CAM.run(of, InspectionSettings(cam_layer="bdy"))


def inspected(settings, samples=("same", "same"), **asked):
    """Two groups of one model each, as an inspection holds them; no intervals."""
    models, values = [], {}
    for seed, name in enumerate(("baseline", "maxsup")):
        of = subject(settings, seed)
        found = {
            each.name: each.run(of, InspectionSettings(**asked))
            for each in (GRAD_CAM, LOCALIZATION)
        }
        details = {k: v.details for k, v in found.items() if v is not None}
        numbers = {} if found["localization"] is None else dict(found["localization"].values)
        values[name] = {0: numbers}
        models.append(
            {"method": name, "seed": 0, "details": details, "values": numbers,
             "samples": samples[seed]}
        )  # fmt: skip
    measures = [each for each in LOCALIZATION.facts if each["name"] in values["baseline"][0]]
    nothing = {each["name"]: {} for each in LOCALIZATION.facts}
    return {
        "methods": [{"name": name, "label": f"<{name}>"} for name in values],
        "models": models,
        "measures": measures,
        "summary": {
            each["name"]: summarise(
                {group: {0: of[0][each["name"]]} for group, of in values.items()}, "baseline"
            )
            for each in measures
        },
        "intervals": nothing,
        "differences": nothing,
    }


@pytest.mark.parametrize("kind", ["boxes", "masks"])
def test_sections_of_the_page(tmp_path, boxes, kind):
    settings = write(tmp_path / "data", boxes)
    asked = {"boxes": "objects.bbox"} if kind == "boxes" else {"masks": "mask"}
    inspection = inspected(settings, **asked)
    maps = MAPS_SECTION.render(inspection)
    text = str(maps.body)
    assert text.count("<tr>") == 1 + 8  # the head, and the images that they differ most on
    assert text.count('src="data:image/jpeg;base64,') == 8 * 3
    assert "&lt;maxsup&gt; on an image of" in text
    assert "<maxsup>" not in text
    numbers = str(LOCALIZATION_SECTION.render(inspection).body)
    assert ("MaxBoxAcc" in numbers) == (kind == "boxes")
    assert "PxAP" in numbers
    assert numbers.count("<svg") == 2 + (5 if kind == "boxes" else 4)
    for row in ("A random map", "A box at the centre, of the best size", "The whole image"):
        assert row in numbers


def test_models_that_saw_other_images_have_a_table_of_their_own(tmp_path, boxes):
    inspection = inspected(write(tmp_path / "data", boxes), samples=("these", "those"))
    text = str(MAPS_SECTION.render(inspection).body)
    assert text.count('<table class="maps">') == 2
    assert "on other test images have a table of their own" in text
    assert "the maps lie farthest apart" not in text  # nothing stands beside another


def test_each_map_lies_on_what_its_own_model_was_shown(tmp_path, boxes):
    inspection = inspected(write(tmp_path / "data", boxes))
    before = str(MAPS_SECTION.render(inspection).body)
    samples = [each["details"]["grad-cam"]["samples"] for each in inspection["models"]]
    for mine, others in zip(samples[1], reversed(samples[0]), strict=True):
        mine["image"] = others["image"]
    after = str(MAPS_SECTION.render(inspection).body)
    pictures = [re.findall(r'src="(data:image/jpeg[^"]+)"', text) for text in (before, after)]
    for number, (one, other) in enumerate(zip(*pictures, strict=True)):
        assert (one == other) == (number % 3 < 2)  # the image, the first model, the second


def test_baselines_of_other_images_stand_beside_each_other(tmp_path, boxes):
    inspection = inspected(write(tmp_path / "data", boxes), boxes="objects.bbox")
    inspection["models"][1]["details"]["localization"]["images"] = 7
    text = str(LOCALIZATION_SECTION.render(inspection).body)
    assert "was measured on others, 7, with maps to beat of their own" in text
    assert text.count("The whole image, ") == 2


def test_without_boxes_the_page_has_the_pictures_alone(tmp_path, boxes):
    inspection = inspected(write(tmp_path / "data", boxes))
    assert MAPS_SECTION.render(inspection) is not None
    assert LOCALIZATION_SECTION.render(inspection) is None


def test_shown_are_the_images_on_which_the_models_differ_most():
    maps = {"a": {row: np.zeros((2, 2)) for row in range(20)}}
    maps["b"] = {row: np.full((4, 4), (row * 7 % 20) / 20) for row in range(20)}
    farthest = sorted(range(20), key=lambda row: -(row * 7 % 20))[:8]
    assert most_different(list(range(20)), maps) == farthest
    assert most_different(list(range(20)), {"a": maps["a"]}) == list(range(8))
