"""A look at every mask of a split, once: which labels it has, and whether it fits its image."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from maxsup.data._corrupt import Corrupt
from maxsup.data._entry import UnreadableImageError
from maxsup.data._image_file import ImageFile
from maxsup.data._orientation import UPRIGHT
from maxsup.data.masks._label_map import Color, UnusableMasks, read_values
from maxsup.data.masks._meaning import Meaning
from maxsup.data.masks._settings import MOST_CLASSES, VOID
from maxsup.data.photographs._files import ImageFiles
from maxsup.data.sources._files import counted

_AT_ONCE = 512


class ScannedMask(NamedTuple):
    """What is known of one mask that fits its image."""

    row: int
    height: int
    width: int
    pixels: Mapping[int, int]
    """How many pixels have each value, as it stands in the file."""
    digest: bytes
    """A hash of all values."""
    palette: Mapping[int, Color]
    """The colours of the values that occur, where the file has a palette."""


class Scan(NamedTuple):
    """What is known of a split's masks."""

    masks: list[ScannedMask]
    """Those that can be used, by row."""
    corrupt: list[Corrupt]
    """Those that cannot, and why."""


def scan_masks(
    images: ImageFiles, masks: ImageFiles, max_megapixels: int, *, in_colors: bool
) -> Scan:
    """Read every mask, and the head of its image.

    Args:
        images: The files of the images.
        masks: The files of the masks.
        max_megapixels: How many millions of pixels may be decoded of a file.
        in_colors: Whether masks hold colours, and not numbers.

    Raises:
        ValueError: Masks are of a kind that no labels can be read from; the message says which.
    """

    def look(row: int) -> ScannedMask | Corrupt:
        try:
            file = ImageFile(images.read(row), max_megapixels)
        except UnreadableImageError as error:
            return images.describe(row, error.reason)
        try:
            values, palette = read_values(masks.read(row), max_megapixels, in_colors=in_colors)
        except UnusableMasks as error:
            where = masks.describe(row, "").place
            raise ValueError(f"The mask in {where} cannot be used: {error}.") from error
        except UnreadableImageError as error:
            reason = error.reason.replace("there is no image", "there is none")
            return images.describe(row, f"its mask cannot be read: {reason}")
        width, height = file.size
        if values.shape != (height, width):
            reason = (
                f"its mask has {values.shape[1]}×{values.shape[0]} pixels, and the image "
                f"{width}×{height}"
            )
            if file.orientation != UPRIGHT and values.shape == (width, height):
                reason += ", once EXIF has turned it upright, as it was not when it was labelled"
            return images.describe(row, reason)
        digest = hashlib.blake2b(values.tobytes(), digest_size=8).digest()
        pixels = _count(values)
        used = {value: palette[value] for value in pixels if value in palette}
        return ScannedMask(row, height, width, pixels, digest, used)

    found: list[ScannedMask | Corrupt] = []
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(images), _AT_ONCE):
            found += pool.map(look, range(start, min(start + _AT_ONCE, len(images))))
    return Scan(
        [each for each in found if isinstance(each, ScannedMask)],
        [each for each in found if isinstance(each, Corrupt)],
    )


def _count(values: np.ndarray[Any, Any]) -> dict[int, int]:
    if values.dtype == np.uint8:
        counts = np.bincount(values.ravel(), minlength=256)
        return {int(value): int(counts[value]) for value in counts.nonzero()[0]}
    found, counts = np.unique(values, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def check_palettes(scans: Mapping[str, Scan], masks: Mapping[str, ImageFiles]) -> None:
    """See that an index into a palette means the same in all masks.

    Programs that make a palette anew for each file number colours by how often they occur.

    Raises:
        ValueError: It does not; the message says which, and in which masks.
    """
    seen: dict[int, tuple[Color, str, int]] = {}
    for name, scan in scans.items():
        for mask in scan.masks:
            for value, color in mask.palette.items():
                known, part, row = seen.setdefault(value, (color, name, mask.row))
                if known != color:
                    raise ValueError(
                        f"Masks have palettes that differ: {value} has the colour {tuple(known)} "
                        f"in {masks[part].describe(row, '').place}, and {tuple(color)} in "
                        f"{masks[name].describe(mask.row, '').place}. Their numbers do not mean "
                        "the same, so give a table of colours with --colors (name,r,g,b); or write "
                        "all masks with one palette."
                    )


def check_values(
    scans: Mapping[str, Scan], masks: Mapping[str, ImageFiles], meaning: Meaning
) -> None:
    """See that every value of every mask has a meaning.

    Args:
        scans: What was found in the masks, by part.
        masks: The files of the masks, by part.
        meaning: What values mean.

    Raises:
        ValueError: Some have none; the message says which, where, and in how many pixels.
    """
    label_map = meaning.label_map
    unknown: dict[int, list[tuple[str, int]]] = {}
    pixels: Counter[int] = Counter()
    for name, scan in scans.items():
        for mask in scan.masks:
            for value, count in mask.pixels.items():
                if value not in label_map.labels:
                    pixels[value] += count
                    unknown.setdefault(value, []).append((name, mask.row))
    if not unknown:
        return
    lines = []
    for value, count in sorted(pixels.items(), key=lambda each: (-each[1], each[0]))[:10]:
        split, row = unknown[value][0]
        files = len(unknown[value])
        lines.append(
            f"  {label_map.shown(value)} in {counted(count, 'pixel')} of "
            f"{counted(files, 'mask')}, the first in "
            f"{masks[split].describe(row, '').place}"
        )
    if len(pixels) > len(lines):
        lines.append(f"  and {len(pixels) - len(lines):,} more")
    what = "colours" if label_map.in_colors else "labels"
    raise ValueError(
        f"Masks have {what} that nothing gives a meaning to:\n"
        + "\n".join(lines)
        + f"\n{_expected(meaning, set(pixels))}"
    )


def _expected(meaning: Meaning, unknown: set[int]) -> str:
    labels = meaning.label_map.labels
    if meaning.label_map.in_colors:
        return (
            "Add them to the table of colours; a row that is called void says that they do not "
            "count."
        )
    void = ", ".join(str(value) for value, label in labels.items() if label == VOID)
    if meaning.names_are_open:
        return (
            f"There may be {MOST_CLASSES} classes at most, numbered without gaps; void is {void}. "
            "Say with --void which labels do not count, or number the classes anew."
        )
    known = [value for value, label in labels.items() if label != VOID]
    hint = ""
    if unknown == {len(meaning.classes)} and labels.get(1) == 1:
        hint = (
            f" Where 0 means void and {len(meaning.classes)} is the last class, as in ADE20K, say "
            "--reduce-zero-label True."
        )
    return (
        f"The {len(meaning.classes)} classes are {min(known)} to {max(known)}, and void is {void}. "
        f"Say with --void which labels do not count, or with --classes which classes there are."
        f"{hint}"
    )
