import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from maxsup.measures._check import check_at_least, check_labels, check_rows
from maxsup.measures._ranking import Ranking, between, confidence_log_odds
from maxsup.measures._stored import StoredMetric

_HARMONICS = 1024
"""Terms of the cosine series; with them the kernel is exact down to the smallest bandwidth."""
_NEGLIGIBLE = 8.5
"""exp(−8.5²/2) is 2e-16: terms beyond are less than what float64 can tell."""
_SMALLEST_BANDWIDTH = _NEGLIGIBLE / (math.pi * _HARMONICS)
_POINTS = 2048
_ROWS = 1024


class StoredCalibrationValues(NamedTuple):
    """Calibration errors that need every confidence; 0-dimensional float64, in [0, 1]."""

    equal_mass: Tensor
    """Expected calibration error over bins that hold equally many samples."""
    smooth: Tensor
    """Smooth calibration error, with a reflected Gaussian kernel."""


class StoredCalibration(StoredMetric):
    """Calibration errors of the confidence without bins of equal width.

    With residuals r_i = right_i − confidence_i:

    *Equal mass* (adaptive ECE)::

        ECE = Σ_b |Σ_{i in bin b} r_i|/N

    The samples in the order of their confidence are cut into bins of N/bins each. A sample at a cut
    counts in both of them by its fractions, and samples of equal confidence share their mean
    residual, so that their order never matters.

    *Smooth* (smECE, Błasiok and Nakkiran 2023)::

        smECE_σ = ∫₀¹ |1/N Σ_i K_σ(t, c_i)·r_i| dt,  at the σ with smECE_σ = σ

    K_σ is the Gaussian kernel reflected at 0 and 1; it is computed from its cosine series, without
    bins. Below σ = 0.0026 the bandwidth is held there.

    The confidence of each sample is kept, in 9 bytes.

    Args:
        bins: Number of bins of equal mass, at least 2.
        **kwargs: Of :class:`torchmetrics.Metric`, such as ``sync_on_compute``.

    Raises:
        ValueError: ``bins`` is no such number; in ``update``, a shape, dtype or label is wrong.

    Example:
        >>> metric = StoredCalibration()
        >>> metric.update(torch.tensor([[2.0, 0.0], [2.0, 0.0]]), torch.tensor([0, 1]))
        >>> [round(float(value), 3) for value in metric.compute()]
        [0.381, 0.381]
    """

    higher_is_better = False

    def __init__(self, bins: int = 15, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_at_least("bins", bins, 2)
        self.bins = bins
        self.add_rows("log_odds", dtype=torch.float64)
        self.add_rows("right", dtype=torch.uint8)

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add a batch: logits (N, K) of any floating dtype, class indices (N,)."""
        check_rows("logits", logits)
        check_labels(labels, len(logits), logits.shape[1])
        self.store(log_odds=confidence_log_odds(logits), right=logits.argmax(dim=1) == labels)

    def compute(self) -> StoredCalibrationValues:
        """The errors of all that was added; NaN without samples or with a NaN logit."""
        log_odds, right = self.stored("log_odds"), self.stored("right").double()
        if not len(right) or bool(log_odds.isnan().any()):
            nothing = log_odds.new_full((), torch.nan)
            return StoredCalibrationValues(nothing, nothing)
        confidence = log_odds.sigmoid()
        return StoredCalibrationValues(
            equal_mass=self._equal_mass(confidence, right), smooth=_smooth(confidence, right)
        )

    def _equal_mass(self, confidence: Tensor, right: Tensor) -> Tensor:
        ranking = Ranking(confidence)
        residuals = ranking.sums(right) - ranking.sums(confidence)
        cuts = torch.arange(self.bins + 1, device=right.device, dtype=torch.float64)
        return between(residuals, cuts * len(right) / self.bins).diff().abs().sum() / len(right)


def _smooth(confidence: Tensor, right: Tensor) -> Tensor:
    """The smECE at the bandwidth that equals it; it falls as the bandwidth grows."""
    series = _Series(confidence, right - confidence)
    low, high = _SMALLEST_BANDWIDTH, 1.0
    for _ in range(36):
        middle = (low + high) / 2
        low, high = (middle, high) if float(series.smoothed(middle)) > middle else (low, middle)
    if low == _SMALLEST_BANDWIDTH and float(smallest := series.smoothed(low)) <= low:
        return smallest
    return series.smoothed(high)


class _Series:
    """The smoothed residuals as a cosine series, of which no more terms are made than are needed.

    Of a kernel with the bandwidth σ, the terms fall as exp(−(πkσ)²/2): a wide one has few.

    Args:
        places: (N,) in [0, 1].
        residuals: (N,), at the places.
    """

    def __init__(self, places: Tensor, residuals: Tensor) -> None:
        self._places, self._residuals = places, residuals
        self._waves = math.pi * torch.arange(_HARMONICS, device=places.device, dtype=torch.float64)
        self._coefficients = torch.zeros_like(self._waves)
        points = torch.arange(_POINTS, device=places.device, dtype=torch.float64)
        self._grid = ((points + 0.5) / _POINTS).unsqueeze(1)
        self._basis = self._grid.new_empty(_POINTS, _HARMONICS)
        self._made = 0

    def smoothed(self, bandwidth: float) -> Tensor:
        """∫₀¹ |1/N Σ_i K(t, c_i)·r_i| dt."""
        terms = min(_HARMONICS, math.ceil(_NEGLIGIBLE / (math.pi * bandwidth)))
        if terms > self._made:
            self._make(min(_HARMONICS, max(terms, 2 * self._made)))
        waves = self._waves[:terms]
        damped = self._coefficients[:terms] * (-((bandwidth * waves) ** 2) / 2).exp()
        return (self._basis[:, :terms] @ damped).abs().mean()

    def _make(self, terms: int) -> None:
        """Make the terms up to that number."""
        more = slice(self._made, terms)
        waves = self._waves[more]
        found = torch.zeros_like(waves)
        rows = zip(self._places.split(_ROWS), self._residuals.split(_ROWS), strict=True)
        for places, residuals in rows:
            found += residuals @ (places.unsqueeze(1) * waves).cos()
        found *= 2 / len(self._places)
        if not self._made:
            found[0] /= 2
        self._coefficients[more] = found
        self._basis[:, more] = (self._grid * waves).cos()
        self._made = terms
