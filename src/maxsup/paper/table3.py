"""Table 3: linear transfer to CIFAR-10 (Section 4.1), with the narrow and with the wide grid."""

from dataclasses import replace

from maxsup.paper._entry import Column, Entry, Look, Measure, Printed, Remark, read_printed
from maxsup.paper._experiments import IMAGENET_RESNET50
from maxsup.paper._remarks import ON_METHODS
from maxsup.paper.later_transfer import ENTRY as LATER

_EXPERIMENT = replace(
    IMAGENET_RESNET50, look=Look(("transfer", "finer")), others=("CIFAR-10",), at_hand="parity"
)
_WIDE = Measure(
    "test_transfer_{0}_probe",
    "Accuracy, wide grid",
    source="inspection",
    digits=4,
    at_hand="test_finer_probe",
    label_at_hand="Accuracy of a probe for finer labels, wide grid",
)
_NARROW = replace(
    _WIDE,
    name="test_transfer_{0}_probe_narrow",
    label="Accuracy, narrow grid",
    at_hand="test_finer_probe_narrow",
    label_at_hand="Accuracy of a probe for finer labels, narrow grid",
)
_PRINTED_LATER = {
    (method, "wide"): Printed(round(number.value / 100, 6))
    for (method, column), number in LATER.printed.items()
    if column == "cifar10"
}

_WIDE_BASELINE = _PRINTED_LATER["baseline", "wide"].value
_WIDE_SMOOTHED = _PRINTED_LATER["label-smoothing:alpha=0.1..0.2", "wide"].value

ENTRY = Entry(
    name="table3",
    title="Table 3",
    shows="How well frozen features serve other data: the paper's grid, and a wider one.",
    columns=(
        Column("narrow", "narrow grid of penalties", _EXPERIMENT, _NARROW),
        Column("wide", "wide grid (later version)", _EXPERIMENT, _WIDE),
    ),
    printed={
        **read_printed("""
                                           narrow
            baseline                       .8143
            label-smoothing:alpha=0.1..0.2 .7458
            logit-penalty                  .7242
            maxsup:alpha=0.1..0.2          .8102
        """),
        **_PRINTED_LATER,
    },
    remarks=(
        *ON_METHODS,
        Remark(
            "The gap comes from penalties that end too early: with 45 values from 1e-6 to 1e5, the "
            f"later version prints {_WIDE_BASELINE} for the baseline and {_WIDE_SMOOTHED} for "
            "label smoothing.",
            columns=("narrow",),
        ),
        Remark("No code is published for the linear probe."),
    ),
)
