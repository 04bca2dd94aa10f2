"""How sure a model is where it is right and where it is wrong (MaxSup paper, Section 3.1)."""

import torch
from torch import Tensor

from maxsup.inspection._analysis import Analysis, Findings, fact
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject

_BINS = 20
_GAP_BINS = 40


def _run(subject: Subject, settings: InspectionSettings) -> Findings:
    """Both terms of Corollary 3.4, the gap to the true class, and confidence, of each part."""
    values: dict[str, float] = {}
    contributions: dict[str, Tensor] = {}
    details: dict[str, object] = {}
    notes = []
    for part in ("train", "test"):
        outputs = subject.outputs(part)
        if outputs is None:
            continue
        logits, labels = outputs.logits.double(), outputs.true_labels
        true = logits.gather(1, labels.unsqueeze(1))
        available = logits > -torch.inf
        above = torch.where(available, true - logits, 0.0)
        classes = available.sum(dim=1)
        regularization = above.relu().sum(dim=1) / classes
        enhancement = above.clamp(max=0).sum(dim=1) / classes
        top, predicted = logits.max(dim=1)
        wrong = predicted != labels
        gap = top - true.squeeze(1)
        confidence = logits.softmax(dim=1).amax(dim=1)
        values |= {
            f"{part}_regularization": float(regularization.mean()),
            f"{part}_error_enhancement": float(enhancement.mean()),
            f"{part}_logit_gap_wrong": float(gap[wrong].mean()),
        }
        if part == "test":
            contributions |= {
                "test_regularization": regularization,
                "test_error_enhancement": enhancement,
            }
        details[part] = {
            "right": _fractions(confidence[~wrong], 0.0, 1.0, _BINS),
            "wrong": _fractions(confidence[wrong], 0.0, 1.0, _BINS),
            "gap": _gaps(gap[wrong]),
            "samples": len(labels),
            "mistakes": int(wrong.sum()),
        }
        impossible = int(gap.isinf().sum())
        if impossible:
            notes.append(
                f"{subject.name}: {impossible:,} of {len(labels):,} {part} samples are of a class "
                "whose logit is −∞, one that is not available: their z_max − z_gt is infinite, and "
                "so are means over them, which are left out as are they in pictures."
            )
    return Findings(values, details, tuple(notes), contributions)


def _fractions(values: Tensor, low: float, high: float, bins: int) -> list[float]:
    """The fraction of values in each bin; nothing but zeros where there are none."""
    index = ((values - low) * (bins / (high - low))).long().clamp(0, bins - 1)
    counts = torch.bincount(index, minlength=bins).double()
    return [round(each, 6) for each in (counts / max(len(values), 1)).tolist()]


def _gaps(values: Tensor) -> dict[str, object]:
    """A histogram of z_max − z_gt, up to its largest; without those that are infinite."""
    values = values[values.isfinite()]
    high = float(values.max()) if len(values) else 1.0
    high = high or 1.0
    return {"high": high, "fractions": _fractions(values, 0.0, high, _GAP_BINS)}


CONFIDENCE = Analysis(
    name="confidence",
    facts=tuple(
        fact(f"{part}_{name}", f"{label} ({part})", help.format(part=words), bounds=bounds)
        for name, label, help, bounds in (
            (
                "regularization",
                "Regularization",
                "first term of label smoothing's penalty (Corollary 3.4, α = 1): how far the true "
                "class's logit lies above the smaller ones, mean over {part} samples",
                (0.0, None),
            ),
            (
                "error_enhancement",
                "Error enhancement",
                "second term, 0 where the model is right: how far the true class's logit lies "
                "below the larger ones, with a minus; lowering it makes label smoothing's loss "
                "smaller and the mistake worse; mean over {part} samples",
                (None, 0.0),
            ),
            (
                "logit_gap_wrong",
                "z_max − z_gt where wrong",
                "how far a wrong answer's logit lies above the true class's, mean over the {part} "
                "samples that are predicted wrong",
                (0.0, None),
            ),
        )
        for part, words in (("test", "test"), ("train", "training"))
    ),
    run=_run,
)
