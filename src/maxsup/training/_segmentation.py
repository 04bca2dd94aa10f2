"""Training for semantic segmentation: a class for each pixel, from images with masks."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from maxsup.data import Normalization, TrainingBatches
from maxsup.data.masks import VOID, MaskBatchSettings, MaskData
from maxsup.evaluation import Measure, Views
from maxsup.losses import Loss
from maxsup.models import expected_by
from maxsup.models.segmentation import (
    SegmentationArchitecture,
    SegmentationDescription,
    SegmentationLogits,
    SegmentationModel,
    save_segmentation_model,
)
from maxsup.recipes import Recipe
from maxsup.results import no_better_than_one_class
from maxsup.training._accelerator import execution_of
from maxsup.training._batches import check_shares
from maxsup.training._evaluate_segmentation import SegmentationEvaluator
from maxsup.training._mechanism import SUMS, Seen
from maxsup.training._model import build_normalization
from maxsup.training._settings import MeasuredOn
from maxsup.training._task import Built

_MOST_CROP = 512


@dataclass(frozen=True)
class Segmentation:
    """A label for each pixel."""

    auxiliary: float
    """Weight of the auxiliary head's loss."""
    finite: Measure | None = None

    def normalization(self, recipe: Recipe, data: MaskData) -> Normalization:
        """As the recipe says, else as the weights expect it, else ImageNet's."""
        if recipe.mean is None and recipe.weights is not None:
            try:
                expected = expected_by(recipe.model, recipe.weights)
            except ValueError:
                # Nothing says so. What is wrong with the weights is said where they are read.
                return build_normalization(recipe, data)
            if len(expected.mean) == data.image_shape[0]:
                return Normalization(expected.mean, expected.std, recipe.channels_last)
        return build_normalization(recipe, data)

    def batches(
        self,
        recipe: Recipe,
        data: MaskData,
        normalization: Normalization,
        *,
        seed: int,
        device: torch.device,
        rank: int,
        processes: int,
    ) -> TrainingBatches:
        """Random crops of images and masks together."""
        check_shares(recipe, processes)
        settings = MaskBatchSettings(
            batch_size=recipe.batch_size,
            seed=seed,
            normalization=normalization,
            crop=crop_size(recipe, data),
            scale=recipe.scale_range,
            resize=recipe.base_size,
            flip=recipe.flip,
            photometric_distortion=recipe.photometric_distortion,
            cat_max_ratio=recipe.cat_max_ratio,
            steps=None if recipe.iterations is None else recipe.iterations // recipe.epochs,
            workers=recipe.workers,
        )
        return data.train.training_batches(settings, device=device, rank=rank, processes=processes)

    def build(
        self,
        recipe: Recipe,
        data: MaskData,
        normalization: Normalization,
        announce: Callable[[str], None] | None = None,
    ) -> Built:
        """A backbone with a head."""
        assert recipe.head is not None
        architecture = SegmentationArchitecture(
            recipe.model,
            num_classes=len(data.classes),
            head=recipe.head,
            in_channels=data.image_shape[0],
            image_size=crop_size(recipe, data),
            channels=recipe.head_channels,
            small_stem=recipe.small_stem,
            zero_init=recipe.zero_init,
            blur_pool=recipe.blur_pool,
            drop_path=recipe.drop_path,
            freeze_backbone=recipe.freeze_backbone,
            auxiliary=recipe.auxiliary > 0,
        )
        model = architecture.build(
            recipe.weights, partial_weights=recipe.partial_weights, announce=announce
        )
        description = SegmentationDescription(
            architecture,
            classes=data.classes,
            palette=tuple(data.palette),
            mean=normalization.mean,
            std=normalization.std,
        )
        return Built(model, description)

    def check(
        self, model: SegmentationModel, recipe: Recipe, data: MaskData, processes: int
    ) -> None:
        """See to the size of its batches in training, and of its images where it is measured."""
        _check_share(model, recipe, data, processes)
        _check_sizes(model, recipe, data)

    def drawn(self, model: SegmentationModel) -> nn.Module:
        """The heads: runs of one seed may have other backbones."""
        heads = {"head": model.head} | (
            {} if model.auxiliary is None else {"auxiliary": model.auxiliary}
        )
        return nn.ModuleDict(heads)

    def fit(self, criterion: Loss, recipe: Recipe, data: MaskData) -> None:
        """Leave void out, and weigh the classes where the recipe says so."""
        criterion.ignore_index = VOID
        if recipe.balance_classes:
            criterion.weight = class_weights(data.class_pixels)

    def loss(self, criterion: Loss, output: SegmentationLogits, target: Tensor) -> Tensor:
        """The objective of the main logits, plus its part of the auxiliary ones.

        A mean over the pixels that are not void, and 0 where all are.
        """
        loss: Tensor = criterion(output.main, target)
        if output.auxiliary is not None:
            with _learning_nothing(criterion):
                loss = loss + self.auxiliary * criterion(output.auxiliary, target)
        return loss

    @torch.no_grad()
    def look(self, output: SegmentationLogits, target: Tensor) -> Seen:
        """How many pixels are predicted right."""
        labelled = target != VOID
        right = (output.main.argmax(dim=1) == target) & labelled
        sums = torch.zeros(SUMS, dtype=torch.float64, device=target.device)
        return Seen(right.sum(), labelled.sum(), sums)

    def figures(
        self, sums: tuple[tuple[float, ...], ...], correct: int, seen: int
    ) -> dict[str, float]:
        """None beside the pixel accuracy."""
        return {}

    def evaluator(
        self,
        model: nn.Module,
        normalization: Normalization,
        data: MaskData,
        accelerator: Accelerator,
        recipe: Recipe,
        measured_on: MeasuredOn,
    ) -> SegmentationEvaluator:
        """One confusion matrix over each part of the data."""
        return SegmentationEvaluator(
            model,
            data,
            measured_on,
            normalization,
            execution_of(accelerator),
            _views(recipe),
            recipe.eval_scales,
        )

    def save(
        self, directory: Path, model: SegmentationModel, description: SegmentationDescription
    ) -> dict[str, str]:
        """As :func:`maxsup.models.segmentation.load_segmentation_run` reads it."""
        return save_segmentation_model(directory, model, description)

    def remark(self, values: Mapping[str, float | None], data: MaskData) -> str | None:
        """Whether it is better than one class everywhere."""
        return no_better_than_one_class(values, data.classes, data.test.class_pixels.tolist())


@contextlib.contextmanager
def _learning_nothing(criterion: Loss) -> Iterator[None]:
    """Keep an objective that learns from what the model says from learning of what is said here."""
    was_training = criterion.training
    criterion.train(was_training and not criterion.learned)
    try:
        yield
    finally:
        criterion.train(was_training)


def crop_size(recipe: Recipe, data: MaskData) -> tuple[int, int]:
    """Height and width of training crops: as the recipe says, else the images' own, to a limit."""
    if recipe.crop_size is not None:
        return recipe.crop_size
    _, height, width = data.image_shape
    return min(height, _MOST_CROP), min(width, _MOST_CROP)


def _views(recipe: Recipe) -> Views:
    """How images are seen after each epoch."""
    return Views(base_size=recipe.base_size, window=recipe.window, stride=recipe.stride)


def _check_share(model: SegmentationModel, recipe: Recipe, data: MaskData, processes: int) -> None:
    """See that batch-norm has more than one value of each channel.

    Raises:
        ValueError: A map of 1×1 would be of one image alone.
    """
    sharing = 1 if recipe.sync_batchnorm else processes
    if recipe.batch_size // (sharing * recipe.accumulate) > 1:
        return
    # UperNet pools to 1×1 in any case.
    if recipe.head == "upernet" or max(crop_size(recipe, data)) <= model.backbone.stride:
        raise ValueError(
            f"batch_size ({recipe.batch_size}) leaves one image to each accumulated part "
            f"(accumulate {recipe.accumulate}) of each process ({processes}), and batch-norm needs "
            f"two where a map has 1×1 cells, as with head {recipe.head!r} here. Give a larger "
            "--batch-size, or a smaller --accumulate."
        )


def _check_sizes(model: SegmentationModel, recipe: Recipe, data: MaskData) -> None:
    """See that a backbone for images of one size is not given larger ones where it is measured.

    Raises:
        ValueError: It would be.
    """
    limit = model.backbone.fixed_size
    if limit is None:
        return
    views = replace(_views(recipe), scales=(1.0, *recipe.eval_scales))
    parts = {"validation": data.validation, "test": data.test}
    for part, split in parts.items():
        for sides in [] if split is None else split.sizes.unique(dim=0).tolist():
            for scale, size in zip(views.scales, views.sizes(sides), strict=True):
                if size[0] > limit[0] or size[1] > limit[1]:
                    raise ValueError(
                        f"{recipe.model} takes images of {limit[0]}×{limit[1]} pixels and no "
                        f"larger ones, and a {part} image of {sides[0]}×{sides[1]} is given to it "
                        f"with {size[0]}×{size[1]} at scale {scale:g}. Add --window {limit[0]} "
                        f"{limit[1]}, or give a larger --crop-size, which it is made for."
                    )


def class_weights(class_pixels: Tensor) -> Tensor:
    """A weight for each class: the inverse square root of its pixels, with mean 1 over classes.

    A class that no training mask has gets the weight 1: nothing asks for it.

    >>> class_weights(torch.tensor([900, 100, 0]))
    tensor([0.5000, 1.5000, 1.0000])
    """
    pixels = class_pixels.double()
    weights = pixels.clamp(min=1).rsqrt()
    there = pixels > 0
    return torch.where(there, weights / weights[there].mean(), 1.0).float()
