"""Table 6: backbones fine-tuned for segmentation (Section 5.2)."""

from maxsup.paper._entry import Column, Entry, Measure, Remark, read_printed
from maxsup.paper._experiments import ADE20K

ENTRY = Entry(
    name="table6",
    title="Table 6",
    shows="Whether backbones carry over to segmentation: UperNet on DeiT-Small.",
    columns=(
        Column(
            "ade20k",
            "ADE20K, several scales",
            ADE20K,
            Measure(
                "test_mean_iou_multiscale",
                "Mean IoU in %",
                percent=True,
                digits=1,
                at_hand="test_mean_iou",
                label_at_hand="Mean IoU in %, one scale",
            ),
        ),
    ),
    printed=read_printed("""
                                       ade20k
        baseline                       42.1
        label-smoothing:alpha=0.1..0.2 42.4
        maxsup:alpha=0.1..0.2          42.8
    """),
    remarks=(
        Remark(
            "One number a row, without its spread or the number of seeds; no code is published."
        ),
    ),
)
