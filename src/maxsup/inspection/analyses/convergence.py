"""How features, last layer and probabilities came to be, epoch by epoch, where a run kept them."""

import copy
import json
import math
from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from maxsup.data import LabelledSplit
from maxsup.evaluation import Outputs
from maxsup.inspection._analysis import Analysis, Findings
from maxsup.inspection._kept import Found, KeptFindings
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject, sample
from maxsup.measures import (
    FeatureMoments,
    collapse_of_moments,
    layer_spectrum,
    logit_conditions,
)
from maxsup.models import class_templates, load_epoch
from maxsup.training import slow_steps

_VERSION = 1
_SAMPLES = 10_000
"""The most samples of a part that each epoch's weights are run over, the same for all epochs."""


def _run(subject: Subject, settings: InspectionSettings) -> Findings | None:
    """A row of numbers for each epoch whose weights there are, the last one's too.

    Raises:
        ValueError: Weights are not as they were written.
    """
    if subject.trained is None or not subject.epochs:
        return None
    parts: dict[str, LabelledSplit] = {}
    for part in ("train", "test"):
        split = subject.seen(part)
        if split is not None:
            parts[part] = sample(split, _SAMPLES, settings.seed)
    directory = None if subject.kept is None else subject.kept / "convergence"
    kept = KeptFindings(directory)
    model = copy.deepcopy(subject.trained.model)
    at_epoch = replace(subject, trained=replace(subject.trained, model=model))
    epochs = [*subject.epochs, subject.last_epoch]
    progress = slow_steps(subject.announce, f"{subject.name}: weights of epochs looked at")
    rows: dict[int, Mapping[str, float | None]] = {}
    for done, epoch in enumerate(epochs, start=1):
        key = json.dumps(
            [*(subject.key(part) for part in ("train", "test")), _VERSION, epoch,
             subject.epochs_digest, settings.seed]
        )  # fmt: skip
        found = kept.read(f"epoch-{epoch:04d}", key)
        if found is None:
            if epoch in subject.epochs:
                load_epoch(subject.epochs[epoch], model)
            else:
                model.load_state_dict(subject.trained.model.state_dict())
            values = _measured(model, {name: at_epoch.of(split) for name, split in parts.items()})
            found = Found({k: v if math.isfinite(v) else None for k, v in values.items()})
            kept.write(f"epoch-{epoch:04d}", key, found)
        rows[epoch] = found.values
        progress(done, len(epochs))
    for message in kept.damaged:
        subject.announce(message)
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    return Findings(
        details={
            "epochs": epochs,
            "samples": {name: len(split) for name, split in parts.items()},
            "values": {name: [rows[epoch].get(name) for epoch in epochs] for name in names},
        }
    )


def check_epochs(subject: Subject) -> None:
    """See that the weights of a model's epochs can be used, before anything takes long.

    Raises:
        ValueError: Some are not as they were written, or of another architecture.
        OSError: A file cannot be read.
    """
    if subject.trained is None or not subject.epochs:
        return
    model = copy.deepcopy(subject.trained.model)
    progress = slow_steps(subject.announce, f"{subject.name}: weights of epochs checked")
    for done, path in enumerate(subject.epochs.values(), start=1):
        load_epoch(path, model)
        progress(done, len(subject.epochs))


def _measured(model: nn.Module, parts: Mapping[str, Outputs]) -> dict[str, float]:
    """The numbers of one epoch."""
    layer = layer_spectrum(class_templates(model).cpu())
    values = {
        "layer_rank": float(layer.rank),
        "layer_condition": float(layer.condition_number),
    }
    for part, outputs in parts.items():
        values |= {f"{part}_{name}": value for name, value in _of_part(outputs).items()}
    return values


def _of_part(outputs: Outputs) -> dict[str, float]:
    logits, labels = outputs.logits.double(), outputs.true_labels
    found = {
        "accuracy": float((logits.argmax(dim=1) == labels).double().mean()),
        "nll": float(cross_entropy(logits, labels)),
        "curvature": float(logit_conditions(logits).log().mean().exp()),
    }
    features: Tensor | None = outputs.features
    if features is None or not features.isfinite().all():
        return found
    moments = FeatureMoments(outputs.num_classes, features.shape[1], sync_on_compute=False)
    moments.update(features, labels)
    collapse = collapse_of_moments(moments.compute())
    return found | {
        "rank": float(collapse.rank),
        "rank_fraction": float(collapse.rank_fraction),
        "condition_number": float(collapse.condition_number),
        "nc1": float(collapse.nc1),
    }


CONVERGENCE = Analysis(
    name="convergence",
    facts=(),
    run=_run,
    contents=lambda subject, settings: subject.epochs_digest,
    version=_VERSION,
)
