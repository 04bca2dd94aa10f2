"""A command that others may read."""

import re

_OUT = re.compile(r" --out[ =]\S+")
_PLACE = re.compile(r"(?<=[\s=])(?:[~/]|[A-Za-z]:[\\/])\S*[\\/](?=\S)")


def command_without_places(command: str) -> str:
    """A command with places on the machine cut down to their last part, and without ``--out``.

    Example:
        >>> command_without_places("maxsup compare /home/me/birds --seeds 3 --out /mnt/runs/birds")
        'maxsup compare path/to/birds --seeds 3'
        >>> command_without_places("maxsup compare hf:uoft-cs/cifar100 --weights ~/w.pth")
        'maxsup compare hf:uoft-cs/cifar100 --weights path/to/w.pth'
    """
    return _PLACE.sub("path/to/", _OUT.sub("", command))
