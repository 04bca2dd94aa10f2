"""Tests with libraries that the other tests do without are collected where they are named."""

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave a file alone that ``.ci/docs`` names, unless it is named."""
    if not collection_path.name.startswith("in_"):
        return None
    named = {config.invocation_params.dir / name.partition("::")[0] for name in config.args}
    return None if collection_path in named else True
