"""The data that stands for the paper's."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from maxsup.paper import _at_hand


def rows_of(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


def pixels_of(cell: dict[str, bytes]) -> Any:
    return np.asarray(Image.open(io.BytesIO(cell["bytes"])))


def test_boxes_and_masks_are_around_the_object(tmp_path: Path) -> None:
    scenes = rows_of(_at_hand.scenes(tmp_path / "scenes", 60) / "train.parquet")
    masks = rows_of(_at_hand.masks(tmp_path / "masks", 60) / "train.parquet")
    assert len(scenes) == len(masks)
    for scene, masked in zip(scenes, masks, strict=True):
        mask = pixels_of(masked["mask"])
        assert (pixels_of(scene["image"]) == pixels_of(masked["image"])).all()
        assert {*np.unique(mask)} == {0, scene["label"] + 1}
        assert scene["kind"] // 2 == scene["label"]
        ((left, top, width, height),) = scene["objects"]["bbox"]
        ys, xs = mask.nonzero()
        assert (left, top) == (xs.min(), ys.min())
        assert (left + width, top + height) == (xs.max() + 1, ys.max() + 1)


def test_made_once_and_the_same_anywhere(tmp_path: Path) -> None:
    first = _at_hand.scenes(tmp_path / "a", 20)
    again = _at_hand.scenes(tmp_path / "b", 20)
    assert rows_of(first / "test.parquet") == rows_of(again / "test.parquet")
    written = (first / "train.parquet").stat().st_mtime_ns
    _at_hand.scenes(tmp_path / "a", 20)
    assert (first / "train.parquet").stat().st_mtime_ns == written


def test_parity_is_that_of_the_digit(tmp_path: Path) -> None:
    place = _at_hand.parity_of_digits(tmp_path)
    rows = [row for part in ("train", "test") for row in rows_of(place / f"{part}.parquet")]
    assert len(rows) == 1_797
    assert all(row["digit"] % 2 == row["parity"] for row in rows)
