"""From the runs of a study to its results."""

import json
import math
import platform
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch
from accelerate import Accelerator

from maxsup._version import __version__
from maxsup.data import ImageData
from maxsup.data.masks import MaskData
from maxsup.evaluation import CONFUSION, RELIABILITY, RISK_COVERAGE
from maxsup.methods import Ramp
from maxsup.results import analyse, chosen_names, schema, verdict
from maxsup.statistics import summarise
from maxsup.study._data import StudyData, redrawn
from maxsup.study._densities import pooled_logits
from maxsup.study._images import image_evidence
from maxsup.study._kept import NONE_KEPT, KeptRuns, with_kept
from maxsup.study._kept_outputs import KeptOutputs
from maxsup.study._named import label_of
from maxsup.study._per_class import kept_predictions, per_class
from maxsup.study._projections import confused_classes
from maxsup.study._segmentation import image_values, segmentation_evidence
from maxsup.study._settings import StudySettings
from maxsup.study._variants import Variant
from maxsup.training import AnyData, RunResult

_TIMINGS = ("seconds", "images_per_second")
"""The figures of an epoch that differ from one repetition to the next."""

Results = Mapping[tuple[str, int], RunResult | str]
"""By method and seed: the result, or the cause of its failure."""


def gather(
    settings: StudySettings,
    data: StudyData,
    runs: Results,
    directory: Path,
    command: str,
    devices: Collection[str],
    accelerator: Accelerator,
    *,
    kept: KeptRuns = NONE_KEPT,
    tuning: schema.Tuning | None = None,
    notes: Sequence[str] = (),
) -> schema.Results:
    """Everything the table and the page show, from the finished and failed runs.

    Args:
        settings: What is asked for.
        data: The data of the runs.
        runs: What came of the runs that are asked for.
        directory: The study's directory.
        command: What repeats the study.
        devices: What the runs were trained on.
        accelerator: Measures what pictures need.
        kept: What earlier commands have finished.
        tuning: How strengths were chosen, where they were.
        notes: What else a reader should know, in sentences.

    Raises:
        ValueError: Two methods of one seed did not have the same start.
    """
    asked = schema.Asked(
        methods=list(settings.methods), seeds=list(settings.seeds), left_out=list(kept.left_out)
    )
    settings = with_kept(settings, kept)
    everything = {**runs, **kept.results}
    runs = {key: everything[key] for key in settings.table() if key in everything}
    _check_same_starts(settings, runs)
    measures = settings.measures()
    finished = {key: run for key, run in runs.items() if isinstance(run, RunResult)}
    rows = [run_row(method, seed, run, measures) for (method, seed), run in runs.items()]
    facts = _data_facts(settings, data.first, notes)
    chosen = {} if tuning is None else chosen_names(tuning)
    methods = [_method_facts(name, name in chosen.values()) for name in settings.methods]
    analysed = analyse(rows, measures, settings.methods, settings.analysis())
    outputs = KeptOutputs(directory, analysed.measures[0]["name"])
    values, same_images = None, True
    if isinstance(data.first, MaskData):
        same_images = "the test set" not in redrawn(settings, data.first)
        if same_images:
            values = image_values(
                analysed.measures[0]["name"], data.first.test.ids.numpy(), finished
            )
    images = image_evidence(
        rows, analysed, directory, outputs=outputs, values=values, same_images=same_images
    )
    seeds = list(settings.seeds)
    segmentation = None
    if isinstance(data.first, MaskData):
        segmentation = segmentation_evidence(
            settings.methods, settings.baseline, data.first, finished
        )
    return schema.Results(
        format=schema.FORMAT,
        data=facts,
        # As JSON has it: lists for tuples.
        recipe=json.loads(json.dumps(asdict(settings.recipe))),
        methods=methods,
        baseline=settings.baseline,
        seeds=seeds,
        command=command,
        asked=asked,
        tuning=tuning,
        versions=_versions(devices),
        measures=analysed.measures,
        runs=rows,
        summary=analysed.summary,
        margin=analysed.margin,
        contrasts=analysed.contrasts,
        images=images,
        logits=pooled_logits(settings.methods, finished),
        confused=confused_classes(settings, data, finished, directory, accelerator),
        # Where each seed has a test set of its own, no image is in all of them.
        per_class=per_class(
            kept_predictions(outputs, finished),
            len(data.first.classes),
            data.first.test.labelled,
            [(each["method"], each["against"]) for each in analysed.contrasts],
        )
        if isinstance(data.first, ImageData) and "the test set" not in redrawn(settings, data.first)
        else None,
        verdict=verdict(
            facts,
            methods,
            settings.baseline,
            asked,
            seeds,
            rows,
            analysed,
            images=images,
            tuning=tuning,
        ),
        segmentation=segmentation,
        timings=_timings(settings, finished),
    )


def _check_same_starts(settings: StudySettings, runs: Results) -> None:
    weights: dict[tuple[int, str], set[str]] = {}
    batches: dict[int, set[str]] = {}
    for (method, seed), run in runs.items():
        if isinstance(run, RunResult):
            batches.setdefault(seed, set()).add(run.batches)
            # Backbones may be of several architectures, whose heads cannot be the same.
            model = settings.run(method, seed).recipe.model
            weights.setdefault((seed, model), set()).add(run.initial_weights)
    differing = sorted(
        {seed for seed, found in batches.items() if len(found) > 1}
        | {seed for (seed, _), found in weights.items() if len(found) > 1}
    )
    if differing:
        raise ValueError(
            f"The methods did not share initial weights and batches with seeds {differing}, so "
            "their differences mean nothing. Were some of the runs trained with another version "
            "of maxsup, torch or timm? A new --out trains all of them again."
        )


def run_row(
    method: str, seed: int, run: RunResult | str, measures: list[schema.MeasureFacts]
) -> schema.Run:
    """What results hold of one run: its result, or the cause of its failure."""
    if isinstance(run, str):
        return schema.Run(
            method=method,
            seed=seed,
            status="failed",
            cause=run,
            fingerprint=None,
            values={},
            history=[],
            reliability=None,
            risk_coverage=None,
        )
    return schema.Run(
        method=method,
        seed=seed,
        status="finished",
        cause=None,
        fingerprint=schema.Fingerprint(initial_weights=run.initial_weights, batches=run.batches),
        values={m["name"]: run.values.get(m["name"]) for m in measures},
        history=[
            {name: _finite(value) for name, value in row.items() if name not in _TIMINGS}
            for row in run.history
        ],
        reliability=_reliability(run),
        risk_coverage=_risk_coverage(run),
    )


def _reliability(run: RunResult) -> schema.Reliability | None:
    found = run.records.get(RELIABILITY.name)
    if found is None:
        return None
    count, confidence, accuracy = found.tolist()
    return schema.Reliability(
        count=[round(samples) for samples in count], confidence=confidence, accuracy=accuracy
    )


def _risk_coverage(run: RunResult) -> list[float] | None:
    # A run of before this was recorded has none.
    found = run.records.get(RISK_COVERAGE.name)
    if found is None or not bool(found.isfinite().all()):
        return None
    # A picture needs no more, and the file is the smaller for it.
    return [round(risk, 6) for risk in found.tolist()]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _data_facts(settings: StudySettings, data: AnyData, notes: Sequence[str]) -> schema.DataFacts:
    return schema.DataFacts(
        name=data.name,
        classes=list(data.classes),
        image=list(data.image_shape),
        train=len(data.train),
        validation=0 if data.validation is None else len(data.validation),
        test=len(data.test),
        label_noise=settings.data.label_noise,
        noisy_labels=data.train.count_noisy() if isinstance(data, ImageData) else 0,
        redrawn=redrawn(settings, data),
        notes=[*notes, *data.notes, *_notes_on_size(len(data.classes))],
    )


def _notes_on_size(num_classes: int) -> list[str]:
    most = CONFUSION.accumulation.most_classes
    if most is None or num_classes <= most:
        return []
    return [
        f"With more than {most:,} classes, here {num_classes:,}, it is not recorded which are "
        "confused with which, so there is no picture of the features of three that are."
    ]


def _method_facts(name: str, is_tuned: bool) -> schema.MethodFacts:
    variant = Variant.read(name)
    method = variant.facts()
    beside = [] if variant.lr is None else [f"learning rate {variant.lr:g}"]
    beside += [] if variant.teacher is None else [label_of("teacher", variant.teacher)]
    return schema.MethodFacts(
        name=name,
        label=variant.label() + (" (tuned)" if is_tuned else ""),
        tuned=is_tuned,
        summary=method.summary,
        settings=", ".join([method.settings()] * bool(method.settings()) + beside),
        coefficients={
            name: list(value) if isinstance(value, Ramp) else value
            for name, value in method.values().items()
        },
    )


def _versions(devices: Collection[str]) -> dict[str, str]:
    return {
        "maxsup": __version__,
        "torch": torch.__version__,
        **{name: version(name) for name in ("timm", "accelerate", "datasets", "torchmetrics")},
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "device": "; ".join(sorted(devices)),
    }


def _timings(
    settings: StudySettings, finished: Mapping[tuple[str, int], RunResult]
) -> schema.Timings:
    rows = []
    seconds: dict[str, dict[int, float | None]] = {method: {} for method in settings.methods}
    for (method, seed), run in finished.items():
        each = [row["seconds"] for row in run.history]
        images = [row["images_per_second"] * row["seconds"] for row in run.history]
        mean = sum(each) / len(each)
        seconds[method][seed] = mean
        rows.append(
            schema.RunTiming(
                method=method,
                seed=seed,
                seconds_per_epoch=mean,
                images_per_second=sum(images) / sum(each),
            )
        )
    return schema.Timings(
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        runs=rows,
        seconds_per_epoch=summarise(seconds, settings.baseline),
        training_seconds=sum(row["seconds"] for run in finished.values() for row in run.history),
    )
