import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from maxsup.data import DataSettings, ImageData, load_images
from maxsup.recipes import Recipe, get_recipe
from maxsup.training import Position, ProgressReport, RunResult, RunSettings, train

TINY = dataclasses.replace(get_recipe("digits"), epochs=2, batch_size=128)
NOISY = DataSettings("digits", label_noise=0.4)


class StopAfter:
    """Stops a training when so many checkpoints have been saved, as Ctrl-C does."""

    def __init__(self, checkpoints: int) -> None:
        self.left = checkpoints

    def __call__(self, position: Position) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.fixture(scope="session")
def noisy_digits() -> ImageData:
    return load_images(NOISY)


@pytest.fixture
def run_training(noisy_digits: ImageData) -> Callable[..., RunResult]:
    """Train on digits; keyword arguments are settings of the recipe."""

    def run(
        directory: Path,
        *,
        method: str = "maxsup",
        seed: int = 0,
        data: ImageData = noisy_digits,
        recipe: Recipe = TINY,
        on_checkpoint: Callable[[Position], None] | None = None,
        **changes: Any,
    ) -> RunResult:
        recipe = dataclasses.replace(recipe, **changes)
        settings = RunSettings(method, seed, recipe, NOISY)
        with ProgressReport(Console(quiet=True), recipe.epochs, quiet=True) as progress:
            return train(
                settings, directory, data=data, progress=progress, on_checkpoint=on_checkpoint
            )

    return run
