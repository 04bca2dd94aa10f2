"""Outputs kept in a file, so that what is asked later needs no training."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, distributed

from maxsup._digests import digest, read_checked
from maxsup._files import atomic_write
from maxsup._formats import check_format
from maxsup._places import as_place
from maxsup._tensor_bytes import tensor_bytes
from maxsup.evaluation._outputs import Outputs, join_outputs
from maxsup.results.schema import SplitName

_FORMAT = 1
_NARROW_FLOATS = (torch.float16, torch.bfloat16)
_NARROW_INTEGERS = (torch.uint8, torch.int16, torch.int32)


def outputs_file(split: SplitName) -> str:
    """The name of the file in a run's directory.

    >>> outputs_file("test")
    'outputs-test.safetensors'
    """
    return f"outputs-{split}.safetensors"


class OutputsKeeper:
    """Collects the outputs that pass by on the CPU.

    Args:
        features: Whether their features are collected too.

    Example:
        >>> keeper = OutputsKeeper()
        >>> part = Outputs(torch.zeros(2, 3), *[torch.arange(2)] * 3)
        >>> sum(len(outputs) for outputs in keeper.watch([part, part]))
        4
        >>> len(keeper.gather())
        4
    """

    def __init__(self, *, features: bool = False) -> None:
        self._features = features
        self._parts: list[Outputs] = []

    def watch(self, outputs: Iterable[Outputs]) -> Iterator[Outputs]:
        """The same outputs, each noted as it passes."""
        for part in outputs:
            features = part.features if self._features else None
            self._parts.append(
                Outputs(
                    part.logits.cpu(),
                    part.labels.cpu(),
                    part.true_labels.cpu(),
                    part.ids.cpu(),
                    None if features is None else features.cpu(),
                )
            )
            yield part

    def joined(self) -> Outputs:
        """All outputs that passed by in this process, in the order of their ids."""
        return _in_order(self._parts)

    def gather(self) -> Outputs:
        """All outputs of all processes, in the order of their ids; to be called in each of them."""
        parts = self._parts
        if distributed.is_available() and distributed.is_initialized():
            everywhere: list[list[Outputs] | None] = [None] * distributed.get_world_size()
            distributed.all_gather_object(everywhere, parts)
            parts = [part for of_one in everywhere if of_one is not None for part in of_one]
        return _in_order(parts)


def _in_order(parts: Iterable[Outputs]) -> Outputs:
    joined = join_outputs(parts)
    return joined.select(joined.ids.argsort(stable=True))


def save_outputs(path: str | Path, outputs: Outputs, *, features: bool = False) -> str:
    """Write logits, labels and ids as safetensors, atomically, in the smallest exact dtypes.

    Logits are written in half the bits where every one of them is exactly such a number, as those
    of a forward pass in bf16 are; no measure can see the difference.

    Args:
        path: The file, a path or a URL.
        outputs: What to keep.
        features: Whether its features are kept too, where it has some.

    Returns:
        SHA-256 of the file.

    Raises:
        OSError: The file could not be written; a former one is intact.
    """
    tensors = {
        "logits": _narrow(outputs.logits, _NARROW_FLOATS),
        "labels": _narrow(outputs.labels, _NARROW_INTEGERS),
        "ids": _narrow(outputs.ids, _NARROW_INTEGERS),
    }
    if not torch.equal(outputs.labels, outputs.true_labels):
        tensors["true_labels"] = _narrow(outputs.true_labels, _NARROW_INTEGERS)
    if features and outputs.features is not None:
        tensors["features"] = _narrow(outputs.features, _NARROW_FLOATS)
    content = tensor_bytes(tensors, {"format": "pt", "maxsup": str(_FORMAT)})
    with atomic_write(as_place(path)) as file:
        file.write(content)
    return digest(content)


def load_outputs(path: str | Path) -> Outputs:
    """Read the outputs that a run kept.

    Args:
        path: The file, ``outputs-test.safetensors`` in a run's directory for example.

    Returns:
        Logits and features, where these were kept, in float32 (float64 where they were), labels
        and ids as int64.

    Raises:
        ValueError: The file holds no outputs, not those that were written, or is of a newer
            version of maxsup.
        FileNotFoundError: There is no such file.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "outputs-test.safetensors"
        >>> digest = save_outputs(path, Outputs(torch.eye(3), *[torch.arange(3)] * 3))
        >>> load_outputs(path).logits.argmax(dim=1)
        tensor([0, 1, 2])
    """
    content = read_checked(as_place(path))
    try:
        tensors = load(content)
        found = _metadata(content).get("maxsup", str(_FORMAT))
        check_format(
            int(found) if found.isdecimal() else found,
            str(path),
            newest=_FORMAT,
            remedy="Repeat its run by the same command.",
        )
        logits, labels, ids = (tensors[name] for name in ("logits", "labels", "ids"))
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"{path} holds no outputs of a run: {error!r}.") from error
    if logits.dtype in _NARROW_FLOATS:
        logits = logits.float()
    labels = labels.long()
    true_labels = tensors["true_labels"].long() if "true_labels" in tensors else labels
    features = tensors.get("features")
    if features is not None and features.dtype in _NARROW_FLOATS:
        features = features.float()
    return Outputs(logits, labels, true_labels, ids.long(), features)


def _metadata(content: bytes) -> dict[str, str]:
    """What a safetensors file says of itself, which its reader hands out for files alone."""
    length = int.from_bytes(content[:8], "little")
    found: dict[str, str] = json.loads(content[8 : 8 + length]).get("__metadata__", {})
    return found


def bytes_to_keep(samples: int, num_classes: int, *, half: bool) -> int:
    """About how many bytes the outputs of so many samples take.

    Args:
        samples: N.
        num_classes: K.
        half: Whether the forward pass is in 16 bits.

    >>> bytes_to_keep(50_000, 1000, half=True)
    100400000
    """
    each = (2 if half else 4) * num_classes + 4 + (1 if num_classes <= 256 else 4)
    return samples * each


def _narrow(values: Tensor, dtypes: tuple[torch.dtype, ...]) -> Tensor:
    """The values in the first of the dtypes that holds them exactly, else as they are."""
    for dtype in dtypes:
        narrowed = values.to(dtype)
        same = narrowed.to(values.dtype) == values
        if values.is_floating_point():
            same |= values.isnan() & narrowed.isnan()
        if bool(same.all()):
            return narrowed.contiguous()
    return values.contiguous()
