"""What a person is told of images that cannot be read."""

from accelerate.utils import gather_object

from maxsup.training._data import AnyData
from maxsup.training._progress import ProgressReport


def report_corrupt(data: AnyData, progress: ProgressReport) -> None:
    """Say which photographs were left out, where there are more of them than have been told of.

    To be called in all processes.

    Raises:
        ValueError: There are more altogether than may be left out.
    """
    corrupt = data.train.corrupt
    # Each process has met others; all of them stop where there are too many altogether.
    corrupt.add(gather_object(corrupt.listed()))
    count = len(corrupt)
    if count > corrupt.told:
        are = "image cannot be read and is" if count == 1 else "images cannot be read and are"
        progress.say(f"{count:,} {are} left out:")
        for image in corrupt.listed():
            progress.say(f"  {image}")
        corrupt.told = count
