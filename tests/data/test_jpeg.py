import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from maxsup.data import Box, UnreadableImageError, decode_crop, random_crop_box
from maxsup.data.photographs._jpeg_header import read_jpeg_header

RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
# Mean absolute differences, in levels of 255. The resizers round differently; scaled decoding is
# another filter than resizing.
ROUNDING, SCALED = 0.35, 2.5


def photograph(width: int, height: int, seed: int = 0) -> Image.Image:
    """Smooth shapes with a little noise, in all colours."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (max(2, height // 24), max(2, width // 24), 3))
    image = Image.fromarray(coarse.astype(np.uint8)).resize((width, height), 3)
    noisy = np.asarray(image).astype(float) + generator.normal(0, 3, (height, width, 1))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def encoded(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def upright(content: bytes) -> Image.Image:
    return ImageOps.exif_transpose(Image.open(io.BytesIO(content)))


def reference(content: bytes, box: Box, size: int, interpolation: str) -> np.ndarray:
    image = upright(content).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    image = Image.alpha_composite(white, image).convert("RGB")
    top, left, height, width = box
    cropped = image.crop((left, top, left + width, top + height))
    return np.asarray(cropped.resize((size, size), RESAMPLING[interpolation]))


def difference(content: bytes, box: Box, size: int, interpolation: str = "bilinear") -> float:
    pixels = decode_crop(content, lambda width, height: box, size, interpolation=interpolation)  # type: ignore[arg-type]
    assert pixels.shape == (size, size, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable
    return float(np.abs(pixels.astype(int) - reference(content, box, size, interpolation)).mean())


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_decode_crop_agrees_with_pillow(interpolation: str, subsampling: int) -> None:
    for seed in range(12):
        generator = np.random.default_rng(seed)
        width, height, size = generator.integers([60, 60, 20], [400, 400, 90]).tolist()
        content = encoded(photograph(width, height, seed), quality=90, subsampling=subsampling)
        box = random_crop_box(width, height, seed)
        tolerance = SCALED if min(box.height, box.width) >= 2 * size else ROUNDING
        assert difference(content, box, size, interpolation) < tolerance, seed


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_decode_crop_changes_no_row_by_leaving_out_those_below(
    subsampling: int, options: dict[str, Any]
) -> None:
    content = encoded(photograph(70, 90), subsampling=subsampling, **options)
    whole = np.asarray(Image.open(io.BytesIO(content)))
    for top in range(58):
        box = Box(top, 3, 32, 32)
        pixels = decode_crop(content, lambda width, height, box=box: box, 32)
        assert np.abs(pixels.astype(int) - whole[top : top + 32, 3:35]).max() <= 1


@pytest.mark.parametrize("scale", [2, 4, 8])
@pytest.mark.parametrize("offset", [0, 1, 5])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_decode_crop_decodes_large_crops_at_a_smaller_scale(
    scale: int, offset: int, subsampling: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import simplejpeg

    content = encoded(photograph(403, 351), quality=92, subsampling=subsampling)
    box = Box(offset, offset + 3, 36 * scale, 34 * scale + offset)
    shapes = []
    decode = simplejpeg.decode_jpeg

    def spy(*arguments: Any, **options: Any) -> np.ndarray:
        pixels = decode(*arguments, **options)
        shapes.append(pixels.shape)
        return pixels

    monkeypatch.setattr(simplejpeg, "decode_jpeg", spy)
    assert difference(content, box, 32) < SCALED
    assert [shape[1] for shape in shapes] == [-(-403 // scale)]


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 9), (17, 1), (7, 5), (8, 16), (33, 47)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [1, 4, 16])
def test_decode_crop_of_odd_sizes_and_grey(width: int, height: int, mode: str, size: int) -> None:
    content = encoded(photograph(width, height).convert(mode))
    assert difference(content, Box(0, 0, height, width), size) < SCALED
    assert difference(content, Box(height - 1, width - 1, 1, 1), size) <= 1


@pytest.mark.parametrize(
    ("mode", "form", "options"),
    [
        ("RGB", "JPEG", {"progressive": True}),
        ("L", "JPEG", {"progressive": True}),
        ("CMYK", "JPEG", {}),
        ("RGB", "PNG", {}),
        ("RGBA", "PNG", {}),
        ("P", "PNG", {}),
        ("1", "PNG", {}),
        ("L", "PNG", {}),
        ("RGB", "WEBP", {"lossless": True}),
        ("RGB", "BMP", {}),
        ("P", "GIF", {}),
    ],
)
def test_decode_crop_of_other_kinds_of_files(mode: str, form: str, options: dict[str, Any]) -> None:
    content = encoded(photograph(90, 70).convert(mode), form, **options)
    assert difference(content, Box(8, 5, 41, 43), 32) < ROUNDING
    assert difference(content, Box(0, 0, 70, 90), 20) < SCALED


@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("subsampling", [0, 1])
def test_decode_crop_turns_the_image_upright(orientation: int, subsampling: int) -> None:
    """The box is one of the upright image, whether it is decoded whole or smaller."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(photograph(211, 140), exif=exif, quality=92, subsampling=subsampling)
    width, height = upright(content).size
    assert (width > height) == (orientation < 5)
    for seed in range(6):
        box = random_crop_box(width, height, seed)
        assert difference(content, box, 30) < SCALED
        assert difference(content, Box(9, 7, 32, 32), 32) < ROUNDING


def test_decode_crop_ignores_bytes_after_the_end() -> None:
    content = encoded(photograph(60, 40))
    assert difference(content + b"\0\0more", Box(2, 2, 30, 30), 32) < ROUNDING


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("fraction", [0.0, 0.01, 0.3, 0.9])
def test_decode_crop_of_truncated_files(form: str, fraction: float) -> None:
    content = encoded(photograph(200, 150), form)
    with pytest.raises(ValueError, match=r"cannot be decoded: .*\. Repair or remove it"):
        decode_crop(content[: int(fraction * len(content))], lambda w, h: Box(0, 0, h, w), 32)


def test_decode_crop_of_what_is_no_image() -> None:
    for content in (b"", b"\xff\xd8\xff\xd9", b"text", b"\xff\xd8" + bytes(50) + b"\xff\xd9"):
        with pytest.raises(ValueError, match="cannot be decoded"):
            decode_crop(content, lambda w, h: Box(0, 0, h, w), 32)


def test_decode_crop_of_any_wrong_header_byte_gives_an_image_or_a_reason() -> None:
    content = encoded(photograph(24, 16), progressive=False)
    generator = np.random.default_rng(0)
    for at in range(2, len(content) - 2):
        broken = bytearray(content)
        broken[at] = generator.integers(256)
        header = read_jpeg_header(bytes(broken))
        if header is not None and header.width * header.height > 10**6:
            continue
        try:
            pixels = decode_crop(bytes(broken), lambda w, h: Box(0, 0, min(h, 16), min(w, 24)), 8)
        except UnreadableImageError:  # and no other error
            continue
        assert pixels.shape == (8, 8, 3)


def test_decode_crop_chooses_the_box_once_from_width_and_height() -> None:
    asked = []

    def choose(width: int, height: int) -> Box:
        asked.append((width, height))
        return Box(0, 0, height, width)

    for form in ("JPEG", "PNG"):
        decode_crop(encoded(photograph(50, 30), form), choose, 8)
    assert asked == [(50, 30), (50, 30)]


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    "box", [Box(-1, 0, 5, 5), Box(0, 0, 0, 5), Box(0, 47, 5, 5), Box(27, 0, 5, 5)]
)
def test_decode_crop_of_boxes_outside(form: str, box: Box) -> None:
    content = encoded(photograph(50, 30), form)
    with pytest.raises(ValueError, match="does not lie in an image of 50×30 pixels"):
        decode_crop(content, lambda w, h: box, 8)


def test_decode_crop_arguments_that_cannot_be() -> None:
    content = encoded(photograph(8, 8))
    with pytest.raises(ValueError, match="size must be at least 1; got 0"):
        decode_crop(content, lambda w, h: Box(0, 0, h, w), 0)
    with pytest.raises(ValueError, match="bilinear or bicubic; got 'nearest'"):
        decode_crop(content, lambda w, h: Box(0, 0, h, w), 8, interpolation="nearest")  # type: ignore[arg-type]
