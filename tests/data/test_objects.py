import io

import datasets
import numpy as np
import pytest
from PIL import Image

from maxsup.data import DataSettings
from maxsup.data.small._image import square_part, to_square
from maxsup.data.sources._objects import Shown, read_objects

WHOLE = Shown("photographs", (50, 50))


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return {"bytes": buffer.getvalue(), "path": None}


def write(path, sizes, **columns):
    """A Parquet file with a test split of grey images and these columns."""
    images = [encoded(Image.new("L", size)) for size in sizes]
    features = {"image": datasets.Image(), "label": datasets.Value("int64")}
    table = datasets.Dataset.from_dict({"image": images, "label": [0] * len(sizes), **columns})
    kinds = {name: kind for name, kind in table.features.items() if name not in features}
    if "mask" in columns:
        kinds["mask"] = datasets.Image()
    path.mkdir(exist_ok=True)
    table.cast(datasets.Features({**features, **kinds})).to_parquet(path / "test.parquet")
    return DataSettings(str(path), image_column="image", train_split="test")


def read(settings, shown=WHOLE, rows=(0,), **columns):
    return list(read_objects(settings, shown, rows, **columns))


def test_boxes_follow_crop_and_resize(tmp_path):
    boxes = [[[25.0, 0.0, 50.0, 50.0]], [[0.0, 0.0, 10.0, 10.0], [40.0, 20.0, 100.0, 10.0]]]
    data = write(tmp_path, [(100, 50), (200, 100)], objects=[{"bbox": each} for each in boxes])
    first, second = read(data, Shown("photographs", (25, 25), 0.5), (0, 1), boxes="objects.bbox")
    # Of 100×50 the square of 25 pixels at the centre, from (37, 12): the box fills it.
    assert first.boxes.tolist() == [[0, 0, 25, 25]]
    assert (first.total, first.cut, first.row) == (1, 0, 0)
    # Of 200×100 that of 50, from (75, 25), made half as large.
    assert second.boxes.tolist() == [[0, 0, 25, 2.5]]
    assert (second.total, second.cut, second.row) == (2, 1, 1)


@pytest.mark.parametrize(
    "value",
    [
        {"bbox": [[1.0, 2.0, 3.0, 4.0]]},
        [{"bbox": [1.0, 2.0, 3.0, 4.0]}],
    ],
)
def test_boxes_in_a_struct_of_lists_or_a_list_of_structs(tmp_path, value):
    data = write(tmp_path, [(50, 50)], objects=[value])
    assert read(data, boxes="objects.bbox")[0].boxes.tolist() == [[1, 2, 4, 6]]


def test_one_box_by_itself_and_none(tmp_path):
    data = write(tmp_path, [(50, 50)] * 2, bbox=[[1.0, 2.0, 3.0, 4.0], []])
    one, none = read(data, rows=(0, 1), boxes="bbox")
    assert one.boxes.tolist() == [[1, 2, 4, 6]]
    assert (len(none.boxes), none.total, none.cut) == (0, 0, 0)


def test_what_rounding_leaves_beyond_the_edge_is_cut_off(tmp_path):
    data = write(tmp_path, [(50, 50)], bbox=[[-0.4, 0.0, 50.9, 50.0]])
    assert read(data, boxes="bbox")[0].boxes.tolist() == [[0, 0, 50, 50]]


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ([10.0, 10.0, 60.0, 5.0], r"row 1 of split test.*\[10.0, 10.0, 60.0, 5.0\].*50×40 pixels"),
        ([10.0, 10.0, 0.0, 5.0], "row 1 .* is empty or lies outside"),
        ([10.0, float("nan"), 5.0, 5.0], "row 1 .* is empty or lies outside"),
        ([1.0, 2.0, 3.0], r"row 1 .*four numbers.*got \[1.0, 2.0, 3.0\]"),
    ],
)
def test_a_box_that_cannot_be_names_its_sample(tmp_path, box, message):
    data = write(tmp_path, [(50, 40)] * 2, bbox=[[1.0, 1.0, 5.0, 5.0], box])
    with pytest.raises(ValueError, match=message):
        read(data, rows=(0, 1), boxes="bbox")


def mask(size, part):
    pixels = np.zeros((size[1], size[0]), dtype=np.uint8)
    left, top, right, bottom = part
    pixels[top:bottom, left:right] = 3
    return pixels


def test_masks_follow_crop_and_resize(tmp_path):
    pixels = mask((100, 50), (40, 10, 50, 20))
    palette = Image.fromarray(pixels, "P")
    palette.putpalette([200, 0, 0] * 256)
    kinds = [
        Image.fromarray(pixels),
        Image.fromarray(pixels.astype(np.uint16)),
        Image.fromarray(np.stack([pixels] * 3, axis=2)),
        Image.fromarray(pixels > 0),
        palette,
    ]
    data = write(tmp_path, [(100, 50)] * len(kinds), mask=[encoded(each, "PNG") for each in kinds])
    expected = np.zeros((25, 25), dtype=bool)
    expected[5:10, 7:12] = True
    for each in read(data, Shown("photographs", (25, 25)), range(len(kinds)), masks="mask"):
        assert np.array_equal(each.mask.numpy(), expected)
        assert (each.total, each.cut, each.boxes) == (1, 0, None)


def test_a_mask_that_is_empty_cut_off_or_of_another_size(tmp_path):
    masks = [
        mask((100, 50), (0, 0, 0, 0)),
        mask((100, 50), (0, 0, 10, 10)),
        mask((99, 50), (0, 0, 1, 1)),
    ]
    data = write(tmp_path, [(100, 50)] * 3, mask=[encoded(Image.fromarray(each)) for each in masks])
    empty, cut = read(data, rows=(0, 1), masks="mask")
    assert (empty.total, empty.cut) == (0, 0)
    assert (cut.total, cut.cut, bool(cut.mask.any())) == (1, 1, False)
    with pytest.raises(
        ValueError, match=r"row 2 of split test.*99×50 pixels, and its image 100×50"
    ):
        read(data, rows=(2,), masks="mask")


def test_a_column_that_is_not_there_or_of_another_kind(tmp_path):
    data = write(tmp_path, [(50, 50)], bbox=[[1.0, 2.0, 3.0, 4.0]])
    with pytest.raises(ValueError, match=r"boxes: 'box' is no column.*bbox \(list of float64\)"):
        read(data, boxes="box")
    with pytest.raises(ValueError, match="masks: 'bbox' is no column"):
        read(data, masks="bbox")
    with pytest.raises(ValueError, match="the digits have no column"):
        read(DataSettings("digits"), boxes="bbox")


@pytest.mark.parametrize("size", [(64, 32), (33, 50), (16, 16), (700, 5)])
def test_small_images_show_the_part_that_is_told(size):
    ramp = np.tile(np.arange(size[0], dtype=np.float32), (size[1], 1))
    shown = np.asarray(to_square(Image.fromarray(ramp, "F"), 16))
    left, top, right, bottom = square_part(*size, 16)
    middle = left + (np.arange(16) + 0.5) * (right - left) / 16 - 0.5
    assert np.abs(shown[8, 3:-3] - middle[3:-3]).max() < 0.51
    assert 0 <= left < right <= size[0] + 1e-9
    assert 0 <= top < bottom <= size[1] + 1e-9


def test_of_all_rows_those_are_left_out_whose_image_cannot_be_read(tmp_path):
    images = [encoded(Image.new("L", (50, 50))), {"bytes": b"no image", "path": None}]
    kinds = datasets.Features(
        image=datasets.Image(),
        label=datasets.Value("int64"),
        bbox=datasets.List(datasets.Value("float64")),
    )
    rows = {"image": images, "label": [0, 0], "bbox": [[1.0, 2.0, 3.0, 4.0]] * 2}
    table = datasets.Dataset.from_dict(rows).cast(kinds)
    table.to_parquet(tmp_path / "test.parquet")
    data = DataSettings(str(tmp_path), train_split="test")
    assert [each.row for each in read_objects(data, WHOLE, boxes="bbox")] == [0]
    with pytest.raises(ValueError, match=r"row 1 .*its image cannot be read"):
        read(data, rows=(0, 1), boxes="bbox")
