"""Arrays of whatever library as numpy's; needs numpy alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def as_array(name: str, values: object) -> Array:
    """The values as a numpy array on the CPU.

    Tensors of torch are taken whatever their device and gradient; those of JAX, TensorFlow and
    others give themselves out as arrays. Floats that numpy does not have, such as bfloat16, become
    float32, which holds them exactly.

    Args:
        name: What the values are called in a message.
        values: A tensor, an array, or nested lists of numbers.

    Raises:
        ValueError: They are no array of numbers or text.

    Example:
        >>> import torch
        >>> as_array("logits", torch.tensor([[1.5, -2.0]], dtype=torch.bfloat16)).dtype
        dtype('float32')
    """
    tensor: Any = values
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu()
        if str(tensor.dtype).startswith(("torch.bfloat", "torch.float8")):
            tensor = tensor.float()
    try:
        array = np.asarray(tensor)
        if array.dtype.kind == "V":  # floats of ml_dtypes, which JAX and TensorFlow have
            array = array.astype(np.float32)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{name} cannot be read as one array ({error}). Join batches into one, as "
            "numpy.concatenate does."
        ) from error
    if array.dtype.kind == "O" and all(isinstance(each, str) for each in array.flat):
        array = array.astype(str)
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8")
    if array.dtype.kind not in "biufU":
        raise ValueError(
            f"{name} must be an array of numbers or text; got {type(values).__name__} of dtype "
            f"{array.dtype}."
        )
    return array


def example(values: Array, most: int = 3) -> str:
    """The first few of some values, for a message.

    >>> example(np.arange(5)), example(np.array(["a"]))
    ('0, 1, 2, …', 'a')
    """
    shown = ", ".join(str(value) for value in values[:most].tolist())
    return shown + (", …" if len(values) > most else "")
