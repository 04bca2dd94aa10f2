import re
from pathlib import Path

import pytest

from maxsup.inspection import InspectionSettings, inspect
from maxsup.report import render_inspection
from maxsup.report.inspection import INSPECTION_PAGE
from maxsup.study import record


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    import numpy as np

    generator = np.random.default_rng(0)
    labels = np.arange(90) % 3
    place: Path = tmp_path_factory.mktemp("predictions")
    for method, signal in (("baseline", 1.0), ("<b>mine</b>", 2.0)):
        logits = generator.normal(size=(90, 3)) + signal * np.eye(3)[labels]
        features = generator.normal(size=(90, 4)) + labels[:, None]
        name = re.sub(r"\W", "", method)
        record(place, name, 0, logits, labels, features=features)
    found = inspect([str(place)], InspectionSettings(resamples=10))
    found["methods"][1]["label"] = "<b>mine</b>"
    return render_inspection(found)


def test_page_of_predictions_has_every_section_that_they_allow(page: str) -> None:
    anchors = re.findall(r'<h2 id="([\w-]+)"', page)
    assert {"overview", "confidence", "logits", "projection", "models"} <= set(anchors)
    assert [each for each in anchors if each != "what-to-do-now"] == [
        section.anchor for section in INSPECTION_PAGE if section.anchor in anchors
    ]


def test_page_escapes_names_and_loads_nothing(page: str) -> None:
    assert "<b>mine</b>" not in page
    assert "&lt;b&gt;mine" in page
    assert not re.search(r'(src|href)="(?!#|data:)', page.replace('rel="icon" href="data:,"', ""))


def test_page_names_each_id_once(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
