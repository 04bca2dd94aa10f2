"""Names by which people say that a folder holds images, or masks of them."""

import re

from maxsup.data.sources._roles import role_of_folder

MASK_WORDS = frozenset(
    {
        *("ann", "annot", "annots", "annotation", "annotations", "gt", "groundtruth", "label"),
        *("labels", "mask", "masks", "seg", "segmentation", "segmentations"),
    }
)
IMAGE_WORDS = frozenset(
    {
        *("data", "dataset", "dir", "files", "image", "images", "img", "imgs", "jpeg"),
        *("jpegimages", "jpg", "photo", "photos", "picture", "pictures", "png", "rgb"),
    }
)
_BESIDE_MASK_WORDS = frozenset({"class", "classes", "instance", "instances", "object", "objects"})


def are_images_with_masks(places: list[str]) -> bool:
    """Whether folders that hold images are called like images and masks, and none like a class.

    >>> are_images_with_masks(["train/images/", "train/masks/"])
    True
    >>> are_images_with_masks(["train/", "trainannot/", "JPEGImages/", "SegmentationClass/"])
    True
    >>> are_images_with_masks(["with_mask/", "without_mask/"])
    False
    >>> are_images_with_masks(["images/cat/", "images/dog/"]), are_images_with_masks(["masks/"])
    (False, False)
    """
    of_masks = [any(words_of(name) & MASK_WORDS for name in _parts(place)) for place in places]
    says_no_more = all(_says_no_more(name) for place in places for name in _parts(place))
    return says_no_more and any(of_masks) and not all(of_masks)


def _parts(place: str) -> list[str]:
    return [name for name in place.split("/") if name]


def _says_no_more(name: str) -> bool:
    """Whether a name says what lies in a folder or what it is for, and nothing of a class."""
    words = words_of(name)
    known = MASK_WORDS | IMAGE_WORDS | {word for word in words if role_of_folder(word)}
    return words <= (known | _BESIDE_MASK_WORDS if words & MASK_WORDS else known)


def words_of(folder: str) -> frozenset[str]:
    """The words in a folder's name; those that end with one of masks are two."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", folder)
    words = set()
    for word in re.split(r"[\W_0-9]+", apart.lower()):
        ending = re.fullmatch(
            r"(train|training|val|valid|validation|test|testing)"
            r"(annots?|masks?|labels?|gt|images?|imgs?)",
            word,
        )
        words |= {ending[1], ending[2]} if ending else {word}
    if {"ground", "truth"} <= words:
        words.add("groundtruth")
    return frozenset(words - {""})
