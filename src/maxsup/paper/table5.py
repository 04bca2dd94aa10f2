"""Table 5: accuracy of DeiT-Small on ImageNet (Section 5.1.2)."""

from maxsup.paper._entry import Entry, Remark, columns_of, read_printed
from maxsup.paper._experiments import ACCURACY, IMAGENET_DEIT_SMALL
from maxsup.paper._remarks import ON_METHODS

ENTRY = Entry(
    name="table5",
    title="Table 5",
    shows="Accuracy of a vision transformer, from scratch, without Mixup and CutMix.",
    columns=columns_of({"imagenet-deit-small": IMAGENET_DEIT_SMALL}, ACCURACY),
    printed=read_printed("""
                                       imagenet-deit-small
        baseline                       74.39±.19
        label-smoothing:alpha=0.1..0.2 76.08±.16
        zipf-label-smoothing           75.89±.26
        online-label-smoothing         76.16±.18
        maxsup:alpha=0.1..0.2          76.49±.12
    """),
    remarks=(
        *ON_METHODS,
        Remark(
            "The authors' script leaves Mixup 0.8 and CutMix 1.0 on, the paper says off; the "
            "repository with their re-runs asks for Mixup, CutMix and mixed precision off."
        ),
        Remark("The authors' image cache turns repeated augmentation off, which the recipe names."),
    ),
)
