"""What a JPEG says of itself before its pixels, and a JPEG of its first rows alone.

A decoder works from the first row of blocks on, most of the time undoing the Huffman code, and
stops at the height that the header announces: a smaller one saves the rows below a crop.
"""

from typing import NamedTuple

from maxsup.data._orientation import UPRIGHT, orientation_of_segment

_START_OF_IMAGE, _END_OF_IMAGE = b"\xff\xd8", b"\xff\xd9"
_SEQUENTIAL_FRAMES = (0xC0, 0xC1)
_PROGRESSIVE_FRAME = 0xC2
_OTHER_FRAMES = (0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
_MARGIN = 8  # pixels; upsampling looks one row of colour further, four at most, eight if scaled
_START_OF_SCAN = 0xDA
_APPLICATION_1 = 0xE1  # EXIF, XMP
_EXIF = b"Exif\0\0"


class JpegHeader(NamedTuple):
    """The header of a JPEG that is grey or coloured, of 8 bits, baseline or progressive."""

    width: int
    height: int
    block_height: int
    """Rows of pixels that are coded together: 8, or 16 where colour has half the resolution."""
    stretch: int
    """How much finer colour is in one direction than in the other."""
    is_sequential: bool
    """One scan from top to bottom has all."""
    height_at: int
    """Where the height stands in the file."""
    orientation: int = UPRIGHT
    """What EXIF or XMP says of the way up, from 1 to 8."""


def read_jpeg_header(content: bytes) -> JpegHeader | None:
    """Read a JPEG's header; ``None`` where it is no JPEG, an unusual one, or cut off at its end.

    Example:
        >>> read_jpeg_header(b"GIF89a") is None
        True
    """
    if not (content.startswith(_START_OF_IMAGE) and content.endswith(_END_OF_IMAGE)):
        return None
    at, frame_at, orientations = 2, 0, dict[bool, int]()
    while at + 4 < len(content) and content[at] == 0xFF:
        kind, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if kind == 0xFF:  # fill byte
            at += 1
            continue
        if kind in _OTHER_FRAMES:
            return None
        if kind in (*_SEQUENTIAL_FRAMES, _PROGRESSIVE_FRAME):
            frame_at = at
        elif kind == _START_OF_SCAN:
            # Its first byte is how many of the components it has.
            header = _read_frame(content, frame_at, content[at + 4]) if frame_at else None
            # EXIF's word counts where both have one.
            orientation = orientations.get(True, orientations.get(False, UPRIGHT))
            return header and header._replace(orientation=orientation)
        elif kind == _APPLICATION_1:
            segment = content[at + 4 : at + 2 + length]
            orientation_here = orientation_of_segment(segment)
            if orientation_here is not None:
                orientations.setdefault(segment.startswith(_EXIF), orientation_here)
        at += 2 + length
    return None


def _read_frame(content: bytes, at: int, components_in_scan: int) -> JpegHeader | None:
    frame = content[at + 4 : at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")]
    if len(frame) < 6 or len(frame) != 6 + 3 * frame[5]:
        return None
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    components = frame[5]
    if frame[0] != 8 or components not in (1, 3) or 0 in (height, width):
        return None
    # A single component is coded block by block, whatever its factors.
    factors = [divmod(sampling, 16) for sampling in frame[7::3]] if components > 1 else [(1, 1)]
    if not all(1 <= factor <= 4 for pair in factors for factor in pair):
        return None
    across, down = (max(direction) for direction in zip(*factors, strict=True))
    is_sequential = content[at + 1] in _SEQUENTIAL_FRAMES and components_in_scan == components
    stretch = max(across // down, down // across)
    return JpegHeader(width, height, 8 * down, stretch, is_sequential, at + 5)


def keep_first_rows(content: bytes, header: JpegHeader, count: int) -> tuple[bytes, int]:
    """A JPEG of an image's first rows, at least ``count`` of them.

    No pixel of them changes: what smooth upsampling of colour looks at below them is kept too.

    Returns:
        The JPEG, and how many rows it has: all, where one scan does not have everything.
    """
    block = header.block_height
    rows = min(-(-(count + _MARGIN) // block) * block, header.height)
    if rows == header.height or not header.is_sequential:
        return content, header.height
    start, rest = content[: header.height_at], content[header.height_at + 2 :]
    return b"".join((start, rows.to_bytes(2, "big"), rest)), rows
