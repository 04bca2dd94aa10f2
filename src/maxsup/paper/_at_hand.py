"""What stands for the paper's data where that is not at hand: the digits, and made-up scenes.

Both are written as Parquet in Hugging Face's layout, so that a table at small scale goes through
all that one at full scale does: columns, labels, boxes and masks of files.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maxsup._files import atomic_write, write_text

SIDE = 32  # pixels
SHAPES = ("disc", "square", "triangle", "ring")
_FINE = 2  # sizes of each shape
_SEED = 20_250_216


def parity_of_digits(directory: Path) -> Path:
    """The digits as files, with their parity to be learnt and the digit as a finer label.

    Whoever learns odd and even alone may forget which digit it was; a probe tells.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = (bunch.images * (255 / 16)).round().astype(np.uint8)
    rows = {
        "image": list(images),
        "parity": (bunch.target % 2).tolist(),
        "digit": bunch.target.tolist(),
    }
    names = {"parity": ["even", "odd"], "digit": [str(name) for name in bunch.target_names]}
    test = np.random.default_rng(_SEED).random(len(images)) < 1 / 5
    return _write(directory, rows, names, test)


def scenes(directory: Path, images: int) -> Path:
    """Pictures made up: one shape on a noisy background with stripes, and the box around it.

    The class is the shape, the finer label its size too.

    Args:
        directory: Where they are kept; made there once.
        images: How many, of which a fifth are for testing.
    """
    rows, test = _made_up(images)
    del rows["mask"]
    kinds = [f"{size} {shape}" for shape in SHAPES for size in ("small", "large")]
    return _write(directory, rows, {"label": list(SHAPES), "kind": kinds}, test)


def masks(directory: Path, images: int) -> Path:
    """The scenes with masks alone: 0 is the background, 1 the first shape, and so on."""
    rows, test = _made_up(images)
    _write(directory, {name: rows[name] for name in ("image", "mask")}, {}, test)
    write_text(directory / "classes.txt", "\n".join(["background", *SHAPES, ""]))
    return directory


def _made_up(images: int) -> tuple[dict[str, list[Any]], NDArray[np.bool_]]:
    """Columns of so many scenes, and which of them are for testing."""
    generator = np.random.default_rng(_SEED)
    rows: dict[str, list[Any]] = {
        name: [] for name in ("image", "mask", "label", "kind", "objects")
    }
    for _ in range(images):
        shape, size = int(generator.integers(len(SHAPES))), int(generator.integers(_FINE))
        radius = generator.uniform(5, 7) if size == 0 else generator.uniform(9, 11)
        centre = generator.uniform(radius, SIDE - radius, 2)
        inside = _inside(SHAPES[shape], centre, radius)
        rows["image"].append(_painted(inside, generator))
        rows["mask"].append(np.where(inside, shape + 1, 0).astype(np.uint8))
        rows["label"].append(shape)
        rows["kind"].append(shape * _FINE + size)
        ys, xs = inside.nonzero()
        box = [xs.min(), ys.min(), xs.max() - xs.min() + 1, ys.max() - ys.min() + 1]
        rows["objects"].append({"bbox": [[float(each) for each in box]]})
    return rows, generator.random(images) < 1 / 5


def _inside(shape: str, centre: NDArray[np.float64], radius: float) -> NDArray[np.bool_]:
    ys, xs = np.mgrid[:SIDE, :SIDE] + 0.5
    x, y = xs - centre[0], ys - centre[1]
    far = np.hypot(x, y)
    if shape == "disc":
        found = far <= radius
    elif shape == "square":
        found = np.maximum(abs(x), abs(y)) <= 0.85 * radius
    elif shape == "ring":
        found = (far <= radius) & (far >= 0.55 * radius)
    else:
        found = (y <= 0.8 * radius) & (y >= 2 * abs(x) - radius)
    return np.asarray(found, dtype=bool)


def _painted(inside: NDArray[np.bool_], generator: np.random.Generator) -> NDArray[np.uint8]:
    """A bright shape before dark colours; the stripes, half as bright, are there to distract."""
    picture = np.tile(generator.uniform(0.05, 0.35, 3), (SIDE, SIDE, 1))
    for _ in range(3):
        along, width = generator.integers(2), int(generator.integers(1, 4))
        start = int(generator.integers(SIDE - width))
        lines = picture.swapaxes(0, 1) if along else picture
        lines[start : start + width] = generator.uniform(0.1, 0.6, 3)
    picture[inside] = generator.uniform(0.65, 0.95, 3)
    picture += generator.normal(0, 0.04, picture.shape)
    return np.asarray((picture.clip(0, 1) * 255).round(), dtype=np.uint8)


def _write(
    directory: Path, rows: dict[str, list[Any]], names: dict[str, list[str]], test: NDArray[Any]
) -> Path:
    from datasets import ClassLabel, Dataset, Features, Image, Sequence, Value

    kinds: dict[str, Any] = {
        name: ClassLabel(names=names[name]) if name in names else Image() for name in rows
    }
    if "objects" in rows:
        kinds["objects"] = {"bbox": Sequence(Sequence(Value("float32")))}
    for part, chosen in (("train", ~test), ("test", test)):
        place = directory / f"{part}.parquet"
        if place.exists():
            continue
        picked = {
            name: [value for value, is_in in zip(values, chosen, strict=True) if is_in]
            for name, values in rows.items()
        }
        _write_split(Dataset.from_dict(picked, features=Features(kinds)), place)
    return directory


def _write_split(split: Any, place: Path) -> None:
    from pyarrow.parquet import write_table

    place.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(place) as file:
        write_table(split.data.table, file)
