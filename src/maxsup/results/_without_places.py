"""Text that others may read: without the places on the machine that a study ran on."""

import re

_OUT = re.compile(r" --out[ =]\S+")
_PLACE = re.compile(r"(?<![^\s=(])(?:[~/]|[A-Za-z]:[\\/])\S*[\\/](?=\S)")


def without_places(text: str) -> str:
    """A text with places on the machine cut down to their last part.

    Example:
        >>> without_places("Teachers: /home/me/runs/maxsup (of 3/4 of the images), hf:owner/name")
        'Teachers: path/to/maxsup (of 3/4 of the images), hf:owner/name'
    """
    return _PLACE.sub("path/to/", text)


def command_without_places(command: str) -> str:
    """The same of a command, and without ``--out``.

    Example:
        >>> command_without_places("maxsup compare /home/me/birds --seeds 3 --out /mnt/runs/birds")
        'maxsup compare path/to/birds --seeds 3'
        >>> command_without_places("maxsup compare hf:uoft-cs/cifar100 --weights ~/w.pth")
        'maxsup compare hf:uoft-cs/cifar100 --weights path/to/w.pth'
    """
    return without_places(_OUT.sub("", command))
