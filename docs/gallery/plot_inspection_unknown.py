"""
Known and unknown classes
=========================

How scores of digits lie beside those of letters, which the models have never seen.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from maxsup.data import DataSettings
from maxsup.figures import scores_figure
from maxsup.inspection import InspectionSettings, inspect
from maxsup.recipes import get_recipe
from maxsup.study import StudySettings, compare

study = StudySettings(
    DataSettings("digits", label_noise=0.4),
    replace(get_recipe("digits"), epochs=6),
    methods=("baseline", "label-smoothing", "maxsup"),
    seeds=(0, 1, 2),
)
compare(study, "runs/digits")

# %%
# Letters, drawn large and made as small as the digits: a folder of images without labels.
letters = Path("runs/letters")
letters.mkdir(parents=True, exist_ok=True)
for place, letter in enumerate("ACEFHKLMNPRTUVWXYZ" * 6):
    picture = Image.new("L", (32, 32))
    at = (3 + place % 5, place % 4 - 2)
    ImageDraw.Draw(picture).text(at, letter, fill=255, font_size=30)
    picture.resize((8, 8), Image.Resampling.BOX).save(letters / f"{place}.png")

inspection = inspect(
    [f"runs/digits/{method}/seed-0" for method in study.methods],
    InspectionSettings(
        ood_data=(str(letters),), resamples=0, skip=("probe", "projection", "collapse")
    ),
)
labels = {method["name"]: method["label"] for method in inspection["methods"]}

# %%
pictures = []
for number, (name, label) in enumerate(labels.items()):
    (model,) = (each for each in inspection["models"] if each["method"] == name)
    of_energy = model["details"]["ood"][0]["histograms"]["energy"]
    window = (of_energy["low"], of_energy["high"])
    pictures.append(
        scores_figure(
            f"scores-{number}",
            f"{label}: AUROC {100 * model['values']['test_ood_letters_energy_auroc']:.0f} %",
            number,
            np.linspace(*window, len(of_energy["known"]) + 1).tolist(),
            of_energy["known"],
            of_energy["other"],
            score="energy",
            window=window,
        )
    )

# %%
# *How to read it.* Filled are images of known classes, the line those of unknown ones. What counts
# is how little they overlap, not where they lie: each method has its own scale. A regulariser that
# keeps the largest logit small leaves less room between the two for a score made of logits, while
# :doc:`others of the six scores </measures/unknown>` may find the same features as useful as ever.
