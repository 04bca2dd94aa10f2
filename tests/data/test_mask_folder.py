from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maxsup.data import DataSettings
from maxsup.data.sources._mask_folder import MaskFolder
from maxsup.data.sources._objects import Shown, read_objects

WHOLE = Shown("small", (8, 8))


def write(path: Path, shade: int = 0, size: int = 8) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((size, size), dtype=np.uint8)
    pixels[:, :shade] = 255
    Image.fromarray(pixels).save(path)
    return str(path)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two classes with images of the same names."""
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            for number in range(2):
                write(tmp_path / "data" / split / name / f"{number}.png", 3)
    return tmp_path / "data"


def test_masks_are_found_by_name_and_by_the_folders_above(images: Path, tmp_path: Path) -> None:
    for row, (name, number) in enumerate((n, i) for n in ("cat", "dog") for i in range(2)):
        write(tmp_path / "masks" / name / f"{number}.bmp", row)
    settings = DataSettings(str(images))
    found = list(read_objects(settings, WHOLE, range(4), masks=str(tmp_path / "masks")))
    assert [each.mask is not None and int(each.mask.sum()) for each in found] == [0, 8, 16, 24]
    assert [each.total for each in found] == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        ((), "holds no images"),
        (("cat/0.png",), r"row 1 of split test \(.*1.png\): there is no mask called 1 in"),
        (("0.png", "1.png"), r"row 2 .*would be its, and that of .*cat/0.png too"),
        (("a/0.png", "b/0.png"), "2 masks in .* are called so: a/0.png, b/0.png"),
    ],
)
def test_masks_that_cannot_be_told(
    images: Path, tmp_path: Path, masks: tuple[str, ...], message: str
) -> None:
    (tmp_path / "masks").mkdir()
    for name in masks:
        write(tmp_path / "masks" / name, 2)
    settings = DataSettings(str(images))
    with pytest.raises(ValueError, match=message):
        list(read_objects(settings, WHOLE, range(4), masks=str(tmp_path / "masks")))


def test_a_mask_of_another_size_names_the_image(images: Path, tmp_path: Path) -> None:
    write(tmp_path / "masks" / "0.png", 2, size=9)
    settings = DataSettings(str(images))
    with pytest.raises(ValueError, match=r"test/cat/0.png\): the mask has 9×9 pixels.*8×8"):
        list(read_objects(settings, WHOLE, [0], masks=str(tmp_path / "masks")))


def test_what_is_neither_a_column_nor_a_folder(images: Path) -> None:
    with pytest.raises(ValueError, match=r"'mask' is no column of them.*or a folder of masks"):
        list(read_objects(DataSettings(str(images)), WHOLE, [0], masks="mask"))


def test_the_nearest_folder_counts_most(tmp_path: Path) -> None:
    for place in ("x/cat", "y/cat", "cat"):
        write(tmp_path / place / "7.png")
    masks = MaskFolder(tmp_path)
    assert masks.find("data/y/cat/7.jpg") == str(tmp_path / "y/cat/7.png")
    assert masks.find("data/x/cat/7.jpg") == str(tmp_path / "x/cat/7.png")
