import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.storage import _StorageBase

from maxsup.data import UnreadableImageError
from maxsup.data._entry import read_entry
from maxsup.data.photographs._shared_memory import empty_shared


def test_entry_is_read_from_bytes_a_path_or_a_url(tmp_path: Path) -> None:
    file = tmp_path / "1.png"
    file.write_bytes(b"content")
    for entry in (
        {"bytes": b"content", "path": "elsewhere.png"},
        {"bytes": None, "path": str(file)},
        {"bytes": None, "path": file.as_uri()},
    ):
        assert read_entry(entry) == b"content"


@pytest.mark.parametrize("missing", ["{}", "file://{}"])
@pytest.mark.parametrize("entry", [None, {"bytes": None, "path": None}, {"bytes": None}])
def test_entry_without_image_says_so(entry: Any, missing: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableImageError, match="cannot be decoded: there is no image") as none:
        read_entry(entry)
    assert none.value.reason == "there is no image"
    gone = {"bytes": None, "path": missing.format(tmp_path / "gone.png")}
    with pytest.raises(UnreadableImageError, match="No such file"):
        read_entry(gone)


def test_unreadable_image_can_be_sent_between_processes() -> None:
    error = pickle.loads(pickle.dumps(UnreadableImageError("it is torn", 4)))
    assert error.reason == "it is torn"
    assert "The image of 4 bytes cannot be decoded: it is torn" in str(error)


@pytest.mark.parametrize("private", [True, False])
def test_shared_memory_with_and_without_torchs_private_function(
    private: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not private:
        monkeypatch.delattr(_StorageBase, "_new_shared")
    memory = empty_shared((2, 3, 4))
    assert memory.is_shared()
    assert (memory.shape, memory.dtype) == ((2, 3, 4), torch.uint8)
    memory.copy_(torch.from_numpy(np.arange(24, dtype=np.uint8)).view(2, 3, 4))
    assert memory.flatten().tolist() == list(range(24))
