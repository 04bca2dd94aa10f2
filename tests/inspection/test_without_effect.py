"""Options of an inspection that would change nothing are refused, before anything is written."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import save_file
from tests.inspection.test_groups import named

from maxsup.commands import main
from maxsup.inspection import InspectionSettings, inspect
from maxsup.inspection._without_effect import check_effect
from maxsup.results import Results
from maxsup.study import record

ONE = [named(0)]
SEVERAL = [named(0), named(1)]


@pytest.mark.parametrize(
    ("models", "changes", "message"),
    [
        (ONE, {"model": "resnet18"}, "model has no effect here: it is about files"),
        (ONE, {"partial_weights": True}, "partial_weights has no effect here"),
        (ONE, {"corruption_samples": 5}, "corruption_samples has no effect.*no corruption is"),
        (
            ONE,
            {"corruptions": ("fog",), "skip": ("corruptions",)},
            "corruptions has no effect here: skip leaves out corruptions",
        ),
        (ONE, {"projection_classes": ("0", "1", "2"), "skip": ("projection",)}, "leaves out proj"),
        (ONE, {"ood_data": ("digits",), "skip": ("ood",)}, "leaves out ood"),
        (ONE, {"transfer_data": ("digits",), "skip": ("transfer",)}, "leaves out transfer"),
        (ONE, {"probe_label": "side", "skip": ("finer",)}, "leaves out finer"),
        (ONE, {"boxes": "box", "skip": ("localization",)}, "leaves out localization"),
        (ONE, {"masks": "mask", "skip": ("localization",)}, "leaves out localization"),
        (ONE, {"cam_layer": "body", "skip": ("grad-cam",)}, "cam_layer has no effect"),
        (ONE, {"cam_class": "predicted", "skip": ("grad-cam",)}, "cam_class has no effect"),
        (SEVERAL, {"resamples": 50}, "resamples has no effect here: every group has several"),
    ],
)
def test_option_without_effect_is_named(
    models: list[Any], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check_effect(InspectionSettings(**changes), models)


def test_options_with_effect_are_let_through() -> None:
    for models, changes in (
        (ONE, {"resamples": 50}),
        (SEVERAL, {"resamples": 0}),
        (ONE, {"boxes": "box", "cam_layer": "body", "skip": ("grad-cam",)}),
        (ONE, {"corruptions": ("fog",), "corruption_samples": 5}),
    ):
        check_effect(InspectionSettings(**changes), models)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"data": "digits"},
        {"cam_layer": "body"},
        {"cam_class": "predicted"},
        {"boxes": "box"},
        {"masks": "mask"},
        {"train_samples": 9},
        {"corruptions": ("fog",)},
        {"ood_data": ("digits",)},
    ],
)
def test_stored_predictions_take_nothing_that_needs_a_model(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    labels = np.arange(20) % 2
    record(tmp_path, "mine", 0, np.eye(2)[labels] + 0.5, labels)
    with pytest.raises(ValueError, match=f"{next(iter(changes))} has no effect here.*predictions"):
        inspect([str(tmp_path)], InspectionSettings(**changes))


@pytest.mark.parametrize("name", ["label_column", "image_column", "train_split", "test_split"])
def test_parts_of_data_that_is_not_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} says which part of --data"):
        InspectionSettings(**{name: "x"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "words",
    [
        ["{run}", "--cam-layer", "bdy"],
        ["{run}", "--ood-data", "nowhere/at/all"],
        ["{run}", "--transfer-data", "nowhere/at/all"],
        ["{run}", "--projection-classes", "0", "1", "x"],
        ["{run}", "--boxes", "objects.bbox"],
        ["{run}", "--skip", "grad"],
        ["{run}", "--ood-data", "digits", "digits"],
        ["{run}", "resnet81"],
        ["{run}", "{weights}", "--data", "digits"],
    ],
)
def test_refused_call_leaves_nothing(
    study: tuple[Results, Path],
    tmp_path: Path,
    words: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    import torch

    weights = tmp_path / "mine.safetensors"
    save_file({"weight": torch.zeros(2)}, weights)
    places = {"run": study[1] / "maxsup-alpha-0.2" / "seed-0", "weights": weights}
    out = tmp_path / "out"
    filled = [word.format(**places) for word in words]
    assert main(["inspect", *filled, "--out", str(out)]) == 2
    assert capsys.readouterr().err.startswith("maxsup: ")
    assert not out.exists()
