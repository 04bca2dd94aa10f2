import torch
from sklearn.datasets import load_digits

from maxsup.data._images import Split


def load_embedded_digits() -> tuple[Split, tuple[str, ...]]:
    """scikit-learn's 1,797 grey 8×8 digits with their classes; they need no network."""
    bunch = load_digits()
    # 17 grey levels, 0..16.
    images = torch.from_numpy(bunch.images).mul(255 / 16).round().to(torch.uint8).unsqueeze(1)
    labels = torch.from_numpy(bunch.target).long()
    return Split(images, labels, labels), tuple(str(name) for name in bunch.target_names)
