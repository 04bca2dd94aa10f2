"""One photograph, made smaller."""

import io

from PIL import Image

from maxsup.data._entry import explained, is_grey, open_image
from maxsup.data.prepare._settings import ShrinkSettings


def shrink_image(content: bytes, settings: ShrinkSettings) -> bytes:
    """An image file as a JPEG with a shorter side of at most so many pixels.

    Grey stays grey, all else becomes RGB. A JPEG that is small enough already is
    kept where it has fewer bytes. Orientation in EXIF is ignored, as training ignores it.

    Args:
        content: The file.
        settings: How to write it.

    Raises:
        UnreadableImageError: Pillow cannot read it.

    Example:
        >>> file = io.BytesIO()
        >>> Image.new("RGB", (640, 480)).save(file, "PNG")
        >>> shrunk = shrink_image(file.getvalue(), ShrinkSettings(short_side=256))
        >>> Image.open(io.BytesIO(shrunk)).size
        (341, 256)
    """
    with open_image(content) as opened:
        width, height = opened.size
        form, mode = opened.format, opened.mode
        factor = min(1.0, settings.short_side / min(width, height))
        size = max(1, round(width * factor)), max(1, round(height * factor))
        # As small as JPEG decodes it for less, but twice the size wanted for the filter.
        opened.draft(None, (2 * size[0], 2 * size[1]))
        with explained(content):
            image = opened.convert("L" if is_grey(opened) else "RGB")
    if image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=settings.quality)
    as_it_was = form == "JPEG" and mode in ("L", "RGB") and size == (width, height)
    return min(content, file.getvalue(), key=len) if as_it_was else file.getvalue()
