"""Pictures from arrays, numbers and labels.

Those of a study are SVG in the colours of the page that holds them; those of recipes are PNG.
"""

from maxsup.figures._confidence import confidence_figure, gap_figure
from maxsup.figures._confusion import confusion_figure
from maxsup.figures._corruptions import corruption_kinds_figure, severity_figure
from maxsup.figures._curves import curve_figure, curve_window
from maxsup.figures._localization import precision_recall_figure, threshold_figure
from maxsup.figures._logits import logits_figure
from maxsup.figures._ood import scores_figure
from maxsup.figures._overlay import colour_bar, draw_overlay
from maxsup.figures._panel import swatch
from maxsup.figures._probe import ProbeCurve, probe_figure
from maxsup.figures._projection import projection_figure
from maxsup.figures._recipe_curves import draw_recipe_curves
from maxsup.figures._reliability import reliability_figure
from maxsup.figures._response import ResponsePoint, budget_figure, response_figure
from maxsup.figures._risk_coverage import risk_coverage_figure
from maxsup.figures._seeds import differences_figure, seeds_figure
from maxsup.figures._spectrum import lowest_of_spectra, spectrum_figure

__all__ = [
    "ProbeCurve",
    "ResponsePoint",
    "budget_figure",
    "colour_bar",
    "confidence_figure",
    "confusion_figure",
    "corruption_kinds_figure",
    "curve_figure",
    "curve_window",
    "differences_figure",
    "draw_overlay",
    "draw_recipe_curves",
    "gap_figure",
    "logits_figure",
    "lowest_of_spectra",
    "precision_recall_figure",
    "probe_figure",
    "projection_figure",
    "reliability_figure",
    "response_figure",
    "risk_coverage_figure",
    "scores_figure",
    "seeds_figure",
    "severity_figure",
    "spectrum_figure",
    "swatch",
    "threshold_figure",
]
