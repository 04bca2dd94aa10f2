"""What a user says of a data set; it needs nothing to be imported."""

import difflib
from dataclasses import dataclass, field

from maxsup._fields import settle_fields
from maxsup._home import expand_home
from maxsup._seeds import check_seed


@dataclass(frozen=True)
class DataSettings:
    """Which images to train on, and how they are divided.

    Raises:
        ValueError: A setting is out of its range, or of another type; the message names it.
    """

    name: str
    """digits, a folder or file (image folder, Parquet, WebDataset), or hf:owner/name."""
    image_column: str | None = None
    """The column of the images, where there are several."""
    label_column: str | None = None
    """The column of the labels, where there are several."""
    probe_label: str | None = None
    """The column of other labels of the same images, such as finer classes, that a linear probe
    learns from each finished model's features."""
    train_split: str | None = None
    """The split to train on, or a part of it as train[:1000] or train[:10%]; by default train."""
    validation_split: str | None = None
    """The split to validate on after each epoch, or a part of it; by default validation, where
    there is a test split beside it."""
    test_split: str | None = None
    """The split to measure on, or a part of it; by default test, else validation."""
    fraction: float = 1.0
    """Fraction of the training images to take, class by class, to try things out on less data."""
    validation: float = 0.0
    """Fraction of the training part to hold out, class by class, and measure after each epoch."""
    test_fraction: float = 0.2
    """Fraction of the data to measure on, class by class, where it has no split for that."""
    imbalance: float = 1.0
    """Thin the training classes to a long tail: largest by smallest; 1 leaves them as they are."""
    label_noise: float = 0.0
    """Fraction of the training labels to replace by a wrong class drawn at random."""
    data_seed: int = 0
    """Seed of the parts taken and held out, the long tail and the label noise; the same for all
    runs."""
    streaming: bool = False
    """Read photographs over the network as they are needed, without downloading them first."""
    mask_column: str | None = None
    """The column of the masks, for segmentation, where there are several columns of images."""
    classes: str | None = None
    """Names of the masks' classes: a file with one in each line, or ade20k, camvid or voc."""
    void: tuple[int, ...] = (255,)
    """The labels, as they stand in the masks, of pixels that do not count."""
    reduce_zero_label: bool | None = None
    """Whether 0 is void in masks and the classes begin with 1; by default in ADE20K alone."""
    colors: str | None = None
    """A table of the classes' colours, for masks in colours: a CSV of name, r, g, b, or a JSON
    file."""
    max_corrupt: int = field(default=0, compare=False)
    """How many images may be left out, and reported, because they cannot be read."""
    max_megapixels: int = field(default=100, compare=False)
    """Millions of pixels to decode of an image at most; large JPEGs are decoded smaller at once."""

    def __post_init__(self) -> None:
        settle_fields(self)
        check_seed("data_seed", self.data_seed)
        for name, value in {"validation": self.validation, "label_noise": self.label_noise}.items():
            if not 0 <= value < 1:
                raise ValueError(f"{name} must lie in [0, 1); got {value}.")
        if self.validation and self.validation_split is not None:
            raise ValueError(
                f"validation holds out a part of the training set and validation_split names "
                f"another one to validate on; got {self.validation} and {self.validation_split!r}. "
                "Give one of them."
            )
        if not 0 < self.fraction <= 1:
            raise ValueError(f"fraction must lie in (0, 1]; got {self.fraction}.")
        if not 0 < self.test_fraction < 1:
            raise ValueError(f"test_fraction must lie in (0, 1); got {self.test_fraction}.")
        if not 1 <= self.imbalance < float("inf"):
            raise ValueError(f"imbalance must be at least 1; got {self.imbalance}.")
        if min(self.void, default=0) < 0:
            raise ValueError(f"void must be labels from 0 on; got {self.void}.")
        if self.max_corrupt < 0:
            raise ValueError(f"max_corrupt must not be negative; got {self.max_corrupt}.")
        if self.max_megapixels < 1:
            raise ValueError(f"max_megapixels must be at least 1; got {self.max_megapixels}.")


_EMBEDDED = ("digits",)


def near_name(name: str) -> str | None:
    """The embedded data that a name was perhaps meant for; none where there is a file of that name.

    >>> near_name("digts"), near_name("my/birds")
    ('digits', None)
    """
    if name in _EMBEDDED or expand_home(name).exists():
        return None
    return next(iter(difflib.get_close_matches(name, _EMBEDDED, n=1)), None)


def short_name(settings: DataSettings) -> str:
    """What to call a data set: without ``hf:``, or the last part of its path.

    >>> short_name(DataSettings("hf:owner/birds")), short_name(DataSettings("my/birds/"))
    ('owner/birds', 'birds')
    """
    if settings.name.startswith("hf:"):
        return settings.name.removeprefix("hf:")
    if settings.name == "digits":  # no path, whatever lies there
        return settings.name
    return expand_home(settings.name.removeprefix("file://")).resolve().name
