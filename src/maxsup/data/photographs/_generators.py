"""Random numbers for code that draws them from the global generators, as timm's does."""

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import torch


@contextlib.contextmanager
def seeded_python_and_numpy(seed: int) -> Iterator[None]:
    """Give Python's and numpy's generators a state of our own, and the old one back."""
    python, numpy = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


@contextlib.contextmanager
def seeded_python_and_torch(seed: int, device: torch.device) -> Iterator[None]:
    """Give Python's and the device's generators a state of our own, and the old one back."""
    python, kind = random.getstate(), device.type
    random.seed(seed)
    devices = [device] if kind != "cpu" else []
    try:
        with torch.random.fork_rng(devices, device_type=kind if devices else "cuda"):
            torch.manual_seed(seed)
            yield
    finally:
        random.setstate(python)
