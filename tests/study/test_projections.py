"""The picture of three confused classes shows the features that class separation measures."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from maxsup.data import DataSettings, load_images
from maxsup.measures import template_projection
from maxsup.models import class_templates, features_and_logits, load_run
from maxsup.results import Results


def test_projection_is_in_the_precision_of_the_run_and_of_mirrored_pairs(
    run_study: Callable[..., Results], tmp_path: Path
) -> None:
    results = run_study(
        tmp_path, methods=("maxsup",), baseline="maxsup", seeds=(0,), precision="bf16",
        evaluate_flip=True,
    )  # fmt: skip
    confused = results["confused"]
    assert confused is not None
    run = load_run(tmp_path / "maxsup" / "seed-0")
    test = load_images(DataSettings("digits")).test.labelled
    assert test is not None
    chosen = [(test.true_labels == label).nonzero()[:80, 0] for label in confused["classes"]]
    images = run.normalization(test.select(torch.cat(chosen)).images)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        one, other = (
            features_and_logits(run.model, x)[0].float() for x in (images, images.flip(3))
        )
        mean = (one + other) / 2
    templates = class_templates(run.model)[confused["classes"]]
    points = template_projection(mean, templates).points
    shown = [point for of in confused["projections"]["maxsup"]["points"] for point in of]
    assert torch.tensor(shown).numpy() == pytest.approx(points.numpy(), abs=2e-4)
