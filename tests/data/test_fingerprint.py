"""Whether data is the same as before: in memory, on disk and streamed."""

import os
import shutil
from functools import partial
from pathlib import Path

import pytest

from maxsup.data import DataSettings, PhotographSettings, load_images
from maxsup.data._digest import EDGE, SAMPLED, digest_of, digest_of_files

from .folders import picture


def fingerprint(folder: Path, kind: str) -> str:
    photographs = None if kind == "small" else PhotographSettings(16, workers=0)
    settings = DataSettings(str(folder), streaming=kind == "streamed")
    return load_images(settings, photographs=photographs).fingerprint


def photographs(root: Path, first: int = 0) -> Path:
    """Bitmaps, which all have one size whatever they show."""
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            (root / split / name).mkdir(parents=True, exist_ok=True)
            for number in range(3):
                picture(first + number, (20, 16)).save(root / split / name / f"{number}.bmp")
    return root


@pytest.mark.parametrize("kind", ["small", "stored", "streamed"])
def test_other_photographs_under_the_same_names_are_other_data(tmp_path: Path, kind: str) -> None:
    folder = photographs(tmp_path / "pets")
    before = fingerprint(folder, kind)
    names = sorted(path.name for path in folder.rglob("*.bmp"))
    sizes = {path.stat().st_size for path in folder.rglob("*.bmp")}
    photographs(folder, first=10)
    assert sorted(path.name for path in folder.rglob("*.bmp")) == names
    assert {path.stat().st_size for path in folder.rglob("*.bmp")} == sizes
    assert fingerprint(folder, kind) != before
    photographs(folder)
    assert fingerprint(folder, kind) == before


@pytest.mark.parametrize("kind", ["small", "stored", "streamed"])
def test_a_copy_elsewhere_and_later_is_the_same_data(tmp_path: Path, kind: str) -> None:
    folder = photographs(tmp_path / "pets")
    before = fingerprint(folder, kind)
    shutil.copytree(folder, tmp_path / "elsewhere" / "pets", copy_function=shutil.copy)
    for path in (tmp_path / "elsewhere").rglob("*.bmp"):
        os.utime(path, (1, 1))
    assert fingerprint(tmp_path / "elsewhere" / "pets", kind) == before


def test_digest_covers_names_and_sizes_of_all_and_contents_of_some() -> None:
    count = 3 * SAMPLED
    names, sizes = [f"{number}.jpg" for number in range(count)], list(range(count))
    read = []

    def edges(index: int, changed: int = -1) -> list[bytes]:
        read.append(index)
        return [b"other" if index == changed else b"same"]

    before = digest_of(names, sizes, edges)
    assert len(read) == len(set(read)) == SAMPLED
    assert (min(read), max(read)) == (0, count - 3)
    assert digest_of(names, sizes, partial(edges, changed=read[7])) != before
    assert digest_of(["x", *names[1:]], sizes, edges) != before
    assert digest_of(names, [*sizes[:-1], 0], edges) != before
    assert digest_of([], [], edges) != before


@pytest.mark.parametrize("place", [0, EDGE, 3 * EDGE - 1])
def test_digest_of_files_covers_both_ends_and_small_files_as_a_whole(
    tmp_path: Path, place: int
) -> None:
    path = tmp_path / "0.raw"
    content = bytearray(3 * EDGE)
    path.write_bytes(content)
    before = digest_of_files([str(path)])
    content[place] = 1
    path.write_bytes(content)
    changed = digest_of_files([str(path)]) != before
    assert changed == (place != EDGE)  # the middle of a large file
    path.write_bytes(content[: EDGE + 2])
    before = digest_of_files([str(path)])
    content[EDGE + 1] = 2
    path.write_bytes(content[: EDGE + 2])
    assert digest_of_files([str(path)]) != before
    path.unlink()
    assert digest_of_files([str(path)]) != before
