"""The page in a real browser: Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from maxsup.paper import Request, get_entry, plan
from maxsup.paper._reproduce import compared
from maxsup.report import render_report, write_reproduction_page
from maxsup.results import Results

_BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome", "chrome")
     if (found := shutil.which(name))), None,
)  # fmt: skip
_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = pytest.mark.skipif(_BROWSER is None, reason="no Chromium is installed")

# The luminance formula of WCAG 2, over every piece of text that can be seen.
_CONTRASTS = """
() => {
  const parse = (c) => { const m = c.match(/[\\d.]+/g).map(Number); return m; };
  const light = (c) => {
    const [r, g, b] = c.slice(0, 3).map((v) => {
      v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !e.getClientRects().length) continue;
    const style = getComputedStyle(e);
    const colour = parse(e.closest("svg") ? style.fill : style.color);
    const [a, b] = [light(colour), light(behind(e))].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), walker.currentNode.textContent.trim().slice(0, 40)]);
  }
  return found;
}
"""

# Text that lies outside of what its scrolling or clipping ancestors, or the window, can show.
_CUT_OFF = """
() => {
  const cut = [];
  for (const e of document.querySelectorAll("p, li, td, th, dd, dt, figcaption, pre, svg text")) {
    const box = e.getBoundingClientRect();
    if (!box.width || e.closest(".skip") || getComputedStyle(e).position === "absolute") continue;
    if (e.closest("thead") && box.left < -100) continue;  // kept for screen readers
    const scroll = e.closest(".scroll");
    if (scroll && scroll.scrollWidth > scroll.clientWidth) continue;  // can be scrolled to
    const picture = e.closest("figure");
    const room = picture ? picture.getBoundingClientRect() : { left: 0, right: innerWidth };
    if (box.left < room.left - 1.5 || box.right > room.right + 1.5)
      cut.push([e.tagName, e.textContent.trim().slice(0, 40), box.left, box.right, room.right]);
  }
  return cut;
}
"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    # The driver ends with the block, and with it the browser, even where that no longer answers.
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=_BROWSER, args=_OPTIONS)
        try:
            yield launched
        finally:
            launched.close()


@pytest.fixture
def open_context(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a context of the browser, which ends with the test."""
    with ExitStack() as opened:

        def open_context(**options: Any) -> Any:
            context = browser.new_context(**options)
            opened.callback(context.close)
            context.set_default_timeout(60_000)
            return context

        yield open_context


@pytest.fixture
def page_file(variant_html: str, tmp_path: Path) -> Path:
    (tmp_path / "report.html").write_text(variant_html, encoding="utf-8")
    return tmp_path / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_page_in_a_browser(
    open_context: Callable[..., Any], page_file: Path, scheme: str, width: int
) -> None:
    context = open_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    messages: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(page_file.as_uri())

    assert messages == []
    assert [url for url in requests if not url.startswith("data:")] == [page_file.as_uri()]
    # Nothing makes the page itself scroll sideways, and nothing is cut off.
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(_CUT_OFF) == []
    # Text can be read, in pictures too.
    contrasts = page.evaluate(_CONTRASTS)
    assert len(contrasts) > 100
    assert [found for found in contrasts if found[0] < 4.5] == []
    sizes = page.evaluate(
        "[...document.querySelectorAll('figure svg text')].map(e => e.getBoundingClientRect())"
        ".filter(box => box.width).map(box => Math.max(box.height, box.width))"
    )
    assert all(size >= 5 for size in sizes)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_lines_and_marks_stand_out(
    open_context: Callable[..., Any], page_file: Path, scheme: str
) -> None:
    context = open_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(page_file.as_uri())
    colours = page.evaluate(
        "() => { const s = getComputedStyle(document.documentElement);"
        " return ['paper', ...Array(8).keys()].map("
        "n => s.getPropertyValue(n === 'paper' ? '--paper' : `--m${n}`).trim()); }"
    )

    def luminance(colour: str) -> float:
        parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        r, g, b = (v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    paper, *methods = (luminance(colour) for colour in colours)
    for value in methods:
        high, low = max(paper, value), min(paper, value)
        assert (high + 0.05) / (low + 0.05) >= 3


def test_page_in_print(open_context: Callable[..., Any], page_file: Path) -> None:
    context = open_context(viewport={"width": 720, "height": 1000}, color_scheme="dark")
    page = context.new_page()
    page.goto(page_file.as_uri())
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.fixture
def small_page(results: Results, tmp_path: Path) -> Path:
    (tmp_path / "report.html").write_text(render_report(results), encoding="utf-8")
    return tmp_path / "report.html"


def test_table_is_sorted_and_terms_open_by_keyboard(
    open_context: Callable[..., Any], results: Results, small_page: Path
) -> None:
    page = open_context(viewport={"width": 1400, "height": 900}).new_page()
    page.goto(small_page.as_uri())
    table = page.locator("table.short")
    means = {
        method["label"]: results["summary"]["test_aurc"][method["name"]]["mean"] or 0.0
        for method in results["methods"]
    }
    button = table.get_by_role("button", name="Sort by AURC, % ↓")
    head = table.locator("th", has=page.get_by_role("button", name="Sort by AURC, % ↓"))
    for order, reverse in (("ascending", False), ("descending", True)):
        button.focus()
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == order
        shown = table.locator("tbody th").all_inner_texts()
        assert shown == sorted(means, key=lambda label: means[label], reverse=reverse)
    table.get_by_role("button", name="Sort by Method").click()
    assert table.locator("tbody th").all_inner_texts() == list(means)
    assert head.get_attribute("aria-sort") is None

    explained = page.locator("#term-test_aurc")
    assert not explained.is_visible()
    table.locator("thead .term", has_text="AURC").focus()
    page.keyboard.press("Enter")
    assert explained.is_visible()
    assert "risk-coverage curve" in explained.inner_text()
    page.keyboard.press("Escape")
    assert not explained.is_visible()


def test_page_without_script_folds_on_a_phone_alone(
    open_context: Callable[..., Any], small_page: Path
) -> None:
    for width, unfolded in ((1400, True), (390, False)):
        context = open_context(
            viewport={"width": width, "height": 900}, java_script_enabled=False, has_touch=True
        )
        page = context.new_page()
        page.goto(small_page.as_uri())
        table = page.locator("table.short")
        assert table.is_visible() == unfolded
        assert page.locator(".sort").count() == 0
        if not unfolded:
            summary = page.locator("summary", has_text="The table of 3 methods")
            first = page.locator("figure svg").first.bounding_box()
            folded = summary.bounding_box()
            assert first["y"] < folded["y"]
            summary.tap()
            assert table.is_visible()
            table.locator("td .term", has_text="AURC").first.tap()
            assert page.locator("#term-test_aurc").is_visible()


@pytest.mark.parametrize("width", [390, 1400])
def test_a_table_of_the_paper_can_be_read_without_scrolling_sideways(
    open_context: Callable[..., Any], tmp_path: Path, width: int
) -> None:
    asked = Request(get_entry("table9"), "small", out=tmp_path)
    found = compared(asked, plan(asked), [])  # the longest tables; nothing is measured yet
    write_reproduction_page(found, tmp_path / "report.html")
    page = open_context(viewport={"width": width, "height": 900}).new_page()
    page.goto((tmp_path / "report.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(_CUT_OFF) == []
    hidden = "[...document.querySelectorAll('.scroll')].map(e => e.scrollWidth - e.clientWidth)"
    assert {*page.evaluate(hidden)} == {0}
    captions = page.evaluate(
        "[...document.querySelectorAll('caption')].map(e => e.getBoundingClientRect().right)"
    )
    assert len(captions) == 12
    assert max(captions) <= width
    # Beside each number stands what it is, where no heading shows it.
    shown = "e => getComputedStyle(e, '::before').content"
    labels = page.evaluate(
        f"[...document.querySelectorAll('.reproduced td')].slice(0, 3).map({shown})"
    )
    phone = ['"Printed"', '"Measured"', '"Seeds"']
    assert labels == (phone if width == 390 else ["none"] * 3)
