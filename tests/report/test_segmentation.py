"""The section on classes of pixels."""

import copy

import pytest

from maxsup.report import render_report
from maxsup.report.sections.segmentation import SEGMENTATION
from maxsup.results import Results
from maxsup.results.schema import SegmentationEvidence, ShownMasks
from maxsup.statistics import summarise

from .conftest import HOSTILE
from .test_page import Page

PICTURE = "data:image/png;base64,iVBORw0KGgo="


@pytest.fixture
def segmented(results: Results) -> Results:
    """A study of which it is pretended that it was of images with masks."""
    results = copy.deepcopy(results)
    methods = [method["name"] for method in results["methods"]]
    classes = results["data"]["classes"]
    iou = {
        name: [
            [None if k == 9 else 0.1 * k + 0.01 * number + 0.001 * seed for k in range(10)]
            for seed in results["seeds"]
        ]
        for number, name in enumerate(methods)
    }
    results["segmentation"] = SegmentationEvidence(
        palette=[[20 * k, 100, 200] for k in range(10)],
        pixels=[100 * (k + 1) if k < 9 else 0 for k in range(10)],
        seeds={name: list(results["seeds"]) for name in methods},
        iou=iou,
        by_class=[
            summarise(
                {
                    name: dict(zip(results["seeds"], (row[k] for row in rows), strict=True))
                    for name, rows in iou.items()
                },
                results["baseline"],
            )
            for k in range(len(classes))
        ],
        most_frequent=8,
        mean_iou_of_most_frequent=0.0222,
        shown_seed=results["seeds"][0],
        shown=[
            ShownMasks(
                id=7,
                image=PICTURE,
                truth=PICTURE,
                predicted=dict.fromkeys(methods, PICTURE),
                differing=PICTURE,
            )
        ],
    )
    return results


def section_of(html: str) -> str:
    return html.partition('aria-labelledby="segmentation"')[2].partition("<section")[0]


def text_of(results: Results) -> str:
    rendered = SEGMENTATION.render(results)
    return "" if rendered is None else Page(str(rendered.body)).all_text()


def test_it_shows_classes_differences_and_pictures(segmented: Results) -> None:
    section = section_of(render_report(segmented))
    classes = segmented["data"]["classes"]
    assert f"Predicting {classes[8]} everywhere would give a mean IoU of 2.2" in section
    assert f"left out of the mean: {classes[9]}." in section
    assert "+1.0" in section  # the second method's difference, in every class
    methods = segmented["methods"]
    assert section.count("<img") == 3 + len(methods)
    assert all(f'alt="What {method["label"]} predicts of image 7"' in section for method in methods)
    # The key has the classes that there are, and void.
    assert section.count("</svg>") == len(classes) + (len(classes) - 1) + 1


def test_an_interval_that_ends_where_iou_does_has_both_ends(segmented: Results) -> None:
    """It is wider on one side of the mean than on the other."""
    found = segmented["segmentation"]
    assert found is not None
    difference = found["by_class"][0]["maxsup"]["difference"]
    assert difference is not None
    difference.update(mean=-0.039, low=-1.64, high=1.56)
    assert "−3.9 [−100.0 to +100.0]" in text_of(segmented)
    difference.update(mean=-0.5, low=-1.2, high=0.2)
    assert "−50.0 [−100.0 to +20.0]" in text_of(segmented)


def test_what_comes_from_outside_is_escaped(segmented: Results) -> None:
    segmented["data"]["classes"] = [f"{HOSTILE} {k}" for k in range(10)]
    for method in segmented["methods"]:
        method["label"] = f"{method['name']} {HOSTILE}"
    assert HOSTILE not in section_of(render_report(segmented))


def test_a_page_of_backbones_says_what_they_share(segmented: Results) -> None:
    for method in segmented["methods"]:
        before, name = method["name"], f"baseline:backbone={method['name']}"
        method["name"] = name
        for run in segmented["runs"]:
            run["method"] = name if run["method"] == before else run["method"]
        seconds = segmented["timings"]["seconds_per_epoch"]
        for by_method in (*segmented["summary"].values(), seconds):
            by_method[name] = by_method.pop(before)
        for contrast in segmented["contrasts"]:
            for end in ("method", "against"):
                if contrast[end] == before:  # type: ignore[literal-required]
                    contrast[end] = name  # type: ignore[literal-required]
        segmented["baseline"] = name if segmented["baseline"] == before else segmented["baseline"]
    for key in ("images", "confused", "per_class", "segmentation"):
        segmented[key] = None  # type: ignore[literal-required]
    segmented["logits"] = {}
    html = render_report(segmented)
    assert "Backbones compared on" in html
    assert "the initial weights of the head" in html
    assert "objective alone" not in html
