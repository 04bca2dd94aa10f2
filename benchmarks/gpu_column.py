"""A recipe trained for real, method by method and seed by seed, several runs at once on one card.

The runs are a study's, kept where ``maxsup compare`` would keep them, so that one that was stopped
goes on from its last epoch. What has finished with every method is compared, pair by pair.
"""

import dataclasses
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from rich import box
from rich.console import Console, Group
from rich.table import Table
from safetensors.torch import load_file, save_file

from gpu_record import Record, Row, described
from maxsup._files import write_text
from maxsup.data import DataSettings, ImageData, ResidentSplit
from maxsup.recipes import Recipe, get_recipe
from maxsup.report import results_table, write_report
from maxsup.results import RESULTS_FILE, Results, read_results, write_results
from maxsup.study import StudySettings
from maxsup.study._gather import gather
from maxsup.study._local import run_locally
from maxsup.training import ProgressReport, build_accelerator, load_data, train

RECIPE = "cifar100-resnet18"
PAGE = "report.html"
STUDY, DATA_FILE, SPLITS = "study", "data.safetensors", ("train", "test")
TO_GATHER = 20.0  # seconds that are left for the comparison


@dataclasses.dataclass(frozen=True)
class Column:
    """What is trained."""

    data: str
    epochs: int
    seeds: int
    methods: tuple[str, ...] = ("baseline", "label-smoothing", "maxsup")
    parallel: int = 3
    compile: bool = False
    smoke: bool = False

    @property
    def recipe(self) -> Recipe:
        """The recipe with its lengths in proportion, as fast as a GPU has it."""
        recipe = get_recipe(RECIPE)
        found = recipe.adapted(
            epochs=self.epochs,
            precision="bf16",
            channels_last=True,
            compile=self.compile,
            deterministic=False,
        )
        if self.smoke:
            smaller = {"model": "small-convnet", "small_stem": False, "zero_init": True}
            found = dataclasses.replace(
                found, **smaller, image_size=None, label_column=None, precision="fp32"
            )
        return found

    def study(self, seeds: tuple[int, ...]) -> StudySettings:
        return StudySettings(DataSettings(self.data), self.recipe, self.methods, seeds)


def measure(record: Record, column: Column) -> None:
    """Train what there is time for, and compare what is finished."""
    directory = record.path.parent / "column"
    study = column.study(tuple(range(column.seeds)))
    study.claim(directory / STUDY)
    images = decoded(column, directory)
    train_all(record, study, directory, column.parallel)

    done = [
        seed
        for seed in study.seeds
        if all(run_name(method, seed) in record.rows for method in study.methods)
    ]
    if not done:
        print("no seed has finished with every method yet", file=sys.stderr)
        return
    results = compared(column.study(tuple(done)), images, directory)
    # Beside the other pieces, where they are looked for.
    write_results(results, directory / STUDY)
    for place in (directory / STUDY / PAGE, record.path.with_name(f"column-{PAGE}")):
        write_report(results, place)
    write_text(record.path.with_name(f"column-{RESULTS_FILE}"), json.dumps(results, indent=1))


def run_name(method: str, seed: int) -> str:
    return f"{method}|{seed}"


# -------------------------------------------------------------------------------------------- data


def decoded(column: Column, directory: Path) -> ImageData:
    """The data, and a file of its pixels, which the processes read at once."""
    data = load_data(DataSettings(column.data), column.recipe)
    tensors = {}
    for name, split in zip(SPLITS, (data.train, data.test), strict=True):
        assert isinstance(split, ResidentSplit)
        tensors |= {f"{name}.images": split.images, f"{name}.labels": split.labels}
    save_file(
        {name: tensor.contiguous() for name, tensor in tensors.items()}, directory / DATA_FILE
    )
    (directory / "classes.txt").write_text("\n".join(data.classes), encoding="utf-8")
    (directory / "name.txt").write_text(data.name, encoding="utf-8")
    return data


def from_file(directory: Path) -> ImageData:
    tensors = load_file(directory / DATA_FILE)
    train_split, test = (
        ResidentSplit(tensors[f"{name}.images"], labels, labels, name=name)
        for name in SPLITS
        for labels in (tensors[f"{name}.labels"],)
    )
    classes = (directory / "classes.txt").read_text(encoding="utf-8").split("\n")
    name = (directory / "name.txt").read_text(encoding="utf-8")
    return ImageData(name, tuple(classes), train_split, None, test)


# ---------------------------------------------------------------------------------------- training


def train_all(record: Record, study: StudySettings, directory: Path, parallel: int) -> None:
    """Train the runs that are not finished, until they are or the time is over."""
    waiting = [run for run in study.plan() if run_name(*run) not in record.rows]
    if not waiting:
        return
    start = time.monotonic()
    # Not forked: the GPU's driver does not survive that.
    with multiprocessing.get_context("spawn").Pool(
        min(parallel, len(waiting)), prepare, (directory,)
    ) as pool:
        runs = pool.imap_unordered(train_one, [(study, *run, directory) for run in waiting])
        for _ in waiting:
            try:
                name, row = runs.next(timeout=max(0.0, record.left - TO_GATHER))
            except multiprocessing.TimeoutError:
                break  # leaving ends the processes; each has a checkpoint after every epoch
            except Exception as error:  # one failure must not cost the others' numbers
                print(f"a run failed: {type(error).__name__}: {error}", file=sys.stderr)
                continue
            record.keep(name, row | {"parallel": parallel})
            since = time.monotonic() - start
            print(f"{name}: done after {since:.0f} s, {record.left:.0f} s left", file=sys.stderr)


def prepare(directory: Path) -> None:
    """Read the data once in each process."""
    global _data
    torch.set_num_threads(2)
    _data = from_file(directory)


def train_one(run: tuple[StudySettings, str, int, Path]) -> tuple[str, Row]:
    study, method, seed, directory = run
    start = time.monotonic()
    result = train(
        study.run(method, seed),
        study.run_directory(directory / STUDY, method, seed),
        data=_data,
        progress=ProgressReport(Console(quiet=True), study.recipe.epochs, quiet=True),
    )
    row = {
        "seconds": time.monotonic() - start,
        "seconds_per_epoch": [each["seconds"] for each in result.history],
        "images_per_second": [each["images_per_second"] for each in result.history],
        "test_accuracy": [each["test_accuracy"] for each in result.history],
    }
    return run_name(method, seed), row


def compared(study: StudySettings, data: ImageData, directory: Path) -> Results:
    """The study's results; all of its runs are finished."""
    place, accelerator = directory / STUDY, build_accelerator(study.recipe)
    with ProgressReport(Console(quiet=True), len(study.plan()), quiet=True) as progress:
        runs = run_locally(study, data, place, accelerator, progress)
    command = "python benchmarks/gpu.py column"
    return gather(study, data, runs.results, place, command, runs.devices, accelerator)


# ---------------------------------------------------------------------------------------- showing


def tables(content: Row, path: Path) -> Iterator[Table | Group]:
    """How fast the runs were, and what they say."""
    setting = content["setting"]
    table = Table(
        title=f"{RECIPE} on {setting['data']}, {setting['epochs']} epochs: {described(setting)}",
        caption=(
            "an epoch: the median of its training, without measuring; 200 epochs: a run's whole "
            "time by its epochs.\nThe runs share the card, as many at once as the column says."
        ),
        box=box.SIMPLE_HEAD,
        caption_justify="left",
    )
    table.add_column("run")
    for column in ("at once", "an epoch", "images/s", "whole run", "200 epochs", "accuracy"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, row in content["rows"].items():
        epochs = row["seconds_per_epoch"]
        table.add_row(
            name.replace("|", ", seed "),
            str(row["parallel"]),
            f"{statistics.median(epochs):.2f} s",
            f"{statistics.median(row['images_per_second']):,.0f}",
            f"{row['seconds']:.0f} s",
            f"{200 * row['seconds'] / len(epochs) / 60:.1f} min",
            f"{100 * row['test_accuracy'][-1]:.2f} %",
        )
    yield table
    results = path.with_name(f"column-{RESULTS_FILE}")
    if results.exists():
        yield results_table(read_results(results))
