"""What a piece of the GPU's benchmarks has measured, and the time that is left for more."""

import json
import platform
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from maxsup._files import write_text

Row = dict[str, Any]


class OutOfTime(Exception):
    """The piece's limit is reached; what was measured is kept."""


class Record:
    """A piece's measurements in one file, each under its name, written one by one.

    A file that is there already is gone on with, if it comes from the same card and versions.

    Args:
        path: The JSON file.
        device: What is measured on.
        seconds: How long the piece may go on.
        settings: What the numbers depend on beside the machine.

    Raises:
        SystemExit: The file holds the numbers of another machine, other versions or settings.
    """

    def __init__(
        self, path: Path, device: torch.device, seconds: float, settings: Mapping[str, Any]
    ) -> None:
        self.path, self.device = path, device
        self.deadline = time.monotonic() + seconds
        self.setting = setting(device) | json.loads(json.dumps(dict(settings)))
        self.rows: dict[str, Row] = {}
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            differing = [
                f"{name}: {kept['setting'].get(name)!r} there, {value!r} here"
                for name, value in self.setting.items()
                if kept["setting"].get(name) != value
            ]
            if differing:
                raise SystemExit(
                    f"{path} holds other measurements ({'; '.join(differing)}). "
                    "Name another directory with --out."
                )
            self.rows = kept["rows"]

    @property
    def left(self) -> float:
        """Seconds until the limit."""
        return self.deadline - time.monotonic()

    def check_time(self, needed: float = 0.0) -> None:
        """Go on only if there are so many seconds left."""
        if self.left < needed:
            raise OutOfTime

    def measure(self, name: str, take: Callable[[], Row], *, needed: float = 0.0) -> None:
        """Keep what ``take`` returns, unless it is there from before.

        A measurement that fails is kept with its cause, and made again by the next call.
        """
        if "failed" not in self.rows.get(name, {"failed": ""}):
            return
        self.check_time(needed)
        start = time.monotonic()
        try:
            row = take()
        except (OutOfTime, KeyboardInterrupt):
            raise
        except Exception as error:  # one failure must not cost the others' numbers
            cause = str(error).strip().splitlines()
            row = {"failed": f"{type(error).__name__}: {cause[0] if cause else ''}"[:300]}
        self.keep(name, row | {"took": round(time.monotonic() - start, 2)})
        said = row.get("failed", "done")
        print(f"{name}: {said}, {self.left:.0f} s left", file=sys.stderr, flush=True)

    def keep(self, name: str, row: Row) -> None:
        self.rows[name] = row
        self.path.parent.mkdir(parents=True, exist_ok=True)
        content = {"setting": self.setting, "rows": self.rows}
        write_text(self.path, json.dumps(content, indent=1) + "\n")


def setting(device: torch.device) -> dict[str, Any]:
    """The machine and the versions."""
    found: dict[str, Any] = {"device": device_name(device), "python": platform.python_version()}
    for package in ("torch", "triton", "timm", "accelerate"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, threads: {torch.get_num_threads()}"


def described(setting: Mapping[str, Any]) -> str:
    return f"{setting['device']}, torch {setting['torch']}"
