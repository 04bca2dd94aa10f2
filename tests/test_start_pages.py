"""The code of the start pages does what it says."""

import dataclasses
import re
from pathlib import Path

import pytest

from maxsup import recipes

START = Path(__file__).parent.parent / "docs" / "start" / "compare.md"


def test_code_for_notebooks_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(
        r"```python\n(from maxsup\.data import .*?)```", START.read_text("utf-8"), re.S
    )
    quick = dataclasses.replace(recipes.get_recipe("digits"), epochs=1, batch_size=256)
    monkeypatch.setattr(recipes, "get_recipe", lambda name: quick)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(block, names)
    assert (tmp_path / "page.html").read_text().lower().startswith("<!doctype html>")
    assert (tmp_path / "runs" / "digits-noise-0.4" / "results.json").exists()
    shown = names["results"]._repr_html_()  # type: ignore[attr-defined]
    assert shown.count("<table") == 1
    assert "MaxSup" in shown
