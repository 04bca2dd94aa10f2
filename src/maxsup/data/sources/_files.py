"""What a file or folder is by its name: an image, a part of a data set, or nobody's data."""

import functools
import re
import unicodedata
from collections.abc import Collection, Iterable

from PIL import Image, features

_JUNK = frozenset(
    {
        # of Windows, macOS, Synology and Python; what begins with a dot is hidden anyway
        *("thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information"),
        *("__macosx", "icon\r", "@eadir", "lost+found", "__pycache__"),
    }
)
_NO_READER = frozenset({"BUFR", "GRIB", "HDF5", "MPEG", "WMF"})
"""Formats whose files Pillow recognises, and cannot decode everywhere."""
_OPTIONAL = {"AVIF": "avif", "JPEG2000": "jpg_2000", "WEBP": "webp"}
"""Formats that Pillow decodes where it was built with them."""
_LISTED = 3  # names in a sentence


def is_junk(name: str) -> bool:
    """Whether a file or folder is put there by a system, and never by somebody who means it.

    >>> [is_junk(name) for name in (".DS_Store", "Thumbs.db", "._0.png", "__MACOSX", "cat")]
    [True, True, True, True, False]
    """
    return name.startswith(".") or name.lower() in _JUNK


@functools.cache
def image_suffixes() -> frozenset[str]:
    """The suffixes of the images that the installed Pillow reads, in lower case."""
    Image.init()
    return frozenset(
        suffix.lower()
        for suffix, kind in Image.registered_extensions().items()
        if kind in Image.OPEN
        and kind not in _NO_READER
        and (kind not in _OPTIONAL or features.check(_OPTIONAL[kind]))
    )


def suffix_of(name: str) -> str:
    """A file's suffix, in lower case; as ``pathlib`` has it, which takes ten times as long.

    >>> suffix_of("0.TAR.gz"), suffix_of("README"), suffix_of(".hidden")
    ('.gz', '', '')
    """
    stem, _, suffix = name.rpartition(".")
    return f".{suffix.lower()}" if stem else ""


def is_image(name: str) -> bool:
    """Whether a file is called like an image that can be read, in capitals or not.

    >>> [is_image(name) for name in ("0.JPG", "0.jfif", "0.heic", "0.mpeg", "jpg")]
    [True, True, False, False, False]
    """
    return suffix_of(name) in image_suffixes()


def format_of(name: str) -> str:
    """What Pillow calls the kind of image file that a name says.

    >>> format_of("0.JPG"), format_of("0.jpeg"), format_of("0.gif")
    ('JPEG', 'JPEG', 'GIF')
    """
    Image.init()
    suffix = suffix_of(name)
    return Image.registered_extensions().get(suffix, suffix)


def kind_of(name: str) -> str:
    """What to call a file of its kind in a list.

    >>> kind_of("0.HEIC"), kind_of("README")
    ('.heic', 'without extension')
    """
    return suffix_of(name) or "without extension"


def class_name(folder: str) -> str:
    r"""The name of the class that a folder stands for.

    Systems write an é as one character or as two; it is the same name.

    >>> class_name("cafe\u0301") == class_name("caf\u00e9")
    True
    """
    return unicodedata.normalize("NFC", folder)


def natural_order(name: str) -> tuple[tuple[object, ...], str]:
    """A key that sorts the numbers in names by their value.

    >>> sorted(["10", "2", "b1", "1", "01", "b", "B2"], key=natural_order)
    ['01', '1', '2', '10', 'B2', 'b', 'b1']
    """
    # Text and digits alternate, so that text is never compared with a number.
    parts = re.split(r"([0-9]+)", name)
    return tuple(_value(part) if index % 2 else part for index, part in enumerate(parts)), name


def _value(digits: str) -> tuple[int, str]:
    """What sorts as the number does, however many digits it has."""
    significant = digits.lstrip("0")
    return len(significant), significant


def shown(name: str) -> str:
    r"""A name as it can stand in a sentence of one line.

    >>> shown("a\nb"), shown("x" * 100)
    ('a\\nb', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…')
    """
    text = "".join(
        part if part.isprintable() else part.encode("unicode_escape").decode() for part in name
    )
    return text if len(text) <= 60 else f"{text[:60]}…"


def listed(names: Iterable[str], most: int = _LISTED) -> str:
    """Some names in a sentence, the first of them and how many more there are.

    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c", "d", "e"])
    ('a', 'a and b', 'a, b, c and 2 more')
    """
    every = [shown(name) for name in names]
    first = every[:most]
    if len(every) > most:
        return f"{', '.join(first)} and {len(every) - most:,} more"
    return " and ".join([", ".join(first[:-1]), first[-1]] if len(first) > 1 else first)


def counted(count: int, singular: str, plural: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "file"), counted(1200, "file"), counted(2, "class", "classes")
    ('1 file', '1,200 files', '2 classes')
    """
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def in_places(places: Collection[str]) -> str:
    """Where something lies: one folder by its name, of several the first.

    >>> in_places(["dog/"]), in_places(["dog/", "cat/", "emu/"])
    ('in dog/', 'in dog/ and 2 other folders')
    """
    first, *others = places
    more = f" and {counted(len(others), 'other folder')}" if others else ""
    return f"in {shown(first) if first else 'the folder itself'}{more}"
