"""A run's data, loaded while a person is told what is going on."""

from collections.abc import Callable

from accelerate import Accelerator

from maxsup.training._advice import advice
from maxsup.training._data import AnyData, load_data
from maxsup.training._settings import RunSettings


def load_announced(
    settings: RunSettings, accelerator: Accelerator, say: Callable[[str], None]
) -> AnyData:
    """Load a run's data; the first process says what is going on, and what would be faster.

    It also says what was chosen and passed over in the data (:attr:`ImageData.notes`).

    Args:
        settings: The run's settings.
        accelerator: The processes that will train.
        say: Shows a sentence to a person.

    Raises:
        ValueError: The data cannot be used as asked; the message says how to mend it.
    """
    speaks = accelerator.is_main_process
    for text in advice(settings.recipe, accelerator) if speaks else []:
        say(text)
    data = load_data(settings.data, settings.recipe, say if speaks else None)
    if speaks:
        for note in data.notes:
            say(f"Data: {note}")
    return data
