"""Images of more than 8 bits that use a small part of their range."""

from collections.abc import Callable

from maxsup.data._entry import UnreadableImageError
from maxsup.data._image_file import ImageFile

_SAMPLED = 32  # images
_DIM = 1 / 8


def notes_on_depth(read: Callable[[int], bytes], count: int) -> list[str]:
    """What a user should know of how images of more than 8 bits are scaled, in sentences.

    A camera of 12 bits, whose numbers stand in files of 16, leaves all of them nearly black; what
    is white follows from the files, and not from what is in them. Some images are looked at.

    Args:
        read: Gives the content of the file in a row.
        count: How many rows there are.
    """
    found = []
    for row in sorted({number * count // _SAMPLED for number in range(_SAMPLED)} if count else ()):
        try:
            file = ImageFile(read(row))
            if file.is_deep:
                found.append(file.brightest())
        except UnreadableImageError:  # said when it is read to train on
            continue
    if not found or max(found) >= _DIM:
        return []
    brightest = max(found)
    return [
        f"Images of more than 8 bits are dark: none of {len(found)} that were looked at is "
        f"brighter than {100 * brightest:.1f} % of white, which leaves {round(255 * brightest)} of "
        "255 levels. Stretch them to the whole range first, all by the same factor."
    ]
