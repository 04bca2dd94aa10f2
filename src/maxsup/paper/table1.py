"""Table 1: label smoothing taken apart (Section 3.1)."""

from maxsup.paper._entry import Entry, Remark, columns_of, read_printed
from maxsup.paper._experiments import ACCURACY, IMAGENET_DEIT_SMALL

ENTRY = Entry(
    name="table1",
    title="Table 1",
    shows="Which part of label smoothing helps: the regularisation, or the error enhancement.",
    columns=columns_of({"imagenet-deit-small": IMAGENET_DEIT_SMALL}, ACCURACY),
    printed=read_printed("""
                                           imagenet-deit-small
        baseline                           74.21
        label-smoothing:alpha=0.1          75.91
        ls-regularization:alpha=0.1        75.98
        ls-error-enhancement:alpha=0.1     73.63
        ls-error-enhancement-top1:alpha=0.1    73.69
        maxsup:alpha=0.1                   76.12
    """),
    remarks=(
        Remark(
            "One number a row, without its spread or the number of seeds; label smoothing and its "
            "regularisation alone are less than a tenth of a point apart."
        ),
        Remark(
            "The two parts are averaged over the logits below and above the true one, not over all "
            "classes, so they do not add up to label smoothing.",
            methods=("ls-regularization:alpha=0.1", "ls-error-enhancement:alpha=0.1"),
        ),
        Remark(
            "The authors' code for taking label smoothing apart broadcasts to one matrix for each "
            "sample."
        ),
        Remark(
            "The authors' script for DeiT leaves Mixup and CutMix on, the paper says off, and the "
            "repository with their re-runs asks for Mixup, CutMix and mixed precision off."
        ),
    ),
)
