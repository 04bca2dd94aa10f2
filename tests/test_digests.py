"""Damage and formats of files that are read back."""

import io
import json
import subprocess
import zipfile
from pathlib import Path

import pytest
import torch

from maxsup._digests import (
    DamagedFile,
    check_comment,
    check_files,
    digest,
    read_checked,
    read_object,
    read_sums,
    with_comment,
    with_digest,
    without_digest,
    write_sums,
)
from maxsup._formats import OtherFormat, check_format


def flipped(content: bytes, bit: int) -> bytes:
    place = bit // 8
    return content[:place] + bytes([content[place] ^ 1 << bit % 8]) + content[place + 1 :]


def test_json_file_with_a_flipped_bit_is_noticed_or_says_the_same() -> None:
    content = {"seed": 3, "values": {"accuracy": 0.7125, "nll": None}, "ü": ["a", 1e-30]}
    text = json.dumps(with_digest(content), indent=1, ensure_ascii=False).encode()
    assert read_object(text, "file") == content
    unnoticed = 0
    for bit in range(8 * len(text)):
        try:
            found = read_object(flipped(text, bit), "file")
        except DamagedFile:
            continue
        # White space, or the name of the digest's own field, which is a stranger's then.
        assert {name: found[name] for name in content} == content
        unnoticed += 1
    assert unnoticed < 0.2 * 8 * len(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "file is empty"),
        (b" \n", "file is empty"),
        (b'{"seed": ', "file is damaged, or no JSON file"),
        (b"\xff\x00", "file is damaged, or no JSON file"),
        (b"[1]", "file holds no JSON object, but list"),
    ],
)
def test_json_file_of_another_kind_is_named(text: bytes, message: str) -> None:
    with pytest.raises(DamagedFile, match=message):
        read_object(text, "file")


def test_digest_of_json_survives_the_file(tmp_path: Path) -> None:
    content = {"tuple": (1, 2), "float": 0.1 + 0.2, 5: "five", "nan": float("nan")}
    (tmp_path / "file").write_text(json.dumps(with_digest(content)))
    read_object((tmp_path / "file").read_bytes(), "file")
    assert without_digest({"seed": 0}, "file") == {"seed": 0}
    part = {**with_digest({"a": 1}), "timings": 5}
    assert without_digest(part, "file", leave_out=("timings",)) == {"a": 1, "timings": 5}


def test_archive_with_a_digest_is_still_one_of_torch_and_zip(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    torch.save({"weight": torch.arange(5.0)}, buffer)
    archive = with_comment(buffer.getvalue())
    check_comment(archive, "file")
    found = torch.load(io.BytesIO(archive), weights_only=True)
    assert torch.equal(found["weight"], torch.arange(5.0))
    assert zipfile.ZipFile(io.BytesIO(archive)).testzip() is None
    for bit in range(0, 8 * len(archive), 7):
        with pytest.raises(DamagedFile, match=r"file is (damaged|cut off)"):
            check_comment(flipped(archive, bit), "file")
    for length in (0, 1, 79, len(archive) - 1):
        with pytest.raises(DamagedFile, match=r"file is (empty|cut off)"):
            check_comment(archive[:length], "file")


def test_listed_files_are_checked_and_others_are_read_as_they_are(tmp_path: Path) -> None:
    for name in ("kept", "my file", "unlisted"):
        (tmp_path / name).write_bytes(name.encode())
    write_sums(tmp_path, {name: digest(name.encode()) for name in ("kept", "my file")})
    assert set(read_sums(tmp_path)) == {"kept", "my file"}
    checked = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert read_checked(tmp_path / "my file") == b"my file"
    for content, how in ((b"kepT", "is damaged, or was changed"), (b"", "is empty")):
        (tmp_path / "kept").write_bytes(content)
        with pytest.raises(DamagedFile, match=rf"kept {how}.*take the file's line out"):
            read_checked(tmp_path / "kept")
        with pytest.raises(DamagedFile, match="kept"):
            check_files(tmp_path, removable=())
    (tmp_path / "unlisted").write_bytes(b"other")
    assert read_checked(tmp_path / "unlisted") == b"other"
    (tmp_path / "kept").unlink()
    check_files(tmp_path, removable=("kept",))
    with pytest.raises(DamagedFile, match="kept is missing"):
        check_files(tmp_path, removable=())


@pytest.mark.parametrize("found", [2, 3])
def test_formats_that_are_read(found: int) -> None:
    assert check_format(found, "f", newest=3, oldest=2, remedy="") == found


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (4, "f was written by a newer version .*format 4.*formats 2 to 3.*pip install --upgrade"),
        (1, "f was written by an earlier version .*format 1.*Repeat it"),
        ("3", "f names '3' as its format.*Repeat it"),
        (None, "f names None as its format"),
        (True, "f names True as its format"),
    ],
)
def test_formats_that_are_not_read(found: object, message: str) -> None:
    with pytest.raises(OtherFormat, match=message):
        check_format(found, "f", newest=3, oldest=2, remedy="Repeat it.")
