"""Every how-to page is run, and run once."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).parent.parent
FOLDER = REPOSITORY / "docs" / "how-to"


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    """What says which pages are run, and how."""
    spec = importlib.util.spec_from_file_location("_pages", REPOSITORY / "docs" / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_beside_a_library_are_those_that_their_script_names(pages: ModuleType) -> None:
    script = (REPOSITORY / ".ci" / "docs").read_text(encoding="utf-8")
    named = set(re.findall(r"docs/how-to/(\S+)\.md", script))
    assert named == set(pages.BESIDE_A_LIBRARY)


def test_ordinary_run_collects_the_other_pages_alone(pages: ModuleType) -> None:
    asked = [sys.executable, "-m", "pytest", "--collect-only", "-q", "docs/how-to"]
    finished = subprocess.run(asked, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    found = set(re.findall(r"^docs/how-to/(\S+)\.md::line", finished.stdout, re.M))
    assert found == set(pages.PAGES)


def test_pages_with_blocks_hold_no_example_that_doctest_would_run_too(pages: ModuleType) -> None:
    names = (*pages.PAGES, *pages.BESIDE_A_LIBRARY)
    texts = {name: (FOLDER / f"{name}.md").read_text(encoding="utf-8") for name in names}
    assert not [name for name, text in texts.items() if re.search(r"^\s*>>> ", text, re.M)]
