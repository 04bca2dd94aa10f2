"""Class activation maps against boxes or masks of the objects (MaxSup paper, Section 5.4)."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maxsup._seeds import derive_seed
from maxsup.data import Objects
from maxsup.inspection._analysis import Analysis, Findings, fact
from maxsup.inspection._maps import MappedBatch, class_maps, digest_of_objects, objects_in
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject
from maxsup.measures import (
    BoxIous,
    BoxLocalization,
    PixelLocalization,
    box_ious,
    boxes_as_mask,
    centre_map,
    energy_on,
    is_found,
)

THRESHOLDS = 1001
_SHOWN = 10
"""Each how many thresholds one is kept for the curves."""

BASELINES = {
    "random": "a random map",
    "centre": "a box at the centre, of the best size",
    "whole": "the whole image",
}
"""Maps that have not seen the image."""


class _Totals:
    """What is added up over the images for one kind of map."""

    def __init__(self, size: tuple[int, int], *, boxes: bool) -> None:
        self.boxes = BoxLocalization(size, THRESHOLDS, sync_on_compute=False) if boxes else None
        self.pixels = PixelLocalization(size, THRESHOLDS, sync_on_compute=False)

    def values(self) -> dict[str, float]:
        """The numbers, by the names of their measures."""
        pixels = self.pixels.compute()
        found = {"test_pxap": float(pixels.pxap), "test_pixel_energy": float(pixels.energy)}
        if self.boxes is not None:
            of_boxes = self.boxes.compute()
            found |= {
                "test_max_box_acc": float(of_boxes.max_box_acc),
                "test_max_box_acc_v2": float(of_boxes.max_box_acc_v2),
                "test_box_threshold": float(of_boxes.threshold),
            }
        return found

    def curves(self) -> dict[str, list[float | None]]:
        """What changes with the threshold."""
        pixels = self.pixels.compute()
        drawn: dict[str, Tensor] = {
            "precision": pixels.precision,
            "recall": pixels.recall,
            "area": pixels.area,
        }
        if self.boxes is not None:
            drawn["found"] = self.boxes.compute().largest[1]
        return {
            name: [None if each != each else round(each, 5) for each in values[::_SHOWN].tolist()]
            for name, values in drawn.items()
        }


class _Contributions(NamedTuple):
    """What single images have to say, by id."""

    energy: dict[int, float]
    hits: dict[int, NDArray[np.uint8]]
    """(2, 3, T) of bool, in bits."""


def _run(subject: Subject, settings: InspectionSettings) -> Findings | None:
    """Measure a model's maps, and those that have not seen the images."""
    split = subject.seen("test")
    if settings.boxes is None and settings.masks is None:
        return None
    if subject.trained is None or split is None:
        return Findings(
            notes=(f"{subject.name}: its maps cannot be measured, as its images are not there.",)
        )
    objects = objects_in(subject, split, settings)
    keep = torch.tensor([_is_shown(objects[row]) for row in split.ids.tolist()])
    if not keep.any():
        raise ValueError(
            f"{'boxes' if settings.masks is None else 'masks'}: none of the {len(split):,} test "
            "images has an object in what the model is shown of it."
        )
    size = (split.image_shape[1], split.image_shape[2])
    has_boxes = settings.boxes is not None
    totals = {name: _Totals(size, boxes=has_boxes) for name in ("model", *BASELINES)}
    contributions = _Contributions({}, {})
    layer = ""
    for batch in class_maps(subject, split.select(keep.nonzero().flatten()), settings):
        layer = batch.layer
        of_batch = [objects[row] for row in batch.ids.tolist()]
        masks = torch.stack([_mask(each, size) for each in of_batch])
        for name, maps in _maps_of(batch, size, settings.seed).items():
            totals[name].pixels.update(maps, masks)
            of_boxes = totals[name].boxes
            if of_boxes is None:
                continue
            boxes = [_boxes(each) for each in of_batch]
            ious = box_ious(maps, boxes, size, THRESHOLDS)
            of_boxes.update(maps, boxes, ious=ious)
            if name == "model":
                _note_hits(contributions, batch.ids, ious)
        for row, energy in zip(batch.ids.tolist(), energy_on(batch.maps, masks), strict=True):
            contributions.energy[row] = float(energy)
    total, cut = (
        sum(getattr(each, what) for each in objects.values()) for what in ("total", "cut")
    )
    details = {
        "kind": "boxes" if has_boxes else "masks",
        "layer": layer,
        "class": settings.cam_class,
        "images": int(keep.sum()),
        "left_out": int((~keep).sum()),
        "objects": total,
        "cut": cut,
        "threshold": [round(each / (THRESHOLDS - 1), 5) for each in range(0, THRESHOLDS, _SHOWN)],
        "curves": totals["model"].curves(),
        "baselines": {name: totals[name].values() for name in BASELINES},
    }
    return Findings(
        totals["model"].values(),
        details,
        _notes(subject, details),
        _by_sample(subject, totals["model"], contributions),
    )


def _is_shown(objects: Objects) -> bool:
    return objects.total > objects.cut


def _boxes(objects: Objects) -> Tensor:
    assert objects.boxes is not None
    return objects.boxes


def _mask(objects: Objects, size: tuple[int, int]) -> Tensor:
    if objects.mask is not None:
        return objects.mask
    mask = boxes_as_mask(_boxes(objects), size)
    if not mask.any():
        # Thinner than a pixel, between two centres: the pixel that it touches.
        left, top, *_ = (int(each) for each in _boxes(objects)[0])
        mask[min(top, size[0] - 1), min(left, size[1] - 1)] = True
    return mask


def _maps_of(batch: MappedBatch, size: tuple[int, int], seed: int) -> dict[str, Tensor]:
    """The model's maps, and those to beat: on the same grid by chance, and of no image at all."""
    count, height, width = batch.maps.shape
    by_chance = torch.stack(
        [
            torch.rand(
                height,
                width,
                generator=torch.Generator().manual_seed(derive_seed(seed, "random map", row)),
            )
            for row in batch.ids.tolist()
        ]
    )
    return {
        "model": batch.maps,
        "random": by_chance,
        "centre": centre_map(size).expand(count, -1, -1),
        "whole": torch.ones(1, 1, 1).expand(count, 1, 1),
    }


def _note_hits(contributions: _Contributions, ids: Tensor, ious: BoxIous) -> None:
    hits = torch.stack([is_found(each) for each in ious], dim=1)
    contributions.hits.update(zip(ids.tolist(), np.packbits(hits.numpy(), axis=-1), strict=True))


def _by_sample(
    subject: Subject, totals: _Totals, contributions: _Contributions
) -> dict[str, Tensor]:
    """What each test sample contributes; NaN where nothing of it was measured.

    Thresholds are those of the whole set, also for another draw of the samples.
    """
    outputs = subject.outputs("test")
    assert outputs is not None
    rows = outputs.ids.tolist()
    nan = float("nan")
    found = {"test_pixel_energy": torch.tensor([contributions.energy.get(r, nan) for r in rows])}
    if totals.boxes is not None:
        values = totals.boxes.compute()
        best = values.best.argmax(dim=1, keepdim=True)
        half = int(values.largest[1].argmax())
        largest, v2 = [], []
        for row in rows:
            packed = contributions.hits.get(row)
            if packed is None:
                largest.append(nan)
                v2.append(nan)
                continue
            hits = torch.from_numpy(np.unpackbits(packed, axis=-1, count=THRESHOLDS))
            largest.append(float(hits[0, 1, half]))
            v2.append(float(hits[1].gather(1, best).double().mean()))
        found |= {
            "test_max_box_acc": torch.tensor(largest),
            "test_max_box_acc_v2": torch.tensor(v2),
        }
    return found


def _notes(subject: Subject, details: dict[str, object]) -> tuple[str, ...]:
    what = details["kind"]
    notes = []
    if details["left_out"]:
        notes.append(
            f"{details['left_out']:,} test images are left out of localisation: they have no "
            f"object, or none in the part that {subject.label} is shown."
        )
    if details["cut"]:
        assert isinstance(details["cut"], int)
        assert isinstance(details["objects"], int)
        share = 100 * details["cut"] / details["objects"]
        notes.append(
            f"{details['cut']:,} of {details['objects']:,} {what} ({share:.1f} %) lie outside of "
            f"the part of the images that {subject.label} is shown, and are left out; those at its "
            "edge are cut off there."
        )
    return tuple(notes)


LOCALIZATION = Analysis(
    name="localization",
    facts=(
        fact(
            "test_max_box_acc",
            "MaxBoxAcc",
            "of the test images, the fraction in which the box around the largest part of the map "
            "overlaps a true box by half or more (intersection over union), at the threshold that "
            "is best for all images together",
            better="higher",
            percent=True,
            digits=1,
            headline=True,
        ),
        fact(
            "test_max_box_acc_v2",
            "MaxBoxAccV2",
            "the same with the box of any part of the map, and the mean over the overlaps .3, .5 "
            "and .7, each with its own best threshold",
            better="higher",
            percent=True,
            digits=1,
        ),
        fact(
            "test_box_threshold",
            "Threshold",
            "the threshold of MaxBoxAcc, of maps from 0 to 1",
            bounds=(0.0, 1.0),
        ),
        fact(
            "test_pxap",
            "PxAP",
            "the area under precision over recall of all pixels of the test images, on an object "
            "or beside it",
            better="higher",
            percent=True,
            digits=1,
        ),
        fact(
            "test_pixel_energy",
            "Energy",
            "the share of a map's sum that lies on an object, the mean over the test images "
            "(energy-based pointing game)",
            better="higher",
            percent=True,
            digits=1,
        ),
    ),
    run=_run,
    contents=digest_of_objects,
    depends_on=lambda settings: [
        settings.boxes, settings.masks, settings.cam_layer, settings.cam_class,
    ],
)  # fmt: skip
