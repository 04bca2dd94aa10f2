"""The trackers of experiments that a training's figures can be sent to.

Apart from the training that does it: the command line offers their names before torch is loaded.
"""

from typing import Literal

TrackerName = Literal["tensorboard", "wandb", "trackio"]
