"""What was found of a model by one analysis, kept in a file, so that it is not found again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maxsup._digests import DamagedFile, read_object, with_digest
from maxsup._files import write_text
from maxsup.inspection.schema import FORMAT


@dataclass(frozen=True)
class Found:
    """Findings as a file holds them."""

    values: Mapping[str, float | None] = field(default_factory=dict)
    details: Any = None
    notes: tuple[str, ...] = ()
    replicates: Mapping[str, list[float | None]] = field(default_factory=dict)
    """By measure, its value for each draw of the test samples."""


class KeptFindings:
    """The findings of one model in a directory, a file for each analysis.

    Args:
        directory: Where they are; none to keep nothing.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self.damaged: list[str] = []
        """Messages on files that could not be used."""

    def read(self, name: str, key: str) -> Found | None:
        """The findings of an analysis; none where there are none for that key.

        Args:
            name: The analysis.
            key: All that its findings depend on, in one text.
        """
        if self._directory is None:
            return None
        path = self._path(name)
        try:
            content = read_object(path.read_bytes(), path)
            if content["format"] != FORMAT or content["key"] != _digest(key):
                return None
            return Found(
                content["values"],
                content["details"],
                tuple(content["notes"]),
                content["replicates"],
            )
        except FileNotFoundError:
            return None
        except (DamagedFile, KeyError, TypeError) as error:
            self.damaged.append(f"{error} It is made anew.")
            return None

    def write(self, name: str, key: str, found: Found) -> None:
        """Keep findings, atomically."""
        if self._directory is None:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        content = {
            "format": FORMAT,
            "key": _digest(key),
            "values": dict(found.values),
            "details": found.details,
            "notes": list(found.notes),
            "replicates": dict(found.replicates),
        }
        text = json.dumps(with_digest(content), ensure_ascii=False, allow_nan=False) + "\n"
        write_text(self._path(name), text)

    def _path(self, name: str) -> Path:
        assert self._directory is not None
        return self._directory / f"found-{name}.json"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
