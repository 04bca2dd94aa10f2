"""The full state of a training, from which it goes on as if nothing had happened."""

import io
from pathlib import Path
from typing import Any, NamedTuple

import torch
from timm.utils import ModelEmaV3
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from maxsup._files import atomic_write
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


def save_checkpoint(path: Path, state: State, position: Position) -> None:
    """Write everything that resuming needs, atomically.

    Args:
        path: The file.
        state: What training changes.
        position: How far it is.

    Raises:
        OSError: It could not be written; a former checkpoint is intact.
    """
    content = {name: part.state_dict() for name, part in state.parts().items()}
    # By way of memory: torch's own file writer reports a full disk as an error of its archive.
    buffer = io.BytesIO()
    torch.save(content | {"position": position.to_content()}, buffer)
    with atomic_write(path) as file:
        file.write(buffer.getbuffer())


def load_checkpoint(path: Path, state: State) -> Position:
    """Put a checkpoint's content into ``state`` and return how far it is.

    Only tensors and plain values are read: nothing in the file can run code.

    Raises:
        ValueError: The file is no such checkpoint.
    """
    newer = False
    try:
        content = torch.load(io.BytesIO(path.read_bytes()), map_location="cpu", weights_only=True)
        found = content.get("position", {"format": 1})
        newer = found["format"] > FORMAT
        position = Position.from_content(found)
        for name, part in state.parts().items():
            part.load_state_dict(content[name])
    except OSError:
        raise
    except Exception as error:
        remedy = "Remove it to train from the start."
        if newer:
            remedy = "Install that version, or name another directory with --out."
        raise ValueError(f"{path} cannot be resumed from ({error}). {remedy}") from error
    return position
