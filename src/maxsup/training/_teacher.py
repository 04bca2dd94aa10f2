"""A trained model that teaches another one."""

from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from maxsup._digests import DamagedFile, read_checked, read_object
from maxsup.data import DataSettings, ImageData, Normalization
from maxsup.functional import distillation_loss
from maxsup.models import CONFIG_FILE, WEIGHTS_FILE, ModelDescription, load_run
from maxsup.training._class_names import class_differences
from maxsup.training._distillation import Distillation
from maxsup.training._result import RunResult
from maxsup.training._settings import RunSettings
from maxsup.training._settings_file import SETTINGS_FILE


@dataclass(frozen=True)
class Teacher:
    """A model in evaluation mode that is given the batches of its student, mixed and all."""

    model: nn.Module
    distillation: Distillation
    scale: Tensor | None
    """(C, 1, 1): brings what the student is given to what the teacher expects; none where both
    expect the same."""
    shift: Tensor | None
    """(C, 1, 1), likewise."""

    @torch.no_grad()
    def logits(self, images: Tensor, accelerator: Accelerator) -> Tensor:
        """What the teacher says of images that are normalised for its student; (B, K) float32."""
        if self.scale is not None and self.shift is not None:
            images = torch.addcmul(self.shift, images, self.scale)
        with accelerator.autocast():
            logits: Tensor = self.model(images)
        return logits.float()

    def taught(
        self, objective: Tensor, logits: Tensor, images: Tensor, accelerator: Accelerator
    ) -> Tensor:
        """The loss of a batch: (1 − w)·objective + w·T²·KL(teacher ‖ student).

        Args:
            objective: The mean of the chosen objective, 0-dimensional.
            logits: (B, K), the student's.
            images: (B, C, H, W), as the student was given them.
            accelerator: Says in which precision the teacher computes.
        """
        weight, temperature = self.distillation.weight, self.distillation.temperature
        lost = distillation_loss(logits, self.logits(images, accelerator), temperature)
        return weight * lost + (1 - weight) * objective if weight < 1 else lost


def build_teacher(
    settings: RunSettings,
    data: ImageData,
    normalization: Normalization,
    accelerator: Accelerator,
) -> Teacher | None:
    """The teacher of a run, ready to use; none where it has none. No random numbers are drawn.

    Args:
        settings: The run's.
        data: What it is trained on.
        normalization: What its images are normalised by.
        accelerator: Where it is trained.

    Raises:
        ValueError: The teacher does not fit; see :func:`check_teacher`.
    """
    distillation = settings.distillation
    if distillation is None:
        return None
    recipe = settings.recipe
    check_teacher(settings, data)
    trained = load_run(distillation.place)
    model = trained.model.to(accelerator.device).requires_grad_(False)
    if recipe.channels_last:
        model = model.to(memory_format=torch.channels_last)
    # Small images have the size that the teacher was made for.
    epochs = range(recipe.epochs if recipe.random_resized_crop else 0)
    for size in sorted({recipe.resolution(epoch) or data.image_shape[1] for epoch in epochs}):
        _check_size(model, distillation, data.image_shape[0], size, accelerator)
    if recipe.compile:
        model.compile()
    theirs = trained.normalization
    if (theirs.mean, theirs.std) == (normalization.mean, normalization.std):
        return Teacher(model, distillation, None, None)
    own = torch.tensor([normalization.mean, normalization.std], dtype=torch.float64)
    of_teacher = torch.tensor([theirs.mean, theirs.std], dtype=torch.float64)
    both = own[1] / of_teacher[1], (own[0] - of_teacher[0]) / of_teacher[1]
    scale, shift = (each.float().view(-1, 1, 1).to(accelerator.device) for each in both)
    return Teacher(model, distillation, scale, shift)


@torch.no_grad()
def _check_size(
    model: nn.Module, distillation: Distillation, channels: int, size: int, accelerator: Accelerator
) -> None:
    """See that a model takes images of a size, as one with a position embedding may not."""
    try:
        model(torch.zeros(1, channels, size, size, device=accelerator.device))
    except Exception as error:  # models raise whatever they like
        raise ValueError(
            f"teacher: the model in {distillation.teacher} takes no images of {size}×{size} "
            f"pixels, which its student is trained on ({error}). Give the student the teacher's "
            "size with --image-size."
        ) from error


def check_teacher(settings: RunSettings, data: ImageData) -> None:
    """See that a run's teacher, if it has one, is whole and fits the data, without building it.

    Args:
        settings: The run's.
        data: What it is trained on.

    Raises:
        ValueError: The teacher has not finished, is damaged, tells other classes apart, was made
            for other images, or may have seen images that the student is tested on.
    """
    distillation = settings.distillation
    if distillation is None:
        return
    distillation.check_finished()
    place = distillation.place
    try:
        config = place / CONFIG_FILE
        description = ModelDescription.from_config(
            read_object(read_checked(config), config), config
        )
        if isinstance(place, Path):
            # From an object store they would be fetched for it.
            read_checked(place / WEIGHTS_FILE)
        RunResult.load(place)
        theirs = RunSettings.load_kept(place / SETTINGS_FILE)
    except FileNotFoundError as error:
        raise ValueError(
            f"teacher: {place} holds no trained model any more ({error}). Repeat its command."
        ) from error
    except DamagedFile as error:
        raise ValueError(f"teacher: {error}") from error
    _check_classes(str(place), description.classes, data)
    _check_images(str(place), description, data, settings.recipe.random_resized_crop)
    _check_unseen(str(place), theirs.data, settings.data, data)


def _check_classes(place: str, classes: tuple[str, ...], data: ImageData) -> None:
    if classes == data.classes:
        return
    differences = class_differences("the teacher", classes, data)
    raise ValueError(
        f"teacher: the {len(classes)} classes of {place} are not the {len(data.classes)} of "
        f"{data.name}: {differences or 'they come in another order'}. A teacher tells the "
        "classes of its student apart."
    )


def _check_images(
    place: str, description: ModelDescription, data: ImageData, photographs: bool
) -> None:
    channels, height, width = description.input_size
    of_data = data.image_shape
    if channels != of_data[0]:
        raise ValueError(
            f"teacher: {place} was trained on images of {channels} "
            f"channel{'s' * (channels != 1)}, and those of "
            f"{data.name} have {of_data[0]}."
        )
    both_photographs = photographs and description.reading == "photographs"
    if not both_photographs and (height, width) != of_data[1:]:
        raise ValueError(
            f"teacher: {place} was trained on images of {width}×{height} pixels, and those of "
            f"{data.name} have {of_data[2]}×{of_data[1]} here. Teacher and student see the same "
            f"images: --image-size {height} brings them to its size."
        )


_DECIDE_THE_TEST_SET = ("data_seed", "test_fraction", "test_split")


def _check_unseen(
    place: str, theirs: DataSettings, settings: DataSettings, data: ImageData
) -> None:
    """See that the test set is the one of the teacher too, where both have the same data."""
    if theirs.name != settings.name:
        return
    names = _DECIDE_THE_TEST_SET if data.test_is_drawn else ("test_split",)
    differing = [
        f"{name}: {there!r} there, {here!r} now"
        for name in names
        if (there := getattr(theirs, name)) != (here := getattr(settings, name))
    ]
    if differing:
        raise ValueError(
            f"teacher: {place} has another test set of {settings.name} ({'; '.join(differing)}), "
            "so it may have been trained on images that its student is tested on. Train it with "
            "the same settings."
        )
