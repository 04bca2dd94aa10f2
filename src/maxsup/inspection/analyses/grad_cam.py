"""Where in some images the models look, as pictures (MaxSup paper, Figure 3)."""

import base64
import io

import torch
from PIL import Image
from torch import Tensor

from maxsup.inspection._analysis import Analysis, Findings
from maxsup.inspection._maps import class_maps, digest_of_objects, objects_in
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject
from maxsup.models import scale_maps

_SAMPLES = 32
"""Images that are mapped; those that the models differ most on are shown."""
_SIDE = 160
"""The longest side of a picture, in pixels."""


def _run(subject: Subject, settings: InspectionSettings) -> Findings | None:
    """Maps of some test images, the same for every model, with the images."""
    split = subject.seen("test")
    if subject.trained is None or split is None:
        return None
    generator = torch.Generator().manual_seed(settings.seed)
    by_id = split.ids.argsort()
    chosen = by_id[torch.randperm(len(split), generator=generator)[:_SAMPLES]]
    split = split.select(chosen)
    objects = objects_in(subject, split, settings) if settings.boxes is not None else {}
    outputs = subject.outputs("test")
    assert outputs is not None
    predicted = dict(zip(outputs.ids.tolist(), outputs.logits.argmax(dim=1).tolist(), strict=True))
    samples: list[dict[str, object]] = []
    layer, grid = "", [0, 0]
    try:
        for batch in class_maps(subject, split, settings):
            layer, grid = batch.layer, list(batch.maps.shape[1:])
            levels = (255 * scale_maps(batch.maps)).round().int().flatten(1).tolist()
            _, _, height, width = batch.images.shape
            for image, row, label, values in zip(
                batch.images, batch.ids.tolist(), batch.labels.tolist(), levels, strict=True
            ):
                boxes = objects[row].boxes if row in objects else None
                samples.append(
                    {
                        "row": row,
                        "label": subject.classes[label],
                        "predicted": subject.classes[predicted[row]],
                        "map": values,
                        "image": _encoded(image),
                        "boxes": []
                        if boxes is None
                        else (boxes / torch.tensor([width, height] * 2)).tolist(),
                    }
                )
    except ValueError as error:
        if settings.cam_layer is not None:
            raise
        return Findings(notes=(f"{subject.name}: no class activation maps: {error}",))
    details = {
        "layer": layer,
        "grid": grid,
        "class": settings.cam_class,
        "side": [height, width],
        "samples": samples,
    }
    return Findings(
        details=details,
        notes=(
            f"{subject.label}: class activation maps (Grad-CAM) are of the layer {layer}, whose "
            f"grid has {grid[0]}×{grid[1]} places, for the {settings.cam_class} class.",
        ),
    )


def _encoded(image: Tensor) -> str:
    """A small picture (C, H, W) uint8 as text: PNG where it is small by itself, else JPEG."""
    pixels = image.permute(1, 2, 0).numpy()
    picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    buffer = io.BytesIO()
    if max(picture.size) <= _SIDE // 2:
        picture.save(buffer, "PNG")
    else:
        picture.thumbnail((_SIDE, _SIDE))
        picture.save(buffer, "JPEG", quality=82)
    return base64.b64encode(buffer.getvalue()).decode()


GRAD_CAM = Analysis(
    name="grad-cam",
    facts=(),
    run=_run,
    depends_on=lambda settings: [settings.cam_layer, settings.cam_class, settings.boxes],
    contents=digest_of_objects,
)
