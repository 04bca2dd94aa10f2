import dataclasses
from pathlib import Path

import pytest
from rich.console import Console

from maxsup.data import DataSettings
from maxsup.inspection import Inspection, inspect
from maxsup.recipes import get_recipe
from maxsup.results import Results
from maxsup.study import StudySettings, compare

TINY = dataclasses.replace(get_recipe("digits"), epochs=3, batch_size=128, keep_every=2)


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, Path]:
    """A small study on noisy digits, of two methods and two seeds."""
    directory = tmp_path_factory.mktemp("study")
    settings = StudySettings(
        data=DataSettings("digits", label_noise=0.2),
        recipe=TINY,
        methods=("label-smoothing", "maxsup:alpha=0.2"),
        seeds=(0, 1),
    )
    results = compare(
        settings, directory, command="maxsup compare digits", console=Console(quiet=True)
    )
    return results, directory


@pytest.fixture(scope="session")
def inspected(
    study: tuple[Results, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Inspection, Path]:
    """The inspection of the study's runs."""
    directory = tmp_path_factory.mktemp("inspection")
    return inspect([str(study[1])], directory=directory, command="maxsup inspect"), directory
