"""What is to be known of a method wherever the paper has a row of it."""

from maxsup.paper._entry import Remark

GUESSED = Remark(
    "How these models were trained the paper does not say; the recipe is a usual one of the field. "
    "Signs can be compared, values cannot."
)

ON_METHODS = (
    Remark(
        "The authors' code has β = 2e-3 for the logit penalty, Kornblith et al. 6e-4, which is "
        "taken here.",
        methods=("logit-penalty",),
    ),
    Remark(
        "The authors' port of online label smoothing never begins a new epoch and takes its "
        "smoothing for the number of classes.",
        methods=("online-label-smoothing",),
    ),
    Remark("No code is published for Zipf label smoothing.", methods=("zipf-label-smoothing",)),
)
