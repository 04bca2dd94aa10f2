"""Whether a training can be built at all."""

from accelerate import Accelerator

from maxsup.data import ImageData
from maxsup.training._settings import RunSettings
from maxsup.training._setup import set_up
from maxsup.training._tasks import task_of


def check_setup(settings: RunSettings, data: ImageData, accelerator: Accelerator) -> None:
    """See, before anything is written, that a training can be built; to be called in all processes.

    What would be noted as the failure of this one run is left to the run.

    Raises:
        ValueError: The settings do not fit together, the data, or the number of processes.
        OSError: Something cannot be read.
    """
    try:
        set_up(settings, data, accelerator, task_of(settings.recipe))
    except (OSError, ValueError):
        raise
    except Exception as error:
        # Its frames hold the model.
        error.__traceback__ = None
    finally:
        # It collects garbage, which takes its time; on a CPU that of the first run will do.
        if accelerator.device.type != "cpu":
            accelerator.free_memory()
