"""A trained model whose features a segmentation model begins with."""

from dataclasses import replace

from maxsup.models import expected_by
from maxsup.recipes import Recipe

_RGB = 3


def with_backbone(recipe: Recipe, weights: str) -> Recipe:
    """A recipe for segmentation on a trained backbone: its architecture, weights and images.

    Mean and standard deviation are those that the weights expect, unless the recipe says them.

    Args:
        recipe: The recipe.
        weights: A finished run's directory, another one with config.json and model.safetensors, a
            file of weights of the recipe's model, or ``timm``.

    Raises:
        ValueError: The recipe is not for segmentation, there are no such weights, or nothing says
            which model they are of.
    """
    if not recipe.is_segmentation:
        raise ValueError(
            f"backbone: recipe {recipe.name} trains to classify images. Name one for segmentation, "
            "such as finetune-segmentation, or choose a --head; --weights names weights to start "
            "another training from."
        )
    expected = expected_by(None, weights, otherwise=recipe.model)
    changes: dict[str, object] = {
        "model": expected.model,
        "weights": weights,
        "small_stem": expected.small_stem,
        "zero_init": expected.zero_init,
        "blur_pool": expected.blur_pool,
    }
    if recipe.mean is None and len(expected.mean) == _RGB:
        changes |= {"mean": expected.mean, "std": expected.std}
    return replace(recipe, **changes)  # type: ignore[arg-type]
