"""What a study says of each class of pixels, and the pictures of where methods differ."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image
from tests.data.masks import scene, write_pairs

from maxsup.data import DataSettings
from maxsup.data.masks import MaskData, load_masks
from maxsup.evaluation import Found
from maxsup.study._segmentation import (
    DIFFERENCE_COLORS,
    image_values,
    segmentation_evidence,
)
from maxsup.training import BY_IMAGE, MATRIX, SHOWN, RunResult


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> MaskData:
    root = tmp_path_factory.mktemp("masks")
    for split, seeds in (("train", range(6)), ("test", range(10, 16))):
        place = root / split
        write_pairs(place / "images", place / "masks", [scene(seed) for seed in seeds])
    return load_masks(DataSettings(str(root)))


def result(matrix: torch.Tensor, shown: dict[int, torch.Tensor]) -> RunResult:
    records = {MATRIX: matrix, **{f"{SHOWN}{number}": mask for number, mask in shown.items()}}
    return RunResult("data", "weights", "batches", [], Found({}, records))


def pixels_of(url: str) -> np.ndarray:
    return np.asarray(
        Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB")
    )


def test_classes_and_images(data: MaskData) -> None:
    generator = torch.Generator().manual_seed(0)
    truths = {number: data.test.item(number)[1] for number in range(6)}
    runs = {}
    for seed in (0, 1):
        for method in ("a", "b"):
            matrix = torch.randint(0, 50, (3, 3), generator=generator)
            # Class 2 occurs nowhere with one method and seed.
            if (method, seed) == ("b", 1):
                matrix[2], matrix[:, 2] = 0, 0
            shown = {number: truth.clone() for number, truth in truths.items()}
            if method == "b":
                # Wrong where it is labelled 0, of all but one image, and most of the fourth.
                for number, mask in shown.items():
                    if number != 2:
                        mask[: 1 + 12 * (number == 4)][mask[: 1 + 12 * (number == 4)] == 0] = 1
            runs[method, seed] = result(matrix, shown)
    found = segmentation_evidence(["a", "b"], "a", data, runs)
    assert found is not None
    assert found["pixels"] == data.test.class_pixels.tolist()
    for method in ("a", "b"):
        for seed, row in zip(found["seeds"][method], found["iou"][method], strict=True):
            matrix = runs[method, seed].records[MATRIX]
            for index, value in enumerate(row):
                right = int(matrix[index, index])
                either = int(matrix[index].sum() + matrix[:, index].sum()) - right
                assert value == (pytest.approx(right / either) if either else None)
    absent = found["by_class"][2]["b"]
    assert absent["seeds"] == [0]
    expected = found["iou"]["b"][0][0] - found["iou"]["a"][0][0]  # type: ignore[operator]
    expected += found["iou"]["b"][1][0] - found["iou"]["a"][1][0]  # type: ignore[operator]
    difference = found["by_class"][0]["b"]["difference"]
    assert difference is not None
    assert difference["mean"] == pytest.approx(expected / 2)

    wrong = {
        number: int((runs["b", 0].records[f"{SHOWN}{number}"] != truth).sum())
        for number, truth in truths.items()
    }
    order = sorted(wrong, key=lambda number: (-wrong[number], number))
    assert [each["id"] for each in found["shown"]] == order[:4]
    first = found["shown"][0]
    truth = truths[first["id"]].numpy()
    colors = np.array([*data.palette, (0, 0, 0)])
    assert (pixels_of(first["truth"]) == colors[np.where(truth == 255, 3, truth)]).all()
    differing = pixels_of(first["differing"])
    mask = runs["b", 0].records[f"{SHOWN}{first['id']}"].numpy()
    assert ((differing == DIFFERENCE_COLORS[2]).all(axis=2) == (mask != truth)).all()
    assert ((differing == 0).all(axis=2) == (truth == 255)).all()
    assert pixels_of(first["image"]).shape == (*truth.shape, 3)


def test_a_baseline_that_failed_leaves_the_others(data: MaskData) -> None:
    runs = {("b", 0): result(torch.tensor([[3, 1, 0], [0, 2, 0], [0, 0, 1]]), {})}
    found = segmentation_evidence(["a", "b"], "a", data, runs)
    assert found is not None
    assert found["seeds"] == {"b": [0]}
    assert found["by_class"][0]["a"]["mean"] is None
    assert found["by_class"][0]["b"]["mean"] == 0.75
    assert found["by_class"][0]["b"]["difference"] is None


def test_nothing_finished_shows_nothing(data: MaskData) -> None:
    assert segmentation_evidence(["a"], "a", data, {}) is None


def test_images_contribute_to_the_measure_that_a_run_reports(data: MaskData) -> None:
    """Counts of images make the same value as their sum, and stand beside the image's id."""
    generator = torch.Generator().manual_seed(0)
    true = torch.randint(1, 50, (len(data.test), 3), generator=generator)
    right = (true * torch.rand(true.shape, generator=generator)).int()
    by_image = torch.stack((true, true.flip(0), right), dim=2)
    records = {BY_IMAGE: by_image}
    run = RunResult("data", "weights", "batches", [], Found({}, records))
    sums = by_image.sum(dim=0).double()
    expected = {
        "mean_iou": (sums[:, 2] / (sums[:, 0] + sums[:, 1] - sums[:, 2])).mean(),
        "mean_accuracy": (sums[:, 2] / sums[:, 0]).mean(),
        "pixel_accuracy": sums[:, 2].sum() / sums[:, 0].sum(),
    }
    for name, value in expected.items():
        found = image_values(f"test_{name}", data.test.ids.numpy(), {("a", 0): run})
        assert found is not None
        assert found["a", 0].values.mean() == pytest.approx(float(value))
        assert found["a", 0].ids.tolist() == data.test.ids.tolist()
    assert image_values("test_boundary_iou", None, {("a", 0): run}) is None
