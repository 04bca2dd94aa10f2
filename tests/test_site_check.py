"""The check of a built site finds what it is there to find."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parent.parent / "docs" / "_pages" / "check.py"
PAGE = """<!doctype html><html><head><title>One</title></head>
<body><h1 id="top-of-it">One</h1>{}</body></html>"""


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_check", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "one.html").write_text(PAGE.format('<a href="two.html#place">two</a>'))
    (tmp_path / "two.html").write_text(PAGE.format('<p id="place"></p><img src="a.png" alt="A">'))
    (tmp_path / "a.png").touch()
    (tmp_path / "searchindex.js").write_text("Search.setIndex({})")
    return tmp_path


def test_a_good_site_passes(script: ModuleType, site: Path) -> None:
    assert script.check(site) == ([], [])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('<a href="three.html">three</a>', "a link to nothing: three.html"),
        ('<a href="two.html#nowhere">two</a>', "a link to no place on its page: two.html#nowhere"),
        ('<script src="https://cdn.example/x.js"></script>', "is loaded from another host"),
        ('<link rel="stylesheet" href="//cdn.example/x.css">', "is loaded from another host"),
        ('<p style="background: url(https://a.example/b.png)"></p>', "is loaded from another host"),
        ('<img src="a.png">', "an image without a text: a.png"),
        ('<img src="b.png" alt="B">', "a link to nothing: b.png"),
        ("<h1>Two</h1>", "2 headings of the first level"),
        ('<p id="top-of-it"></p>', "a second element with the id top-of-it"),
        ('<a href="/two.html">two</a>', "needs the site to be at the root"),
        ('<a href="../two.html">two</a>', "a link out of the site"),
    ],
)
def test_what_is_wrong_is_found(script: ModuleType, site: Path, body: str, said: str) -> None:
    (site / "one.html").write_text(PAGE.format(body))
    wrong, _ = script.check(site)
    assert len(wrong) == 1
    assert wrong[0].startswith("one.html")
    assert said in wrong[0]


def test_a_site_without_search_is_not_done(script: ModuleType, site: Path) -> None:
    (site / "searchindex.js").unlink()
    assert script.check(site)[0] == ["searchindex.js: there is no index to search in"]


def test_links_to_others_are_listed_and_allowed(script: ModuleType, site: Path) -> None:
    (site / "one.html").write_text(PAGE.format('<a href="https://arxiv.org/abs/1">paper</a>'))
    assert script.check(site) == ([], ["https://arxiv.org/abs/1"])
