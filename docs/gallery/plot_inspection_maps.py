"""
Where a model looks
===================

A map laid over its image, and how maps are measured against boxes.
"""

import io

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_sample_image

from maxsup.figures import (
    colour_bar,
    draw_overlay,
    precision_recall_figure,
    swatch,
    threshold_figure,
)
from maxsup.measures import BoxLocalization, PixelLocalization, boxes_as_mask

# %%
# A photograph that comes with scikit-learn, with the box of its flower, and a map that is made up:
# brightest on the flower. A model's own is made by :func:`maxsup.models.grad_cam`.
picture = Image.fromarray(load_sample_image("flower.jpg"))
buffer = io.BytesIO()
picture.resize((320, 214)).save(buffer, "PNG")
box = (0.27, 0.1, 0.73, 0.86)
y, x = np.mgrid[0:7, 0:7] / 6
made_up = np.exp(-((x - 0.47) ** 2 + (y - 0.45) ** 2) / 0.08)
overlays = {
    "the image, with the flower's box": draw_overlay(buffer.getvalue(), boxes=[box]),
    "a map over it": draw_overlay(buffer.getvalue(), made_up, boxes=[box]),
    "colours from 0 to 1": colour_bar(),
}

# %%
# *How to read it.* Bright yellow is 1, the largest value of this map, dark blue 0. Maps are scaled
# for each image by itself: how strong a map is cannot be seen, only where.
#
# Measured against boxes, over 60 made-up images: maps of a method that mostly looks at the object,
# and of one that mostly looks beside it.
generator = torch.Generator().manual_seed(0)
labels = {"near": "Near the object", "beside": "Beside it"}
size, places = (56, 56), torch.arange(14) / 13
corners = 6 + 20 * torch.rand(60, 2, generator=generator)
boxes = [torch.cat([each, each + 24]).reshape(1, 4) for each in corners]
masks = torch.stack([boxes_as_mask(each, size) for each in boxes])
found = {}
for name, away in (("near", 4.0), ("beside", 14.0)):
    centres = (corners + 12 + away * torch.randn(60, 2, generator=generator)) / 56
    across, down = ((places - centre) ** 2 for centre in centres.T[:, :, None])
    distance = across[:, None, :] + down[:, :, None]
    maps = (-distance / 0.05).exp()
    of_pixels, of_boxes = PixelLocalization(size), BoxLocalization(size)
    of_pixels.update(maps, masks)
    of_boxes.update(maps, boxes)
    found[name] = of_pixels.compute(), of_boxes.compute()


def every_tenth(values):
    """A curve for its picture, with none where it does not exist."""
    return [[None if value != value else value for value in values[::10].tolist()]]


pictures = [
    precision_recall_figure(
        "precision-recall",
        {name: every_tenth(pixels.precision) for name, (pixels, _) in found.items()},
        {name: every_tenth(pixels.recall) for name, (pixels, _) in found.items()},
        labels,
        chance=float(masks.double().mean()),
    ),
    threshold_figure(
        "found",
        "Images whose object is found",
        torch.linspace(0, 1, 101).tolist(),
        {name: every_tenth(boxes_found.largest[1]) for name, (_, boxes_found) in found.items()},
        labels,
    ),
]
legend = {label: swatch(number, "maps") for number, label in enumerate(labels.values())}

# %%
# *How to read it.* On the left, precision over recall of all pixels on objects, threshold by
# threshold; the dotted line is what any map reaches by chance, and the area is PxAP. On the right,
# the fraction of the images in which the box around the largest part above a threshold overlaps the
# true one by half; the highest point is MaxBoxAcc. See :doc:`what these do not say
# </measures/localization>`.
