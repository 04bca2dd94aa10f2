import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from maxsup.data import load_images
from maxsup.inspection import (
    ANALYSES,
    EPOCHS_FILE,
    Inspection,
    InspectionSettings,
    Plan,
    Subject,
    inspect,
    write_inspection,
)
from maxsup.measures import entropy_rank
from maxsup.models import kept_epochs, load_epoch, load_run
from maxsup.report import write_inspection_page
from maxsup.results import Results
from maxsup.training import RunSettings

Study = tuple[Results, Path]
ONLY = InspectionSettings(
    skip=tuple(each.name for each in ANALYSES if each.name != "convergence"), resamples=0
)


def of_models(inspection: Inspection) -> list[dict[str, Any]]:
    return [model["details"]["convergence"] for model in inspection["models"]]


def test_each_epoch_has_the_numbers_of_its_weights(
    study: Study, inspected: tuple[Inspection, Path]
) -> None:
    inspection, _ = inspected
    model = inspection["models"][3]
    found = model["details"]["convergence"]
    assert found["epochs"] == [1, 2, 3]
    run = Path(model["place"])
    data = load_images(RunSettings.load(run / "settings.json").data)
    trained = load_run(run)
    load_epoch(kept_epochs(run)[2], trained.model)
    with torch.inference_mode():
        images = trained.normalization(data.test.images)
        features = trained.model.forward_features(images)
        logits = trained.model.forward_head(features)
        features = trained.model.forward_head(features, pre_logits=True).double()
    of = found["values"]
    values = torch.linalg.svdvals(features - features.mean(dim=0))
    assert of["test_rank"][1] == pytest.approx(float(entropy_rank(values)), rel=1e-3)
    right = (logits.argmax(dim=1) == data.test.true_labels).double().mean()
    assert of["test_accuracy"][1] == pytest.approx(float(right), abs=2e-3)
    weight = trained.model.get_classifier().weight.detach().double()
    values = torch.linalg.svdvals(weight - weight.mean(dim=0))[:9]
    assert of["layer_rank"][1] == pytest.approx(float(entropy_rank(values)), rel=1e-6)
    assert of["layer_condition"][1] == pytest.approx(float(values[0] / values[8]), rel=1e-5)
    # The last are those of the finished model.
    for name in ("test_rank", "train_nc1", "layer_rank", "train_curvature", "test_accuracy"):
        assert of[name][2] == pytest.approx(model["values"][name], rel=1e-6)


def test_a_stopped_look_goes_on(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = str(study[1] / "label-smoothing" / "seed-0")
    first = inspect([run], ONLY, tmp_path)
    (kept,) = tmp_path.glob("models/*/*/convergence")
    (kept.parent / "found-convergence.json").unlink()
    (kept / "found-epoch-0002.json").unlink()
    passes = []
    of: Callable[..., Any] = Subject.of
    monkeypatch.setattr(Subject, "of", lambda self, split: passes.append(1) or of(self, split))
    second = inspect([run], ONLY, tmp_path)
    assert len(passes) == 2  # of training and of test samples, at one epoch
    assert of_models(second) == of_models(first)


def test_page_and_table_have_it(inspected: tuple[Inspection, Path], tmp_path: Path) -> None:
    inspection, _ = inspected
    write_inspection(inspection, tmp_path)
    with (tmp_path / EPOCHS_FILE).open(newline="") as file:
        rows = list(csv.DictReader(file))
    (row,) = (
        row for row in rows
        if row["measure"] == "layer_rank" and row["epoch"] == "2" and row["seed"] == "1"
        and row["method"] == "label-smoothing"
    )  # fmt: skip
    assert float(row["value"]) == of_models(inspection)[1]["values"]["layer_rank"][1]
    write_inspection_page(inspection, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert 'id="convergence"' in page
    assert "Effective rank, last layer over the epochs." in page
    # Where there is none any more, no former table is left.
    bare = {**inspection, "models": [{**m, "details": {}} for m in inspection["models"]]}
    write_inspection(bare, tmp_path)  # type: ignore[arg-type]
    assert not (tmp_path / EPOCHS_FILE).exists()


def test_groups_may_have_kept_other_epochs(
    inspected: tuple[Inspection, Path], tmp_path: Path
) -> None:
    inspection, _ = inspected
    models = [dict(model) for model in inspection["models"]]
    shorter = {
        **of_models(inspection)[0],
        "epochs": [2, 3],
        "values": {k: v[1:] for k, v in of_models(inspection)[0]["values"].items()},
    }
    models[0]["details"] = {**models[0]["details"], "convergence": shorter}
    models[2]["details"] = {}
    models[3]["details"] = {}
    write_inspection_page({**inspection, "models": models}, tmp_path / "page.html")  # type: ignore
    page = (tmp_path / "page.html").read_text()
    assert "No weights of their epochs were kept by MaxSup" in page
    section = page[page.index('id="convergence"') :]
    assert "<td>2</td>" in section[: section.index("</section>")]
    assert "<td>1</td>" not in section[: section.index("</section>")]


def test_a_run_that_kept_none_has_no_such_part(study: Study) -> None:
    run = study[1] / "label-smoothing" / "seed-0"
    path = kept_epochs(run)[2]
    content = path.read_bytes()
    try:
        path.write_bytes(content[:-8])
        # Nothing was looked at before, though other models come first.
        with pytest.raises(ValueError, match=r"epoch-0002\.safetensors is damaged"):
            Plan([str(study[1] / "maxsup-alpha-0.2"), str(run)], InspectionSettings())
        assert Plan([str(run)], InspectionSettings(skip=("convergence",)))
    finally:
        path.write_bytes(content)
    folder = path.parent
    moved = folder.rename(folder.with_name("elsewhere"))
    try:
        assert "convergence" not in inspect([str(run)], ONLY)["models"][0]["details"]
    finally:
        moved.rename(folder)
