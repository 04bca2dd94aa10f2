"""What an inspection is asked for."""

from dataclasses import dataclass
from typing import Literal

from maxsup._fields import settle_fields
from maxsup._seeds import check_seed
from maxsup.data.corruptions._kinds import COMMON, KINDS, check_kind


@dataclass(frozen=True)
class InspectionSettings:
    """What is looked at, beside the models.

    Raises:
        ValueError: A setting is out of its range, or of another type; the message names it.
    """

    data: str | None = None
    """The data to look at the models on; by default each run's own."""
    label_column: str | None = None
    """The column of the labels, where there are several."""
    image_column: str | None = None
    """The column of the images, where there are several."""
    train_split: str | None = None
    """The split whose features a probe learns from, or a part of it as train[:1000]."""
    test_split: str | None = None
    """The split to measure on, or a part of it; by default test, else validation."""
    model: str | None = None
    """The architecture of files of weights that do not say it, by its name in timm."""
    partial_weights: bool = False
    """Look at files of weights that do not fit their architecture as a whole too: what they lack is
    drawn at random, what is left over is left out, and both are named."""
    projection_classes: tuple[str, ...] = ()
    """Names of the three classes of the projection; by default those that the first model confuses
    most on its training data."""
    corruptions: tuple[str, ...] = ()
    """Corruptions to measure the error under, by name, at five severities each: all, common (the
    fifteen of the mean corruption error), or such as fog jpeg; by default none, as each takes five
    passes."""
    corruption_samples: int = 10_000
    """The most test images that are corrupted, the same for every model."""
    ood_data: tuple[str, ...] = ()
    """Other data sets whose test images, of classes that the models do not know, are to be told
    from their own; no labels are needed, a folder of images will do."""
    probe_label: str | None = None
    """The column of other labels of the same images, such as finer classes, that a linear probe
    learns from the features beside the classes trained on; by default the run's own."""
    transfer_data: tuple[str, ...] = ()
    """Other data sets whose classes a linear probe learns from the features; DATA@COLUMN where
    there are several columns of labels."""
    boxes: str | None = None
    """Column of the boxes [left, top, width, height] of what is to be found in an image, such as
    objects.bbox, to measure class activation maps against."""
    masks: str | None = None
    """Masks instead of boxes, images of the same size, not 0 where the object is: their column, or
    a folder in which each is called as its image."""
    cam_layer: str | None = None
    """The module whose output class activation maps are made of; by default the last with places,
    which is named on the page."""
    cam_class: Literal["true", "predicted"] = "true"
    """Whose score the maps are of: the true class's, or that of the predicted one."""
    skip: tuple[str, ...] = ()
    """Analyses to leave out, by name."""
    resamples: int = 100
    """How often the test samples are drawn anew for an interval, where a model has one seed; 0 for
    none."""
    train_samples: int = 50_000
    """The most training samples whose features are taken, the same for every model."""
    seed: int = 0
    """Seed of all that is drawn: resamples, parts, samples to show."""

    def __post_init__(self) -> None:
        settle_fields(self)
        check_seed("seed", self.seed)
        if self.projection_classes and len({*self.projection_classes}) != 3:
            raise ValueError(
                "projection_classes must be three different classes; got "
                f"{', '.join(self.projection_classes)}."
            )
        if self.boxes is not None and self.masks is not None:
            raise ValueError(
                f"boxes and masks both say where the objects are; got {self.boxes!r} and "
                f"{self.masks!r}. Give one of them."
            )
        for name in ("label_column", "image_column", "train_split", "test_split"):
            if self.data is None and getattr(self, name) is not None:
                raise ValueError(
                    f"{name} says which part of --data is meant, and no data is named: a run's own "
                    "is looked at as it was trained and measured on. Name it with --data too."
                )
        if self.resamples < 0 or self.resamples == 1:
            raise ValueError(f"resamples must be 0, or at least 2; got {self.resamples}.")
        if self.corruption_samples < 1:
            raise ValueError(
                f"corruption_samples must be at least 1; got {self.corruption_samples}."
            )
        self.corruption_kinds()
        if self.train_samples < 1:
            raise ValueError(f"train_samples must be at least 1; got {self.train_samples}.")

    def corruption_kinds(self) -> tuple[str, ...]:
        """The corruptions that are asked for, each once, in their order.

        Raises:
            ValueError: There is none of that name.

        >>> InspectionSettings(corruptions=("jpeg", "fog", "jpeg")).corruption_kinds()
        ('fog', 'jpeg')
        """
        groups = {"all": KINDS, "common": COMMON}
        asked: set[str] = set()
        for each in self.corruptions:
            if each not in groups:
                check_kind("corruptions", each)
            asked.update(groups.get(each, (each,)))
        return tuple(kind for kind in KINDS if kind in asked)
