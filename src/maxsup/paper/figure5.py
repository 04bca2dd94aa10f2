"""Figure 5: Figure 4 of the validation images (Appendix G)."""

from maxsup.paper._experiments import D_WITHIN, R2
from maxsup.paper.figure4 import projection

ENTRY = projection("figure5", "Figure 5", "validation", D_WITHIN, R2)
