"""All objectives on a device, each backend against plain operations in float64.

A row holds an objective in one precision with one number of classes; in it stand the errors of each
backend, one for each kind of input. The error of the values is |v − v₆₄| / max(1, |v₆₄|), the
largest over the batch; that of the gradient is ‖g − g₆₄‖ / ‖g₆₄‖.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial

import torch
from rich import box
from rich.table import Table
from torch import Tensor

from gpu_record import Record, Row, described
from maxsup import functional
from maxsup.losses import backend

OBJECTIVES: dict[str, Callable[..., Tensor]] = {
    "cross-entropy": functional.cross_entropy_loss,
    "label smoothing": functional.label_smoothing_loss,
    "MaxSup": functional.maxsup_loss,
    "confidence penalty": functional.confidence_penalty_loss,
    "logit penalty": functional.logit_penalty_loss,
    "LS regularization": functional.ls_regularization_loss,
    "LS error enhancement": functional.ls_error_enhancement_loss,
    "LS error enhancement, top 1": functional.ls_error_enhancement_top1_loss,
    "margin label smoothing": partial(functional.margin_label_smoothing_loss, margin=1.0),
    "ACLS": partial(functional.acls_loss, margin=1.0),
    "focal": functional.focal_loss,
    "dual focal": functional.dual_focal_loss,
    "poly-1": functional.poly1_loss,
    "logit normalization": functional.logit_normalization_loss,
    "Zipf label smoothing": functional.zipf_label_smoothing_loss,
}
# A compilation takes seconds, so it is left to these.
COMPILED = ("label smoothing", "MaxSup")
COMPILED_CLASSES = (1000,)
DTYPES = (torch.float32, torch.bfloat16, torch.float16)
CLASSES = (1, 7, 1000, 1023, 32000, 128256)
KINDS = ("labels", "ignored labels", "missing classes", "class weights", "probabilities")
SMOKE_CLASSES = (1, 7, 33)
AUTOMATIC = "as chosen"
BACKENDS = (AUTOMATIC, "triton", "closed_form")
MOST_SHOWN = 20
# A larger error is shown by itself. The gradient's is about half of what the precision resolves.
VALUE_TOLERANCE = 1e-4
GRADIENT_TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 4e-3, torch.float16: 1e-3}


def measure(record: Record, *, smoke: bool, compiled: bool) -> None:
    for classes in SMOKE_CLASSES if smoke else CLASSES:
        for dtype in DTYPES:
            for name, objective in OBJECTIVES.items():
                with_compiled = compiled and name in COMPILED and classes in COMPILED_CLASSES
                record.measure(
                    f"{name}|{str(dtype).removeprefix('torch.')}|{classes}",
                    partial(
                        errors, objective, classes, dtype, record.device, compiled=with_compiled
                    ),
                )


def errors(
    objective: Callable[..., Tensor],
    classes: int,
    dtype: torch.dtype,
    device: torch.device,
    *,
    compiled: bool,
) -> Row:
    """The errors of each backend on each kind of input, or why it has none."""
    found: Row = {}
    for kind in KINDS:
        logits, options = make_inputs(kind, classes, dtype, device)
        pull = torch.randn(len(logits), generator=torch.Generator().manual_seed(1)).to(device)
        exact_options = {
            name: value.double() if value.is_floating_point() else value
            for name, value in options.items()
        }
        with backend("plain"):
            wanted = evaluate(objective, logits.double(), exact_options, pull.double())
        for name in (*BACKENDS, *(["compiled"] if compiled and kind in KINDS[:2] else [])):
            try:
                if name == AUTOMATIC:
                    came = evaluate(objective, logits, options, pull)
                elif name == "compiled":
                    came = evaluate(torch.compile(objective), logits, options, pull)
                else:
                    with backend(name):
                        came = evaluate(objective, logits, options, pull)
            except ValueError as refusal:
                found.setdefault(name, {})[kind] = str(refusal)
                continue
            found.setdefault(name, {})[kind] = compare(came, wanted)
    return {"errors": found}


def make_inputs(
    kind: str, classes: int, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits and the other arguments of one kind, with something of what is awkward about it."""
    generator = torch.Generator().manual_seed(classes)
    rows = 16 if classes > 2000 else 67
    logits = 3 * torch.randn(rows, classes, generator=generator)
    logits[0] = 0.5  # all are tied
    labels = torch.randint(classes, (rows,), generator=generator)
    if kind == "missing classes" and classes > 1:
        missing = torch.rand(rows, classes, generator=generator) < 0.3
        missing[torch.arange(rows), labels] = False
        logits = logits.masked_fill(missing, -math.inf)
    options: dict[str, Tensor] = {"target": labels}
    if kind == "ignored labels":
        options["target"] = labels.where(torch.arange(rows) % 3 != 1, -100)
        logits[1] = math.nan  # what lies there must not matter
    elif kind == "class weights":
        options["weight"] = torch.rand(classes, generator=generator) + 0.5
    elif kind == "probabilities":
        options["target"] = torch.rand(rows, classes, generator=generator).softmax(dim=1)
    options = {name: value.to(device) for name, value in options.items()}
    return logits.to(device, dtype), options


def evaluate(
    objective: Callable[..., Tensor], logits: Tensor, options: dict[str, Tensor], pull: Tensor
) -> tuple[Tensor, Tensor]:
    """The values, and the gradient when each is pulled at differently."""
    leaf = logits.clone().requires_grad_()
    values = objective(leaf, **options, reduction="none")
    (gradient,) = torch.autograd.grad(values, leaf, pull.to(values.dtype))
    return values.detach(), gradient


def compare(came: tuple[Tensor, Tensor], wanted: tuple[Tensor, Tensor]) -> tuple[float, float]:
    """The errors of values and gradient; infinite where one is NaN and the other is not."""
    value, gradient = (each.double() for each in came)
    exact_value, exact_gradient = wanted
    of_values = (value - exact_value).abs() / exact_value.abs().clamp(min=1)
    of_values[value == exact_value] = 0  # infinite alike
    # Of a gradient that is 0, as with one class, rounding is measured against the pulls, around 1.
    scale = exact_gradient.norm().clamp(min=1e-2)
    of_gradient = (gradient - exact_gradient).norm() / scale
    return tuple(
        math.inf if math.isnan(error) else error
        for error in (of_values.max().item(), of_gradient.item())
    )  # type: ignore[return-value]


# ---------------------------------------------------------------------------------------- showing


def tables(content: Row) -> Iterator[Table]:
    """The largest errors of each backend in each precision, and whatever is too large."""
    found: dict[tuple[str, str], list[tuple[float, float, str]]] = {}
    failures = []
    for key, row in content["rows"].items():
        name, dtype, classes = key.split("|")
        if "failed" in row:
            failures.append((f"{name}, {dtype}, K = {classes}", row["failed"]))
            continue
        for each, kinds in row["errors"].items():
            for kind, error in kinds.items():
                if not isinstance(error, str):
                    place = f"{name}, K = {classes}, {kind}"
                    found.setdefault((each, dtype), []).append((*error, place))
    table = Table(
        title=f"Objectives against float64: {described(content['setting'])}",
        caption="Largest relative errors over all objectives, numbers of classes and inputs.",
        box=box.SIMPLE_HEAD,
        caption_justify="left",
    )
    for column in ("backend", "dtype", "inputs", "too far off", "values", "gradient", "where"):
        table.add_column(column)
    for (each, dtype), errors_found in sorted(found.items()):
        wrong = [error for error in errors_found if is_large(error, dtype)]
        values = max(errors_found, key=lambda error: error[0])
        gradient = max(errors_found, key=lambda error: error[1])
        table.add_row(
            each,
            dtype,
            str(len(errors_found)),
            str(len(wrong)),
            f"{values[0]:.1e}",
            f"{gradient[1]:.1e}",
            gradient[2],
        )
    yield table
    large = [
        (f"{each}, {dtype}: {error[2]}", f"values {error[0]:.1e}, gradient {error[1]:.1e}")
        for (each, dtype), errors_found in sorted(found.items())
        for error in errors_found
        if is_large(error, dtype)
    ]
    if large or failures:
        table = Table(title="Too far off, or failed", box=box.SIMPLE_HEAD)
        table.add_column("where")
        table.add_column("what")
        for where, what in (*failures, *large[:MOST_SHOWN]):
            table.add_row(where, what)
        if len(large) > MOST_SHOWN:
            table.add_row("", f"and {len(large) - MOST_SHOWN} more")
        yield table


def is_large(error: tuple[float, float, str], dtype: str) -> bool:
    return error[0] > VALUE_TOLERANCE or error[1] > GRADIENT_TOLERANCE[getattr(torch, dtype)]
