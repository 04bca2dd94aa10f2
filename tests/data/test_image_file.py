"""Image files of every kind, the same for every reader."""

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from maxsup.data import (
    Box,
    DataSettings,
    PhotographSettings,
    ShrinkSettings,
    UnreadableImageError,
    decode_crop,
    load_images,
    prepare_shards,
    read_central_part,
    read_small_image,
    shrink_image,
)
from maxsup.data._image_file import ImageFile
from maxsup.data._modes import is_grey

from .folders import picture

SIDE = 24


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def scene() -> Image.Image:
    """A few smooth shapes, square."""
    return picture(3, (3, 3)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def by_small_reader(content: bytes, folder: Path) -> np.ndarray:
    for number, name in enumerate(("a", "a", "b", "b")):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / f"{number}.img.png").write_bytes(content)
    images = load_images(DataSettings(str(folder), test_fraction=0.5)).train.images  # type: ignore[attr-defined]
    return images[0].expand(3, -1, -1).permute(1, 2, 0).numpy()


def by_photograph_reader(content: bytes, folder: Path) -> np.ndarray:
    return decode_crop(content, lambda width, height: Box(0, 0, height, width), SIDE)


def by_prepare(content: bytes, folder: Path) -> np.ndarray:
    file = shrink_image(content, ShrinkSettings(SIDE, quality=95))
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


def by_a_trained_model(content: bytes, folder: Path) -> np.ndarray:
    return read_small_image(content, (SIDE, SIDE), grey=False)


def by_measuring(content: bytes, folder: Path) -> np.ndarray:
    return read_central_part(content, PhotographSettings(SIDE))


READERS = [by_small_reader, by_photograph_reader, by_prepare, by_a_trained_model, by_measuring]
Reader = Callable[[bytes, Path], np.ndarray]


def sixteen(image: Image.Image, kind: str = "<u2") -> Image.Image:
    return Image.fromarray((np.asarray(image).astype(np.uint16) * 257).astype(kind))


def rotated(image: Image.Image, form: str) -> bytes:
    """Stored lying on its side, with EXIF that says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(image.transpose(Image.Transpose.ROTATE_90), form, exif=exif)


def half_transparent(image: Image.Image, mode: str) -> Image.Image:
    """White on its left where it is shown on white; the colours below are others."""
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, SIDE // 2, SIDE))
    image = image.convert("RGB")
    image.putalpha(alpha)
    return image.convert(mode)


def half_white(image: Image.Image) -> Image.Image:
    image = image.copy()
    image.paste((255, 255, 255) if image.mode == "RGB" else 255, (0, 0, SIDE // 2, SIDE))
    return image


def sixteen_bit_png(image: Image.Image) -> bytes:
    """A PNG of colour with 16 bits, which Pillow reads and does not write."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    numbers = (np.asarray(image).astype(np.uint16) * 257).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in numbers)
    header = struct.pack(">IIBBBBB", *image.size, 16, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def sixteen_with_transparency(grey: Image.Image) -> bytes:
    numbers = np.array(sixteen(grey))
    numbers[:, : SIDE // 2] = 77
    return encoded(Image.fromarray(numbers), transparency=77)


def kinds() -> dict[str, tuple[bytes, Image.Image]]:
    """Files of one scene, and what they should look like."""
    colour, grey = scene(), scene().convert("L")
    of_few = colour.quantize(16)
    black_and_white = grey.convert("1")
    unit = Image.fromarray(np.asarray(grey).astype(np.float32) / 255)
    wide = Image.fromarray(np.asarray(grey).astype(np.int32) * 257)
    hole = of_few.getpixel((0, 0))
    few_opaque = np.array(of_few.convert("RGB"))
    few_opaque[np.asarray(of_few) == hole] = 255
    return {
        "grey of 16 bits, PNG": (encoded(sixteen(grey)), grey),
        "RGB of 16 bits, PNG": (sixteen_bit_png(colour), colour),
        "grey of 16 bits, TIFF": (encoded(sixteen(grey), "TIFF"), grey),
        "grey of 16 bits, TIFF of the other byte order": (
            encoded(sixteen(grey, ">u2"), "TIFF"),
            grey,
        ),
        "grey of 16 bits, PGM": (encoded(wide, "PPM"), grey),
        "grey of 32 bits, TIFF": (encoded(wide, "TIFF"), grey),
        "floating-point numbers, TIFF": (encoded(unit, "TIFF"), grey),
        "grey of 16 bits with a transparent level": (
            sixteen_with_transparency(grey),
            half_white(grey),
        ),
        "black and white": (encoded(black_and_white), black_and_white),
        "palette": (encoded(of_few), of_few.convert("RGB")),
        "palette with a transparent colour, PNG": (
            encoded(of_few, transparency=hole),
            Image.fromarray(few_opaque),
        ),
        "palette with a transparent colour, GIF": (
            encoded(of_few, "GIF", transparency=hole),
            Image.fromarray(few_opaque),
        ),
        "RGBA, PNG": (encoded(half_transparent(colour, "RGBA")), half_white(colour)),
        "RGBA, WebP": (
            encoded(half_transparent(colour, "RGBA"), "WEBP", lossless=True, exact=True),
            half_white(colour),
        ),
        "LA": (encoded(half_transparent(grey, "LA")), half_white(grey)),
        "CMYK, TIFF": (encoded(colour.convert("CMYK"), "TIFF"), colour),
        "CMYK, JPEG": (encoded(colour.convert("CMYK"), "JPEG", quality=100), colour),
        "RGB named as another kind": (encoded(colour, "BMP"), colour),
        "upright by EXIF, JPEG": (rotated(colour, "JPEG"), colour),
        "upright by EXIF, PNG": (rotated(colour, "PNG"), colour),
        "upright by EXIF, WebP": (rotated(colour, "WEBP"), colour),
        "upright by EXIF, TIFF": (rotated(colour, "TIFF"), colour),
        "upright by EXIF, MPO": (rotated(colour, "MPO"), colour),
        "the first of an animation": (
            encoded(of_few, "GIF", save_all=True, append_images=[Image.new("P", of_few.size)]),
            of_few.convert("RGB"),
        ),
    }


KINDS = kinds()
LOSSY = ("JPEG", "MPO", "WebP")


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_reader_sees_the_same_of_every_kind(
    kind: str, reader: Reader, tmp_path: Path
) -> None:
    content, expected = KINDS[kind]
    found = reader(content, tmp_path).astype(int)
    difference = np.abs(found - np.asarray(expected.convert("RGB"))).mean()
    # What JPEG loses of sharp edges, where it stands in between.
    is_lossy = reader is by_prepare or any(form in kind for form in LOSSY)
    assert difference < (12 if is_lossy else 0.6)


def test_grey_of_16_bits_keeps_its_place_among_others(tmp_path: Path) -> None:
    """The brightness of one image does not depend on its own range."""
    for name, level in (("dark", 10_000), ("bright", 50_000)):
        (tmp_path / name).mkdir()
        for number in range(4):
            image = Image.fromarray(np.full((8, 8), level + number * 257, np.uint16))
            image.save(tmp_path / name / f"{number}.png")
    data = load_images(DataSettings(str(tmp_path), test_fraction=0.5))
    assert data.image_shape == (1, 8, 8)
    bright, dark = (
        data.train.images[data.train.labels == label].unique().tolist()  # type: ignore[attr-defined]
        for label in (0, 1)
    )
    assert set(bright) <= {195, 196, 197, 198}
    assert set(dark) <= {39, 40, 41, 42}


@pytest.mark.parametrize("photographs", [None, PhotographSettings(16, workers=0)])
def test_images_of_12_bits_in_16_are_dark_and_it_is_said(
    photographs: PhotographSettings | None, tmp_path: Path
) -> None:
    for most, name in ((4095, "dim"), (65535, "full")):
        for number in range(6):
            place = tmp_path / name / "ab"[number % 2] / f"{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            levels = np.random.default_rng(number).integers(0, most + 1, (16, 16))
            Image.fromarray(levels.astype(np.uint16)).save(place)
    dim, full = (
        load_images(DataSettings(str(tmp_path / name), test_fraction=0.5), photographs=photographs)
        for name in ("dim", "full")
    )
    (note,) = [note for note in dim.notes if "bits" in note]
    assert "brighter than 6.2 % of white, which leaves 16 of 255 levels" in note
    assert not any("bits" in note for note in full.notes)
    told: list[str] = []
    prepare_shards(DataSettings(str(tmp_path / "dim")), tmp_path / "out", announce=told.append)
    assert note in told


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (np.array([[-1, 5]], np.int32), r"\(mode I\) from -1 to 5, where 0 is black and 65535"),
        (np.array([[0, 70_000]], np.int32), "from 0 to 70000"),
        (np.array([[0, 255]], np.float32), r"mode F\) from 0 to 255, where 0 is black and 1 is"),
        (np.array([[0, np.nan]], np.float32), "from nan to nan"),
    ],
)
@pytest.mark.parametrize("reader", READERS)
def test_numbers_beyond_white_are_refused(
    numbers: np.ndarray, said: str, reader: Reader, tmp_path: Path
) -> None:
    content = encoded(Image.fromarray(numbers), "TIFF")
    with pytest.raises(ValueError, match=said + r"(.|\n)*convert it to 8 or 16 bits"):
        reader(content, tmp_path)


def test_greyness_is_that_of_the_mode() -> None:
    for mode in ("1", "L", "LA", "I", "F", "I;16", "I;16B"):
        assert is_grey(Image.new(mode, (2, 2)))
    for mode in ("RGB", "RGBA", "P", "CMYK"):
        assert not is_grey(Image.new(mode, (2, 2)))


def test_orientation_in_xmp_counts_where_exif_has_none() -> None:
    colour = scene()
    turned = colour.transpose(Image.Transpose.ROTATE_90)
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    plain = Image.Exif()
    for exif in (None, plain):
        content = encoded(turned, "JPEG", quality=100, xmp=xmp, exif=exif or plain)
        found = by_photograph_reader(content, Path()).astype(int)
        assert np.abs(found - np.asarray(colour)).mean() < 12
        assert ImageFile(content).orientation == 6
    plain[0x0112] = 1
    assert ImageFile(encoded(turned, "JPEG", xmp=xmp, exif=plain)).orientation == 1


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MMMM"])
def test_damaged_exif_leaves_the_image_as_it_is(exif: bytes) -> None:
    content = encoded(scene(), "JPEG", exif=exif)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of the damage
        assert ImageFile(content).orientation == 1
    assert by_photograph_reader(content, Path()).shape == (SIDE, SIDE, 3)


@pytest.mark.parametrize("orientation", [0, 9, 700])
def test_orientations_that_there_are_not_change_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(scene(), "JPEG", exif=exif)
    plain = encoded(scene(), "JPEG")
    assert np.array_equal(
        by_photograph_reader(content, Path()), by_photograph_reader(plain, Path())
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_prepare_writes_upright_what_pillow_turns_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = picture(1, (4, 3)).resize((80, 60), Image.Resampling.BICUBIC)
    content = encoded(image, "JPEG", exif=exif, quality=95)
    for side in (30, 200):  # made smaller, and kept
        shrunk = Image.open(io.BytesIO(shrink_image(content, ShrinkSettings(side, quality=95))))
        assert shrunk.getexif().get(0x0112, 1) == 1
        expected = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).resize(shrunk.size)
        assert np.abs(np.asarray(shrunk).astype(int) - np.asarray(expected)).mean() < 8


def test_file_that_is_no_image_says_why() -> None:
    for content, reason in ((b"", "it is empty"), (b"text", "no known image format")):
        with pytest.raises(UnreadableImageError, match=f"bytes cannot be decoded: {reason}"):
            ImageFile(content)


def large(form: str, width: int = 3000, height: int = 2000) -> bytes:
    """A file of six megapixels and a few kilobytes."""
    colours = Image.new("RGB", (width, height), (200, 30, 30))
    colours.paste((30, 200, 30), (0, 0, width // 2, height))
    return encoded(colours, form)


def test_images_of_too_many_pixels_are_read_smaller_or_refused() -> None:
    """A JPEG is decoded at an eighth; what must be decoded whole is refused before that."""
    jpeg, png = large("JPEG"), large("PNG")
    few = {"max_megapixels": 1}
    box = Box(0, 0, 2000, 3000)
    assert decode_crop(jpeg, lambda w, h: box, 64, **few)[32, 60].round(-1).tolist() == [
        200,
        30,
        30,
    ]
    assert shrink_image(jpeg, ShrinkSettings(100), **few)
    said = "3,000×2,000 pixels to decode are more than the 1 megapixels that --max-megapixels"
    for read in (
        lambda: decode_crop(png, lambda w, h: box, 64, **few),
        lambda: decode_crop(jpeg, lambda w, h: box, 1500, **few),
        lambda: shrink_image(png, ShrinkSettings(100), **few),
        lambda: ImageFile(jpeg, 1).read(),
    ):
        with pytest.raises(UnreadableImageError, match=said):
            read()
    assert decode_crop(png, lambda w, h: box, 64).shape == (64, 64, 3)


def test_limit_of_pixels_is_a_setting_of_the_data(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(2):
            (tmp_path / name / f"{number}.jpg").write_bytes(large("JPEG"))
    (tmp_path / "a" / "2.png").write_bytes(large("PNG"))
    settings = DataSettings(str(tmp_path), test_fraction=0.5, max_megapixels=1, max_corrupt=1)
    small = load_images(settings, image_size=32)
    assert len(small.train) + len(small.test) == 4
    assert "more than the 1 megapixels" in small.train.corrupt.listed()[0].reason
    stored = load_images(settings, photographs=PhotographSettings(32, workers=0))
    seen = [
        len(batch) for split in (stored.train, stored.test) for batch in split.evaluation_batches(8)
    ]
    assert sum(seen) == 4
    assert "more than the 1 megapixels" in stored.train.corrupt.listed()[0].reason


def test_images_that_pillow_warns_of_are_opened_without_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # it warns beyond, and fails at the double
    for width in (50, 200):
        content = encoded(Image.new("RGB", (width, 30)))
        assert ImageFile(content).size == (width, 30)
    assert Image.MAX_IMAGE_PIXELS == 1000


def test_line_of_pixels_is_brought_to_a_square_without_filling_the_memory() -> None:
    for size in ((1, 3000), (3000, 1)):
        pixels = read_small_image(encoded(picture(0, size)), (64, 64), grey=False)
        assert pixels.shape == (64, 64, 3)
