"""From a name or a path to images with masks that are ready to train on."""

import itertools
from collections.abc import Callable, Mapping

import psutil
import torch

from maxsup._seeds import derive_seed
from maxsup.data._corrupt import CorruptImages
from maxsup.data._depth import notes_on_depth
from maxsup.data._duplicates import notes_on_duplicates
from maxsup.data._entry import UnreadableImageError
from maxsup.data._image_file import ImageFile
from maxsup.data._settings import DataSettings, short_name
from maxsup.data._without_effect import check_settings_of_masks, check_settings_of_parts
from maxsup.data.masks._data import MaskData
from maxsup.data.masks._files import MaskFiles
from maxsup.data.masks._meaning import (
    Meaning,
    find_table,
    meaning_of_colors,
    meaning_of_numbers,
)
from maxsup.data.masks._open import MaskSource, open_masks
from maxsup.data.masks._scan import Scan, check_palettes, check_values, scan_masks
from maxsup.data.masks._settings import VOID, MaskSettings
from maxsup.data.masks._split import MaskSplit
from maxsup.data.photographs._files import ImageFiles
from maxsup.data.sources._files import counted, listed

_KEPT_BYTES = 2**30
_KEPT_OF_FREE = 0.25
_LISTED = 10  # classes in a sentence


def load_masks(
    settings: DataSettings,
    *,
    mask: MaskSettings | None = None,
    measure_only: bool = False,
    announce: Callable[[str], None] | None = None,
) -> MaskData:
    """Load images with masks, divided as the settings say.

    All masks are read once, so that what is wrong with one is said before anything is trained, and
    the pixels of each class are counted.

    Args:
        settings: What to load.
        mask: What the numbers or colours in masks mean.
        measure_only: Whether nothing is trained on it: then the training part may lack classes, and
            where there is but one split all of it is to measure on, with no training samples.
        announce: Is told what is going on, in sentences.

    Raises:
        ValueError: The data cannot be used as asked; the message says how to mend it.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> from PIL import Image
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> for name in ("images", "masks"):
        ...     (folder / name).mkdir()
        ...     for number in range(5):
        ...         pixels = np.eye(8, dtype=np.uint8)
        ...         Image.fromarray(pixels).save(folder / name / f"{number}.png")
        >>> data = load_masks(DataSettings(str(folder)))
        >>> len(data.train), len(data.test), data.classes, data.class_pixels.tolist()
        (4, 1, ('class 0', 'class 1'), [224, 32])
    """
    announce = announce or (lambda text: None)
    mask = mask or MaskSettings()
    check_settings_of_masks(settings)
    source = open_masks(settings, mask)
    check_settings_of_parts(settings, source.names.get("test"))
    images, masks = (
        {
            part: ImageFiles(table, column, source.names[part])
            for part, table in source.tables.items()
        }
        for column in (source.image_column, source.mask_column)
    )
    total = sum(map(len, masks.values()))
    announce(f"Each of {counted(total, 'mask')} is read once, to see which labels there are.")
    table, note_on_table = None, ""
    if mask.colors is not None or _first_is_in_colors(masks, settings.max_megapixels):
        table, note_on_table = find_table(mask, source.folder)
    scans = {
        part: scan_masks(
            images[part], masks[part], settings.max_megapixels, in_colors=table is not None
        )
        for part in images
    }
    check_palettes(scans, masks)
    meaning = (
        meaning_of_colors(table)
        if table is not None
        else meaning_of_numbers(
            mask,
            {value for scan in scans.values() for each in scan.masks for value in each.pixels},
            name=short_name(settings),
            layout=source.layout,
            folder=source.folder,
        )
    )
    check_values(scans, masks, meaning)
    corrupt = CorruptImages(settings.max_corrupt)
    found = itertools.chain(source.alone, *(scan.corrupt for scan in scans.values()))
    corrupt.add(found)
    keep = _fits_into_memory(scans)
    splits = {
        part: _split(
            source.names[part],
            MaskFiles(
                images[part], masks[part], meaning.label_map, settings.max_megapixels, keep=keep
            ),
            scan,
            meaning,
            corrupt,
        )
        for part, scan in scans.items()
    }
    notes = [*source.notes, *filter(None, [note_on_table]), *meaning.notes]
    notes += notes_on_depth(images["train"].read, len(images["train"]))
    if len(corrupt):
        notes.append(f"{counted(len(corrupt), 'image')} left out: see the list of what is wrong.")
    return _divided(settings, source, splits, meaning, notes, measure_only=measure_only)


def _divided(
    settings: DataSettings,
    source: MaskSource,
    splits: Mapping[str, MaskSplit],
    meaning: Meaning,
    notes: list[str],
    *,
    measure_only: bool,
) -> MaskData:
    train, validation, test = (splits.get(part) for part in ("train", "validation", "test"))
    assert train is not None
    test_is_drawn = False
    if source.names["train"] != "train":
        notes.append(f"The training set is the split {source.names['train']}.")
    if test is not None:
        notes.append(f"The test set is the split {source.names['test']}.")
    elif measure_only:
        train, test = train.select(torch.zeros(0, dtype=torch.int64)), train
        notes.append(f"The data has one split, {train.name}: all of it is measured on.")
    else:
        test_is_drawn = True
        train, test = _hold_out(train, settings.test_fraction, settings.data_seed, "test")
        notes.append(
            f"The data has no test split: {100 * settings.test_fraction:g} % of the images of "
            f"{train.name} were held out as the test set."
        )
    if settings.fraction < 1:
        whole = len(train)
        train = _take_fraction(train, settings.fraction, settings.data_seed)
        notes.append(
            f"{100 * settings.fraction:g} % of the training images are taken: {len(train):,} of "
            f"{whole:,}."
        )
    if settings.validation:
        train, validation = _hold_out(train, settings.validation, settings.data_seed, "validation")
    if not measure_only:
        _check_classes(train, meaning)
    measured = {"test": test} if validation is None else {"validation": validation, "test": test}
    for what, part in measured.items():
        _check_labelled(part, what)
    notes += _notes_on_classes(train, measured, meaning.classes)
    notes += notes_on_duplicates(train, measured)
    return MaskData(
        short_name(settings),
        meaning.classes,
        train,
        validation,
        test,
        tuple(notes),
        test_is_drawn=test_is_drawn,
    )


def _first_is_in_colors(masks: Mapping[str, ImageFiles], max_megapixels: int) -> bool:
    """Whether the first mask that can be read holds colours, and not numbers."""
    for files in masks.values():
        for row in range(min(len(files), 8)):
            try:
                numbers = ImageFile(files.read(row), max_megapixels).read_numbers()
            except UnreadableImageError:
                continue
            return numbers.ndim == 3 and not (numbers == numbers[..., :1]).all()
    return False


def _split(
    name: str, files: MaskFiles, scan: Scan, meaning: Meaning, corrupt: CorruptImages
) -> MaskSplit:
    if not scan.masks:
        raise ValueError(f"Split {name} has no image with a mask that can be used.")
    count = len(scan.masks)
    pixels = torch.zeros(count, VOID + 1, dtype=torch.int64)
    for number, each in enumerate(scan.masks):
        for value, many in each.pixels.items():
            pixels[number, meaning.label_map.labels[value]] += many
    return MaskSplit(
        name,
        files,
        torch.tensor([each.row for each in scan.masks]),
        torch.tensor([[each.height, each.width] for each in scan.masks]),
        pixels[:, : len(meaning.classes)].clone(),
        torch.tensor([int.from_bytes(each.digest, "big", signed=True) for each in scan.masks]),
        corrupt,
    )


def _fits_into_memory(scans: Mapping[str, Scan]) -> bool:
    needed = sum(4 * each.height * each.width for scan in scans.values() for each in scan.masks)
    return needed <= min(_KEPT_BYTES, _KEPT_OF_FREE * psutil.virtual_memory().available)


def _hold_out(
    split: MaskSplit, fraction: float, seed: int, what: str
) -> tuple[MaskSplit, MaskSplit]:
    """Divide a split in two, at random; both in its order.

    Raises:
        ValueError: One part would have no images.
    """
    held = round(fraction * len(split))
    if not 0 < held < len(split):
        option = "--validation" if what == "validation" else "--test-fraction"
        raise ValueError(
            f"A {what} part of {fraction:.0%} of {counted(len(split), 'image')} leaves {held} in "
            f"it and {len(split) - held} to train on. Choose another {option}, or add images."
        )
    order = _order(len(split), seed, what)
    return split.select(order[held:].sort().values), split.select(order[:held].sort().values)


def _take_fraction(split: MaskSplit, fraction: float, seed: int) -> MaskSplit:
    """A part of a split, one image at least; a larger part holds the smaller ones."""
    order = _order(len(split), seed, "fraction")
    return split.select(order[: max(1, round(fraction * len(split)))].sort().values)


def _order(count: int, seed: int, what: str) -> torch.Tensor:
    generator = torch.Generator().manual_seed(derive_seed(seed, what))
    return torch.randperm(count, generator=generator)


def _check_classes(train: MaskSplit, meaning: Meaning) -> None:
    """See that there is something to tell apart in the training masks.

    Raises:
        ValueError: There is not.
    """
    present = [
        name
        for name, pixels in zip(meaning.classes, train.class_pixels.tolist(), strict=True)
        if pixels
    ]
    if len(present) >= 2:
        return
    what = f"{_classes(present)} alone, and void" if present else "void alone"
    raise ValueError(
        f"The training masks hold {what}: there is nothing to tell apart. Where 255 (or what "
        "--void names) is a class and no void, as in masks of black and white, say so with a table "
        "of colours, --colors, of lines such as background,0,0,0 and object,255,255,255."
    )


def _check_labelled(part: MaskSplit, what: str) -> None:
    """See that there is something to measure on.

    Raises:
        ValueError: There is not.
    """
    if not bool(part.class_pixels.any()):
        raise ValueError(
            f"The {what} masks hold void alone, in all of {counted(len(part), 'image')}: nothing "
            "could be measured on them. Name another part, or masks with labels; what is void is "
            "255, and what --void and --reduce-zero-label say."
        )


def _notes_on_classes(
    train: MaskSplit, measured: Mapping[str, MaskSplit], classes: tuple[str, ...]
) -> list[str]:
    """What a user should know of classes without pixels, in sentences."""
    parts = {"training": train, **measured}
    lacking = {
        what: [
            n for n, pixels in zip(classes, part.class_pixels.tolist(), strict=True) if not pixels
        ]
        for what, part in parts.items()
        if len(part)
    }
    everywhere = [n for n in classes if all(n in names for names in lacking.values())]
    notes = []
    if everywhere:
        notes.append(
            f"No mask has a pixel of {_classes(everywhere)}; a class is left out of every "
            "mean then, unless it is predicted."
        )
    for what, names in lacking.items():
        if here := [name for name in names if name not in everywhere]:
            why = ", so that it cannot be learnt" if what == "training" else ""
            notes.append(f"The {what} masks have no pixel of {_classes(here)}{why}.")
    return notes


def _classes(names: list[str]) -> str:
    if len(names) > 1:
        return f"{len(names)} classes: {listed(names, _LISTED)}"
    return names[0] if names[0].startswith("class ") else f"the class {names[0]}"
