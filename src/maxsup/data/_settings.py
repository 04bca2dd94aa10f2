from dataclasses import dataclass, field


@dataclass(frozen=True)
class DataSettings:
    """Which images to train on, and how they are divided.

    Raises:
        ValueError: A share is outside of its range.
    """

    name: str
    """digits, a folder or file (image folder, Parquet, WebDataset), or hf:owner/name."""
    image_column: str | None = None
    """The column of the images, where there are several."""
    label_column: str | None = None
    """The column of the labels, where there are several."""
    train_split: str | None = None
    """The split to train on, or a part of it as train[:1000] or train[:10%]; by default train."""
    test_split: str | None = None
    """The split to measure on, or a part of it; by default test, else validation."""
    validation: float = 0.0
    """Share of the training part to hold out, class by class, and to measure after each epoch."""
    test_fraction: float = 0.2
    """Share of the data to measure on, class by class, where it has no split for that."""
    imbalance: float = 1.0
    """Thin the training classes to a long tail: largest by smallest; 1 leaves them as they are."""
    label_noise: float = 0.0
    """Share of the training labels to replace by a wrong class drawn at random."""
    image_size: int | None = None
    """Side in pixels that images are resized and cropped to; by default they stay as they are."""
    data_seed: int = 0
    """Of the parts held out, the long tail and the label noise; the same for all runs."""
    streaming: bool = False
    """Read photographs over the network as they are needed, without downloading them first."""
    max_corrupt: int = field(default=0, compare=False)
    """How many photographs may be left out, and reported, because they cannot be read."""

    def __post_init__(self) -> None:
        for name in ("validation", "label_noise"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must lie in [0, 1); got {getattr(self, name)}.")
        if not 0 < self.test_fraction < 1:
            raise ValueError(f"test_fraction must lie in (0, 1); got {self.test_fraction}.")
        if not 1 <= self.imbalance < float("inf"):
            raise ValueError(f"imbalance must be at least 1; got {self.imbalance}.")
        if self.max_corrupt < 0:
            raise ValueError(f"max_corrupt must not be negative; got {self.max_corrupt}.")
        if self.image_size is not None and self.image_size < 1:
            raise ValueError(f"image_size must be at least 1; got {self.image_size}.")
