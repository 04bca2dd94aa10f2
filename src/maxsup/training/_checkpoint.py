"""The full state of a training, from which it goes on as if nothing had happened."""

import io
from pathlib import Path
from typing import Any, NamedTuple

import torch
from timm.utils import ModelEmaV3
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from maxsup._digests import DamagedFile, check_comment, with_comment
from maxsup._files import atomic_write
from maxsup._formats import OtherFormat
from maxsup.losses import Loss
from maxsup.training._position import FORMAT, Position


class State(NamedTuple):
    """What a training changes as it goes."""

    model: nn.Module
    optimizer: Optimizer
    lr_scheduler: LRScheduler
    criterion: Loss
    ema: ModelEmaV3 | None

    def parts(self) -> dict[str, Any]:
        """The parts that have a state of their own, by name."""
        return {name: part for name, part in self._asdict().items() if part is not None}


def save_checkpoint(
    path: Path, state: State, position: Position, *, former: Path | None = None
) -> None:
    """Write everything that resuming needs, atomically.

    Args:
        path: The file.
        state: What training changes.
        position: How far it is.
        former: What the former checkpoint is kept as; see :func:`maxsup._files.atomic_write`.

    Raises:
        OSError: It could not be written; a former checkpoint is intact.
    """
    content = {name: part.state_dict() for name, part in state.parts().items()}
    # By way of memory: torch's own file writer reports a full disk as an error of its archive.
    buffer = io.BytesIO()
    torch.save(content | {"position": position.to_content()}, buffer)
    with atomic_write(path, former=former) as file:
        file.write(with_comment(buffer.getvalue()))


def load_checkpoint(path: Path, state: State) -> Position:
    """Put a checkpoint's content into ``state`` and return how far it is.

    Raises:
        DamagedFile: The file does not hold what was written; ``state`` is as it was.
        ValueError: It is a checkpoint of another version of maxsup, or of another training.
    """
    try:
        content = _read(path)
        position = Position.from_content(content["position"], path)
        for name, part in state.parts().items():
            part.load_state_dict(content[name])
    except (OSError, DamagedFile, OtherFormat):
        raise
    except Exception as error:
        raise ValueError(
            f"{path} cannot be resumed from ({error}). Remove it to train from the start."
        ) from error
    return position


def load_position(path: Path) -> Position:
    """How far a checkpoint is.

    Raises:
        DamagedFile: The file does not hold what was written.
        ValueError: It is a checkpoint of another version of maxsup.
    """
    return Position.from_content(_read(path)["position"], path)


def _read(path: Path) -> dict[str, Any]:
    """What a checkpoint holds, which is what was written, or of an earlier version."""
    archive = path.read_bytes()
    try:
        check_comment(archive, path)
    except DamagedFile:
        try:
            content = _content(archive)
        except Exception:
            content = {}
        # Earlier versions wrote no digest, and the first of them no number.
        if content and content.get("position", {"format": 1}).get("format") != FORMAT:
            return {"position": {"format": 1}} | content
        raise
    return _content(archive)


def _content(archive: bytes) -> dict[str, Any]:
    # Only tensors and plain values are read: nothing in the file can run code.
    content = torch.load(io.BytesIO(archive), map_location="cpu", weights_only=True)
    return content if isinstance(content, dict) else {}
