"""Each seed with a split and label noise of its own."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maxsup.data import DataSettings, load_images
from maxsup.evaluation import load_outputs
from maxsup.report import render_report
from maxsup.results import Results
from maxsup.study import StudySettings
from maxsup.training import RunSettings

from .conftest import settings

Study = Callable[..., Results]


def ids(directory: Path, method: str, seed: int) -> list[int]:
    outputs = load_outputs(directory / method / f"seed-{seed}" / "outputs-test.safetensors")
    return outputs.ids.tolist()


def values(results: Results, seed: int) -> dict[str, dict[str, float | None]]:
    return {run["method"]: run["values"] for run in results["runs"] if run["seed"] == seed}


def folder(root: Path, splits: tuple[str, ...]) -> Path:
    """Twelve small images of each of two classes, in each split."""
    generator = np.random.default_rng(0)
    for split in splits:
        for name, level in (("dark", 60), ("light", 180)):
            place = root / split / name
            place.mkdir(parents=True)
            for number in range(12):
                pixels = generator.integers(level - 50, level + 50, (8, 8), dtype=np.uint8)
                Image.fromarray(pixels).save(place / f"{number}.png")
    return root


def test_methods_of_a_seed_share_a_split_that_no_other_seed_has(
    run_study: Study, tmp_path: Path
) -> None:
    changes = {"methods": ("baseline", "maxsup"), "seeds": (0, 1, 2), "resample_data": True}
    results = run_study(tmp_path / "whole", **changes)
    of_seeds = [ids(tmp_path / "whole", "baseline", seed) for seed in (0, 1, 2)]
    assert [ids(tmp_path / "whole", "maxsup", seed) for seed in (0, 1, 2)] == of_seeds
    assert len({tuple(each) for each in of_seeds}) == 3
    noisy = [
        load_images(DataSettings("digits", label_noise=0.4, data_seed=seed)) for seed in (0, 1)
    ]
    assert [data.test.ids.tolist() for data in noisy] == of_seeds[:2]  # type: ignore[attr-defined]
    # What is noted in a run alone repeats it.
    kept = RunSettings.load(tmp_path / "whole" / "maxsup" / "seed-2" / "settings.json")
    assert kept.data.data_seed == 2

    assert results["data"]["redrawn"] == ["the test set", "the wrong labels"]
    notes = " ".join(results["verdict"]["notes"])
    assert "Drawn anew for each seed, the same for all methods: the test set and the wrong" in notes
    assert "the same ones for every method, others with each seed" in notes
    assert "on this data and split" not in notes
    assert results["images"] is not None
    assert results["images"]["contrasts"] == []
    assert "The runs have not the same test images" in results["images"]["reasons"][0]
    page = render_report(results)
    assert "drawn for this seed" in page
    assert "Drawn anew for each seed" in page

    # In parts, it comes to the same; seed 0 is that of a study that shares its data.
    run_study(tmp_path / "parts", **(changes | {"seeds": (0, 1)}))
    parts = run_study(tmp_path / "parts", **(changes | {"seeds": (2,)}))
    assert all(values(parts, seed) == values(results, seed) for seed in (0, 1, 2))
    shared = run_study(tmp_path / "shared", **(changes | {"seeds": (0,), "resample_data": False}))
    assert values(shared, 0) == values(results, 0)

    with pytest.raises(ValueError, match="resample_data: True there, False now"):
        run_study(tmp_path / "whole", **(changes | {"resample_data": False}))


def test_data_without_anything_drawn_is_refused(run_study: Study, tmp_path: Path) -> None:
    """Whatever the seeds, and before anything is written."""
    data = DataSettings(str(folder(tmp_path / "data", ("train", "test"))))
    changes = {"data": data, "methods": ("baseline",), "batch_size": 8, "resample_data": True}
    for seeds in ((0, 1), (5,)):
        with pytest.raises(ValueError, match="resample_data: nothing would differ from seed to"):
            run_study(tmp_path / "study", **changes, seeds=seeds)
    assert not (tmp_path / "study").exists()


def test_wrong_labels_are_drawn_anew_beside_a_test_set_of_its_own(
    run_study: Study, tmp_path: Path
) -> None:
    data = DataSettings(str(folder(tmp_path / "data", ("train", "test"))), label_noise=0.25)
    results = run_study(
        tmp_path / "study",
        data=data,
        methods=("baseline",),
        seeds=(0, 1),
        batch_size=8,
        epochs=1,
        resample_data=True,
    )
    assert results["data"]["redrawn"] == ["the wrong labels"]
    assert ids(tmp_path / "study", "baseline", 0) == ids(tmp_path / "study", "baseline", 1)


def test_directory_and_seed_are_those_of_resampled_data() -> None:
    study = settings(resample_data=True)
    assert study.default_directory().name == "digits-noise-0.4-resampled"
    data = DataSettings("digits", data_seed=2**32 - 2)
    with pytest.raises(ValueError, match=r"data_seed \+ seed must lie in"):
        StudySettings(data, study.recipe, seeds=(0, 3), resample_data=True)


def test_option_reaches_the_study(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import maxsup.study
    from maxsup.commands import main

    asked: list[StudySettings] = []

    def compare(study: StudySettings, *arguments: object, **options: object) -> Results:
        asked.append(study)
        raise ValueError("enough")

    monkeypatch.setattr(maxsup.study, "compare", compare)
    words = ["compare", "digits", "--label-noise", "0.2", "--resample-data", "--seeds", "2"]
    assert main([*words, "--out", str(tmp_path / "out")]) != 0
    assert asked[0].resample_data
    assert [asked[0].run("maxsup", seed).data.data_seed for seed in (0, 1)] == [0, 1]
