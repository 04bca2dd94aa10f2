"""Models whose weights come from elsewhere: from a file, from timm, or from the Hub."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import timm
import torch
from torch import nn

from maxsup.data import DataSettings, ImageData, PhotographSettings, load_images
from maxsup.inspection._classes import check_classes
from maxsup.inspection._loader import Loader, Named
from maxsup.inspection._settings import InspectionSettings
from maxsup.inspection._subject import Subject
from maxsup.models import (
    Architecture,
    Expected,
    ModelDescription,
    TrainedModel,
    check_last_layer,
    check_name,
    check_published,
    digest_of_weights,
    expected_by,
    expected_of_fields,
    load_weights,
)
from maxsup.training import listed, weights_digest

HUB = ("hf:", "hf-hub:", "hf_hub:")
"""How models of the Hub begin."""


def weights_in(path: str, settings: InspectionSettings) -> Named:
    expected = expected_by(settings.model, path)
    architecture = Architecture(
        expected.model,
        num_classes=0,
        small_stem=expected.small_stem,
        zero_init=expected.zero_init,
        blur_pool=expected.blur_pool,
    )
    name = Path(path).name if Path(path).suffix == "" else Path(path).stem

    def load(loader: Loader, named: Named) -> Subject:
        data = _data_for(path, expected, loader)
        channels, height, _ = data.image_shape
        whole = replace(
            architecture,
            num_classes=len(data.classes),
            in_channels=channels,
            image_size=height,
        )
        asked = loader.settings
        with torch.random.fork_rng(devices=[]):
            # What a file lacks starts the same each time.
            torch.manual_seed(asked.seed)
            built = whole.build()
        loaded = load_weights(
            expected.model,
            built,
            path,
            partial=asked.partial_weights,
            partial_is="to look at it with what fits, and what it lacks drawn at random",
        )
        if loaded.new_last_layer:
            raise ValueError(
                f"{path}: its last layer is not one for the {len(data.classes)} classes of "
                f"{data.name}. Name the data that it was trained for with --data."
            )
        digest = digest_of_weights(path)
        if not loaded.is_whole:
            digest += f", the rest of seed {asked.seed}"
        subject = _subject(named, loader, built, whole, expected, data, digest)
        subject.notes += [f"{named.label}: {note}" for note in loaded.notes]
        return subject

    return Named(name, name, 0, path, Path(path).absolute().parts[:-1], load, "weights", path)


def published(path: str) -> Named:
    """A model that timm downloads, or finds where it did before."""
    name = path.rpartition("/")[2]
    if not path.startswith(HUB):
        check_name(path)
        check_published(path, timm.models.get_pretrained_cfg(path))

    def load(loader: Loader, named: Named) -> Subject:
        _check_data_is_named(path, loader)
        try:
            if path.startswith(HUB):
                model = timm.create_model(f"hf-hub:{path.partition(':')[2]}", pretrained=True)
            else:
                model = timm.create_model(path, pretrained=True)
        except (OSError, RuntimeError, ValueError) as error:
            raise ValueError(
                f"The weights of {path} cannot be had: {error} Without a network, name a file of "
                "them, with --model."
            ) from error
        check_last_layer(path, model)
        fields: Any = model.pretrained_cfg
        expected = expected_of_fields(path, dict(fields), f"timm of {path}")
        data = _data_for(path, expected, loader)
        if model.num_classes != len(data.classes):
            raise ValueError(
                f"{path} tells {model.num_classes} classes apart, and {data.name} has "
                f"{len(data.classes)}. Name the data that it was trained for with --data."
            )
        channels = data.image_shape[0]
        wanted = fields["input_size"][0]
        if wanted != channels:
            raise ValueError(
                f"{path} takes images of {wanted} channels, and those of {data.name} have "
                f"{channels}. Name data with such images, or train a model on these."
            )
        architecture = Architecture(path, num_classes=model.num_classes)
        return _subject(named, loader, model, architecture, expected, data, weights_digest(model))

    return Named(name, name, 0, path, (), load, "published", path)


def _check_data_is_named(path: str, loader: Loader) -> DataSettings:
    asked = loader.asked_data()
    if asked is None:
        raise ValueError(
            f"{path} is no run, so nothing says which data to look at it on. Name it with --data."
        )
    return asked


def _data_for(path: str, expected: Expected, loader: Loader) -> ImageData:
    asked = _check_data_is_named(path, loader)
    photographs = PhotographSettings(expected.image_size, expected.crop, expected.interpolation)
    small = expected.reading == "small"
    return loader.data(
        (asked, expected.image_size, None if small else photographs),
        lambda: load_images(
            asked,
            image_size=expected.image_size if small else None,
            photographs=None if small else photographs,
            measure_only=True,
            announce=loader.announce,
        ),
    )


def _subject(
    named: Named,
    loader: Loader,
    model: nn.Module,
    architecture: Architecture,
    expected: Expected,
    data: ImageData,
    digest: str,
) -> Subject:
    description = ModelDescription(
        replace(architecture, num_classes=len(data.classes)),
        data.classes,
        expected.mean,
        expected.std,
        data.image_shape,
        expected.reading,
        expected.crop,
        expected.interpolation,
    )
    subject = loader.subject(named, digest=digest, data=data, source=loader.asked_data())
    subject.trained = TrainedModel(model.eval().to(subject.execution.device), description)
    subject.notes += data.notes
    order = _order_of_classes(named, expected, data)
    subject.notes.append(f"{named.label}: {order}images are read as {expected.source} says.")
    return subject


def _order_of_classes(named: Named, expected: Expected, data: ImageData) -> str:
    """What is taken for granted of it, as the beginning of a sentence.

    Raises:
        ValueError: The model's classes are called as the data's in part, or in another order.
    """
    classes = expected.classes
    if classes == data.classes:
        return ""
    taken = f"its classes are taken to be in the order of those of {data.name}, as its file "
    if classes is None:
        return f"{taken}does not name them; "
    if {*classes} & {*data.classes}:
        check_classes(named.place, classes, data)
    return f"{taken}has other names for them ({listed([*classes])}); "
