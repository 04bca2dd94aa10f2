import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from maxsup.data import DataSettings
from maxsup.recipes import get_recipe
from maxsup.results import Results
from maxsup.study import StudySettings, compare

TINY = dataclasses.replace(get_recipe("digits"), epochs=2, batch_size=256)


def settings(**changes: Any) -> StudySettings:
    """A small study on noisy digits."""
    recipe = {
        name: changes.pop(name) for name in list(changes) if name in TINY.__dataclass_fields__
    }
    data = changes.pop("data", DataSettings("digits", label_noise=0.4))
    return StudySettings(
        data=data,
        recipe=dataclasses.replace(TINY, **recipe),
        methods=changes.pop("methods", ("baseline", "label-smoothing", "maxsup")),
        seeds=changes.pop("seeds", (0, 1)),
        baseline=changes.pop("baseline", "baseline"),
        tuning=changes.pop("tuning", None),
        resample_data=changes.pop("resample_data", False),
    )


@pytest.fixture
def run_study() -> Callable[..., Results]:
    def run(directory: Path, **changes: Any) -> Results:
        return compare(
            settings(**changes),
            directory,
            command="maxsup compare digits",
            console=Console(quiet=True),
        )

    return run


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, Path]:
    """A study that several tests only look at."""
    directory = tmp_path_factory.mktemp("study")
    results = compare(
        settings(), directory, command="maxsup compare digits", console=Console(quiet=True)
    )
    return results, directory
