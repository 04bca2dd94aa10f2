"""A training that has come to nothing, as its numbers show."""

import math
from collections.abc import Mapping

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
