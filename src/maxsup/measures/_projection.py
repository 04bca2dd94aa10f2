from typing import NamedTuple

import torch
from torch import Tensor

from maxsup.measures._check import check_rows


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
    that the paper's authors published takes the classes' mean features and a singular value
    decomposition instead.)

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
