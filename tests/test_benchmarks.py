"""The benchmarks run and say what they should; no time is asserted."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from tests.data.masks import mask_parquet, pairs

FILE = Path(__file__).parents[1] / "benchmarks" / "loss.py"

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="the benchmarks are not at hand")

LOSSES = (
    "maxsup.maxsup_loss",
    "maxsup.maxsup_loss, compiled",
    "maxsup.label_smoothing_loss",
    "maxsup.label_smoothing_loss, compiled",
    "torch cross-entropy",
    "torch cross-entropy, compiled",
    "torch label smoothing",
    "torch label smoothing, compiled",
    "timm label smoothing",
    "naive MaxSup",
    "torch-uncertainty MaxSup",
    "copy of the logits",
)
HEADS = (
    "maxsup.linear_maxsup_loss",
    "maxsup.linear_label_smoothing_loss",
    "linear + maxsup.maxsup_loss",
    "linear + torch label smoothing",
    "torch linear_cross_entropy",
    "torch linear_cross_entropy, chunked",
    "torch linear_cross_entropy, chunked, no smoothing",
    "Liger fused linear cross-entropy",
)


def load(name: str) -> ModuleType:
    """A benchmark as a module."""
    spec = importlib.util.spec_from_file_location(name, FILE.with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def loss() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("benchmarks_loss", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, spec.name, module)  # dataclasses look themselves up there
        patch.setenv("KINETO_LOG_LEVEL", "6")
        spec.loader.exec_module(module)
        yield module


def run(module: ModuleType, directory: Path, *arguments: str) -> list[dict[str, Any]]:
    quick = ("--device", "cpu", "--no-compile", "--rounds", "1", "--head-rounds", "1")
    module.main([*quick, *arguments, "--json", str(directory / "costs.json")])
    return json.loads((directory / "costs.json").read_text())["costs"]


def test_a_whole_run(loss: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "costs.png"
    costs = run(
        loss, tmp_path, "--shapes", "16x10", "8x100", "--heads", "8x4x50", "--picture", str(picture)
    )
    printed = capsys.readouterr().out.splitlines()

    assert [cost["contestant"] for cost in costs] == [*LOSSES, *LOSSES, *HEADS]
    assert [cost["shape"] for cost in costs[::12]] == [[16, 10], [8, 100], [8, 4, 50]]
    for name in (*LOSSES, *HEADS):
        # Followed by its numbers; a longer name is another contestant.
        assert any(line.strip().startswith(f"{name}  ") for line in printed), name
    assert "\x1b" not in "".join(printed)
    assert picture.read_bytes().startswith(b"\x89PNG")

    for cost in costs:
        if cost["skipped"] is not None:
            assert cost["ratio"] is None
            continue
        assert cost["ratio"] > 0
        assert cost["seconds"] > 0
        if cost["contestant"] in (loss.REFERENCE, loss.HEAD_REFERENCE):
            assert cost["ratio"] == 1
    ran = {cost["contestant"] for cost in costs if cost["skipped"] is None}
    assert {*LOSSES[::2][:4], "naive MaxSup", "copy of the logits"} <= ran
    assert {"linear + maxsup.maxsup_loss", "linear + torch label smoothing"} <= ran
    assert all(cost["skipped"] for cost in costs if "compiled" in cost["contestant"])


def test_the_peak_of_what_is_known(loss: ModuleType, tmp_path: Path) -> None:
    costs = run(
        loss, tmp_path, "--shapes", "64x5000", "--heads", "--only", "copy", "torch cross-entropy"
    )
    peaks = {
        cost["contestant"]: cost["peak_bytes"] for cost in costs if cost["peak_bytes"] is not None
    }
    logits = 64 * 5000 * 4
    assert set(peaks) == {"copy of the logits", "torch cross-entropy", "torch label smoothing"}
    assert peaks["copy of the logits"] == logits
    # The log-probabilities, their gradient and that of the logits.
    assert peaks["torch cross-entropy"] == pytest.approx(3 * logits, rel=0.01)


def test_what_fails_or_disagrees_is_named(loss: ModuleType) -> None:
    def fail() -> None:
        raise RuntimeError("no such luck")

    contestants = [
        loss.Contestant(loss.REFERENCE, "label smoothing", lambda: loss.torch_label_smoothing),
        loss.Contestant("broken", "label smoothing", fail),
        loss.Contestant("another", "label smoothing", lambda: loss.naive_maxsup),
    ]
    inputs = loss.loss_inputs((8, 10), torch.float32, torch.device("cpu"))
    steps, skipped = loss.warm_up(contestants, inputs, loss.REFERENCE)
    assert list(steps) == [loss.REFERENCE]
    assert skipped["broken"] == "RuntimeError: no such luck"
    assert skipped["another"].startswith("gives ")


@pytest.mark.parametrize("wrong", [["--shapes", "10"], ["--heads", "2x3"], ["--rounds", "0"]])
def test_bad_options(
    loss: ModuleType, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        loss.read_options(wrong)
    assert "error" in capsys.readouterr().err


def test_the_loaders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = pytest.importorskip("PIL.Image")
    for number in range(64):
        place = tmp_path / "photographs" / str(number % 2)
        place.mkdir(parents=True, exist_ok=True)
        image.new("RGB", (40, 30), (number, 0, 99)).save(place / f"{number}.jpg")
    spec = importlib.util.spec_from_file_location("benchmarks_loader", FILE.with_name("loader.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FILE.parent)  # beside it lies what it imports
        patch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        options = ("--data", str(tmp_path / "photographs"), "--upscale", "80x60", "--limit", "64")
        try:
            module.main([*options, "--workers", "1", "--rounds", "1", "--sides", "50"])
        finally:
            torch.set_num_threads(threads)
    printed = capsys.readouterr().out
    for name in ("timm create_loader", "original files", "short side 50", "simplejpeg", "enlarged"):
        assert name in printed


def test_the_batches_with_masks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = {"train": pairs(4), "test": pairs(1, 50)}
    kept = tmp_path / "times.json"
    load("masks").main(
        [
            *(mask_parquet(tmp_path / "data", found), "--crop", "32", "32", "--batch-size", "2"),
            *("--rounds", "1", "--json", str(kept)),
        ]
    )
    times = json.loads(kept.read_text())
    assert len(times) == 5
    assert all(each > 0 for each in times.values())
    assert "a step of mobilenetv3_small_100" in capsys.readouterr().out


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What lies beside a benchmark can be imported, and is forgotten afterwards."""
    monkeypatch.setenv("KINETO_LOG_LEVEL", "6")
    monkeypatch.syspath_prepend(FILE.parent)
    before, threads = {*sys.modules}, torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    siblings = {path.stem for path in FILE.parent.glob("*.py")}
    for name in ({*sys.modules} - before) & siblings:
        del sys.modules[name]


def test_the_benchmark_of_training_has_all_loops(
    beside: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import numpy as np
    from PIL import Image

    for number in range(48):
        pixels = np.random.default_rng(number).integers(0, 256, (40, 60, 3), dtype=np.uint8)
        place = tmp_path / f"class-{number % 2}"
        place.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(place / f"{number}.jpg")
    load("training").main(
        [
            *("--photographs", str(tmp_path), "--images", "48", "--size", "32", "--rounds", "1"),
            *("--model", "test_resnet", "--batch-size", "16"),
        ]
    )
    shown = capsys.readouterr().out
    rows = [line.split("│")[1:-1] for line in shown.splitlines() if line.startswith("│")]
    speeds = {row[0].strip(): float(row[1].replace(",", "")) for row in rows}
    assert list(speeds) == [
        "bare PyTorch",
        "bare PyTorch with maxsup's loader",
        "timm's training script",
        "maxsup's training, label smoothing",
        "maxsup's training, MaxSup",
    ]
    assert all(speed > 0 for speed in speeds.values())


def test_the_simulation_of_the_decision(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = load("inference")
    kept = tmp_path / "rows.json"
    module.main(
        [
            *("--studies", "40", "--seeds", "5", "--rivals", "2", "--images", "400"),
            *("--json", str(kept)),
        ]
    )
    rows = json.loads(kept.read_text())["decisions"]
    assert [row["differences"] for row in rows] == list(module.KINDS)
    for row in rows:
        # An interval that does not hold 0 is what decides, where nothing differs.
        assert row["decided"] == pytest.approx(1 - row["covered"])
    printed = capsys.readouterr().out
    assert all(kind in printed for kind in module.KINDS)
    (row,) = json.loads(kept.read_text())["images"]
    assert (row["seeds"], row["images"], row["studies"]) == (5, 400, 40)
    # Many seeds and few images: the interval over seeds is too sure of the population.
    row = module.simulate_images(100, 20, 200)
    assert row["seeds_hold_population"] < 0.9 <= row["crossed_hold_population"]
    assert row["seeds_hold_these"] >= 0.9


def test_the_probe_against_scikit_learn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # scipy is imported here already, without what torch tensors need: they are left out.
    monkeypatch.setenv("SCIPY_ARRAY_API", "0")
    module = load("probe")
    theirs = module.fit_theirs
    monkeypatch.setattr(
        module,
        "fit_theirs",
        lambda x, y, l2, backend, **options: theirs(x, y, l2, "numpy", **options),
    )
    kept = tmp_path / "probe.json"
    size = ("--samples", "90", "--dimensions", "5", "--classes", "3", "--every", "22")
    module.main([*size, "--json", str(kept), "--seconds", "0"])
    assert "goes on" in capsys.readouterr().out
    module.main([*size, "--json", str(kept)])
    content = json.loads(kept.read_text())
    assert len(content["ours"]) == 2
    assert list(content["theirs"]) == ["1e-06", "0.316228", "100000"]
    for key, row in content["theirs"].items():
        for name in ("numpy near", "torch near"):
            assert row[name]["loss"] == pytest.approx(content["losses"][key], rel=1.1e-8)
    printed = capsys.readouterr().out
    assert "whole path" in printed
    assert "NumPy, to within" in printed


def test_the_cost_of_the_mechanism(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = load("mechanism")
    kept = tmp_path / "rows.json"
    module.main(
        [
            *("--rounds", "1", "--steps", "2", "--cases", "digits", "--device", "cpu"),
            *("--json", str(kept)),
        ]
    )
    (row,) = json.loads(kept.read_text())
    assert row["ratio"] > 0
    assert "digits" in capsys.readouterr().out
    # What was exchanged to measure without it is back.
    assert module._classification.look_at is module.look_at


def words_for_gpu(*words: str, directory: Path) -> list[str]:
    return [*words, "--device", "cpu", "--smoke", "--no-compile", "--out", str(directory)]


def test_the_pieces_for_a_gpu_are_kept_and_gone_on_with(
    beside: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gpu = load("gpu")
    gpu.main(words_for_gpu("kernels", "heads", "training", directory=tmp_path))
    printed = capsys.readouterr().out
    kept = {name: json.loads((tmp_path / f"{name}.json").read_text()) for name in ("kernels",)}
    rows = kept["kernels"]["rows"]
    assert len(rows) == 15 * 3 * 3
    assert not any("failed" in row for row in rows.values())
    # The kernels themselves need a GPU; what is chosen on a CPU is right in all precisions.
    assert "not on a CUDA device" in rows["MaxSup|bfloat16|33"]["errors"]["triton"]["labels"]
    for key, row in rows.items():
        tolerance = {"float32": 1e-5, "bfloat16": 4e-3, "float16": 1e-3}[key.split("|")[1]]
        for value, gradient in row["errors"]["as chosen"].values():
            assert value < 1e-5, key
            assert gradient < tolerance, key
    for name in ("Objectives against float64", "linear_maxsup_loss", "maxsup's training"):
        assert name in printed
    assert "Too far off" not in printed

    # What is there is not measured again; what has failed is, and an interrupted write is not seen.
    del rows["MaxSup|bfloat16|33"]
    rows["MaxSup|bfloat16|7"] = {"failed": "no such luck"}
    rows["MaxSup|float32|7"]["took"] = -1
    (tmp_path / "kernels.json").write_text(json.dumps(kept["kernels"]))
    gpu.main(words_for_gpu("kernels", directory=tmp_path))
    again = json.loads((tmp_path / "kernels.json").read_text())["rows"]
    assert again["MaxSup|float32|7"]["took"] == -1
    assert "errors" in again["MaxSup|bfloat16|33"]
    assert "errors" in again["MaxSup|bfloat16|7"]


def test_no_piece_begins_what_there_is_no_time_for(tmp_path: Path) -> None:
    import subprocess

    # In a process of its own, as it is started by hand.
    words = words_for_gpu("kernels", "--seconds", "0.000001", directory=tmp_path)
    done = subprocess.run(
        [sys.executable, str(FILE.with_name("gpu.py")), *words],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "kernels.json").exists()


def test_the_cost_of_class_separation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = load("separation")
    kept = tmp_path / "rows.json"
    module.main(
        [
            *("--samples", "1000", "--features", "8", "--classes", "3", "--rounds", "1"),
            *("--naive", "--json", str(kept)),
        ]
    )
    (row,) = json.loads(kept.read_text())
    assert list(row["ratios"]) == ["at once", "in batches", "index-add"]
    assert all(ratio > 0 for ratio in row["ratios"].values())
    assert "1,000 × 8 float32" in capsys.readouterr().out


def test_the_speed_of_the_confusion_matrix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "rows.json"
    load("segmentation").main(["--matrix-only", "--rounds", "1", "--json", str(kept)])
    (speeds,) = json.loads(kept.read_text()).values()
    assert all(speed > 0 for speed in speeds.values())
    assert "million pixels per second" in capsys.readouterr().out
