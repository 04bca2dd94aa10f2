"""The recipe for data of one's own, where none is named, fitted to how much there is."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from maxsup.data import DataSettings, Look, look_at
from maxsup.models import TIMM, Expected, expected_by, has_small_stem
from maxsup.recipes import Recipe, get_recipe, rule_of

_DIGITS, _SMALL, _PHOTOGRAPHS = "digits", "small-images", "finetune"


class Choice(NamedTuple):
    """A recipe, and why it is this one and as it is."""

    recipe: Recipe
    notes: tuple[str, ...]
    """What was chosen for the user and why, in sentences."""


def choose_recipe(data: DataSettings, name: str | None = None, **changes: Any) -> Choice:
    """A recipe for data of one's own: small images from scratch, photographs by fine-tuning.

    The digits have a recipe of their own. Otherwise some of the images are looked at. Where the
    longer side (the median of it) has at most 96 pixels, it is ``small-images``; else, or where
    weights are named that have seen photographs, ``finetune``. Batch size and epochs follow from
    the number of training images by the rule in the recipe's text, and mean, standard deviation,
    size, crop and interpolation are those that the weights expect. All of it is the same for every
    method.

    Args:
        data: What is trained on.
        name: The recipe's name, where one is named. One that has no rule is fitted to nothing.
        **changes: Settings of the recipe that are decided already, by name, such as ``model``,
            ``weights`` or ``epochs``.

    Raises:
        ValueError: There is no such recipe, data or model, there are no such weights, or a setting
            is out of its range.

    Example:
        >>> choose_recipe(DataSettings("digits")).recipe.name
        'digits'
        >>> choice = choose_recipe(DataSettings("digits"), "small-images", model="resnet10t")
        >>> choice.recipe.batch_size, choice.recipe.image_size, choice.recipe.flip
        (16, 8, False)
    """
    if name is None and data.name == _DIGITS:
        name = _DIGITS
    if name is not None and rule_of(name) is None:
        return Choice(get_recipe(name).adapted(**changes), ())
    look = look_at(data)
    model, weights = changes.get("model"), changes.get("weights")
    if weights == TIMM and model is None:
        model = get_recipe(name or _PHOTOGRAPHS).model
    expected = None if weights is None else expected_by(model, weights)
    notes = []
    if name is None:
        name, why = _suitable(look, expected)
        notes.append(f"Recipe: {name}, since {why}. --recipe names another.")
    recipe = get_recipe(name)
    if recipe.weights == TIMM and "weights" not in changes:
        expected = expected_by(model or recipe.model, TIMM)
    rule = rule_of(name)
    assert rule is not None
    recipe = rule.fit(recipe, look.images).adapted(**_settings_of(recipe, look, model, expected))
    recipe = recipe.adapted(**changes)
    notes += _in_words(recipe, look, expected, changes)
    return Choice(recipe, tuple(notes))


def _suitable(look: Look, expected: Expected | None) -> tuple[str, str]:
    """The recipe for such images, and why."""
    if not look.is_small:
        return _PHOTOGRAPHS, f"the images are photographs ({_median(look)})"
    if expected is not None and expected.reading == "photographs":
        return _PHOTOGRAPHS, (
            f"the weights were trained on photographs; the images, which are small "
            f"({_median(look)}), are enlarged for them"
        )
    return _SMALL, f"the images are small ({_median(look)})"


def _median(look: Look) -> str:
    if look.is_one_size:
        return f"{look.shown_size} each of the {look.sampled} looked at"
    return f"{look.shown_size} in the median of {look.sampled} looked at"


def _settings_of(
    recipe: Recipe, look: Look, model: str | None, expected: Expected | None
) -> Mapping[str, Any]:
    """What is set for these images and these weights."""
    found: dict[str, Any] = {}
    if recipe.name == _SMALL:
        side = min(look.width, look.height)
        if not look.is_one_size or look.width == look.height:
            found["image_size"] = side
        found["crop_padding"] = max(1, round(side / 8))
        found["flip"] = recipe.flip and not look.is_grey
        found["small_stem"] = has_small_stem(model or recipe.model)
    if expected is None:
        return found
    found |= {
        "model": expected.model,
        "mean": expected.mean,
        "std": expected.std,
        "small_stem": expected.small_stem,
        "zero_init": expected.zero_init,
        "blur_pool": expected.blur_pool,
    }
    if recipe.name == _PHOTOGRAPHS:
        found |= {
            "image_size": expected.image_size,
            "eval_crop": expected.crop,
            "interpolation": expected.interpolation,
        }
    return found


def _in_words(
    recipe: Recipe, look: Look, expected: Expected | None, changes: Collection[str]
) -> Iterator[str]:
    def told(text: str, setting: str) -> str:
        return f"{text} (as asked)" if setting in changes else text

    yield (
        f"{recipe.name}, fitted to about {look.images:,} images to train on: "
        f"{told(f'{recipe.epochs} epochs', 'epochs')}, "
        f"{told(f'batches of {recipe.batch_size}', 'batch_size')}, "
        f"{told(f'learning rate {recipe.lr:g}', 'lr')}; the same for every method."
    )
    if expected is None:
        yield f"Model: {recipe.model}, from scratch."
    else:
        source = "the weights that timm publishes" if recipe.weights == TIMM else recipe.weights
        parts = [
            told(f"mean {_numbers(recipe.mean)}", "mean"),
            told(f"std {_numbers(recipe.std)}", "std"),
        ]
        if recipe.name == _PHOTOGRAPHS:
            parts += [
                told(f"{recipe.image_size} pixels", "image_size"),
                told(f"crop {recipe.eval_crop:.4g}", "eval_crop"),
                told(recipe.interpolation, "interpolation"),
            ]
        yield (
            f"Model: {recipe.model}, from {source}. Its images are as {expected.source} has them: "
            f"{', '.join(parts)}."
        )
    if recipe.name == _SMALL and look.is_grey and "flip" not in changes:
        yield (
            "Grey images are not mirrored, as letters and digits must not be; --flip mirrors them."
        )
    if recipe.name == _SMALL and not look.is_one_size:
        yield (
            f"The images differ in size: their shorter side is brought to {recipe.image_size} "
            "pixels, and the centre is taken."
        )


def _numbers(values: tuple[float, ...] | None) -> str:
    return " ".join(f"{value:.4g}" for value in values or ())
