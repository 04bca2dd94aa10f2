"""The batch size and the length of a training, from the number of images alone."""

import math
from typing import NamedTuple

from maxsup.recipes._recipe import Recipe


class Rule(NamedTuple):
    """How long a training is and how large its batches, for data of any size.

    Nothing of it looks at a method or at an accuracy, so that it favours none.
    """

    batch_sizes: tuple[int, int]
    """The smallest and the largest, both powers of two."""
    least_steps_per_epoch: int
    """Batches that an epoch should have, where the smallest batch size allows it."""
    epochs: tuple[int, int]
    """The fewest and the most."""
    least_steps: int
    """Steps that a training should have, where the most epochs allow it."""

    def fit(self, recipe: Recipe, images: int) -> Recipe:
        """A recipe with the batch size and the number of epochs for so many training images.

        The learning rate follows the batch size linearly.

        >>> rule = Rule((16, 128), least_steps_per_epoch=50, epochs=(30, 100), least_steps=1_000)
        >>> recipe = Recipe("r", "resnet18", epochs=30, batch_size=128, lr=0.1)
        >>> for images in (50_000, 2_000, 400, 12):
        ...     fitted = rule.fit(recipe, images)
        ...     print(fitted.batch_size, fitted.epochs, fitted.lr)
        128 30 0.1
        32 30 0.025
        16 40 0.0125
        8 100 0.00625
        """
        smallest, largest = self.batch_sizes
        wanted = max(1, images // self.least_steps_per_epoch)
        batch_size = min(max(2 ** int(math.log2(wanted)), smallest), largest)
        while batch_size > max(images, 1):
            batch_size //= 2
        fewest, most = self.epochs
        epochs = math.ceil(self.least_steps / max(1, images // batch_size))
        lengths = recipe.warmup_epochs
        fitted = recipe.adapted(batch_size=batch_size, epochs=min(max(epochs, fewest), most))
        # A warm-up is for the first steps, which a longer training does not have more of.
        return fitted.adapted(warmup_epochs=lengths)
