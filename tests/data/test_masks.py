import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.data.folders import picture
from tests.data.masks import mask, mask_parquet, pairs, write_pairs

from maxsup.data import DataSettings
from maxsup.data.masks import MaskData, MaskSettings, load_masks, safe_palette
from maxsup.data.masks._palette import as_seen

SPLITS = {"train": pairs(6), "validation": pairs(2, 20), "test": pairs(3, 30)}


def flat(value: int, size: tuple[int, int] = (16, 12)) -> Image.Image:
    return Image.fromarray(np.full(size[::-1], value, dtype=np.uint8))


def load(root: Path | str, said: MaskSettings | None = None, **settings: Any) -> MaskData:
    return load_masks(DataSettings(str(root), **settings), mask=said)


def labels_of(data: MaskData) -> list[np.ndarray[Any, Any]]:
    return [data.train.item(index)[1].numpy() for index in range(len(data.train))]


def test_parquet_as_the_hub_has_it(tmp_path: Path) -> None:
    data = load(mask_parquet(tmp_path / "roads", SPLITS))
    assert data.validation is not None
    assert (len(data.train), len(data.validation), len(data.test)) == (6, 2, 3)
    assert data.classes == ("class 0", "class 1", "class 2")
    assert data.image_shape == (3, 12, 16)
    assert data.name == "roads"
    expected = np.stack([np.asarray(labels) for _, labels in SPLITS["train"]])
    image, labels = data.train.item(4)
    assert torch.equal(labels, torch.from_numpy(expected[4]))
    assert image.permute(1, 2, 0).numpy().tolist() == np.asarray(SPLITS["train"][4][0]).tolist()
    counts = [int((expected == label).sum()) for label in range(3)]
    assert data.class_pixels.tolist() == counts
    assert "Nothing names the 3 classes" in " ".join(data.notes)


@pytest.mark.parametrize("column", ["mask", "label", "annotation", "segmentation"])
def test_columns_called_like_masks_are_found(tmp_path: Path, column: str) -> None:
    assert len(load(mask_parquet(tmp_path / "d", SPLITS, column)).train) == 6


def test_columns_called_otherwise_are_named(tmp_path: Path) -> None:
    place = mask_parquet(tmp_path / "d", SPLITS, "target_map")
    with pytest.raises(ValueError, match=r"--mask-column; there are the columns .*target_map"):
        load(place)
    assert len(load(place, MaskSettings(mask_column="target_map")).train) == 6
    assert len(load(place, image_column="image").train) == 6
    with pytest.raises(ValueError, match="'other' is no column of images"):
        load(place, MaskSettings(mask_column="other"))


LAYOUTS: dict[str, Callable[[str], tuple[str, str]]] = {
    "images/train": lambda s: (f"images/{s}", f"masks/{s}"),
    "train/images": lambda s: (f"{s}/images", f"{s}/labels"),
    "trainannot": lambda s: (s, f"{s}annot"),
    "train_labels": lambda s: (s, f"{s}_labels"),
    "annotations/training": lambda s: (f"images/{s}ing", f"annotations/{s}ing"),
    "one folder around": lambda s: (f"data/Images/{s}", f"data/Masks/{s}"),
    "cities": lambda s: (f"images/{s}/bonn", f"gt/{s}/bonn"),
    "img_dir": lambda s: (f"img_dir/{s}", f"ann_dir/{s}"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_folders(tmp_path: Path, layout: str) -> None:
    for split, first in (("train", 0), ("test", 40)):
        images, masks = LAYOUTS[layout](split)
        write_pairs(tmp_path / images, tmp_path / masks, pairs(4, first), first)
    data = load(tmp_path, MaskSettings(reduce_zero_label=False, classes=("a", "b", "c")))
    assert (len(data.train), len(data.test)) == (4, 4)
    for seed, found in enumerate(labels_of(data)):
        assert found.tolist() == np.asarray(mask(seed)).tolist()


def test_folders_without_splits_hold_a_test_part_out(tmp_path: Path) -> None:
    write_pairs(tmp_path / "images", tmp_path / "masks", pairs(10))
    data = load(tmp_path, validation=0.25)
    assert data.validation is not None
    assert data.test_is_drawn
    parts = [data.train.ids, data.validation.ids, data.test.ids]
    assert [len(part) for part in parts] == [6, 2, 2]
    assert sorted(torch.cat(parts).tolist()) == list(range(10))
    again, other = (load(tmp_path, data_seed=seed).test.ids.tolist() for seed in (0, 1))
    assert again == data.test.ids.tolist() != other
    assert "20 % of the images of train were held out" in " ".join(data.notes)


def test_names_of_masks_may_end_with_what_they_are(tmp_path: Path) -> None:
    write_pairs(tmp_path / "images", tmp_path / "masks", pairs(5))
    for file in (tmp_path / "masks").iterdir():
        file.rename(file.with_name(f"{file.stem}_L.png"))
    assert len(load(tmp_path, test_fraction=0.4).train) == 3


def test_images_and_masks_may_lie_together(tmp_path: Path) -> None:
    """As x_sat.jpg and x_mask.png do in data of land from above, or x.png and x_mask.png."""
    for image_ending in ("", "_sat"):
        root = tmp_path / f"with{image_ending}"
        root.mkdir()
        for number, (image, labels) in enumerate(pairs(5)):
            image.save(root / f"{number}{image_ending}.png")
            labels.save(root / f"{number}_mask.png")
        data = load(root, test_fraction=0.4)
        expected = [np.asarray(mask(seed)).tolist() for seed in data.train.ids.tolist()]
        assert [labels.tolist() for labels in labels_of(data)] == expected


def test_a_fraction_is_part_of_a_larger_one(tmp_path: Path) -> None:
    place = mask_parquet(tmp_path / "d", {"train": pairs(10), "test": pairs(2, 50)})
    small, large = (set(load(place, fraction=f).train.ids.tolist()) for f in (0.3, 0.6))
    assert len(small) == 3
    assert len(large) == 6
    assert small < large
    with pytest.raises(ValueError, match="data_seed has no effect"):
        load(place, data_seed=1)


def test_ade20k_reduces_its_zero_label(tmp_path: Path) -> None:
    found = [(picture(seed, (16, 12)), mask(seed, values=(0, 1, 150))) for seed in range(3)]
    for split in ("training", "validation"):
        write_pairs(tmp_path / "images" / split, tmp_path / "annotations" / split, found)
    (tmp_path / "sceneCategories.txt").write_text("ADE_train_00000001 airport_terminal\n")
    for with_file in (False, True):
        if with_file:
            rows = [f"{n}\t0.1\t11\t1\t1\tname {n}, other name" for n in range(1, 151)]
            text = "\n".join(["Idx\tRatio\tTrain\tVal\tStuff\tName", *rows])
            (tmp_path / "objectInfo150.txt").write_text(text)
        data = load(tmp_path)
        assert len(data.classes) == 150
        assert data.classes[0] == ("name 1" if with_file else "wall")
        raw = np.asarray(found[0][1]).astype(int)
        assert labels_of(data)[0].tolist() == np.where(raw == 0, 255, raw - 1).tolist()
        assert "Label 0 means void" in " ".join(data.notes)
    with pytest.raises(ValueError, match=r"150 in .* pixels of 6 masks"):
        load(tmp_path, MaskSettings(reduce_zero_label=False))


def test_camvids_eleventh_label_is_void(tmp_path: Path) -> None:
    found = [(picture(seed, (16, 12)), mask(seed, values=range(12))) for seed in range(3)]
    for split in ("train", "val", "test"):
        for name in ("CamVid", "mine"):
            root = tmp_path / name
            write_pairs(root / split, root / f"{split}annot", found)
    data = load(tmp_path / "CamVid")
    assert data.validation is not None
    assert data.classes[-1] == "bicyclist"
    assert len(data.classes) == 11
    raw = np.asarray(found[0][1])
    assert labels_of(data)[0].tolist() == np.where(raw == 11, 255, raw).tolist()
    # Folders that are called as CamVid's say nothing of the classes.
    assert len(load(tmp_path / "mine").classes) == 12
    said = load(tmp_path / "mine", MaskSettings(classes="camvid"))
    assert torch.equal(said.class_pixels, data.class_pixels)


def test_folders_called_like_ade20ks_may_hold_other_data(tmp_path: Path) -> None:
    for split in ("training", "validation"):
        write_pairs(tmp_path / "images" / split, tmp_path / "annotations" / split, pairs(3))
    assert len(load(tmp_path).classes) == 3
    data = load(tmp_path, MaskSettings(classes="ade20k"))
    assert len(data.classes) == 150
    assert "Label 0 means void" in " ".join(data.notes)


def test_colours_stand_for_classes(tmp_path: Path) -> None:
    colors = np.array([[0, 0, 0], [128, 64, 128], [0, 0, 192], [1, 2, 3]], dtype=np.uint8)
    indices = [np.asarray(mask(seed, values=(0, 1, 2, 3))) for seed in range(4)]
    found = [(picture(0, (16, 12)), Image.fromarray(colors[each])) for each in indices]
    write_pairs(tmp_path / "images", tmp_path / "masks", found)
    with pytest.raises(ValueError, match=r"is in colours \(such as .*--colors"):
        load(tmp_path)
    table = "name,r,g,b\nroad,128,64,128\nVoid,0,0,0\ncar, 0, 0, 192\nrest,1,2,3\n"
    (tmp_path / "elsewhere.csv").write_text(table)
    for kind in ("csv", "json", "beside", "rgba"):
        said = MaskSettings(colors=str(tmp_path / "elsewhere.csv"))
        if kind == "json":
            text = (
                '{"road": [128, 64, 128], "void": [0, 0, 0], "car": [0, 0, 192], "rest": [1, 2, 3]}'
            )
            (tmp_path / "colors.json").write_text(text)
            said = MaskSettings(colors=str(tmp_path / "colors.json"))
        elif kind == "beside":
            (tmp_path / "class_dict.csv").write_text(table)
            said = MaskSettings()
        elif kind == "rgba":
            for file in (tmp_path / "masks").iterdir():
                Image.open(file).convert("RGBA").save(file)
        data = load(tmp_path, said, test_fraction=0.25)
        assert data.classes == ("road", "car", "rest")
        expected = np.array([255, 0, 1, 2])[indices[int(data.train.ids[0])]]
        assert labels_of(data)[0].tolist() == expected.tolist()
    with pytest.raises(ValueError, match=r"classes has no effect: .*class_dict\.csv beside them"):
        load(tmp_path, MaskSettings(classes=("a", "b", "c")))
    (tmp_path / "class_dict.csv").write_text(table.replace("rest,1,2,3\n", ""))
    with pytest.raises(ValueError, match=r"\(1, 2, 3\) in [\d,]+ pixels of 4 masks, the first in"):
        load(tmp_path)


def test_masks_of_black_and_white_are_not_void(tmp_path: Path) -> None:
    """255 is the object in most masks of one: it must not be ignored in silence."""
    found = [(picture(seed), mask(seed, (8, 8), (0, 255))) for seed in range(4)]
    write_pairs(tmp_path / "images", tmp_path / "masks", found)
    with pytest.raises(ValueError, match=r"masks hold class 0 alone.*object,255,255,255"):
        load(tmp_path)
    (tmp_path / "table.csv").write_text("name,r,g,b\nbackground,0,0,0\nobject,255,255,255\n")
    data = load(tmp_path, MaskSettings(colors=str(tmp_path / "table.csv")), test_fraction=0.25)
    assert labels_of(data)[0].max() == 1


def palette_mask(labels: Image.Image) -> Image.Image:
    found = Image.fromarray(np.asarray(labels), mode="P")
    found.putpalette([(7 * n) % 256 for n in range(768)])
    return found


KINDS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "palette": palette_mask,
    "palette with transparency": lambda m: palette_mask(m),
    "grey as RGB": lambda m: m.convert("RGB"),
    "grey with alpha": lambda m: m.convert("LA"),
    "16 bits": lambda m: Image.fromarray(np.asarray(m).astype(np.uint16)),
    "1 bit": lambda m: Image.fromarray(np.asarray(m) == 1),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_masks(tmp_path: Path, kind: str) -> None:
    found = [(image, KINDS[kind](labels)) for image, labels in pairs(5)]
    place = mask_parquet(tmp_path / "d", {"train": found, "test": found[:1]})
    data = load(place)
    expected = np.asarray(pairs(5)[0][1])
    if kind == "1 bit":
        expected = (expected == 1).astype(np.uint8)
    assert labels_of(data)[0].tolist() == expected.tolist()


def test_palettes_that_differ_do_not_tell_classes(tmp_path: Path) -> None:
    """A palette made for each file numbers colours by how often they occur."""
    found = []
    for seed, (image, labels) in enumerate(pairs(5)):
        order = np.random.default_rng(seed).permutation(4)
        # Index n stands for the grey of order[n].
        index = order.argsort()[np.minimum(np.asarray(labels), 3)].astype(np.uint8)
        indexed = Image.fromarray(index, mode="P")
        indexed.putpalette([int((0, 1, 2, 255)[n]) for n in order for _ in range(3)])
        found.append((image, indexed))
    place = mask_parquet(tmp_path / "d", {"train": found, "test": found[:1]})
    with pytest.raises(ValueError, match=r"palettes that differ: \d has the colour .*--colors"):
        load(place)
    table = "name,r,g,b\na,0,0,0\nb,1,1,1\nc,2,2,2\nvoid,255,255,255\n"
    (tmp_path / "table.csv").write_text(table)
    data = load(place, MaskSettings(colors=str(tmp_path / "table.csv")))
    assert labels_of(data)[0].tolist() == np.asarray(pairs(1)[0][1]).tolist()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_masks_are_refused(tmp_path: Path, kind: str) -> None:
    write_pairs(tmp_path / "images", tmp_path / "masks", pairs(3))
    buffer = io.BytesIO()
    mask(0).convert("RGB").save(buffer, kind)
    (tmp_path / "masks" / "001.png").write_bytes(buffer.getvalue())
    with pytest.raises(ValueError, match=rf"row 1 .*001.png.*{kind} file.*Write masks as PNG"):
        load(tmp_path)


def test_lossless_webp_is_a_mask(tmp_path: Path) -> None:
    write_pairs(tmp_path / "images", tmp_path / "masks", pairs(3))
    buffer = io.BytesIO()
    mask(1).convert("RGB").save(buffer, "WEBP", lossless=True)
    (tmp_path / "masks" / "001.png").write_bytes(buffer.getvalue())
    assert len(load(tmp_path, test_fraction=0.4).train) == 2


def test_floating_point_masks_are_refused(tmp_path: Path) -> None:
    write_pairs(tmp_path / "images", tmp_path / "masks", pairs(3))
    Image.fromarray(np.zeros((12, 16), np.float32)).save(tmp_path / "masks" / "001.png", "TIFF")
    with pytest.raises(ValueError, match="floating-point numbers"):
        load(tmp_path)


def test_unknown_labels_are_named_with_their_files_and_pixels(tmp_path: Path) -> None:
    found = pairs(4)
    labels = np.asarray(found[2][1]).copy()
    labels[:2, :3] = 77
    found[2] = (found[2][0], Image.fromarray(labels))
    write_pairs(tmp_path / "images", tmp_path / "masks", found)
    said = MaskSettings(classes=("road", "car", "sky"))
    with pytest.raises(ValueError, match=r"77 in 6 pixels of 1 mask, .*002\.png") as caught:
        load(tmp_path, said)
    assert "The 3 classes are 0 to 2, and void is 255" in str(caught.value)
    data = load(tmp_path, MaskSettings(classes=said.classes, void=(255, 77)), test_fraction=0.25)
    assert data.classes == said.classes
    # The classes' number too high by one is how masks with 0 for void look.
    shifted = [(image, mask(n, values=(0, 1, 2, 3))) for n, (image, _) in enumerate(found)]
    write_pairs(tmp_path / "images", tmp_path / "masks", shifted)
    with pytest.raises(ValueError, match="say --reduce-zero-label True"):
        load(tmp_path, said)


def test_more_than_254_classes_are_refused(tmp_path: Path) -> None:
    found = [(picture(seed), mask(seed, (8, 8), range(256))) for seed in range(20)]
    place = mask_parquet(tmp_path / "d", {"train": found, "test": found[:1]})
    with pytest.raises(ValueError, match=r"254 in .* pixels.*\n.*254 classes at most"):
        load(place)
    deep = Image.fromarray(np.full((8, 8), 3000, np.uint16))
    place = mask_parquet(tmp_path / "e", {"train": [(picture(0), deep)], "test": found[:1]})
    with pytest.raises(ValueError, match="3000 in 64 pixels of 1 mask"):
        load(place)
    with pytest.raises(ValueError, match="at most 254 names; got 300"):
        MaskSettings(classes=tuple(map(str, range(300))))


def test_what_does_not_fit_is_listed_or_left_out(tmp_path: Path) -> None:
    write_pairs(tmp_path / "images", tmp_path / "masks", pairs(8))
    (tmp_path / "masks" / "001.png").unlink()
    (tmp_path / "images" / "002.png").unlink()
    mask(3, (12, 16)).save(tmp_path / "masks" / "003.png")
    (tmp_path / "masks" / "004.png").write_bytes(b"no image")
    (tmp_path / "images" / "005.png").write_bytes(b"")
    with pytest.raises(ValueError, match="5 images cannot be read") as caught:
        load(tmp_path)
    message = str(caught.value)
    assert "(images/001.png): there is no mask of this name" in message
    assert "(masks/002.png): there is no image of this name for the mask" in message
    assert "its mask has 12×16 pixels, and the image 16×12" in message
    assert "its mask cannot be read: no known image format" in message
    assert "005.png): it is empty" in message
    data = load(tmp_path, max_corrupt=5, test_fraction=0.4)
    assert len(data.train) + len(data.test) == 3
    assert "5 images left out" in " ".join(data.notes)


def test_a_mask_drawn_on_a_picture_that_lies_on_its_side(tmp_path: Path) -> None:
    write_pairs(tmp_path / "images", tmp_path / "masks", pairs(3))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(1, (16, 12)).save(tmp_path / "images" / "001.png", exif=exif)
    with pytest.raises(ValueError, match="once EXIF has turned it upright"):
        load(tmp_path)


def test_a_missing_mask_in_a_table(tmp_path: Path) -> None:
    found = [*pairs(3), (picture(9, (16, 12)), None)]
    place = mask_parquet(tmp_path / "d", {"train": found, "test": pairs(2, 50)})
    with pytest.raises(ValueError, match=r"row 3 of split train .*its mask cannot be read"):
        load(place)


def test_classes_without_pixels_are_named(tmp_path: Path) -> None:
    test = [(picture(seed, (16, 12)), mask(seed, values=(0, 3))) for seed in range(50, 53)]
    place = mask_parquet(tmp_path / "d", {"train": pairs(4), "test": test})
    data = load(place, MaskSettings(classes=("a", "b", "c", "d", "e")))
    notes = " ".join(data.notes)
    assert "No mask has a pixel of the class e; a class is left out of every mean" in notes
    assert "The training masks have no pixel of the class d, so that it cannot be learnt" in notes
    assert "The test masks have no pixel of 2 classes: b and c" in notes


def test_void_alone_cannot_be_learnt(tmp_path: Path) -> None:
    found = [(picture(seed, (16, 12)), flat(255)) for seed in range(3)]
    place = mask_parquet(tmp_path / "d", {"train": found, "test": pairs(2)})
    with pytest.raises(ValueError, match="hold void alone"):
        load(place, MaskSettings(classes=("a", "b", "c")))


def test_fingerprints_see_masks_images_and_names(tmp_path: Path) -> None:
    first = load(mask_parquet(tmp_path / "a", SPLITS))
    assert first.fingerprint == load(mask_parquet(tmp_path / "b", SPLITS)).fingerprint
    images, labels = zip(*SPLITS["train"], strict=True)
    turned = list(zip((*images[1:], images[0]), labels, strict=True))
    changed = np.asarray(labels[0]).copy()
    changed[0, 0] = 1 if changed[0, 0] == 0 else 0
    other = [(images[0], Image.fromarray(changed)), *SPLITS["train"][1:]]
    seen = {first.fingerprint}
    for number, train in enumerate((turned, other)):
        seen.add(
            load(mask_parquet(tmp_path / f"c{number}", {**SPLITS, "train": train})).fingerprint
        )
    said = MaskSettings(classes=("a", "b", "c"))
    seen.add(load(tmp_path / "a", said).fingerprint)
    assert len(seen) == 4


def test_copies_are_noted(tmp_path: Path) -> None:
    train = [*pairs(3), (picture(0, (16, 12)), mask(9))]
    data = load(mask_parquet(tmp_path / "d", {"train": train, "test": train[1:2]}))
    notes = " ".join(data.notes)
    assert "1 of 1 test image (100.0 %) is in the training set" in notes
    assert "2 of 4 training images (50.0 %) are copies of each other with different labels" in notes


def test_items_are_shared_by_processes(tmp_path: Path) -> None:
    test = load(mask_parquet(tmp_path / "d", SPLITS)).test
    seen = [each for rank in (0, 1) for each in test.items(rank, 2)]
    assert [index for index, *_ in seen] == [0, 1, 2]
    for index, image, labels in seen:
        assert all(map(torch.equal, (image, labels), test.item(index)))


def test_one_split_may_be_measured_on_as_a_whole(tmp_path: Path) -> None:
    place = mask_parquet(tmp_path / "d", {"test": pairs(3)})
    data = load_masks(DataSettings(place), measure_only=True)
    assert (len(data.train), len(data.test)) == (0, 3)
    assert data.image_shape == (3, 12, 16)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "digits"}, "have no masks"),
        ({"label_noise": 0.1}, "label_noise has no effect"),
        ({"imbalance": 2.0}, "imbalance has no effect"),
        ({"label_column": "label"}, "label_column has no effect"),
        ({"streaming": True}, "streaming has no effect"),
    ],
)
def test_settings_without_effect(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    place = mask_parquet(tmp_path / "d", SPLITS)
    with pytest.raises(ValueError, match=message):
        load_masks(DataSettings(**{"name": place, **settings}))


def test_folders_without_masks_say_what_is_expected(tmp_path: Path) -> None:
    write_pairs(tmp_path / "images", tmp_path / "others", pairs(2))
    with pytest.raises(ValueError, match="holds 4 images and no folder that is called masks"):
        load(tmp_path)


def test_masks_of_other_names_than_images(tmp_path: Path) -> None:
    write_pairs(tmp_path / "images", tmp_path / "masks", pairs(2))
    for file in (tmp_path / "masks").iterdir():
        file.rename(file.with_name(f"of {file.name}"))
    with pytest.raises(ValueError, match=r"No mask is called like an image.*images/000.png"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"classes": ()}, "two names at least"),
        ({"classes": ("a", "a")}, "a twice"),
        ({"void": (-1,)}, "labels from 0 on"),
        ({"void": (0,), "reduce_zero_label": True}, "makes 0 void already"),
        ({"colors": "c.csv", "classes": ("a", "b")}, "classes has no effect beside colors"),
    ],
)
def test_settings_that_contradict(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MaskSettings(**said)


TABLES = {
    "name,r,g\na,1,2": "must begin with the line name,r,g,b",
    "name,r,g,b\na,1,2,3": "holds 1 class",
    "name,r,g,b\na,1,2,3\nb,1,2,3": "to two classes",
    "name,r,g,b\na,1,2,300\nb,1,2,3": "from 0 to 255",
    "name,r,g,b\na,1,2,x\nb,1,2,3": "from 0 to 255",
    "name,r,g,b\na,1,2,3\na,1,2,4": "names 'a' twice",
    "name,r,g,b\na,1,2\nb,1,2,4": "a line of 3 fields",
    "": "is empty",
}


@pytest.mark.parametrize("text", TABLES)
def test_tables_of_colours_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    place = mask_parquet(tmp_path / "d", SPLITS)
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(ValueError, match=TABLES[text]):
        load(place, MaskSettings(colors=str(tmp_path / "table.csv")))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.txt", "road\ncar\n\nsky\n"),
        ("c.json", '["road", "car", "sky"]'),
        ("d.json", '{"0": "road", "2": "sky", "1": "car"}'),
    ],
)
def test_names_in_files(tmp_path: Path, name: str, text: str) -> None:
    place = mask_parquet(tmp_path / "d", SPLITS)
    (tmp_path / name).write_text(text)
    data = load(place, MaskSettings(classes=str(tmp_path / name)))
    assert data.classes == ("road", "car", "sky")
    with pytest.raises(ValueError, match="none of ade20k, camvid, voc and no file"):
        load(place, MaskSettings(classes=str(tmp_path / "nowhere.txt")))


@pytest.mark.parametrize(
    ("count", "least", "luminance"), [(5, 30, 7), (11, 20, 3.5), (20, 13, 1.9)]
)
def test_colours_can_be_told_apart_by_colour_blind_people(
    count: int, least: float, luminance: float
) -> None:
    colors = safe_palette(count)
    seen = as_seen(np.array([(0, 0, 0), (255, 255, 255), *colors]))
    distance = np.linalg.norm(seen[:, :, None] - seen[:, None], axis=-1)
    distance += 1e9 * np.eye(count + 2)
    assert distance.min() > least
    assert np.diff(np.sort(seen[0, :, 0])).min() > luminance
    assert len(set(safe_palette(254))) == 254


@pytest.mark.parametrize(
    ("name", "values", "count"),
    [
        ("CamVid-small", range(11), 11),
        ("camvid32", range(32), 32),
        ("scene_parse_150", (0, 7, 150), 150),
        ("ade20k-reduced", (0, 7, 149), 150),
        ("VOC2012", (0, 20, 255), 21),
    ],
)
def test_names_of_known_data(tmp_path: Path, name: str, values: Sequence[int], count: int) -> None:
    found = [(picture(seed, (16, 12)), mask(seed, values=values)) for seed in range(8)]
    place = mask_parquet(tmp_path / name, {"train": found, "test": found[:1]})
    data = load(place)
    assert len(data.classes) == count
    raw = np.asarray(found[0][1]).astype(int)
    expected = np.where(raw == 0, 255, raw - 1) if 150 in values else raw
    assert labels_of(data)[0].tolist() == expected.tolist()


@pytest.mark.parametrize(("name", "count"), [("ade20k", 150), ("camvid", 11), ("voc", 21)])
def test_known_names_are_complete(tmp_path: Path, name: str, count: int) -> None:
    place = mask_parquet(tmp_path / "d", SPLITS)
    for said in (name, (name,)):  # as a command line has it
        classes = load(place, MaskSettings(classes=said)).classes
        assert len(classes) == len(set(classes)) == count


def test_lists_of_names_tell_splits(tmp_path: Path) -> None:
    """As Pascal VOC has them, with masks of single objects beside those of classes."""
    write_pairs(tmp_path / "JPEGImages", tmp_path / "SegmentationClass", pairs(6))
    write_pairs(tmp_path / "Others" / "images", tmp_path / "SegmentationObject", pairs(6))
    for file in (tmp_path / "Others" / "images").iterdir():
        file.unlink()
    (tmp_path / "SegmentationClass" / "005.png").unlink()
    lists = tmp_path / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("000\n003\n\n004\n")
    (lists / "val.txt").write_text("001\n")
    (lists / "trainval.txt").write_text("000\n003\n004\n001\n")
    data = load(tmp_path)
    assert (len(data.train), len(data.test)) == (3, 1)
    expected = [np.asarray(mask(seed)).tolist() for seed in (0, 3, 4)]
    assert [labels.tolist() for labels in labels_of(data)] == expected
    notes = " ".join(data.notes)
    assert "Passed over 6 masks of single objects in SegmentationObject/" in notes
    assert "Passed over 2 images that none of them lists" in notes
    (lists / "val.txt").write_text("001\n000\n")
    with pytest.raises(ValueError, match="000 is in the lists of train and of validation"):
        load(tmp_path)
    (lists / "val.txt").write_text("001\nnowhere\n")
    with pytest.raises(ValueError, match="names 1 image of which nothing is there: nowhere"):
        load(tmp_path)


def test_levels_of_grey_are_no_numbers_of_classes(tmp_path: Path) -> None:
    found = [(picture(seed, (16, 12)), mask(seed, values=(0, 85, 170))) for seed in range(4)]
    write_pairs(tmp_path / "images", tmp_path / "masks", found)
    with pytest.raises(ValueError, match=r"0, 85 and 170: .*171 classes, nearly all"):
        load(tmp_path)
    table = "name,r,g,b\na,0,0,0\nb,85,85,85\nc,170,170,170\n"
    (tmp_path / "table.csv").write_text(table)
    data = load(tmp_path, MaskSettings(colors=str(tmp_path / "table.csv")), test_fraction=0.25)
    assert data.class_pixels.sum() == 3 * 16 * 12


def test_classes_that_begin_with_one_are_told(tmp_path: Path) -> None:
    found = [(picture(seed, (16, 12)), mask(seed, values=(1, 2, 3))) for seed in range(4)]
    write_pairs(tmp_path / "images", tmp_path / "annotations" / "trimaps", found)
    data = load(tmp_path, test_fraction=0.25)
    assert "Label 0 does not occur: with --reduce-zero-label True" in " ".join(data.notes)
    data = load(tmp_path, MaskSettings(reduce_zero_label=True), test_fraction=0.25)
    assert len(data.classes) == 3
    assert bool((data.class_pixels > 0).all())


def test_masks_that_are_no_images(tmp_path: Path) -> None:
    write_pairs(tmp_path / "images", tmp_path / "masks", pairs(1))
    (tmp_path / "masks" / "000.png").unlink()
    np.save(tmp_path / "masks" / "000.npy", np.zeros((12, 16)))
    with pytest.raises(ValueError, match=r"hold no images, but masks/000\.npy"):
        load(tmp_path)
