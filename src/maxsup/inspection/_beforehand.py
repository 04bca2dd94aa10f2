"""What an inspection reads beside the models, looked at before there are any."""

from maxsup.data import (
    DataSettings,
    PhotographSettings,
    Shown,
    load_images,
    load_unlabelled,
    read_objects,
)
from maxsup.inspection._other_data import keyed, settings_of
from maxsup.inspection._settings import InspectionSettings
from maxsup.recipes import Recipe


def check_beforehand(settings: InspectionSettings, data: DataSettings, recipe: Recipe) -> None:
    """See that boxes, masks and other data can be read, before what they are for is trained.

    All boxes or masks of the test images are read, and other data is loaded. What only a model can
    tell, such as a layer that is not there, is left to the inspection.

    Args:
        settings: What the inspection will be asked for.
        data: What the models will be trained on.
        recipe: How they will be.

    Raises:
        ValueError: Something is not there or not as described; the message says how to mend it.
    """
    side = recipe.eval_size or recipe.image_size
    photographs = None
    if recipe.random_resized_crop:
        assert side is not None
        photographs = PhotographSettings(side, recipe.eval_crop, recipe.interpolation)
    if (settings.boxes, settings.masks) != (None, None):
        # How much of an object the model is shown plays no part yet.
        shown = Shown("photographs", (side or 1, side or 1))
        found = read_objects(data, shown, boxes=settings.boxes, masks=settings.masks)
        if not sum(each.total for each in found):
            option = "masks" if settings.boxes is None else "boxes"
            raise ValueError(f"{option}: no test image of {data.name} has an object.")
    for option in ("transfer_data", "ood_data"):
        load = load_images if option == "transfer_data" else load_unlabelled
        for word, _ in keyed(getattr(settings, option), option):
            try:
                if photographs is None:
                    load(settings_of(word), image_size=side)
                else:
                    load(settings_of(word), photographs=photographs)
            except (OSError, ValueError) as error:
                raise ValueError(f"{option}: {word} cannot be used: {error}") from error
