"""Independent random streams from one seed."""

import hashlib


def derive_seed(seed: int, *parts: str | int) -> int:
    """A seed for one purpose, a pure function of its arguments; in [0, 2³²).

    >>> derive_seed(0, "order", 1) == derive_seed(0, "order", 1)
    True
    >>> derive_seed(0, "order", 1) == derive_seed(0, "order", 2)
    False
    """
    text = ":".join(map(str, (seed, *parts)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


_END = 2**32
"""numpy's generators take no seed from here on."""


def check_seed(name: str, seed: int) -> None:
    """See that a seed is one that every generator takes.

    Raises:
        ValueError: It is negative, or 2³² or more.

    >>> check_seed("seed", -1)
    Traceback (most recent call last):
    ValueError: seed must lie in [0, 4294967295]; got -1.
    """
    if not 0 <= seed < _END:
        raise ValueError(f"{name} must lie in [0, {_END - 1}]; got {seed}.")
