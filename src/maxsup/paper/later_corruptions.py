"""Corrupted images (later version)."""

from maxsup.paper._entry import Column, Entry, Measure, Remark, read_printed
from maxsup.paper._experiments import CORRUPTED_CIFAR10
from maxsup.paper._remarks import GUESSED

_MEASURES = {
    "error": "mean error under corruptions",
    "nll": "negative log-likelihood under corruptions",
    "ece": "expected calibration error under corruptions",
}
_READ_ME = read_printed("""
              error nll    ece
    maxsup    .3951 1.8431 .1479
    smoothing .3951 1.5730 .1741
""")


def _row(method: str) -> str:
    return " / ".join(f"{_READ_ME[method, each].value}" for each in _MEASURES)


ENTRY = Entry(
    name="later-corruptions",
    title="Corruptions (CIFAR-10-C)",
    shows="Error and confidence when the images are corrupted.",
    columns=tuple(
        Column(
            name,
            label,
            CORRUPTED_CIFAR10,
            Measure(f"test_corruption_{name}", label, source="inspection", digits=3),
        )
        for name, label in _MEASURES.items()
    ),
    printed=read_printed("""
                                       error nll   ece
        baseline                       .354  1.819 .260
        label-smoothing:alpha=0.1..0.2 .359  1.476 .158
        maxsup:alpha=0.1..0.2          .362  1.770 .145
    """),
    remarks=(
        GUESSED,
        Remark(
            "The authors' read-me prints other numbers for the same comparison: MaxSup "
            f"{_row('maxsup')}, label smoothing {_row('smoothing')}."
        ),
        Remark("Plain cross-entropy has the lowest error of the three.", columns=("error",)),
        Remark(
            "What is printed is the training loss with the regulariser in it, so it cannot be "
            "compared between methods; and a lower one is read as over-confidence in the text.",
            columns=("nll",),
        ),
        Remark(
            "It is averaged over batches there, which makes it too large; here it is over all "
            "images.",
            columns=("ece",),
        ),
        Remark(
            "The corruptions are made here from the clean test images, by the published "
            "definitions; files of CIFAR-10-C are not read."
        ),
    ),
    later=True,
)
