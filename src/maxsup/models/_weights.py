"""Weights of others to start from."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

_SHOWN = 5


def load_weights(name: str, model: nn.Module, path: Path) -> None:
    """Everything but a last layer for other classes must be there, and nothing else."""
    if not path.is_file():
        raise ValueError(f"weights: there is no file {path}. Name a safetensors file, or timm.")
    try:
        found = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"weights: {path} is no safetensors file: {error}") from error
    expected = model.state_dict()
    classifier = model.get_classifier()  # type: ignore[operator]
    for key, value in expected.items():
        is_last = any(value.data_ptr() == own.data_ptr() for own in classifier.parameters())
        if is_last and key in found and found[key].shape != value.shape:
            found[key] = value
    wrong = [key for key in expected if key not in found]
    wrong += [key for key in found if key not in expected]
    wrong += [key for key in expected if key in found and found[key].shape != expected[key].shape]
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise ValueError(
            f"weights: {path} does not fit {name} as it is set up here; missing, unknown or of "
            f"another shape: {', '.join(wrong[:_SHOWN])}{more}. Take the model, the stem and the "
            "blur_pool with which they were trained."
        )
    model.load_state_dict(found)
