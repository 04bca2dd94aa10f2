import io
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from PIL import Image

from maxsup.commands import main
from maxsup.data import (
    DataSettings,
    ShrinkSettings,
    load_images,
    prepare_shards,
    read_bytes,
    shrink_image,
)

from .folders import image_folder, parquet, picture


def smooth(seed: int) -> Image.Image:
    return picture(seed, (4, 3)).resize((80, 60))


def prepare(folder: Path, out: Path, **options: Any) -> Any:
    options = {"shrink": ShrinkSettings(short_side=30)} | options
    data = DataSettings(str(folder), max_corrupt=options.pop("max_corrupt", 0))
    return prepare_shards(data, out, **options)


def files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((out / "data").iterdir())}


def test_prepare_shards_are_read_back_with_names_and_labels(tmp_path: Path) -> None:
    folder = image_folder(tmp_path / "in", {"train": 6, "test": 2}, make=smooth)
    prepared = prepare(folder, tmp_path / "out", shard_size=2000)
    assert prepared.images == 16
    assert prepared.corrupt == ()
    assert len(files(tmp_path / "out")) == prepared.shards > 2

    before, after = (datasets.load_dataset(str(p)) for p in (folder, tmp_path / "out"))
    assert set(after) == {"train", "test"}
    for split in ("train", "test"):
        assert after[split].features["label"].names == ["cat", "dog"]
        assert after[split]["label"] == before[split]["label"]
        for old, new in zip(before[split]["image"], after[split]["image"], strict=True):
            assert (new.format, new.size) == ("JPEG", (40, 30))
            small = np.asarray(old.resize((40, 30), Image.Resampling.BICUBIC)).astype(int)
            assert np.abs(small - np.asarray(new)).mean() < 8
    data = load_images(DataSettings(str(tmp_path / "out")))
    assert data.classes == ("cat", "dog")


def test_prepare_shards_from_a_parquet_file_leaves_other_columns_out(tmp_path: Path) -> None:
    kinds = {
        "name": datasets.Value("string"),
        "picture": datasets.Image(),
        "kind": datasets.ClassLabel(names=["a", "b"]),
    }
    columns = {"name": ["x"] * 4, "picture": [smooth(n) for n in range(4)], "kind": [0, 1, 1, 0]}
    prepare(parquet(tmp_path / "all.parquet", columns, kinds), tmp_path / "out")
    after = datasets.load_dataset(str(tmp_path / "out"), split="train")
    assert after["label"] == [0, 1, 1, 0]
    assert sorted(after.column_names) == ["image", "label"]


def test_prepare_shards_goes_on_after_an_interruption(tmp_path: Path) -> None:
    folder = image_folder(tmp_path / "in", {"": 8}, make=smooth)
    whole = prepare(folder, tmp_path / "whole", shard_size=3000)
    out = tmp_path / "out"

    def interrupt(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(folder, out, shard_size=3000, progress=interrupt)
    kept = {path: path.stat().st_mtime_ns for path in (out / "data").iterdir()}
    assert 0 < len(kept) < whole.shards
    assert all(path.suffix == ".parquet" for path in kept)
    assert prepare(folder, out, shard_size=3000) == whole
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert files(out) == files(tmp_path / "whole")


def test_prepare_shards_stops_at_corrupt_images_or_leaves_them_out(tmp_path: Path) -> None:
    folder = image_folder(tmp_path / "in", {"": 6}, make=smooth)
    broken = folder / "dog" / "2.png"
    good = broken.read_bytes()
    broken.write_bytes(good[:200])
    out = tmp_path / "out"
    with pytest.raises(ValueError, match=r"cannot be read: 1, where 0 may .*\n.*row 8 .*2\.png"):
        prepare(folder, out, shard_size=2000)
    kept = set(files(out))
    assert kept
    for _ in range(2):  # a second time, they are listed again
        prepared = prepare(folder, out, shard_size=2000, max_corrupt=1)
        assert prepared.images == 11
        assert [(each.split, each.row) for each in prepared.corrupt] == [("train", 8)]
    assert kept < set(files(out))
    assert len(datasets.load_dataset(str(out), split="train")) == 11


def test_prepare_shards_with_other_settings_needs_another_directory(tmp_path: Path) -> None:
    folder = image_folder(tmp_path / "in", {"": 2}, make=smooth)
    prepare(folder, tmp_path / "out")
    with pytest.raises(ValueError, match="begun with another short_side and quality"):
        prepare(folder, tmp_path / "out", shrink=ShrinkSettings(20, 50))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("…")
    with pytest.raises(ValueError, match="has other files in it"):
        prepare(folder, tmp_path / "full")


@pytest.mark.parametrize(
    ("size", "expected"), [((80, 60), (40, 30)), ((60, 81), (30, 40)), ((20, 9), (20, 9))]
)
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "CMYK", "P"])
def test_shrink_image_of_every_kind(
    size: tuple[int, int], expected: tuple[int, int], mode: str
) -> None:
    file = io.BytesIO()
    image = picture(0, (4, 3)).resize(size).convert(mode)
    image.save(file, "TIFF")
    shrunk = Image.open(io.BytesIO(shrink_image(file.getvalue(), ShrinkSettings(30, 95))))
    assert shrunk.format == "JPEG"
    assert shrunk.mode == ("L" if mode == "L" else "RGB")
    assert shrunk.size == expected


def test_shrink_image_never_makes_a_small_jpeg_grow() -> None:
    file = io.BytesIO()
    smooth(0).save(file, "JPEG", quality=30)
    assert shrink_image(file.getvalue(), ShrinkSettings(200, 95)) == file.getvalue()
    assert len(shrink_image(file.getvalue(), ShrinkSettings(200, 5))) < len(file.getvalue())


@pytest.mark.parametrize("wrong", [{"short_side": 0}, {"quality": 0}, {"quality": 96}])
def test_shrink_settings_out_of_range(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ShrinkSettings(**wrong)


def test_prepare_shards_arguments_that_cannot_be(tmp_path: Path) -> None:
    folder = image_folder(tmp_path / "in", {"": 2}, make=smooth)
    for name in ("shard_size", "workers"):
        with pytest.raises(ValueError, match=f"{name} must be at least 1.*; got 0"):
            prepare(folder, tmp_path / "out", **{name: 0})
    for splits in ((), ("train", "train[:2]")):
        with pytest.raises(ValueError, match="splits must name"):
            prepare(folder, tmp_path / "out", splits=splits)
    with pytest.raises(ValueError, match="A size is written as"):
        read_bytes("many")


def test_prepare_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = image_folder(tmp_path / "in", {"train": 3, "validation": 2}, make=smooth)
    words = ["prepare", str(folder), str(tmp_path / "out"), "--short-side", "30"]
    words += ["--splits", "validation", "train[:4]", "--shard-size", "1KB"]
    assert main(words) == 0
    assert "8 images in" in capsys.readouterr().out
    after = datasets.load_dataset(str(tmp_path / "out"))
    assert {name: len(split) for name, split in after.items()} == {"train": 4, "validation": 4}
    assert main([*words, "--quality", "50"]) == 2
    assert "begun with another quality" in capsys.readouterr().err


def test_prepare_command_finds_splits_and_says_what_it_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = image_folder(tmp_path / "in", {"Train": 3, "Valid": 2, "TEST": 1}, make=smooth)
    (folder / "Train" / "cat" / "film.mp4").write_bytes(b"?")
    assert main(["prepare", "~/in", "~/out", "--short-side", "30"]) == 0
    said = capsys.readouterr().err
    assert said.count("Data: Passed over 1 file that cannot be read as images: 1 .mp4") == 1
    data = load_images(DataSettings("~/out"))
    assert data.validation is not None
    assert (len(data.train), len(data.validation), len(data.test)) == (6, 4, 2)


@pytest.mark.parametrize("out", ["s3:bucket", "memory://bucket/out"])
def test_prepare_command_writes_to_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], out: str
) -> None:
    monkeypatch.chdir(tmp_path)
    image_folder(tmp_path / "in", {"": 2}, make=smooth)
    assert main(["prepare", "in", out]) == 2
    assert "no directory" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
