"""The training of one model: settings in, weights and measures out."""

from maxsup.training._checkpoint import load_weights
from maxsup.training._data import load_data
from maxsup.training._dry_run import DryRun, dry_run
from maxsup.training._epoch import TrainingDiverged
from maxsup.training._evaluate import features_of
from maxsup.training._optimizer import learning_rate
from maxsup.training._progress import ProgressReport, duration
from maxsup.training._result import Evaluation, RunResult
from maxsup.training._settings import RunSettings
from maxsup.training._setup import advice, build_accelerator, build_model
from maxsup.training._tracking import TrackerName, check_tracker
from maxsup.training._train import WEIGHTS_FILE, train

__all__ = [
    "WEIGHTS_FILE",
    "DryRun",
    "Evaluation",
    "ProgressReport",
    "RunResult",
    "RunSettings",
    "TrackerName",
    "TrainingDiverged",
    "advice",
    "build_accelerator",
    "build_model",
    "check_tracker",
    "dry_run",
    "duration",
    "features_of",
    "learning_rate",
    "load_data",
    "load_weights",
    "train",
]
