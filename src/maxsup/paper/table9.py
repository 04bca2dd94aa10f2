"""Table 9: how close features of a class and of all classes lie (Appendix G)."""

from maxsup.paper._entry import Column, Entry, Remark, read_printed
from maxsup.paper._experiments import (
    D_TOTAL,
    D_TOTAL_TRAIN,
    D_WITHIN,
    D_WITHIN_TRAIN,
    IMAGENET_RESNET50,
    R2,
    R2_TRAIN,
)
from maxsup.paper._remarks import ON_METHODS

_MEASURES = {
    "within-train": D_WITHIN_TRAIN,
    "within-val": D_WITHIN,
    "total-train": D_TOTAL_TRAIN,
    "total-val": D_TOTAL,
    "r2-train": R2_TRAIN,
    "r2-val": R2,
}

_PRINTED = read_printed("""
                             within-train within-val total-train total-val r2-train r2-val
    baseline                        .3114 .3313 .5212 .5949 .4025 .4451
    label-smoothing:alpha=0.1..0.2  .2632 .2543 .4862 .4718 .4690 .4611
    online-label-smoothing          .2707 .2820 .6672 .6570 .5943 .5708
    zipf-label-smoothing            .2611 .2932 .5813 .5628 .5522 .4790
    maxsup:alpha=0.1..0.2           .2926 .2998 .6081 .5962 .5188 .4972
    logit-penalty                   .2840 .3144 .7996 .7909 .6448 .6024
""")


def _follows(method: str, part: str) -> str:
    """R² as it follows from the printed distances."""
    within, total = (_PRINTED[method, f"{kind}-{part}"].value for kind in ("within", "total"))
    return f"{1 - within / total:.4f}".lstrip("0")


_MAXSUP_WITHIN = _PRINTED["maxsup:alpha=0.1..0.2", "within-val"].value
_PENALTY_WITHIN = _PRINTED["logit-penalty", "within-val"].value

ENTRY = Entry(
    name="table9",
    title="Table 9",
    shows="How far features of one class lie from each other, and those of all classes.",
    columns=tuple(
        Column(name, measure.label, IMAGENET_RESNET50, measure)
        for name, measure in _MEASURES.items()
    ),
    printed=_PRINTED,
    remarks=(
        *ON_METHODS,
        Remark(
            "R² is 1 − d_within/d_total, and three printed values do not follow from their own "
            f"distances: they would be {_follows('baseline', 'val')} (baseline, validation), "
            f"{_follows('label-smoothing:alpha=0.1..0.2', 'train')} (label smoothing, training) "
            f"and {_follows('zipf-label-smoothing', 'train')} (Zipf, training).",
            columns=("r2-train", "r2-val"),
        ),
        Remark(
            "MaxSup is said to lose least of d_within; of the validation images the logit penalty "
            f"loses less ({_PENALTY_WITHIN}, MaxSup {_MAXSUP_WITHIN}).",
            columns=("within-val",),
        ),
        Remark(
            "Online label smoothing and the logit penalty have a higher R² than MaxSup, and of the "
            "training images Zipf label smoothing too.",
            columns=("r2-train", "r2-val"),
        ),
        Remark("No code is published for these numbers."),
    ),
)
