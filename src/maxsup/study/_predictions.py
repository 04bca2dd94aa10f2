"""A study of the predictions that another program has made."""

import platform
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import torch

from maxsup._method_names import canonical
from maxsup._places import as_place
from maxsup._version import __version__
from maxsup.data.predictions._agree import Agreement
from maxsup.data.predictions._arrays import Array, example
from maxsup.data.predictions._find import RunSource, find_predictions
from maxsup.data.predictions._history import KNOWN
from maxsup.data.predictions._part import Part
from maxsup.data.predictions._run import RunPredictions
from maxsup.evaluation import (
    TEMPERATURE,
    Found,
    Outputs,
    SplitName,
    measure_facts,
    measure_outputs,
    measures_on,
    records_on,
)
from maxsup.methods import get_method
from maxsup.results import (
    DEFAULT_PRIMARY,
    Analysis,
    Results,
    analyse,
    check_contrasts,
    find_primary,
    margin_of,
    read_contrasts,
    schema,
    shown,
    verdict,
)
from maxsup.statistics import summarise
from maxsup.study._densities import pooled_logits
from maxsup.study._gather import run_row
from maxsup.study._images import image_evidence
from maxsup.study._kept_outputs import KeptOutputs
from maxsup.study._per_class import kept_predictions, per_class
from maxsup.training import RunResult

_VALUES_AT_ONCE = 2**22
"""Logits that are measured in one go, so that what is computed from them fits into memory."""


class Question(NamedTuple):
    """What is asked of predictions; as :class:`maxsup.results.Analysis`, before they are read."""

    baseline: str | None = None
    """By default the method of that name, else the first one."""
    primary: str | None = None
    margin: float | None = None
    contrasts: Sequence[str] = ()
    """As on a command line: ``maxsup/focal``, or ``all``."""
    unpaired: bool = False


def compare_predictions(
    place: Path | str,
    *,
    baseline: str | None = None,
    primary: str | None = None,
    margin: float | None = None,
    contrasts: Sequence[str] = (),
    unpaired: bool = False,
    command: str | None = None,
) -> Results:
    """Measure predictions that lie somewhere, and say which differences between methods hold.

    Nothing is trained and nothing is written; :func:`maxsup.results.write_results` and
    :func:`maxsup.report.write_report` do that.

    Args:
        place: A directory with ``METHOD/seed-N.npz`` (``.safetensors``, ``.parquet``, ``.csv``), as
            :func:`record` writes them, or one ``.parquet`` or ``.csv`` with the columns method,
            seed, id, label and logits (a list, or ``logit_0``, ``logit_1``, …). Nothing in it is
            unpickled.
        baseline: The method that the others are measured against; by default the one of that name,
            else the first one.
        primary: The measure that the verdict speaks of; accuracy by default.
        margin: The largest difference that does not matter, as in ``StudySettings``.
        contrasts: Pairs of methods to conclude on, ``maxsup/focal``, or ``all``.
        unpaired: Whether runs of one seed have nothing in common, so that no difference may be
            paired over seeds.
        command: What makes the results anew, noted in them; by default this call.

    Returns:
        The results as a study has them; a notebook shows them as a table.

    Raises:
        ValueError: There are no predictions, they cannot be read, do not fit in themselves or are
            not for the same samples; or the question names what there is not. The message names
            the file, how many samples and which.
        OSError: A file cannot be read.

    Example:
        >>> import tempfile, numpy
        >>> from maxsup.study import record
        >>> directory, rng = tempfile.mkdtemp(), numpy.random.default_rng(0)
        >>> labels = numpy.arange(200) % 4
        >>> for method, signal in {"baseline": 1.0, "mine": 3.0}.items():
        ...     for seed in range(3):
        ...         logits = rng.normal(size=(200, 4)) + signal * numpy.eye(4)[labels]
        ...         _ = record(directory, method, seed, logits, labels)
        >>> results = compare_predictions(directory)
        >>> results["contrasts"][0]["conclusion"]
        'better'
    """
    place = as_place(place)
    call = f"compare_predictions({str(place)!r})"
    question = Question(baseline, primary, margin, contrasts, unpaired)
    found = find_predictions(place)
    return results_of(
        found.runs,
        question,
        name=place.absolute().name or str(place),
        made_by=None,
        command=command or call,
        notes=_passed_over(found.passed_over),
    )


def results_of(
    sources: Sequence[RunSource],
    question: Question,
    *,
    name: str,
    made_by: str | None,
    command: str,
    notes: Sequence[str] = (),
    failed: Sequence[tuple[str, int, str]] = (),
    asked: schema.Asked | None = None,
    seconds: float = 0.0,
) -> Results:
    """The results of runs whose predictions can be read.

    Args:
        sources: The runs, in the order to show them.
        question: What is asked.
        name: What they are predictions of, in a heading.
        made_by: The script that has made them, where it is known.
        command: What makes the results anew.
        notes: What a reader must know, in sentences.
        failed: Runs that left no predictions: method, seed, cause.
        asked: What was asked for, where that is not all there is.
        seconds: How long the runs took altogether.

    Raises:
        ValueError: See :func:`compare_predictions`.
    """
    keys = [(run.method, run.seed) for run in sources] + [(m, s) for m, s, _ in failed]
    order = asked["methods"] if asked is not None else []
    methods = list(dict.fromkeys((*order, *(method for method, _ in keys))))
    seeds = sorted({seed for _, seed in keys})
    analysis = analysis_of(question, methods)
    outputs = KeptOutputs(None, analysis.primary)
    measured = _Measured(outputs)
    for run in sources:
        measured.check(run)
    runs: dict[tuple[str, int], RunResult | str] = {
        (run.method, run.seed): measured.measure(run) for run in sources
    }
    runs |= {(method, seed): cause for method, seed, cause in failed}
    facts = measure_facts()
    rows = [_row(key, runs[key], facts) for key in sorted(runs, key=_in_order(methods))]
    if any(row["status"] == "finished" for row in rows):
        facts = [
            each
            for each in facts
            if each["name"] == analysis.primary or _is_measured(each["name"], rows)
        ]
    analysed = analyse(rows, facts, methods, analysis)
    finished = {key: run for key, run in runs.items() if isinstance(run, RunResult)}
    images = image_evidence(rows, analysed, None, outputs=outputs)
    data = measured.facts(name, [*notes, *_seed_notes(methods, keys)])
    asked = asked or schema.Asked(methods=methods, seeds=seeds, left_out=[])
    of_methods = [_method_facts(method) for method in methods]
    predictions = schema.PredictionsFacts(made_by=made_by, form=measured.form())
    never: dict[str, dict[int, float | None]] = {method: {} for method in methods}
    return shown(
        schema.Results(
            format=schema.FORMAT,
            predictions=predictions,
            data=data,
            recipe={},
            methods=of_methods,
            baseline=analysis.baseline,
            seeds=seeds,
            command=command,
            asked=asked,
            tuning=None,
            versions={
                "maxsup": __version__,
                "torch": torch.__version__,
                "python": platform.python_version(),
                "platform": f"{platform.system()} {platform.machine()}",
            },
            measures=analysed.measures,
            runs=rows,
            summary=analysed.summary,
            margin=analysed.margin,
            contrasts=analysed.contrasts,
            images=images,
            logits=pooled_logits(methods, finished) if predictions["form"] == "logits" else {},
            confused=None,
            per_class=per_class(
                kept_predictions(outputs, finished),
                len(data["classes"]),
                None,
                [(each["method"], each["against"]) for each in analysed.contrasts],
            ),
            verdict=verdict(
                data,
                of_methods,
                analysis.baseline,
                asked,
                seeds,
                rows,
                analysed,
                images=images,
                predictions=predictions,
            ),
            timings=schema.Timings(
                finished=datetime.now(UTC).isoformat(timespec="seconds"),
                runs=[],
                seconds_per_epoch=summarise(never, analysis.baseline),
                training_seconds=seconds,
            ),
        )
    )


def analysis_of(question: Question, methods: Sequence[str]) -> Analysis:
    """The question put to methods that are known by now; what it names is checked.

    Raises:
        ValueError: It names a method or a measure that there is not, or the margin is not more
            than 0.
    """
    first = "baseline" if "baseline" in methods else methods[0]
    baseline = first if question.baseline is None else canonical(question.baseline)
    if baseline not in methods:
        raise ValueError(
            f"The baseline {baseline!r} is not among the methods ({', '.join(methods)})."
        )
    primary = find_primary(measure_facts(), question.primary or DEFAULT_PRIMARY)
    margin_of(primary, question.margin)
    return Analysis(
        baseline,
        primary["name"],
        question.margin,
        check_contrasts(read_contrasts(question.contrasts, methods), methods),
        question.unpaired,
    )


class _Measured:
    """Measures one run after the other, none of which stays in memory."""

    def __init__(self, outputs: KeptOutputs) -> None:
        self._outputs = outputs
        self._agreement = Agreement()
        self._forms: set[bool] = set()
        self._classes: tuple[str, ...] | None = None
        self._num_classes = 0
        self._samples = {"test": 0, "train": 0, "validation": 0}
        self._notes: dict[str, list[str]] = {}

    def check(self, source: RunSource) -> None:
        """See that a run agrees with those before it; all of them do before one is measured.

        Raises:
            ValueError: It does not.
        """
        run = source.load()
        self._agreement.order(source.what, run)
        self._remember(source, run)

    def measure(self, source: RunSource) -> RunResult | str:
        """What was measured of a run; the cause of its failure where it predicts no numbers."""
        run = source.load()
        order = self._agreement.order(source.what, run)
        if len(run.test.broken):
            ids, broken = run.test.ids, run.test.broken
            which = f"rows {example(broken)}" if ids is None else f"ids {example(ids[broken])}"
            return (
                f"{len(broken):,} of {len(run.test):,} samples have logits that are no finite "
                f"numbers ({which})"
            )
        for every in _batches(run.test, order, self._agreement.ids(), size=len(run.test)):
            self._outputs.give(source.method, source.seed, every)
        return RunResult(
            data="",
            initial_weights="",
            batches="",
            history=list(run.history),
            evaluation=_measure(run, order, self._agreement.ids()),
        )

    def form(self) -> schema.Form:
        """Whether logits came, probabilities, or now these and now those."""
        if len(self._forms) > 1:
            return "both"
        return "probabilities" if True in self._forms else "logits"

    def facts(self, name: str, notes: Sequence[str]) -> schema.DataFacts:
        """What the predictions are of."""
        classes = self._classes or tuple(str(each) for each in range(self._num_classes))
        told = [f"{text} ({_files(files)})." for text, files in self._notes.items()]
        form = self.form()
        if form != "logits":
            some = "The" if form == "probabilities" else "Some"
            told.append(
                f"{some} predictions are probabilities: their rows add up to 1, and their "
                "logarithms were taken for logits. A probability of 0 counts as 1.2e-38."
            )
        if self._samples["test"] and not self._agreement.has_ids:
            told.append(
                "The samples have no ids. Rows were taken to be in the same order in every run, "
                "with which their labels agree."
            )
        return schema.DataFacts(
            name=name,
            classes=list(classes),
            image=[],
            train=self._samples["train"],
            validation=self._samples["validation"],
            test=self._samples["test"],
            label_noise=0.0,
            noisy_labels=0,
            redrawn=[],
            notes=[*notes, *told],
        )

    def _remember(self, source: RunSource, run: RunPredictions) -> None:
        self._forms |= {part.are_probabilities for part in run.parts}
        self._classes = self._classes or run.classes
        self._num_classes = run.test.logits.shape[1]
        for split, part in (
            ("test", run.test), ("train", run.train), ("validation", run.validation)
        ):  # fmt: skip
            if part is not None:
                self._samples[split] = len(part)
        if run.passed_over:
            self._note(f"Passed over: {', '.join(run.passed_over)}", source.what)
        figures = {name for row in run.history for name in row} - {"epoch"}
        if figures and figures.isdisjoint(KNOWN):
            self._note(
                f"None of the figures of epochs is drawn, which would be {', '.join(KNOWN)}",
                source.what,
            )

    def _note(self, text: str, what: str) -> None:
        self._notes.setdefault(text, []).append(what)


def _measure(run: RunPredictions, order: Array, ids: Array) -> Found:
    """All measures of one run that its predictions allow."""
    values: dict[str, float] = {}
    records: dict[str, torch.Tensor] = {}
    temperature: float | None = None
    for split, part, rows in (
        ("validation", run.validation, None), ("test", run.test, order), ("train", run.train, None)
    ):  # fmt: skip
        if part is None:
            continue
        of_split: SplitName = split  # type: ignore[assignment]
        found = measure_outputs(
            _batches(part, rows, ids if split == "test" else None),
            of_split,
            measures_on(of_split),
            records_on(of_split),
            temperature=temperature,
        )
        values |= found.values
        records |= found.records
        if TEMPERATURE.name in found.records:
            temperature = float(found.records[TEMPERATURE.name])
    return Found(values, records)


def _batches(
    part: Part, order: Array | None, ids: Array | None, size: int | None = None
) -> Iterator[Outputs]:
    size = size or max(1, _VALUES_AT_ONCE // part.logits.shape[1])
    for first in range(0, len(part), size):
        rows: Array | slice = slice(first, first + size)
        if order is not None:
            rows = order[rows]
        count = len(part.labels[rows])
        labels = torch.from_numpy(part.labels[rows])
        yield Outputs(
            torch.from_numpy(part.logits[rows]),
            labels,
            labels,
            torch.arange(first, first + count)
            if ids is None
            else torch.from_numpy(ids[first : first + count]),
            None if part.features is None else torch.from_numpy(part.features[rows]),
        )


def _row(
    key: tuple[str, int], run: RunResult | str, facts: list[schema.MeasureFacts]
) -> schema.Run:
    row = run_row(*key, run, facts)
    row["fingerprint"] = None
    return row


def _in_order(methods: Sequence[str]) -> Callable[[tuple[str, int]], tuple[int, int]]:
    return lambda key: (methods.index(key[0]), key[1])


def _is_measured(name: str, rows: Sequence[schema.Run]) -> bool:
    return any(row["values"].get(name) is not None for row in rows)


def _method_facts(name: str) -> schema.MethodFacts:
    """What a name says by itself: of a method that we know, its label; what was trained, nobody."""
    try:
        label = get_method(name).label
    except ValueError:
        label = name
    return schema.MethodFacts(
        name=name, label=label, tuned=False, summary="", settings="", coefficients={}
    )


def _seed_notes(methods: Sequence[str], keys: Sequence[tuple[str, int]]) -> list[str]:
    """Which seeds only some of the methods have."""
    of_method = {method: sorted(seed for m, seed in keys if m == method) for method in methods}
    if len({tuple(seeds) for seeds in of_method.values()}) < 2:
        return []
    told = "; ".join(
        f"{method} {', '.join(map(str, seeds)) or 'none'}" for method, seeds in of_method.items()
    )
    return [
        f"The methods have different seeds ({told}). Differences are over the seeds that both have."
    ]


def _passed_over(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    return [f"Beside the predictions lie files that were passed over: {_files(names)}."]


def _files(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def default_output(place: Path) -> Path:
    """Where results of predictions are written: beside them.

    >>> default_output(Path("runs/mine.parquet")), default_output(Path("runs/mine"))
    (PosixPath('runs/mine-report'), PosixPath('runs/mine-report'))
    """
    place = place.absolute() if place.name in ("", ".", "..") else place
    if place.name in ("", ".."):
        place = place.resolve()
    stem = place.name if place.is_dir() else place.stem
    return place.with_name(f"{stem}-report")
