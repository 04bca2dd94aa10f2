import math

import pytest
import torch

from maxsup.measures import template_projection


def draw(seed=0, dim=16, samples=20):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(samples, dim, generator=generator), torch.randn(3, dim, generator=generator)


@pytest.mark.parametrize("seed", range(5))
def test_templates_keep_their_distances_and_orientation(seed):
    features, templates = draw(seed)
    found = template_projection(features, templates)
    assert torch.allclose(torch.pdist(found.templates), torch.pdist(templates.double()), atol=1e-12)
    (x0, y0), (x1, y1), (_, y2) = found.templates.tolist()
    assert x1 > x0
    assert y1 == pytest.approx(y0, abs=1e-12)
    assert y2 > max(y0, 0)
    assert torch.allclose(found.templates.mean(dim=0), torch.zeros(2).double(), atol=1e-12)


def test_points_are_the_nearest_of_the_plane():
    features, templates = draw()
    corners, points = templates.double(), features.double()
    origin = corners.mean(dim=0)
    edges = torch.stack([corners[1] - corners[0], corners[2] - corners[0]], dim=1)
    # Least squares needs no basis: it gives each point's foot on the plane.
    coefficients = torch.linalg.lstsq(edges, (points - origin).T).solution
    feet = origin + (edges @ coefficients).T
    found = template_projection(features, templates)
    for k in range(3):
        expected = (feet - corners[k]).norm(dim=1)
        assert torch.allclose((found.points - found.templates[k]).norm(dim=1), expected, atol=1e-10)


def test_rotating_features_and_templates_together_changes_nothing():
    features, templates = draw()
    rotation, _ = torch.linalg.qr(torch.randn(16, 16, generator=torch.Generator().manual_seed(9)))
    one = template_projection(features.double(), templates.double())
    other = template_projection(
        features.double() @ rotation.double(), templates.double() @ rotation.double()
    )
    assert torch.allclose(one.points, other.points, atol=1e-4)


def test_no_features_are_no_points():
    assert template_projection(torch.zeros(0, 16), draw()[1]).points.shape == (0, 2)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    "steps", [(0.0, 1.0, 2.3), (1.0, 1.0, 2.0), (0.5, 2.0, 0.5), (1.0, 1.0, 1.0)]
)
def test_templates_on_one_line_span_no_plane(dtype, steps):
    base, direction, _ = draw(3)[1].double()
    templates = torch.stack([base + step * direction for step in steps]).to(dtype)
    with pytest.raises(ValueError, match="one line"):
        template_projection(torch.zeros(2, 16), templates)


@pytest.mark.parametrize(
    ("features", "templates", "message"),
    [
        (torch.zeros(2, 4), torch.zeros(2, 4), "templates must have three rows; got 2"),
        (torch.zeros(2, 5), torch.zeros(3, 4), r"features must have shape \(N, 4\); got \(2, 5\)"),
        (torch.zeros(4), torch.zeros(3, 4), r"features must have shape \(N, 4\); got \(4,\)"),
        (torch.zeros(2, 4), torch.full((3, 4), math.nan), "templates holds NaN"),
    ],
)
def test_bad_input_is_named(features, templates, message):
    with pytest.raises(ValueError, match=message):
        template_projection(features, templates)
