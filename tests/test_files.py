from pathlib import Path

import pytest

from maxsup._files import atomic_write, write_text


def test_a_file_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_text(path, "α")
    assert path.read_bytes() == "α".encode()

    def fail_half_way() -> None:
        with atomic_write(path) as file:
            file.write(b"half")
            file.flush()
            assert path.read_text() == "α"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()
    assert path.read_text() == "α"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_to_write_says_what_is_left(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing was written"):
        write_text(tmp_path / "missing" / "file", "")
