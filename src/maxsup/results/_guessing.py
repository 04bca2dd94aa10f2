"""A training that has come to nothing, as its numbers show."""

import math
from collections.abc import Mapping, Sequence

DIVERGENCE_REMEDIES = "a lower --lr, a --clip-norm or a longer --warmup-epochs"
"""What may help a training whose loss grows without bound."""


def no_better_than_guessing(
    values: Mapping[str, float | None], num_classes: int, num_images: int
) -> str | None:
    """What to say of a finished training whose model cannot be told from guessing.

    Its test accuracy lies within two standard deviations of 1/K, and below half as much again.

    Args:
        values: The training's measures by name.
        num_classes: K.
        num_images: The number of images in the test set.

    Returns:
        What was found and what may help, without the training's name; ``None`` for a model that has
        learned something.

    Example:
        >>> no_better_than_guessing({"test_accuracy": 0.9, "test_nll": 0.3}, 10, 500)
        >>> no_better_than_guessing({"test_accuracy": 0.02, "test_nll": 1950.0}, 50, 244)
        'ended with a test accuracy of 2.00 %, as guessing among 50 classes gives, and an NLL of \
        1,950 where equal probabilities give 3.91: it diverged; a lower --lr, a --clip-norm or a \
        longer --warmup-epochs may help'
    """
    accuracy, nll = values.get("test_accuracy"), values.get("test_nll")
    if accuracy is None or nll is None:
        return None
    chance, even = 1 / num_classes, math.log(num_classes)
    spread = math.sqrt(chance * (1 - chance) / max(num_images, 1))
    if accuracy > chance + min(2 * spread, chance / 2):
        return None
    found = (
        f"ended with a test accuracy of {100 * accuracy:.2f} %, as guessing among {num_classes:,} "
        "classes gives"
    )
    if nll > 2 * even:
        return (
            f"{found}, and an NLL of {nll:,.4g} where equal probabilities give {even:.2f}: it "
            f"diverged; {DIVERGENCE_REMEDIES} may help"
        )
    return f"{found}: it has learned next to nothing; more --epochs or another --lr may help"


def mean_iou_of_one_class(class_pixels: Sequence[int]) -> tuple[int, float]:
    """The class that is best predicted everywhere, and the mean IoU that this gives.

    Its IoU is its fraction of the pixels, and that of the other classes that there are is 0.

    >>> mean_iou_of_one_class([60, 40, 0])
    (0, 0.3)
    """
    most = max(range(len(class_pixels)), key=lambda each: class_pixels[each])
    present = sum(pixels > 0 for pixels in class_pixels)
    return most, class_pixels[most] / max(sum(class_pixels), 1) / max(present, 1)


def no_better_than_one_class(
    values: Mapping[str, float | None], classes: Sequence[str], class_pixels: Sequence[int]
) -> str | None:
    """What to say of a segmentation model that is not better than one class everywhere.

    Args:
        values: The training's measures by name.
        classes: The names of the classes.
        class_pixels: How many pixels the test set has of each.

    Returns:
        What was found and what may help, without the training's name; ``None`` for a model that has
        learned something, and where all pixels are of one class, which no model can better.

    Example:
        >>> no_better_than_one_class({"test_mean_iou": 0.5}, ["road", "sky"], [60, 40])
        >>> no_better_than_one_class({"test_mean_iou": 1.0}, ["road", "sky"], [60, 0])
        >>> no_better_than_one_class({"test_mean_iou": 0.3}, ["road", "sky"], [60, 40])
        'ended with a mean IoU of 30.00 %, where road everywhere gives 30.00 %: it has learned \
        next to nothing; more --iterations or --epochs, or another --lr may help'
    """
    found = values.get("test_mean_iou")
    most, even = mean_iou_of_one_class(class_pixels)
    several = sum(pixels > 0 for pixels in class_pixels) > 1
    if found is None or not several or found > 1.05 * even:
        return None
    return (
        f"ended with a mean IoU of {100 * found:.2f} %, where {classes[most]} everywhere gives "
        f"{100 * even:.2f} %: it has learned next to nothing; more --iterations or --epochs, or "
        "another --lr may help"
    )
