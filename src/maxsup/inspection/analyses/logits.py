"""How logits are distributed: all of them, the true class's, and the largest (Figure 2)."""

import torch
from torch import Tensor

from maxsup.inspection._analysis import Analysis, Findings, fact
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject
from maxsup.measures import LogitHistogram

_SAMPLES = 10_000
"""Test samples whose logits are counted, as in the paper's Figure 2."""
_WHICH = {
    "all": "all logits",
    "true": "the true class's logit",
    "top": "the largest logit",
}


def _run(subject: Subject, settings: InspectionSettings) -> Findings:
    """Counts, standard deviation and range of each kind of logit."""
    outputs = subject.outputs("test")
    assert outputs is not None
    generator = torch.Generator().manual_seed(settings.seed)
    chosen = torch.randperm(len(outputs), generator=generator)[:_SAMPLES].sort().values
    logits, labels = outputs.logits[chosen], outputs.true_labels[chosen]
    kinds = {
        "all": logits,
        "true": logits.gather(1, labels.unsqueeze(1)),
        "top": logits.amax(dim=1, keepdim=True),
    }
    values, counts = {}, {}
    for name, of_kind in kinds.items():
        # A class that is not available has no logit.
        finite = of_kind[of_kind > -torch.inf].double()
        values[f"test_logit_{name}_mean"] = float(finite.mean())
        values[f"test_logit_{name}_std"] = float(finite.std())
        values[f"test_logit_{name}_range"] = float(finite.max() - finite.min())
        counts[name] = _counts(of_kind)
    return Findings(values, counts)


def _counts(logits: Tensor) -> dict[str, object]:
    """The histogram without its empty ends."""
    metric = LogitHistogram(samples=len(logits), sync_on_compute=False)
    metric.update(logits)
    counts = metric.compute()
    filled = counts.nonzero().flatten()
    first, last = int(filled[0]), int(filled[-1]) + 1
    return {"first": first, "bins": len(counts), "counts": counts[first:last].tolist()}


LOGITS = Analysis(
    name="logits",
    facts=tuple(
        fact(
            f"test_logit_{name}_{key}",
            f"{label}: {words}",
            f"{what} of {words}, of up to {_SAMPLES:,} test samples",
            bounds=(None if key == "mean" else 0.0, None),
        )
        for name, words in _WHICH.items()
        for key, label, what in (
            ("mean", "Mean", "mean"),
            ("std", "sd", "standard deviation"),
            ("range", "Range", "largest minus smallest"),
        )
    ),
    run=_run,
)
