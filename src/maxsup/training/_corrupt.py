"""What a person is told of images that cannot be read."""

from accelerate.utils import gather_object

from maxsup.training._data import AnyData
from maxsup.training._progress import ProgressReport


def report_corrupt(data: AnyData, known: int, progress: ProgressReport) -> int:
    """Say which photographs were left out, where there are more of them than were known.

    To be called in all processes.

    Returns:
        How many there are by now.

    Raises:
        ValueError: There are more altogether than may be left out.
    """
    corrupt = data.train.corrupt
    # Each process has met others; all of them stop where there are too many altogether.
    corrupt.add(gather_object(corrupt.listed()))
    if len(corrupt) > known:
        progress.say(f"{len(corrupt)} images cannot be read and are left out:")
        for image in corrupt.listed():
            progress.say(f"  {image}")
    return len(corrupt)
