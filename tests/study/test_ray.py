"""Studies on a Ray cluster: two nodes of one core each, on this machine."""

import dataclasses
import importlib
import io
import json
import math
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from tests.data.masks import scene, write_pairs

from maxsup import methods
from maxsup.data import DataSettings
from maxsup.losses import CrossEntropyLoss
from maxsup.methods import Method
from maxsup.models import create_model
from maxsup.recipes import Recipe
from maxsup.results import Results
from maxsup.study import (
    RayCluster,
    ScriptStudy,
    StudySettings,
    TuningSettings,
    compare,
    compare_script,
)

from .conftest import settings

ray = pytest.importorskip("ray")

SECONDS_TO_DIE = 1.0
"""For how long a process may live on after Ray was told to end it, or lost its node."""

PAIRS: dict[str, Any] = {"methods": ("baseline", "maxsup"), "seeds": (0, 1)}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head with one core, to which this process is connected, and whatever a test adds."""
    # A lost node is noticed sooner than a network's hiccups would allow elsewhere.
    swift = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 300}
    # A process that has imported everything is kept for the next study.
    swift |= {"idle_worker_killing_time_threshold_ms": 600_000, "num_workers_soft_limit": 4}
    # Nor does one wait until all other tests leave it a core.
    swift |= {"worker_niceness": 0}
    made = importlib.import_module("ray.cluster_utils").Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 1,
            "include_dashboard": False,
            "_system_config": swift | {"health_check_failure_threshold": 3},
        },
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_ADDRESS", made.address)
        made.connect()
        yield made
    ray.shutdown()
    made.shutdown()


def run_on_ray(
    directory: Path, shown: io.StringIO | None = None, **changes: Any
) -> tuple[Results, str]:
    """A study's results on the cluster, and what it showed meanwhile."""
    return run_this_on_ray(settings(**changes), directory, shown)


def run_this_on_ray(
    study: StudySettings, directory: Path, shown: io.StringIO | None = None
) -> tuple[Results, str]:
    shown = io.StringIO() if shown is None else shown
    results = compare(
        study,
        directory,
        command="maxsup compare digits",
        console=Console(file=shown, width=200),
        on=RayCluster(),
    )
    return results, shown.getvalue()


def comparable(results: Results) -> str:
    return json.dumps({k: v for k, v in results.items() if k not in ("timings", "command")})


def unfinished(directory: Path) -> list[Path]:
    """The runs that have a checkpoint to go on from and are not at their end."""
    begun = [file.parent for file in directory.glob("*/*/checkpoint.pt")]
    return [place for place in begun if not (place / "result.json").exists()]


def wait_for(happened: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def register(registry: None) -> Callable[[str, Any], Method]:
    """Register methods in this process alone."""
    return lambda name, build: methods.register(Method(name, name, "fails", build=build))


PATIENT: dict[str, Any] = {
    "methods": ("patient", "maxsup"),
    "baseline": "patient",
    "seeds": (0,),
    "epochs": 4,
}


def patient(released: Path) -> Any:
    """Builds cross-entropy that, after two epochs, waits until the file is there."""

    def build(training):
        class Patient(CrossEntropyLoss):
            epochs = 0

            def end_epoch(self):
                self.epochs += 1
                while self.epochs == 2 and not released.exists():
                    time.sleep(0.01)

        return Patient()

    return build


@pytest.fixture
def cut_study(register: Callable[[str, Any], Method], tmp_path: Path) -> tuple[Path, Path, str]:
    """Where to run a study that waits half-way; the file that releases it; what it is to find."""
    released = tmp_path / "released"
    register("patient", patient(released))
    released.touch()
    whole = compare(
        settings(**PATIENT),
        tmp_path / "here",
        command="maxsup compare digits",
        console=Console(quiet=True),
    )
    released.unlink()
    return tmp_path / "there", released, comparable(whole)


def test_results_are_those_of_a_study_here(
    cluster: Any, run_study: Callable[..., Results], tmp_path: Path
) -> None:
    here = run_study(tmp_path / "here", **PAIRS)
    there, shown = run_on_ray(tmp_path / "there", **PAIRS)
    assert comparable(there) == comparable(here)
    assert "Ray: 1 nodes, 0 GPUs and 1 CPU cores for each run" in shown
    for run in ("baseline, seed 0", "maxsup, seed 1"):
        assert f"{run}: starts on " in shown
        assert f"{run}: done, test accuracy " in shown
    again, shown = run_on_ray(tmp_path / "there", **PAIRS)
    assert comparable(again) == comparable(here)
    assert "starts" not in shown
    assert "done" not in shown


def test_strengths_are_chosen_as_in_a_study_here(
    cluster: Any, run_study: Callable[..., Results], tmp_path: Path
) -> None:
    tuned: dict[str, Any] = {"tuning": TuningSettings(2, seeds=1), "methods": ("maxsup",)}
    tuned |= {"seeds": (0,), "epochs": 1, "baseline": ""}
    here = run_study(tmp_path / "here", **tuned)
    there, shown = run_on_ray(tmp_path / "there", **tuned)
    assert comparable(there) == comparable(here)
    assert "maxsup:alpha=0.02, seed 1000000: done, validation accuracy " in shown
    assert "Tuning: maxsup → maxsup:alpha=" in shown
    assert "maxsup, seed 0: done, test accuracy " in shown


def test_each_seed_has_data_of_its_own_here_and_there(
    cluster: Any, run_study: Callable[..., Results], tmp_path: Path
) -> None:
    resampled: dict[str, Any] = {
        "methods": ("baseline",),
        "seeds": (0, 1),
        "epochs": 1,
        "resample_data": True,
    }
    here = run_study(tmp_path / "here", **resampled)
    there, shown = run_on_ray(tmp_path / "there", **resampled)
    assert comparable(there) == comparable(here)
    assert "Data: drawn anew for each seed: the test set, the wrong labels." in shown


def test_backbones_are_fine_tuned_on_masks_as_in_a_study_here(cluster: Any, tmp_path: Path) -> None:
    for split, seeds in (("train", range(6)), ("test", range(100, 103))):
        place = tmp_path / "scenes" / split
        write_pairs(place / "images", place / "masks", [scene(seed) for seed in seeds])
    torch.manual_seed(0)
    weights = str(tmp_path / "mine.pth")
    torch.save(create_model("test_resnet", num_classes=2).state_dict(), weights)
    recipe = Recipe(
        "tiny",
        "test_resnet",
        head="linear",
        crop_size=(16, 16),
        iterations=2,
        epochs=1,
        batch_size=4,
    )
    study = StudySettings(
        DataSettings(str(tmp_path / "scenes")),
        recipe,
        ("baseline:backbone=mine", "maxsup:backbone=none"),
        seeds=(0,),
        backbones=(weights, "none"),
    )
    here = compare(
        study, tmp_path / "here", command="maxsup compare digits", console=Console(quiet=True)
    )
    there, shown = run_this_on_ray(study, tmp_path / "there")
    assert comparable(there) == comparable(here)
    for name in study.methods:
        assert f"{name}, seed 0: done, test mean IoU " in shown
        ours, theirs = (
            (study.run_directory(tmp_path / place, name, 0) / "model.safetensors").read_bytes()
            for place in ("here", "there")
        )
        assert ours == theirs, name


@pytest.fixture
def own_method(registry: None) -> str:
    """A plug-in that this process has loaded, and knows no more afterwards."""
    file = str(Path(__file__).parents[2] / "docs" / "examples" / "own_method.py")
    methods.load_plugin(file)
    return file


def test_plugin_of_a_study_is_loaded_by_its_nodes(
    cluster: Any, own_method: str, tmp_path: Path
) -> None:
    """By one process for several runs, one after the other, too."""
    results = compare(
        settings(methods=("baseline", "squared-maxsup:beta=0.05"), seeds=(0, 1), epochs=1),
        tmp_path,
        console=Console(quiet=True),
        on=RayCluster(),
        plugins=(own_method,),
    )
    assert [run["status"] for run in results["runs"]] == ["finished"] * 4
    assert f"plugins=({own_method!r},)" in results["command"]


def test_what_stops_a_study_here_stops_it(
    cluster: Any, register: Callable[[str, Any], Method], tmp_path: Path
) -> None:
    here = os.getpid()

    def full(training):
        if os.getpid() != here:
            raise OSError(28, "No space left on device", "checkpoint.pt")
        return CrossEntropyLoss()

    register("full", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        run_on_ray(tmp_path, methods=("full",), seeds=(0,), baseline="full")
    assert (caught.value.errno, caught.value.filename) == (28, "checkpoint.pt")
    assert not (tmp_path / "results.json").exists()


def test_failures_are_those_of_a_study_here(
    cluster: Any, register: Callable[[str, Any], Method], tmp_path: Path
) -> None:
    # Without annotations: what is defined in a function travels without the names around it.
    def diverging(training):
        class Broken(CrossEntropyLoss):
            def forward(self, logits, target):
                return super().forward(logits, target) * math.inf

        return Broken()

    here = os.getpid()

    def crashing(training):
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return CrossEntropyLoss()

    register("diverging", diverging)
    register("crashing", crashing)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("maxsup.study._ray.MAX_RETRIES", 0)
        results, shown = run_on_ray(
            tmp_path, methods=("baseline", "diverging", "crashing"), seeds=(0,)
        )
    assert [run["status"] for run in results["runs"]] == ["finished", "failed", "failed"]
    diverged, crashed = (str(run["cause"]) for run in results["runs"][1:])
    # Infinite when the loss is looked at early, as on a busy machine; NaN later on.
    assert re.match("TrainingDiverged: the loss became (inf|nan) in epoch 1 of 2", diverged)
    assert crashed.startswith("WorkerCrashedError")
    for method, cause in (("diverging", diverged), ("crashing", crashed)):
        assert f"{method}, seed 0 failed: {cause}" in shown
        assert (tmp_path / method / "seed-0" / "failure.txt").read_text()


def test_a_node_that_is_lost(cluster: Any, cut_study: tuple[Path, Path, str]) -> None:
    class Holder:
        def hold(self) -> bool:
            return True

    directory, released, whole = cut_study
    # While this has the head's core, the run can only be on the second node.
    holder = ray.remote(num_cpus=1)(Holder).remote()
    assert ray.get(holder.hold.remote())
    second = cluster.add_node(num_cpus=1)
    lost, text = [], io.StringIO()

    def lose_a_node() -> None:
        wait_for(lambda: len(unfinished(directory)) == 1)
        # What a node has to say is lost with it.
        wait_for(lambda: "patient, seed 0: starts on " in text.getvalue())
        cluster.remove_node(second, allow_graceful=False)
        lost.extend(unfinished(directory))
        time.sleep(SECONDS_TO_DIE)
        released.touch()
        ray.kill(holder)

    loser = threading.Thread(target=lose_a_node)
    loser.start()
    results, shown = run_on_ray(directory, text, **PATIENT)
    loser.join()
    assert lost == [directory / "patient" / "seed-0"]
    assert "Ray: 2 nodes" in shown
    assert shown.count("patient, seed 0: starts on ") == 1
    assert shown.count("patient, seed 0: goes on after epoch 1 of 4 on ") == 1, shown
    assert comparable(results) == whole


def test_stopped_by_hand_it_goes_on(cluster: Any, cut_study: tuple[Path, Path, str]) -> None:
    directory, released, whole = cut_study

    def press_ctrl_c() -> None:
        wait_for(lambda: len(unfinished(directory)) == 1)
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press_ctrl_c)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        run_on_ray(directory, **PATIENT)
    presser.join()
    time.sleep(SECONDS_TO_DIE)
    released.touch()
    time.sleep(0.5)
    (run,) = unfinished(directory)
    assert len((run / "metrics.jsonl").read_text().splitlines()) == 1, "the run was not ended"

    results, shown = run_on_ray(directory, **PATIENT)
    assert shown.count("patient, seed 0: goes on after epoch 1 of 4 on ") == 1, shown
    assert comparable(results) == whole


@pytest.mark.parametrize(
    ("asked", "nodes", "resources"),
    [
        (RayCluster(), [{"CPU": 8}], (0, 4)),
        (RayCluster(), [{"CPU": 2}, {"CPU": 3}], (0, 3)),
        (RayCluster(), [{"CPU": 8}, {"CPU": 64, "GPU": 8}], (1, 8)),
        (RayCluster(), [{"CPU": 2, "GPU": 4}], (1, 0)),
        (RayCluster(gpus_per_run=0.5), [{"CPU": 12, "GPU": 1}], (0.5, 6)),
        (RayCluster(gpus_per_run=1), [], (1, 1)),
        (RayCluster(gpus_per_run=0), [{"CPU": 64, "GPU": 8}], (0, 4)),
        (RayCluster(cpus_per_run=2), [{"CPU": 8, "GPU": 1}], (1, 2)),
    ],
)
def test_resources_of_each_run(
    asked: RayCluster, nodes: list[dict[str, float]], resources: tuple[float, float]
) -> None:
    assert asked.resources(nodes, threads=4) == resources


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gpus_per_run": 2}, r"must lie in \[0, 1\], as a run trains on one GPU at most; got 2"),
        ({"gpus_per_run": math.nan}, "must be a finite number or None; got nan"),
        ({"cpus_per_run": -1}, "must be at least 0; got -1"),
    ],
)
def test_resources_that_make_no_sense(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RayCluster(**changes)


def test_a_launcher_of_processes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="without torchrun or accelerate launch"):
        run_on_ray(tmp_path, **PAIRS)


def test_without_ray_it_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'maxsup\[ray\]'"):
        run_on_ray(tmp_path, **PAIRS)


def task_of(study: StudySettings, place: Path, **changes: Any) -> Any:
    """One run of a study, as it is handed to a node."""
    from maxsup.study import _ray_node

    run = study.run("maxsup", 0)
    task = _ray_node.Task(
        settings=run,
        method=None,
        plugins=(),
        study_file=place / "study.json",
        directory=place / "maxsup" / "seed-0",
        token=None,
        data="",
        fingerprint=run.fingerprint(),
        working_directory=place,
        threads=1,
        on_gpu=False,
        versions=_ray_node.versions_here(),
    )
    return dataclasses.replace(task, **changes)


def test_nodes_must_see_the_directory_the_data_and_the_same_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from maxsup.data import load_images
    from maxsup.study import _ray_node

    study = settings(**PAIRS)
    task = task_of(
        study,
        tmp_path,
        data="other",
        working_directory=tmp_path / "not there",
        versions=_ray_node.versions_here() | {"torch": "0.4"},
    )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(FileNotFoundError, match=r"study.json cannot be seen on "):
        _ray_node.train_on_node(task, None)
    study.claim(tmp_path)
    with pytest.raises(ValueError, match=r"torch 0\.4 there, [\d.]+\S* on "):
        _ray_node.train_on_node(task, None)
    monkeypatch.setattr(_ray_node, "versions_here", lambda: task.versions)
    with pytest.raises(ValueError, match="images, labels or classes of digits are not those"):
        _ray_node.train_on_node(task, None)
    assert load_images(study.data).fingerprint != "other"


def test_nodes_must_see_the_weights_that_runs_start_from(tmp_path: Path) -> None:
    from maxsup.study import _ray_node

    (tmp_path / "w.pth").write_bytes(b"1")
    study = settings(**PAIRS, weights=str(tmp_path / "w.pth"))
    task = task_of(study, tmp_path, on_gpu=True)
    _ray_node._check_weights(task)
    (tmp_path / "w.pth").write_bytes(b"22")
    with pytest.raises(ValueError, match=r"w\.pth holds other weights than on the machine"):
        _ray_node._check_weights(task)
    (tmp_path / "w.pth").unlink()
    with pytest.raises(FileNotFoundError, match=r"cannot be seen: .*All nodes must reach .*w\.pth"):
        _ray_node._check_weights(task)


def test_a_result_that_never_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from maxsup.study import _ray

    monkeypatch.setattr(_ray, "_SECONDS_FOR_A_FILE", 0.0)
    with pytest.raises(FileNotFoundError, match="all nodes must reach the study's directory"):
        _ray._read_result(tmp_path / "maxsup" / "seed-0")


def test_runs_of_a_script(cluster: Any, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import sys, numpy\n"
        "method, seed, out = sys.argv[1:]\n"
        "assert method != 'crash', 'no luck'\n"
        "numpy.savez(out, logits=numpy.eye(4) * int(seed), labels=numpy.arange(4))\n"
    )
    study = ScriptStudy(
        f"{sys.executable} {script} {{method}} {{seed}} {{out}}", ("baseline", "crash"), (1, 2)
    )
    shown = io.StringIO()
    console = Console(file=shown, width=200)
    results = compare_script(study, tmp_path / "study", on=RayCluster(), console=console)
    causes = {(run["method"], run["seed"]): run["cause"] for run in results["runs"]}
    assert causes["baseline", 1] is None
    assert "AssertionError: no luck" in str(causes["crash", 2])
    assert "baseline, seed 2: done (" in shown.getvalue()
