"""The training of one model: settings in, weights and measures out."""

from maxsup._trackers import TrackerName
from maxsup.training._accelerator import build_accelerator, execution_of
from maxsup.training._advice import advice
from maxsup.training._announced import load_announced
from maxsup.training._backbone import with_backbone
from maxsup.training._cause import cause_of, in_one_line, is_foreseen
from maxsup.training._choose import Choice, choose_recipe
from maxsup.training._class_names import class_differences
from maxsup.training._curves import RecipeCurves, recipe_curves
from maxsup.training._data import AnyData, load_data, load_labelled
from maxsup.training._distillation import Distillation
from maxsup.training._diverged import TrainingDiverged
from maxsup.training._dry_run import DryRun, dry_run
from maxsup.training._evaluate_segmentation import BY_IMAGE, MATRIX, SHOWN
from maxsup.training._fingerprint import weights_digest
from maxsup.training._model import build_model
from maxsup.training._optimizer import learning_rate
from maxsup.training._position import EpochSums, Position
from maxsup.training._progress import ProgressReport, duration
from maxsup.training._result import RESULT_FILE, RunResult
from maxsup.training._run_files import FAILURE_FILE, check_run, has_kept, listed
from maxsup.training._settings import (
    MeasuredOn,
    RunSettings,
    differences,
    read_distillation,
    taught_otherwise,
)
from maxsup.training._settings_file import FORMAT, SETTINGS_FILE, check_format, read_parts
from maxsup.training._setup import check_setup, notes_on_weights
from maxsup.training._slow_steps import slow_steps
from maxsup.training._teacher import check_teacher
from maxsup.training._tracking import check_tracker
from maxsup.training._train import train

__all__ = [
    "BY_IMAGE",
    "FAILURE_FILE",
    "FORMAT",
    "MATRIX",
    "RESULT_FILE",
    "SETTINGS_FILE",
    "SHOWN",
    "AnyData",
    "Choice",
    "Distillation",
    "DryRun",
    "EpochSums",
    "MeasuredOn",
    "Position",
    "ProgressReport",
    "RecipeCurves",
    "RunResult",
    "RunSettings",
    "TrackerName",
    "TrainingDiverged",
    "advice",
    "build_accelerator",
    "build_model",
    "cause_of",
    "check_format",
    "check_run",
    "check_setup",
    "check_teacher",
    "check_tracker",
    "choose_recipe",
    "class_differences",
    "differences",
    "dry_run",
    "duration",
    "execution_of",
    "has_kept",
    "in_one_line",
    "is_foreseen",
    "learning_rate",
    "listed",
    "load_announced",
    "load_data",
    "load_labelled",
    "notes_on_weights",
    "read_distillation",
    "read_parts",
    "recipe_curves",
    "slow_steps",
    "taught_otherwise",
    "train",
    "weights_digest",
    "with_backbone",
]
