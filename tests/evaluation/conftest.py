import dataclasses
from collections.abc import Callable

import pytest

from maxsup.data import DataSettings
from maxsup.recipes import get_recipe
from maxsup.study import StudySettings


@pytest.fixture
def tiny_study() -> Callable[..., StudySettings]:
    """Two methods with one seed on digits; keyword arguments are settings of the data."""

    def settings(**data: float) -> StudySettings:
        recipe = dataclasses.replace(get_recipe("digits"), epochs=1, batch_size=256)
        return StudySettings(
            DataSettings("digits", **data),  # type: ignore[arg-type]
            recipe,
            methods=("baseline", "maxsup"),
            seeds=(0,),
        )

    return settings
