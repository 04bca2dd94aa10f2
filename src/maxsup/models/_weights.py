"""Weights of others to start from, brought into a model."""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import timm
from timm.models import clean_state_dict
from torch import Tensor, nn

from maxsup.models._weights_file import find_weights, read_weights

_SHOWN = 5


class _Fit(NamedTuple):
    """How weights lie beside those that a model has."""

    weights: dict[str, Tensor]
    """Those that fit, by the model's names."""
    missing: list[str]
    left_over: list[str]
    other_shape: list[str]
    new: list[str]
    """What is missing of the last layer, or is there for other classes."""
    resized: tuple[str, ...] = ()
    """What timm brought to the size of the images, such as position embeddings."""

    @property
    def is_whole(self) -> bool:
        return not (self.missing or self.left_over or self.other_shape)


class Loaded(NamedTuple):
    """What came of bringing weights into a model."""

    is_whole: bool
    """Whether all of the model's came from the file, but for the last layer."""

    new_last_layer: bool
    """Whether the last layer is not among them."""
    on_last_layer: str
    """Where the last layer comes from, in a sentence."""
    notes: tuple[str, ...]
    """What else a user should know, in sentences."""


PARTIAL = "to start with what fits and train the rest from new"
"""What --partial-weights is for, of a training."""


def load_weights(
    name: str, model: nn.Module, weights: str, *, partial: bool = False, partial_is: str = PARTIAL
) -> Loaded:
    """Bring weights from a file into a model.

    Names may carry what wrappers put before them (``module.``, ``_orig_mod.``, ``model.``,
    ``backbone.``), and what timm knows to translate for the model is translated. Apart from the
    last layer, all must be there and nothing else; the last layer may be missing or be one for
    other classes, and then keeps the values that it has.

    Args:
        name: What the model is called, for messages.
        model: The model.
        weights: A file or directory as :func:`find_weights` takes it.
        partial: Whether to take what fits, of weights that do not fit as a whole.
        partial_is: What that is for, for the message where they do not.

    Raises:
        ValueError: The weights cannot be read, or do not fit.
    """
    path = find_weights(weights).path
    found, entry = read_weights(path)
    fit = _best_fit(name, model, found)
    if not fit.is_whole and not (partial and fit.weights):
        channels = _other_channels(model, found)
        raise ValueError(
            f"weights: {path} does not fit {name} as it is set up here: {_differences(fit)}. "
            + (
                f"They are for images of {channels[0]}, and these have {channels[1]}: take weights "
                "that were trained on such"
                if channels
                else "Take the model, the stem and the blur_pool with which they were trained"
            )
            + (f"; or add --partial-weights, {partial_is}." if fit.weights else ".")
        )
    model.load_state_dict(model.state_dict() | fit.weights)
    notes = []
    if entry is not None:
        notes.append(f"Of {path}, the entry {entry} is taken.")
    if fit.new:
        there = "one for other classes" if _has_any(found, fit.new) else "none"
        on_last_layer = f"The last layer starts anew: the file has {there}."
    else:
        on_last_layer = "The last layer is taken along: the file has one for as many classes."
    if fit.resized:
        notes.append(
            f"Of {path}, what is of another size than the images are was resized: "
            f"{'; '.join(fit.resized)}."
        )
    if not fit.is_whole:
        notes.append(f"The weights fit in part: {_differences(fit)}.")
    return Loaded(fit.is_whole, bool(fit.new), on_last_layer, tuple(notes))


def _best_fit(name: str, model: nn.Module, found: dict[str, Tensor]) -> _Fit:
    found = _without_prefixes(clean_state_dict(found), model.state_dict())
    fit = _fit(model, found)
    translate = _translation(name)
    if fit.is_whole or translate is None:
        return fit
    try:
        translated = _fit(model, translate(dict(found), model))
    except Exception:  # made for the files that timm's authors met, and for no others
        return fit
    if len(translated.weights) <= len(fit.weights):
        return fit
    resized = tuple(
        f"{k} ({_shape(found[k])} there, {_shape(v)} here)"
        for k, v in translated.weights.items()
        if k in found and found[k].shape != v.shape
    )
    return translated._replace(resized=resized)


def _fit(model: nn.Module, found: Mapping[str, Tensor]) -> _Fit:
    expected = model.state_dict()
    last = _names_of_last_layer(model, expected)
    new = [k for k in last if k not in found or found[k].shape != expected[k].shape]
    if new:
        # The whole layer: a new weight beside the bias of other classes would be neither.
        new = last
    return _Fit(
        {
            k: v
            for k, v in found.items()
            if k in expected and k not in new and v.shape == expected[k].shape
        },
        # Counters that batch-norm keeps are no weights, and some files leave them out.
        [k for k in expected if k not in found and k not in new and not _is_counter(k)],
        [k for k in found if k not in expected and not _is_counter(k)],
        [
            f"{k} ({_shape(found[k])} there, {_shape(expected[k])} here)"
            for k in expected
            if k in found and k not in new and found[k].shape != expected[k].shape
        ],
        new,
    )


def _other_channels(model: nn.Module, found: Mapping[str, Tensor]) -> tuple[str, str] | None:
    """How many channels images have for the weights, and for the model, where these differ."""
    for name, value in model.state_dict().items():
        if value.ndim == 4:
            there = found.get(name)
            if there is None or there.ndim != 4 or {there.shape[1], value.shape[1]} != {1, 3}:
                return None
            return _channels(there.shape[1]), _channels(value.shape[1])
    return None


def _channels(count: int) -> str:
    return "1 channel (grey)" if count == 1 else f"{count} channels"


def _names_of_last_layer(model: nn.Module, expected: Mapping[str, Tensor]) -> list[str]:
    own = {each.data_ptr() for each in model.get_classifier().parameters()}  # type: ignore[operator]
    return [name for name, value in expected.items() if value.data_ptr() in own]


def _is_counter(name: str) -> bool:
    return name.endswith("num_batches_tracked")


def _without_prefixes(
    found: dict[str, Tensor], expected: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The weights without what wrappers put before all of the model's names."""
    while True:
        matching = sum(name in expected for name in found)
        prefixes = {name.partition(".")[0] + "." for name in found if "." in name}
        for prefix in sorted(prefixes):
            inner = {k.removeprefix(prefix): v for k, v in found.items() if k.startswith(prefix)}
            # Most of the model's must come to light: "0." and "1." stand in the names of blocks.
            if sum(name in expected for name in inner) > max(matching, len(expected) // 2):
                found = inner | {k: v for k, v in found.items() if not k.startswith(prefix)}
                break
        else:
            return found


def _translation(name: str) -> Callable[[dict[str, Tensor], nn.Module], Any] | None:
    """How timm reads the files of a model's authors, where it has a way of its own."""
    architecture = name.partition(".")[0]
    if not timm.is_model(architecture):
        return None
    module = sys.modules[timm.models.model_entrypoint(architecture).__module__]
    return getattr(module, "checkpoint_filter_fn", None)


def _has_any(found: Mapping[str, Tensor], names: Iterable[str]) -> bool:
    return any(key.endswith(name) for name in names for key in found)


def _differences(fit: _Fit) -> str:
    parts = [
        f"{len(names):,} {what} ({_listed(names)})"
        for names, what in (
            (fit.missing, "missing"),
            (sorted(fit.left_over), "unknown"),
            (fit.other_shape, "of another shape"),
        )
        if names
    ]
    return "; ".join(parts)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _shape(value: Tensor) -> str:
    return "×".join(map(str, value.shape)) or "a number"
