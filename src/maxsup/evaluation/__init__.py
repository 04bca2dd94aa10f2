"""One pass of a model over a split, or over stored predictions, for any number of measures."""

from maxsup.evaluation._execution import Execution
from maxsup.evaluation._forward import evaluation_batches_of, model_outputs
from maxsup.evaluation._kept import (
    OutputsKeeper,
    bytes_to_keep,
    load_outputs,
    outputs_file,
    save_outputs,
)
from maxsup.evaluation._measure import (
    Accumulation,
    Context,
    Found,
    Measure,
    Record,
    Sizes,
    measure_outputs,
)
from maxsup.evaluation._outputs import Outputs, join_outputs
from maxsup.evaluation._probe import PROBE_FACTS, measure_probe
from maxsup.evaluation._reported import (
    measure_facts,
    measures_each_epoch,
    measures_on,
    records_on,
)
from maxsup.evaluation._segmentation_measures import (
    MEAN_IOU,
    MULTISCALE,
    iou_by_class,
    segmentation_contributions,
    segmentation_facts,
    segmentation_values,
)
from maxsup.evaluation._segmentation_pass import (
    SegmentationFound,
    Views,
    boundary_counts,
    segmentation_pass,
    shown_rows,
    smaller_mask,
)
from maxsup.evaluation.measures import MEASURES, RECORDS
from maxsup.evaluation.measures.calibration import RELIABILITY
from maxsup.evaluation.measures.classification import ACCURACY, NLL, TRAINING_ACCURACY
from maxsup.evaluation.measures.confusion import CONFUSION
from maxsup.evaluation.measures.logits import LOGIT_COUNTS
from maxsup.evaluation.measures.selective import RISK_COVERAGE
from maxsup.evaluation.measures.temperature import TEMPERATURE
from maxsup.results.schema import SplitName

__all__ = [
    "ACCURACY",
    "CONFUSION",
    "LOGIT_COUNTS",
    "MEAN_IOU",
    "MEASURES",
    "MULTISCALE",
    "NLL",
    "PROBE_FACTS",
    "RECORDS",
    "RELIABILITY",
    "RISK_COVERAGE",
    "TEMPERATURE",
    "TRAINING_ACCURACY",
    "Accumulation",
    "Context",
    "Execution",
    "Found",
    "Measure",
    "Outputs",
    "OutputsKeeper",
    "Record",
    "SegmentationFound",
    "Sizes",
    "SplitName",
    "Views",
    "boundary_counts",
    "bytes_to_keep",
    "evaluation_batches_of",
    "iou_by_class",
    "join_outputs",
    "load_outputs",
    "measure_facts",
    "measure_outputs",
    "measure_probe",
    "measures_each_epoch",
    "measures_on",
    "model_outputs",
    "outputs_file",
    "records_on",
    "save_outputs",
    "segmentation_contributions",
    "segmentation_facts",
    "segmentation_pass",
    "segmentation_values",
    "shown_rows",
    "smaller_mask",
]
