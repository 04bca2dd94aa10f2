"""The weights that a model had after some of the epochs of its training."""

import re
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load
from torch import nn

from maxsup._digests import digest, read_checked, read_sums, write_sums
from maxsup._files import atomic_write, remove_temporary
from maxsup._tensor_bytes import tensor_bytes

EPOCHS_FOLDER = "epochs"
"""In a run's directory."""

_NAME = re.compile(r"epoch-(\d{4,})\.safetensors")


def save_epoch(directory: Path, epoch: int, model: nn.Module) -> None:
    """Keep a model's weights and buffers as they are after an epoch, in a file with its digest.

    Args:
        directory: The run's.
        epoch: How many epochs are done.
        model: The model that is measured.

    Raises:
        OSError: They could not be written; former files are intact.
    """
    folder = directory / EPOCHS_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    remove_temporary(folder)
    content = tensor_bytes(model.state_dict(), {"format": "pt", "epoch": str(epoch)})
    name = f"epoch-{epoch:04d}.safetensors"
    digests = read_sums(folder)
    # A stop between the two leaves a file without a digest, which the same epoch writes anew.
    write_sums(folder, {each: sum for each, sum in digests.items() if each != name})
    with atomic_write(folder / name) as file:
        file.write(content)
    write_sums(folder, {**digests, name: digest(content)})


def kept_epochs(directory: Path) -> dict[int, Path]:
    """The files of the epochs whose weights a run has kept, by epoch, the first one first.

    Args:
        directory: The run's.
    """
    folder = directory / EPOCHS_FOLDER
    if not folder.is_dir():
        return {}
    found = {int(match[1]): path for path in folder.iterdir()
             if (match := _NAME.fullmatch(path.name))}  # fmt: skip
    return dict(sorted(found.items()))


def remove_epochs(directory: Path) -> None:
    """Remove all that a run has kept of its epochs."""
    folder = directory / EPOCHS_FOLDER
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink(missing_ok=True)


def load_epoch(path: Path, model: nn.Module) -> None:
    """Put the weights of an epoch into a model of the same architecture.

    Raises:
        ValueError: They are not as they were written, or of another architecture.
        OSError: The file cannot be read.

    Example:
        >>> import tempfile
        >>> run = Path(tempfile.mkdtemp())
        >>> layer, other = nn.Linear(2, 3), nn.Linear(2, 3)
        >>> save_epoch(run, 5, layer)
        >>> load_epoch(kept_epochs(run)[5], other)
        >>> bool((layer.weight == other.weight).all())
        True
    """
    content = read_checked(
        path, "Remove it to go without this epoch, or train the run anew with --out."
    )
    try:
        model.load_state_dict(load(content))
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(f"{path} does not hold the weights of its run's model: {error}") from error
