"""Where the objects are in images: boxes in a column, or masks in another column or a folder."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import datasets
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from maxsup._home import expand_home
from maxsup.data._entry import Entry, UnreadableImageError, entry_path, read_entry
from maxsup.data._image_file import ImageFile
from maxsup.data._settings import DataSettings
from maxsup.data.photographs._crop import centre_box
from maxsup.data.small._image import square_part
from maxsup.data.sources._columns import describe_kind, find_image_column
from maxsup.data.sources._mask_folder import MaskFolder
from maxsup.data.sources._open import choose_splits, load_parts, open_data

_BEYOND = 1.0
"""By how many pixels a box may reach beyond its image, as rounding leaves it; the rest is an
error."""


class Shown(NamedTuple):
    """What a model is shown of images: a square at the centre, or all of them."""

    reading: Literal["photographs", "small"]
    size: tuple[int, int]
    """Height and width that it is resized to."""
    crop: float = 1.0
    """Fraction of a photograph's shorter side."""

    def part(self, width: int, height: int) -> tuple[float, float, float, float]:
        """The left, top, right and bottom edge of it, in an image of this size."""
        if self.reading == "photographs":
            box = centre_box(width, height, self.crop)
            return box.left, box.top, box.left + box.width, box.top + box.height
        if self.size[0] == self.size[1]:
            return square_part(width, height, self.size[0])
        return 0, 0, width, height


class Objects(NamedTuple):
    """Where the objects of one image are, in what the model is shown of it."""

    row: int
    """The image's row in its split, as samples have it for their id."""
    boxes: Tensor | None
    """(G, 4) float64: left, top, right and bottom edge, those within what is shown, cut off at its
    edges; none of masks."""
    mask: Tensor | None
    """(H, W) of bool, of what is shown; none of boxes."""
    total: int
    """How many objects the image has; of a mask 1, or 0 where it is empty."""
    cut: int
    """How many of them are not shown at all."""


def read_objects(
    settings: DataSettings,
    shown: Shown,
    rows: Sequence[int] | None = None,
    *,
    boxes: str | None = None,
    masks: str | None = None,
) -> Iterator[Objects]:
    """The objects in images of the split that is measured on, row by row.

    Boxes are [left, top, width, height] in pixels of the upright image, one or a list of them, in a
    column or, as ``objects.bbox``, in a field of one. A mask is an image of the same size, in which
    every pixel that is not 0 belongs to the object: in a column, or in a folder, called there as
    the image but for the suffix.

    Args:
        settings: Which data.
        shown: What the model is shown of an image.
        rows: The rows that are wanted; by default all whose image can be read.
        boxes: The column of the boxes.
        masks: The column of the masks, or where there is no such column their folder.

    Raises:
        ValueError: There is no such column or folder, or a box or mask is not as described; the
            message names the sample.
    """
    option, column = ("masks", masks) if boxes is None else ("boxes", boxes)
    assert column is not None
    if settings.name == "digits" or settings.streaming:
        what = "a stream has" if settings.streaming else "the digits have"
        raise ValueError(f"{option}: {what} no column {column!r}; name data that is on disk.")
    opened = open_data(settings)
    chosen, _ = choose_splits(settings, opened)
    text = chosen.test or chosen.train
    table = load_parts(settings, opened, {"test_split": text})["test_split"]
    images = find_image_column(settings, table.features)
    name, *fields = column.split(".")
    folder = None
    if masks is not None and name not in table.features and expand_home(masks).is_dir():
        folder = MaskFolder(expand_home(masks))
        wanted = [images]
    else:
        _check_column(option, column, table.features)
        wanted = [images] if boxes is not None else [images, name]
    table = table.select_columns(list(dict.fromkeys([*wanted, *([name] if boxes else [])])))
    for each in wanted:
        table = table.cast_column(each, datasets.Image(decode=False))
    for row in range(len(table)) if rows is None else rows:
        of_row = table[row]
        what = f"{option}: row {row} of split {text.partition('[')[0]}"
        path = entry_path(of_row[images])
        if path:
            what += f" ({path})"
        try:
            size = ImageFile(read_entry(of_row[images])).size
        except UnreadableImageError as error:
            if rows is None:
                continue
            raise ValueError(f"{what}: its image cannot be read: {error.reason}.") from error
        if boxes is not None:
            yield _boxes(row, _within(of_row[name], fields), size, shown, what)
        else:
            entry = of_row[name] if folder is None else _in_folder(folder, path, what)
            yield _mask(row, entry, size, shown, what)


def _in_folder(folder: MaskFolder, path: str, what: str) -> Entry:
    if not path:
        raise ValueError(
            f"{what}: its image has no file name that a mask could be called by. Name a column of "
            "masks."
        )
    try:
        return {"bytes": None, "path": folder.find(path)}
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def _check_column(option: str, column: str, features: Any) -> None:
    name, *fields = column.split(".")
    kind = features.get(name)
    for each in fields:
        while isinstance(kind, datasets.List | datasets.LargeList):
            kind = kind.feature
        kind = kind.get(each) if isinstance(kind, dict) else None
    fits = kind is not None and isinstance(kind, datasets.Image) == (option == "masks")
    if not fits:
        there = ", ".join(f"{each} ({describe_kind(of)})" for each, of in features.items())
        wanted = (
            "a column of images, or a folder of masks called as their images"
            if option == "masks"
            else "one of lists of [left, top, width, height], such as objects.bbox"
        )
        raise ValueError(
            f"{option}: {column!r} is no column of them; expected is {wanted}. There are {there}."
        )


def _within(value: Any, fields: Sequence[str]) -> Any:
    for number, each in enumerate(fields):
        if isinstance(value, list):
            return [_within(element, fields[number:]) for element in value]
        value = None if value is None else value[each]
    return value


def _boxes(row: int, value: Any, size: tuple[int, int], shown: Shown, what: str) -> Objects:
    width, height = size
    found = _four_numbers(value)
    if found is None:
        raise ValueError(
            f"{what}: boxes must be lists of four numbers [left, top, width, height]; got "
            f"{str(value)[:80]}."
        )
    left, top, wide, tall = found.T
    wrong = ~(
        (left >= -_BEYOND) & (top >= -_BEYOND) & (wide > 0) & (tall > 0)
        & (left + wide <= width + _BEYOND) & (top + tall <= height + _BEYOND)
    )  # fmt: skip
    if wrong.any():
        bad = [round(each, 2) for each in found[wrong][0].tolist()]
        raise ValueError(
            f"{what}: the box {bad} (left, top, width, height) is empty or lies outside of its "
            f"image of {width}×{height} pixels. Boxes are in pixels of the image as it stands in "
            "the data, upright."
        )
    edges = torch.stack([left, top, left + wide, top + tall], dim=1)
    from_left, from_top, to_right, to_bottom = shown.part(width, height)
    across = shown.size[1] / (to_right - from_left)
    down = shown.size[0] / (to_bottom - from_top)
    scale = torch.tensor([across, down, across, down], dtype=torch.float64)
    start = torch.tensor([from_left, from_top, from_left, from_top], dtype=torch.float64)
    limit = torch.tensor([shown.size[1], shown.size[0]] * 2, dtype=torch.float64)
    edges = torch.minimum(((edges - start) * scale).clamp(min=0), limit)
    kept = (edges[:, 2] > edges[:, 0]) & (edges[:, 3] > edges[:, 1])
    return Objects(row, edges[kept], None, len(edges), int((~kept).sum()))


def _four_numbers(value: Any) -> Tensor | None:
    """Boxes (G, 4), of a list of them or of one by itself; none of anything else."""
    try:
        found = torch.tensor([] if value is None else value, dtype=torch.float64)
    except (TypeError, ValueError):
        return None
    if found.dim() > 2 or (found.numel() and found.shape[-1] != 4):
        return None
    return found.reshape(-1, 4)


def _mask(row: int, entry: Any, size: tuple[int, int], shown: Shown, what: str) -> Objects:
    try:
        pixels = ImageFile(read_entry(entry)).read_nonzero()
    except UnreadableImageError as error:
        raise ValueError(f"{what}: its mask cannot be read: {error.reason}.") from error
    if pixels.shape != (size[1], size[0]):
        raise ValueError(
            f"{what}: the mask has {pixels.shape[1]}×{pixels.shape[0]} pixels, and its image "
            f"{size[0]}×{size[1]}. A mask must be as large as its image."
        )
    part = shown.part(*size)
    resized = Image.fromarray(pixels.astype(np.uint8)).resize(
        (shown.size[1], shown.size[0]), Image.Resampling.NEAREST, box=part
    )
    mask = torch.from_numpy(np.asarray(resized) != 0)
    has_object = bool(pixels.any())
    return Objects(row, None, mask, int(has_object), int(has_object and not mask.any()))
