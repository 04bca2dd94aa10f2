"""The data of a study's runs: the same for all, or drawn anew for each seed."""

from collections.abc import Callable

from accelerate import Accelerator

from maxsup.data import NothingDrawn
from maxsup.study._settings import StudySettings
from maxsup.training import AnyData, load_announced, load_data


class StudyData:
    """The data of each seed, loaded when it is asked for.

    Without ``resample_data`` it is loaded once. Else the data of the seed that was asked for last
    is kept, as runs are trained seed by seed, beside that of the first one.

    Args:
        settings: The study's.
        first: The data of the first seed.
    """

    def __init__(self, settings: StudySettings, first: AnyData) -> None:
        self._settings = settings
        self._first_seed = self._last_seed = settings.seeds[0]
        self.first = self._last = first
        self._fingerprints: dict[int, str] = {}

    def of(self, seed: int) -> AnyData:
        """The data of a seed, the same for all methods."""
        if not self._settings.resample_data or seed == self._first_seed:
            return self.first
        if seed != self._last_seed:
            settings = self._settings
            self._last, self._last_seed = load_data(settings.data_of(seed), settings.recipe), seed
        return self._last

    def fingerprint(self, seed: int) -> str:
        """That of a seed's data, which is not loaded for it more often than once."""
        if not self._settings.resample_data:
            return self.first.fingerprint
        if seed not in self._fingerprints:
            self._fingerprints[seed] = self.of(seed).fingerprint
        return self._fingerprints[seed]


def load_study_data(
    settings: StudySettings, accelerator: Accelerator, say: Callable[[str], None]
) -> StudyData:
    """Load the data of the first seed, while a person is told what is going on.

    Raises:
        ValueError: The data cannot be used as asked, or is to be drawn anew for each seed and has
            nothing that is drawn.
    """
    first = settings.run(*settings.plan()[0])
    try:
        data = load_announced(first, accelerator, say)
    except NothingDrawn as error:
        if not settings.resample_data:
            raise
        raise ValueError(_nothing_to_resample(str(error), settings)) from error
    if settings.resample_data and not redrawn(settings, data):
        raise ValueError(_nothing_to_resample("The data has a test set of its own.", settings))
    if settings.resample_data and accelerator.is_main_process:
        say(f"Data: drawn anew for each seed: {', '.join(redrawn(settings, data))}.")
    return StudyData(settings, data)


def redrawn(settings: StudySettings, data: AnyData) -> list[str]:
    """What is drawn anew for each seed, in words; nothing where all seeds share their data."""
    if not settings.resample_data:
        return []
    of = settings.data
    parts = {
        "the test set": data.test_is_drawn,
        "the validation part": bool(of.validation),
        "the part that is trained on": of.fraction < 1 or of.imbalance > 1,
        "the wrong labels": bool(of.label_noise),
    }
    return [name for name, is_drawn in parts.items() if is_drawn]


def _nothing_to_resample(why: str, settings: StudySettings) -> str:
    # Masks are given no wrong labels.
    noise = "with --label-noise, labels would be drawn, and "
    if settings.recipe.is_segmentation:
        noise = ""
    return (
        f"resample_data: nothing would differ from seed to seed, as no part and no label of this "
        f"data is drawn at random. {why} Leave --resample-data out; {noise}of data that is all in "
        "one part a test set would be drawn."
    )
