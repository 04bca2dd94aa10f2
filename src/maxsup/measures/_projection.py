from typing import NamedTuple

import torch
from torch import Tensor

from maxsup.measures._check import check_labels, check_rows


class Projected(NamedTuple):
    """Coordinates on a plane, float64."""

    points: Tensor
    """(N, 2): the features."""
    templates: Tensor
    """(3, 2): the class templates."""


def template_projection(features: Tensor, templates: Tensor) -> Projected:
    """Features on the plane through three class templates (MaxSup paper, Appendix G).

    After Müller et al. 2019: an orthonormal basis of the plane through three rows of the last
    layer's weight, onto which penultimate features are projected. The origin is the templates'
    mean; the first axis points from the first template to the second, and the third lies on the
    positive side of it, so that pictures of different models are turned alike. (The plotting code
    that the paper's authors published does otherwise: :func:`centroid_projection`.)

    Args:
        features: (N, D), any floating dtype.
        templates: (3, D), any floating dtype; rows of the last layer's weight.

    Returns:
        ``.points`` (N, 2) and ``.templates`` (3, 2), in the unit of the features.

    Raises:
        ValueError: A shape or dtype is not as described, or the templates are not finite or lie on
            one line (to the precision of their dtype).

    Example:
        >>> features = torch.tensor([[1.0, 1.0, 5.0]])
        >>> templates = torch.tensor([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0], [0.0, 3.0, 0.0]])
        >>> projected = template_projection(features, templates)
        >>> projected.points.tolist(), projected.templates.tolist()
        ([[0.0, 0.0]], [[-1.0, -1.0], [2.0, -1.0], [-1.0, 2.0]])
    """
    check_rows("templates", templates)
    check_rows("features", features, columns=templates.shape[1])
    if len(templates) != 3:
        raise ValueError(f"templates must have three rows; got {len(templates)}.")
    corners = templates.double()
    if not corners.isfinite().all():
        raise ValueError("templates holds NaN or infinite entries.")

    along = corners[1] - corners[0]
    aside = corners[2] - corners[0]
    x_axis = along / along.norm()
    aside = aside - (aside @ x_axis) * x_axis
    # Rounding of the entries alone moves a template by up to half of eps times its norm.
    rounding = 4 * torch.finfo(templates.dtype).eps * corners.norm(dim=1).max()
    if along.norm() <= rounding or aside.norm() <= rounding:
        raise ValueError(
            "templates are three points on one line (or two of them coincide), so they span no "
            "plane. Choose three classes whose templates differ."
        )
    basis = torch.stack([x_axis, aside / aside.norm()], dim=1)
    origin = corners.mean(dim=0)
    return Projected((features.double() - origin) @ basis, (corners - origin) @ basis)


def centroid_projection(features: Tensor, labels: Tensor) -> Projected:
    """Features of three classes on the plane through the classes' mean features.

    What the plotting code of the MaxSup paper's authors draws, where the paper's text speaks of
    class templates (:func:`template_projection`): a singular value decomposition of the means gives
    the two directions in which they differ most. Here the means are centred first, so that the
    plane goes through all three; and the directions, whose sign is arbitrary, are turned so that
    the second class lies right of the first and the third in the upper half, for pictures of
    different models to be turned alike.

    Args:
        features: (N, D), any floating dtype.
        labels: (N,) 0, 1 or 2: which of the three classes each is of.

    Returns:
        ``.points`` (N, 2), and the means in place of ``.templates`` (3, 2), in the unit of the
        features.

    Raises:
        ValueError: A shape, dtype or label is not as described, a class has no sample, or the
            means are not finite or lie on one line.

    Example:
        >>> features = torch.tensor([[0.0, 0.0, 1.0], [3.0, 0.0, 1.0], [1.0, 2.0, 1.0]])
        >>> projected = centroid_projection(features, torch.tensor([0, 1, 2]))
        >>> bool(projected.templates[1, 0] > projected.templates[0, 0])
        True
    """
    check_rows("features", features)
    check_labels(labels, len(features), 3)
    counts = torch.bincount(labels, minlength=3)
    if (counts == 0).any():
        raise ValueError(
            f"labels must hold samples of all three classes; class {int(counts.argmin())} has none."
        )
    rows = features.double()
    sums = torch.zeros(3, rows.shape[1], dtype=torch.float64, device=rows.device)
    means = sums.index_add_(0, labels.long(), rows) / counts.unsqueeze(1)
    if not means.isfinite().all():
        raise ValueError("features holds NaN or infinite entries.")
    origin = means.mean(dim=0)
    _, sizes, axes = torch.linalg.svd(means - origin, full_matrices=False)
    rounding = 4 * torch.finfo(features.dtype).eps * means.norm(dim=1).max()
    if sizes[1] <= rounding:
        raise ValueError("The means of the three classes lie on one line, so they span no plane.")
    basis = axes[:2].T
    corners = (means - origin) @ basis
    right = corners[1, 0] - corners[0, 0]
    basis = basis * torch.stack([_sign(right), _sign(corners[2, 1])])
    return Projected((rows - origin) @ basis, (means - origin) @ basis)


def _sign(value: Tensor) -> Tensor:
    return torch.where(value < 0, -1.0, 1.0).double()
