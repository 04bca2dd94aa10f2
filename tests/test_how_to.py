"""Every how-to page is run, and run once."""

import importlib.util
import re
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent


def pages_with_blocks() -> set[str]:
    spec = importlib.util.spec_from_file_location("_pages", REPOSITORY / "docs" / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {f"docs/how-to/{page}.md" for page in module.PAGES}


def test_pages_are_run_by_the_tests_or_beside_their_library() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    ordinary = set(settings["tool"]["pytest"]["ini_options"]["testpaths"])
    beside = set(re.findall(r"docs/how-to/\S+\.md", (REPOSITORY / ".ci" / "docs").read_text()))
    pages = pages_with_blocks()
    assert beside <= pages
    assert pages - beside <= ordinary
    assert not beside & ordinary
    assert all((REPOSITORY / page).exists() for page in pages)


def test_pages_with_blocks_hold_no_example_that_doctest_would_run_too() -> None:
    twice = [
        page
        for page in pages_with_blocks()
        if re.search(r"^\s*>>> ", (REPOSITORY / page).read_text(encoding="utf-8"), re.M)
    ]
    assert not twice
