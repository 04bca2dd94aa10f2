"""What ``results.json`` holds: the one source of every number in the table and on the page.

Two studies with the same settings on the same machine give the same file, byte for byte, apart
from what stands under ``timings``. In the file, ``sha256`` is the digest of all but ``timings``,
which have one of their own. All fractions (accuracy, confidence, …) lie in [0, 1]; it is
the reader's side that turns them into per cent. A value that does not exist is ``null``.
"""

from typing import Literal, NotRequired, TypedDict

from maxsup.statistics import Bounds, Contrast, Summary

FORMAT = 2

SplitName = Literal["train", "validation", "test"]


class DataFacts(TypedDict):
    """What the models were trained and measured on."""

    name: str
    classes: list[str]
    image: list[int]  # channels, height, width
    train: int
    validation: int
    test: int
    label_noise: float
    noisy_labels: int  # how many training labels were changed
    redrawn: list[str]  # what each seed has of its own, in words; empty where all share the data
    notes: list[str]  # choices made for the user, in sentences


class MethodFacts(TypedDict):
    """One objective of the study."""

    name: str  # as on the command line, "maxsup:alpha=0.05"
    label: str  # as in a heading, "MaxSup, α 0.05"
    tuned: bool  # whether its strength was chosen by trials
    summary: str
    settings: str  # "alpha 0.1 → 0.2 (linear)", "" where it has none
    coefficients: dict[str, float | list[float] | str]  # two numbers: first and last of a schedule


class MeasureFacts(TypedDict):
    """How one measured quantity is called and read."""

    name: str  # key of ``values`` and ``summary``
    label: str
    help: str  # one sentence: what it says
    better: Literal["higher", "lower", "neither"]
    percent: bool  # shown times 100
    digits: int  # decimals shown, after the factor of 100
    bounds: list[float | None]  # least and greatest value there can be; null where there is none
    split: SplitName  # what it is measured on
    headline: bool  # whether it stands in the short tables of terminal and notebook
    detail: bool  # whether the page's large table leaves it to the section on its subject


def bounds_of(bounds: Bounds | None, *, percent: bool) -> list[float | None]:
    """A measure's bounds as files have them; where none are given, a fraction has its own.

    >>> bounds_of(None, percent=True), bounds_of((0, None), percent=False)
    ([0.0, 1.0], [0, None])
    """
    if bounds is None:
        bounds = (0.0, 1.0) if percent else (None, None)
    return [*bounds]


class Fingerprint(TypedDict):
    """SHA-256 of what every method of one seed must share."""

    initial_weights: str
    batches: str


class LogitDensity(TypedDict):
    """Density of all logits of (up to) 10,000 test images; ``edges`` has one entry more."""

    edges: list[float]
    density: list[float]


class Reliability(TypedDict):
    """Fifteen equal bins of the confidence over the test set; the two means are 0 in empty bins."""

    count: list[int]
    confidence: list[float]
    accuracy: list[float]


class Run(TypedDict):
    """One method trained with one seed."""

    method: str
    seed: int
    status: Literal["finished", "failed"]
    cause: str | None  # why it failed
    fingerprint: Fingerprint | None
    values: dict[str, float | None]  # by measure
    history: list[dict[str, float | None]]  # one row an epoch: "epoch" (from 1), "train_loss", …
    reliability: Reliability | None
    risk_coverage: list[float] | None  # error among the most confident 1 %, 2 %, …, 100 %


class Projection(TypedDict):
    """Penultimate features on the plane through three class templates."""

    seed: int
    points: list[list[list[float]]]  # class → sample → [x, y]
    templates: list[list[float]]  # class → [x, y]


class Confused(TypedDict):
    """The three classes of the projection picture (indices) and the pictures' points."""

    classes: list[int]
    chosen_by: str  # a sentence: on which data, how
    projections: dict[str, Projection]  # by method


class ImageContrast(TypedDict):
    """A method minus another in the primary measure, over seeds and test images together."""

    method: str
    against: str
    seeds: list[int]
    images: int
    mean: float
    low: float | None  # over other seeds and other images, simultaneous; null without three seeds
    high: float | None
    only_method: int | None  # images that it alone gets right; where there is one seed
    only_against: int | None
    p_mcnemar: float | None  # exact, times the number of contrasts


class ImageEvidence(TypedDict):
    """What the test images add to the doubt that the seeds leave; it decides nothing."""

    measure: str  # the primary one
    contrasts: list[ImageContrast]  # those of which something can be told
    reasons: list[str]  # in sentences: why nothing can be told of the others


class ShownImage(TypedDict):
    """A test image that one method gets right and another wrong, each in all of its seeds."""

    id: int  # which image of the test split
    true: int  # index of its class
    picture: str  # a data URL, at most 64 pixels wide and high
    right: list[str]  # the methods that get it right in all seeds
    wrong: dict[str, int]  # those that get it wrong in all, and what they mostly take it for


class PerClass(TypedDict):
    """What the kept outputs say of each class and image; of methods whose outputs were kept."""

    images: list[int]  # test images of each class
    seeds: dict[str, list[int]]  # by method
    right: dict[str, list[list[int]]]  # method → seed, in that order → right answers of each class
    # Method → true class, predicted class, how often over all seeds; the most frequent first. All
    # of up to 20 classes, the first ten of more.
    confused: dict[str, list[list[int]]]
    differing: dict[str, dict[str, int]]  # images always right with one, always wrong with another
    shown: list[ShownImage]  # some of these


class ShownMasks(TypedDict):
    """A test image, and what each method predicts of it with one seed, as data URLs."""

    id: int  # which image of the test split
    image: str
    truth: str  # in the palette's colours, void in black
    predicted: dict[str, str]  # by method
    differing: str  # light: all methods are right; grey: none is; orange: some are


class SegmentationEvidence(TypedDict):
    """What segmentation models make of each class; of methods with finished runs."""

    palette: list[list[int]]  # red, green and blue of each class
    pixels: list[int]  # test pixels of each class
    seeds: dict[str, list[int]]  # by method
    # Method → seed, in that order → IoU of each class; null where neither truth nor prediction has
    # it.
    iou: dict[str, list[list[float | None]]]
    by_class: list[dict[str, Summary]]  # of each class's IoU, by method
    most_frequent: int  # the class that is best predicted everywhere
    mean_iou_of_most_frequent: float  # which that gives
    shown_seed: int
    shown: list[ShownMasks]  # where methods differ most


class Asked(TypedDict):
    """What the command asked for; other methods and seeds had finished before, and are kept."""

    methods: list[str]
    seeds: list[int]
    left_out: list[str]  # in sentences: what had finished too and cannot be shown


class Trial(TypedDict):
    """A method at one strength and learning rate, measured on the validation part."""

    name: str  # as a method's, "maxsup:alpha=0.1,lr=0.05"
    coefficients: dict[str, float]  # of those that are searched for, "lr" among them
    values: list[float | None]  # what is chosen by, seed by seed; null where the training failed
    mean: float | None  # null where one of them failed: such a trial is not chosen


class TunedMethod(TypedDict):
    """How one method's strength was chosen."""

    method: str  # as asked for, "maxsup"
    searched: list[str]  # the coefficients that were, "lr" among them where it was
    trials: list[Trial]
    chosen: str | None  # the name of a trial, and of a method of the study
    at_edge: list[str]  # the coefficients whose chosen value is the smallest or largest tried
    expected: list[float]  # of the best of 1, 2, … trials, see maxsup.statistics.expected_best


class Tuning(TypedDict):
    """What was tried before the study, and what was chosen, without the test set."""

    by: Literal["validation_nll_scaled", "validation_accuracy"]
    seeds: list[int]
    train: int  # images that trials were trained on
    validation: int  # images that they were measured on
    held_out: bool  # whether these were taken out of the training set
    methods: list[TunedMethod]
    fixed: list[str]  # the methods whose names set coefficients, which were not tuned


Form = Literal["logits", "probabilities", "both"]


class PredictionsFacts(TypedDict):
    """What is known of predictions that another program has made."""

    made_by: str | None  # the script that was run for them; null where they lay there
    form: Form  # what came: probabilities are known by their sums


class Verdict(TypedDict):
    """The answer in words: one sentence, then what a reader must know to weigh it."""

    sentence: str
    also: NotRequired[str]  # what else differs strongly, explored and not concluded; "" if nothing
    notes: list[str]


class RunTiming(TypedDict):
    """How long one run took."""

    method: str
    seed: int
    seconds_per_epoch: float | None
    images_per_second: float | None


class Timings(TypedDict):
    """All that differs between two runs of the same study."""

    finished: str  # ISO 8601, UTC
    runs: list[RunTiming]
    seconds_per_epoch: dict[str, Summary]  # by method
    training_seconds: float


class Results(TypedDict):
    """The whole file."""

    format: int
    data: DataFacts
    predictions: NotRequired[PredictionsFacts]  # where another program has trained
    recipe: dict[str, object]  # every setting by name, "name" among them; empty with predictions
    methods: list[MethodFacts]  # in the order of the command, then those that are kept
    baseline: str
    seeds: list[int]
    command: str
    asked: Asked
    tuning: Tuning | None  # null where every method ran at what its name says
    versions: dict[str, str]
    measures: list[MeasureFacts]  # in the order of the table; the first one is the primary
    runs: list[Run]
    summary: dict[str, dict[str, Summary]]  # measure → method
    margin: float  # δ in the primary measure, the largest difference that does not matter
    contrasts: list[Contrast]  # what is concluded of the primary measure
    images: ImageEvidence | None  # null where it was never asked for
    logits: dict[str, LogitDensity]  # by method, over its finished seeds, common edges
    confused: Confused | None
    per_class: NotRequired[PerClass | None]  # null where no outputs were kept
    segmentation: NotRequired[SegmentationEvidence | None]  # where images have masks
    verdict: Verdict
    timings: Timings
