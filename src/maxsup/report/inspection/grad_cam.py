"""Where the models look, on the images where they differ most (MaxSup paper, Figure 3)."""

import base64
import io
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maxsup import figures
from maxsup.report.inspection._shared import InspectionSection, labels_of, models_of

if TYPE_CHECKING:
    from maxsup.inspection.schema import Inspection

_ROWS = 8
_ANALYSIS = "grad-cam"


class _Cell(NamedTuple):
    """One model's map of an image."""

    source: str
    """The picture, as a URL that holds it."""
    description: str
    caption: str


class _Row(NamedTuple):
    """An image, and each model's map of it."""

    image: str
    label: str
    size: tuple[int, int]
    """Width and height in pixels."""
    cells: list[_Cell]


class _Table(NamedTuple):
    """Images, and the maps of models that saw the same ones."""

    labels: list[str]
    candidates: int
    boxes: bool
    rows: list[_Row]


def _content(inspection: "Inspection") -> dict[str, object] | None:
    labels = labels_of(inspection)
    shown = {
        name: next((m for m in models_of(inspection, name) if _ANALYSIS in m["details"]), None)
        for name in labels
    }
    found = {
        name: model["details"][_ANALYSIS] for name, model in shown.items() if model is not None
    }
    if not found:
        return None
    # The number of an image says which it is among the same test images alone.
    by_samples: dict[str, list[str]] = {}
    for name, model in shown.items():
        if model is not None:
            by_samples.setdefault(model["samples"], []).append(name)
    tables = [
        _table({name: found[name] for name in names}, labels) for names in by_samples.values()
    ]
    return {
        "tables": tables,
        "seeds": {labels[name]: model["seed"] for name, model in shown.items() if model},
        "layers": {
            labels[name]: f"{each['layer']} ({each['grid'][0]}×{each['grid'][1]})"
            for name, each in found.items()
        },
        "which": next(iter(found.values()))["class"],
        "boxes": any(table.boxes for table in tables),
        "bar": _url("image/png", figures.colour_bar()),
    }


def _table(found: dict[str, Any], labels: dict[str, str]) -> _Table:
    """The images on which models that saw the same ones differ most."""
    of_models = {
        name: {sample["row"]: sample for sample in each["samples"]} for name, each in found.items()
    }
    common = sorted(set.intersection(*(set(each) for each in of_models.values())))
    maps = {
        name: {row: _values(found[name], of_models[name][row]) for row in common} for name in found
    }
    rows = most_different(common, maps)
    return _Table(
        [labels[name] for name in found],
        len(common),
        any(of_model[row]["boxes"] for of_model in of_models.values() for row in rows),
        [_row(row, labels, of_models, maps) for row in rows],
    )


def _values(found: Any, sample: Any) -> NDArray[np.float64]:
    return np.array(sample["map"], dtype=np.float64).reshape(found["grid"]) / 255


def most_different(rows: list[int], maps: dict[str, dict[int, NDArray[np.float64]]]) -> list[int]:
    """The images on which the models' maps lie farthest apart, the farthest first.

    Args:
        rows: The images.
        maps: Of each model, by image, from 0 to 1.
    """
    if len(maps) < 2:
        return rows[:_ROWS]
    apart = {}
    for row in rows:
        large = [_enlarged(of_model[row]) for of_model in maps.values()]
        apart[row] = sum(
            float(np.abs(a - b).mean()) for place, a in enumerate(large) for b in large[:place]
        )
    return sorted(rows, key=lambda row: (-apart[row], row))[:_ROWS]


def _enlarged(values: NDArray[np.float64], side: int = 28) -> NDArray[np.float64]:
    """Maps of different grids on one, by the nearest place."""
    rows, columns = ((np.arange(side) * length) // side for length in values.shape)
    return values[np.ix_(rows, columns)]


def _row(
    row: int,
    labels: dict[str, str],
    of_models: dict[str, dict[int, Any]],
    maps: dict[str, dict[int, NDArray[np.float64]]],
) -> _Row:
    sample = next(iter(of_models.values()))[row]
    cells = []
    for name, of_model in maps.items():
        # Each model's own, which may have been cropped in another way.
        own = of_models[name][row]
        content = base64.b64decode(own["image"])
        picture = figures.draw_overlay(content, of_model[row], own["boxes"])
        is_right = own["predicted"] == own["label"]
        cells.append(
            _Cell(
                _url("image/jpeg", picture),
                f"{labels[name]} on an image of {own['label']}: brightest {_where(of_model[row])}",
                "right" if is_right else f"takes it for {own['predicted']}",
            )
        )
    content = base64.b64decode(sample["image"])
    plain = figures.draw_overlay(content, None, sample["boxes"])
    with Image.open(io.BytesIO(plain)) as opened:
        size = opened.size
    return _Row(_url("image/jpeg", plain), sample["label"], size, cells)


def _where(values: NDArray[np.float64]) -> str:
    row, column = divmod(int(values.argmax()), values.shape[1])
    words = [
        names[min(2, 3 * place // length)]
        for names, place, length in (
            (("at the top", "in the middle", "at the bottom"), row, values.shape[0]),
            (("left", "centre", "right"), column, values.shape[1]),
        )
    ]
    return " ".join(words)


def _url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


GRAD_CAM = InspectionSection(
    anchor="grad-cam", heading="Maps", title="Where the models look", content=_content
)
