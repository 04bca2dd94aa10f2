"""What was found of a model by one analysis, kept in a file, so that it is not found again."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maxsup._digests import DamagedFile, read_object, with_digest
from maxsup._files import write_text
from maxsup.inspection._processes import from_first, is_first
from maxsup.inspection.schema import FORMAT


@dataclass(frozen=True)
class Found:
    """Findings as a file holds them."""

    values: Mapping[str, float | None] = field(default_factory=dict)
    details: Any = None
    notes: tuple[str, ...] = ()
    contributions: Mapping[str, list[float]] = field(default_factory=dict)
    """By measure, what each test sample contributes to its mean."""
    is_measured_anew: bool = False
    """Whether there are values beside that are measured anew for each draw of the test samples."""
    replicates: Mapping[str, list[float | None]] = field(default_factory=dict)
    """By measure, its value for each draw."""


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
        found, damaged = from_first(lambda: self._load(self._path(name), key))
        self.damaged += damaged
        return found

    def _load(self, path: Path, key: str) -> tuple[Found | None, list[str]]:
        try:
            text = path.read_bytes()
            content = read_object(text, path)
            if b'"sha256"' not in text:
                raise DamagedFile(f"{path} has no sha256 of its content.")
            if content["format"] != FORMAT or content["key"] != _digest(key):
                return None, []
            found = Found(
                content["values"],
                content["details"],
                tuple(content["notes"]),
                {k: [_number(each) for each in v] for k, v in content["contributions"].items()},
                content["is_measured_anew"],
                content["replicates"],
            )
        except FileNotFoundError:
            return None, []
        except (DamagedFile, KeyError, TypeError) as error:
            return None, [f"{error} It is made anew."]
        return found, []

    def write(self, name: str, key: str, found: Found) -> None:
        """Keep findings, atomically."""
        if self._directory is None or not is_first():
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        content = {
            "format": FORMAT,
            "key": _digest(key),
            "values": dict(found.values),
            "details": found.details,
            "notes": list(found.notes),
            "contributions": {k: list(map(_plain, v)) for k, v in found.contributions.items()},
            "is_measured_anew": found.is_measured_anew,
            "replicates": dict(found.replicates),
        }
        text = json.dumps(with_digest(content), ensure_ascii=False, allow_nan=False) + "\n"
        write_text(self._path(name), text)

    def _path(self, name: str) -> Path:
        assert self._directory is not None
        return self._directory / f"found-{name}.json"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _plain(number: float) -> float | int | str | None:
    """As JSON has it, which knows of no infinity; exactly the same when it is read."""
    if math.isnan(number):
        return None
    if math.isinf(number):
        return str(number)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _number(plain: float | int | str | None) -> float:
    return math.nan if plain is None else float(plain)
