"""The runs that lie in a study's directory, or in that of one of its methods."""

from pathlib import Path

from maxsup._digests import DamagedFile, read_object
from maxsup._method_names import directory_name
from maxsup.training import SETTINGS_FILE

_STUDY_FILE = "study.json"


def is_run(place: Path) -> bool:
    """Whether a directory is that of a run."""
    return (place / SETTINGS_FILE).exists()


def seeds_in(place: Path) -> list[int]:
    """The seeds of a method's runs in its directory."""
    found = (path.parent.name for path in place.glob(f"seed-*/{SETTINGS_FILE}"))
    numbers = (name.removeprefix("seed-") for name in found)
    return sorted(int(number) for number in numbers if number.isdecimal())


def names_in(place: Path) -> list[str]:
    """The directories of a study's methods, in its order."""
    found = sorted({path.parent.parent.name for path in place.glob(f"*/seed-*/{SETTINGS_FILE}")})
    order = _asked_for(place)
    return sorted(found, key=lambda each: order.index(each) if each in order else len(order))


def check_begun(place: Path) -> None:
    """See that each method of a study has a run, so that none is passed over in silence.

    Raises:
        ValueError: One has none, as the study was stopped before.
    """
    found = names_in(place)
    missing = [name for name in _asked_for(place) if name not in found]
    if missing:
        raise ValueError(
            f"{place} has no run of {', '.join(missing)} yet, of which its {_STUDY_FILE} speaks. "
            "Repeat the command that trains it, which goes on; or name one of its methods, as in "
            f"{place}/{found[0]}."
        )


def _asked_for(place: Path) -> list[str]:
    """The directories of all methods that a study's file names; none where there is none."""
    try:
        study = read_object((place / _STUDY_FILE).read_bytes(), place / _STUDY_FILE)
        return [directory_name(name) for name in study["methods"]]
    except (OSError, DamagedFile, KeyError, TypeError):
        return []
