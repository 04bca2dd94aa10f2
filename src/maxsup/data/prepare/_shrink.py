"""One photograph, made smaller."""

import io

from PIL import Image

from maxsup.data._image_file import MAX_MEGAPIXELS, ImageFile
from maxsup.data._orientation import UPRIGHT
from maxsup.data.prepare._settings import ShrinkSettings


def shrink_image(
    content: bytes, settings: ShrinkSettings, *, max_megapixels: int = MAX_MEGAPIXELS
) -> bytes:
    """An image file as a JPEG with a shorter side of at most so many pixels.

    It is written upright, whatever EXIF says, and opaque; grey stays grey, all else becomes RGB. A
    JPEG that is upright and small enough already is kept where it has fewer bytes.

    Args:
        content: The file.
        settings: How to write it.
        max_megapixels: How many millions of pixels may be decoded of it.

    Raises:
        UnreadableImageError: Pillow cannot read it, or it is too large.

    Example:
        >>> file = io.BytesIO()
        >>> Image.new("RGB", (640, 480)).save(file, "PNG")
        >>> shrunk = shrink_image(file.getvalue(), ShrinkSettings(short_side=256))
        >>> Image.open(io.BytesIO(shrunk)).size
        (341, 256)
    """
    source = ImageFile(content, max_megapixels)
    width, height = source.size
    factor = min(1.0, settings.short_side / min(width, height))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    # As small as JPEG decodes it for less, but twice the size wanted for the filter.
    source.shrink(2 * size[0], 2 * size[1])
    image = source.read()
    if image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=settings.quality)
    as_it_was = (
        source.format == "JPEG"
        and source.mode in ("L", "RGB")
        and source.orientation == UPRIGHT
        and size == (width, height)
    )
    return min(content, file.getvalue(), key=len) if as_it_was else file.getvalue()
