"""
How recipes run
===============

Learning rate, MaxSup's α and the resolution over the epochs of three recipes.
"""

import io

from maxsup.figures import draw_recipe_curves
from maxsup.recipes import get_recipe
from maxsup.training import recipe_curves

names = ("digits", "cifar100-resnet18", "imagenet-ffcv-resnet18")
buffer = io.BytesIO()
draw_recipe_curves([recipe_curves(get_recipe(name)) for name in names], buffer)
pictures = {
    "Learning rate, α and side of the images over the epochs of three recipes": buffer.getvalue()
}

# %%
# *How to read it.* A row is a recipe. The learning rate warms up, then falls along a cosine or in
# steps; α goes from 0.1 in the first epoch to 0.2, as in the paper, where the method is named
# without a strength; the third column is the side of the training images where it changes. The
# values come from the code that trains, not from a description of it.
