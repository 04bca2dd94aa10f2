"""The training of one model: settings in, weights and measures out."""

from maxsup.training._checkpoint import load_weights
from maxsup.training._data import load_data
from maxsup.training._evaluate import features_of
from maxsup.training._optimizer import learning_rate
from maxsup.training._progress import ProgressReport
from maxsup.training._result import Evaluation, Reliability, RunResult
from maxsup.training._settings import RunSettings
from maxsup.training._train import (
    WEIGHTS_FILE,
    TrainingDiverged,
    build_accelerator,
    build_model,
    train,
)

__all__ = [
    "WEIGHTS_FILE",
    "Evaluation",
    "ProgressReport",
    "Reliability",
    "RunResult",
    "RunSettings",
    "TrainingDiverged",
    "build_accelerator",
    "build_model",
    "features_of",
    "learning_rate",
    "load_data",
    "load_weights",
    "train",
]
