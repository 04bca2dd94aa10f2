"""Names by which people say what a part of a data set is for."""

import re
from pathlib import PurePath
from typing import Literal

Role = Literal["train", "validation", "test"]

_WORDS: dict[str, Role] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "validate": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
}
_FILLERS = frozenset(
    {
        *("data", "dataset", "files", "folder", "image", "images", "imgs", "photos", "pictures"),
        *("img", "jpeg", "jpegimages", "jpg", "photo", "samples", "set", "split"),
    }
)
_SUFFIXES = ("dataset", "data", "set")  # written without a gap, as in "trainset"


def role_of_folder(name: str) -> Role | None:
    """What a folder of images is for, if its name says that and nothing else.

    >>> [role_of_folder(name) for name in ("Train", "TEST", "valid", "dev", "test_set", "ValData")]
    ['train', 'test', 'validation', 'validation', 'test', 'validation']
    >>> [role_of_folder(name) for name in ("train station", "tests", "cat", "trainee", "set")]
    [None, None, None, None, None]
    """
    words = [word for word in _words(name) if word not in _FILLERS]
    return _role_of_word(words[0]) if len(words) == 1 else None


def role_in_name(name: str) -> Role | None:
    """What a folder may be for: one word of its name says so, beside others.

    >>> role_in_name("seg_train"), role_in_name("train station"), role_in_name("trains")
    ('train', 'train', None)
    """
    roles = {_role_of_word(word) for word in _words(name)} - {None}
    return roles.pop() if len(roles) == 1 else None


def role_of_data_file(name: str) -> Role | None:
    """What a file that holds many images is for, if one word of its name says so.

    Such files are named by programs, so that the word may stand among others.

    >>> names = ("train-00000-of-00002.parquet", "imagenet1k-validation-07.tar", "test.parquet")
    >>> [role_of_data_file(name) for name in names]
    ['train', 'validation', 'test']
    >>> role_of_data_file("train-test.parquet"), role_of_data_file("all.parquet")
    (None, None)
    """
    return role_in_name(PurePath(name).stem)


def is_filler(name: str) -> bool:
    """Whether a folder's name says no more than that there are images in it.

    >>> is_filler("images"), is_filler("JPEGImages"), is_filler("cat images")
    (True, True, False)
    """
    words = _words(name)
    return bool(words) and all(word in _FILLERS for word in words)


def _words(name: str) -> list[str]:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[\W_0-9]+", apart.lower()) if word]


def _role_of_word(word: str) -> Role | None:
    if word in _WORDS:
        return _WORDS[word]
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and word.removesuffix(suffix) in _WORDS:
            return _WORDS[word.removesuffix(suffix)]
    return None
