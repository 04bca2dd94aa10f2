import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from maxsup._files import atomic_write, write_text
from maxsup._places import as_place, strangers


@pytest.fixture
def store() -> Iterator[Path]:
    """A directory of an object store in memory."""
    place = UPath("memory://places")
    yield as_place("memory://places")
    if place.exists():
        place.fs.rm(place.path, recursive=True)


def test_local_names_are_local_paths(tmp_path: Path) -> None:
    spaced = tmp_path / "my runs"
    for name in (spaced, str(spaced), f"file://{spaced}", UPath(spaced), UPath(f"file://{spaced}")):
        place = as_place(name)
        assert isinstance(place, Path)
        assert place == spaced
    assert as_place("runs/mine") == Path("runs/mine")


def test_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert as_place("~/runs") == as_place(Path("~/runs")) == tmp_path / "runs"
    assert as_place("runs/~") == Path("runs/~")
    with pytest.raises(ValueError, match=r"~nobody-here/runs: .* Write the whole path"):
        as_place("~nobody-here/runs")


@pytest.mark.parametrize("name", ["s3:", "s3:bucket/runs", "gs:/bucket/runs", "memory:runs"])
def test_urls_that_are_written_wrongly_are_no_directories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    scheme = name.partition(":")[0]
    with pytest.raises(ValueError, match=rf"no directory and no URL\. Write {scheme}://\w+/?\w*"):
        as_place(name)
    assert as_place(f"./{name}") == Path(name)
    assert as_place("noon:runs") == Path("noon:runs")
    Path(name).mkdir(parents=True)
    assert as_place(name) == Path(name)


def test_urls_are_kept_as_they_are() -> None:
    place = as_place("memory://places/mine")
    assert str(place / "maxsup") == "memory://places/mine/maxsup"
    assert as_place(place) == place


def test_stores_that_are_not_known_or_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"nope://bucket/runs: no store is known by nope://"):
        as_place("nope://bucket/runs")

    def missing(scheme: str) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.get_filesystem_class", missing)
    with pytest.raises(ModuleNotFoundError, match=r"s3://bucket/runs needs .*Install s3fs"):
        as_place("s3://bucket/runs")


def test_a_file_of_a_store_is_there_as_a_whole_or_not_at_all(store: Path) -> None:
    assert not strangers(store)
    store.mkdir(parents=True, exist_ok=True)
    assert not strangers(store)
    path = store / "file"
    write_text(path, "α")
    assert path.read_bytes() == "α".encode()
    assert strangers(store) == ["file"]

    def fail_half_way() -> None:
        with atomic_write(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()
    assert path.read_bytes() == "α".encode()
    assert [each.name for each in store.iterdir()] == ["file"]
    path.unlink()
    path.unlink(missing_ok=True)


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "Forbidden"), OSError("Forbidden")])
def test_a_failure_to_send_says_what_is_left(
    store: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    def refuse(self: Any, data: bytes) -> None:
        raise error

    write_text(store / "kept", "")
    monkeypatch.setattr(type(store), "write_bytes", refuse)
    with pytest.raises(OSError, match=r"could not be saved \(Forbidden\); nothing was written"):
        write_text(store / "file", "")
    with pytest.raises(OSError, match="its former version is intact") as caught:
        write_text(store / "kept", "new")
    assert caught.value.filename == "memory://places/kept"
