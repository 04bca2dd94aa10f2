"""A folder of masks, each an image called as the image that it is of."""

from pathlib import Path, PurePosixPath

from maxsup.data.sources._walk import walk

_LISTED = 3


class MaskFolder:
    """Finds the mask of an image by its name.

    A mask has the image's name but for the suffix. Of several of that name the one is meant that
    lies in folders called as the image's: ``masks/cat/7.png`` is of ``test/cat/7.jpg``.

    Args:
        path: The folder.

    Raises:
        ValueError: There are no images in it, or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._by_stem: dict[str, list[PurePosixPath]] = {}
        self._taken: dict[PurePosixPath, str] = {}
        for folder in walk(path).walk():
            for name in folder.images:
                found = PurePosixPath(folder.place) / name
                self._by_stem.setdefault(found.stem, []).append(found)
        if not self._by_stem:
            raise ValueError(
                f"masks: the folder {path} holds no images. Expected is a mask for each image, "
                "with its name: 7.png for 7.jpg."
            )

    def find(self, image: str) -> str:
        """The path of an image's mask.

        Args:
            image: The image's file.

        Raises:
            ValueError: There is none, several may be meant, or it is another image's too.
        """
        of = PurePosixPath(image.replace("\\", "/"))
        candidates = self._by_stem.get(of.stem, [])
        matching = {each: _common(each, of) for each in candidates}
        best = max(matching.values(), default=0)
        found = [each for each in candidates if matching[each] == best]
        if not found:
            raise ValueError(
                f"there is no mask called {of.stem} in {self._path}, where "
                f"{sum(map(len, self._by_stem.values())):,} masks lie, such as "
                f"{next(iter(self._by_stem.values()))[0]}. A mask has its image's name, but for "
                "the suffix; one of nothing is black."
            )
        if len(found) > 1:
            raise ValueError(
                f"{len(found)} masks in {self._path} are called so: "
                f"{', '.join(map(str, found[:_LISTED]))}. Put each into a folder called as its "
                "image's."
            )
        (mask,) = found
        before = self._taken.setdefault(mask, image)
        if before != image:
            raise ValueError(
                f"the mask {mask} in {self._path} would be its, and that of {before} too. Put each "
                "into a folder called as its image's."
            )
        return str(self._path / mask)


def _common(mask: PurePosixPath, image: PurePosixPath) -> int:
    """How many of the folders right above both are called the same."""
    count = 0
    for one, other in zip(reversed(mask.parts[:-1]), reversed(image.parts[:-1]), strict=False):
        if one != other:
            break
        count += 1
    return count
