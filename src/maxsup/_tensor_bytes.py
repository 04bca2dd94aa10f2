"""Tensors as the bytes of a safetensors file, the same for the same tensors."""

import json
from collections.abc import Mapping

from safetensors.torch import save
from torch import Tensor

_LENGTH = 8
"""Bytes that say how long the header is, little-endian; it is filled up to a multiple of these."""


def tensor_bytes(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Tensors by name, with something to know of them.

    The library writes the metadata in an order that differs from call to call, so they are put in
    order: a repeated training leaves the same file.

    Example:
        >>> from safetensors.torch import load
        >>> import torch
        >>> content = tensor_bytes({"a": torch.ones(2)}, {"format": "pt", "epoch": "5"})
        >>> content[8:52]
        b'{"__metadata__":{"epoch":"5","format":"pt"},'
        >>> from safetensors.torch import load
        >>> load(content)
        {'a': tensor([1., 1.])}
    """
    content = save({name: each.contiguous() for name, each in tensors.items()}, dict(metadata))
    end = _LENGTH + int.from_bytes(content[:_LENGTH], "little")
    header = json.loads(content[_LENGTH:end])
    header["__metadata__"] = dict(sorted(metadata.items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _LENGTH)
    return len(text).to_bytes(_LENGTH, "little") + text + content[end:]
