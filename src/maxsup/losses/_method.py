"""What the registry knows of a method."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources

from maxsup.losses._loss import Loss


@dataclass(frozen=True)
class Training:
    """What a criterion may need to know of the training it serves."""

    num_classes: int
    steps: int
    """Optimiser steps altogether."""
    steps_per_epoch: int


@dataclass(frozen=True)
class Method:
    """A way to train a classifier that differs from others in the objective alone."""

    name: str
    """As on the command line, ``label-smoothing``."""
    label: str
    """As in a heading, ``Label smoothing``."""
    summary: str
    """One line: what it does to the model."""
    build: Callable[[Training], Loss]
    """The criterion with its paper's defaults, for one training."""
    page_file: str | None = None
    """The Markdown page beside the code of maxsup's own methods."""

    def settings(self) -> str:
        """The defaults in words, ``alpha 0.1 → 0.2 (linear)``; empty where it has none."""
        return self.build(Training(num_classes=10, steps=1, steps_per_epoch=1)).settings()

    def page(self) -> str:
        """The method's page as Markdown; its summary where it has no page."""
        if self.page_file is None:
            return self.summary
        return (resources.files("maxsup.losses") / self.page_file).read_text(encoding="utf-8")
