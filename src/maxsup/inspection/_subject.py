"""A model, or what another program kept of one, as an inspection looks at it."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from maxsup._digests import read_sums
from maxsup._version import __version__
from maxsup.data import DataSettings, ImageData, LabelledSplit, MeasuredImages
from maxsup.evaluation import (
    Execution,
    Outputs,
    OutputsKeeper,
    load_outputs,
    model_outputs,
    outputs_file,
    save_outputs,
)
from maxsup.models import TrainedModel, class_templates

Part = Literal["train", "validation", "test"]


@dataclass
class Subject:
    """One of the models that stand side by side.

    What it gives for a part of the data is computed once, with features, and kept in a file.
    """

    method: str
    """The group that it belongs to, such as the method that it was trained with."""
    label: str
    """What that is called in a heading."""
    seed: int
    place: str
    """As it was named."""
    execution: Execution
    digest: str
    """What tells it from every other model: SHA-256 of its weights, or of the predictions."""
    trained: TrainedModel | None = None
    """The model in evaluation mode, on the execution's device; none of stored predictions."""
    data: ImageData | None = None
    """What it is looked at on; none of stored predictions."""
    source: DataSettings | None = None
    """Where that comes from; none of stored predictions."""
    precision: str = "fp32"
    """Of the forward pass."""
    flip: bool = False
    """Whether it is measured on the means over an image and its mirror image."""
    epochs: dict[int, Path] = field(default_factory=dict)
    """The files of the weights that it had after some of its epochs, by epoch, in order."""
    last_epoch: int = 0
    """The epoch that its own weights are of; 0 where nothing is known of it."""
    stored: Callable[[Part], Outputs | None] | None = None
    """The stored predictions of a part."""
    kept: Path | None = None
    """The directory that its outputs are kept in."""
    train_samples: int = 50_000
    """The most training samples that are taken."""
    share: Callable[[object, Callable[[], ImageData]], ImageData] = lambda key, load: load()
    """Loads other data, once for all models that give it the same key."""
    announce: Callable[[str], None] = lambda text: None
    """Is told what is going on, in sentences."""
    notes: list[str] = field(default_factory=list)
    """What a reader must know of it, in sentences."""
    digests: dict[str, str] = field(default_factory=dict)
    """What was read of its data beside images and labels, in a hash each, by what it is."""
    _outputs: dict[Part, Outputs | None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is called in a line."""
        return f"{self.method}, seed {self.seed}"

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the logits."""
        if self.trained is not None:
            return self.trained.classes
        outputs = self.outputs("test")
        assert outputs is not None
        return tuple(map(str, range(outputs.num_classes)))

    @property
    def last_layer(self) -> tuple[Tensor, Tensor | None] | None:
        """Weight (K, D) and bias (K,) of the last layer, on the CPU; none of predictions."""
        if self.trained is None:
            return None
        bias = self.trained.model.get_classifier().bias  # type: ignore[operator]
        weight = class_templates(self.trained.model).cpu()
        return weight, None if bias is None else bias.detach().cpu()

    @property
    def epochs_digest(self) -> str:
        """What tells the weights of its epochs from others."""
        sums = [read_sums(path.parent).get(path.name) for path in self.epochs.values()]
        return hashlib.sha256(repr((list(self.epochs), sums)).encode()).hexdigest()

    def images(self, part: Part) -> LabelledSplit | None:
        """The images of a part, a sample of the training images where these are very many.

        None of stored predictions, and of a stream, whose images cannot be picked out.
        """
        if self.data is None:
            return None
        split = {
            "train": self.data.train,
            "validation": self.data.validation,
            "test": self.data.test,
        }[part]
        labelled = None if split is None or not len(split) else split.labelled
        if labelled is None or part != "train":
            return labelled
        return sample(labelled, self.train_samples)

    def outputs(self, part: Part) -> Outputs | None:
        """Logits, labels, ids and features of a part, on the CPU, in the order of the ids.

        None where there is nothing of that part.

        Raises:
            ValueError: Images cannot be read, or the model gives numbers that are not finite.
        """
        if part not in self._outputs:
            self._outputs[part] = self._read(part)
        return self._outputs[part]

    def seen(self, part: Part) -> LabelledSplit | None:
        """The images of a part that there are outputs of: those that can be read.

        Raises:
            ValueError: As :meth:`outputs` does.
        """
        split, outputs = self.images(part), self.outputs(part)
        if split is None or outputs is None or len(outputs) == len(split):
            return split
        return split.select(torch.isin(split.ids, outputs.ids).nonzero().flatten())

    def left_out(self, part: Part) -> list[str]:
        """Where the images of a part stand that cannot be read."""
        split, seen = self.images(part), self.seen(part)
        if split is None or seen is None or len(seen) == len(split):
            return []
        missing = split.ids[~torch.isin(split.ids, seen.ids)].sort().values.tolist()
        files = getattr(split, "files", None)
        if files is None:
            return [f"row {row}" for row in missing]
        return [files.describe(row, "").place for row in missing]

    def of(self, split: MeasuredImages) -> Outputs:
        """What the model gives for other images, with features; not kept."""
        assert self.trained is not None
        return _joined(self._pass(split))

    def forget(self) -> None:
        """Let the outputs out of memory that can be read again from where they lie."""
        if self.kept is not None or self.stored is not None:
            self._outputs.clear()

    def key(self, part: Part) -> str:
        """What the outputs of a part are determined by, in one hash."""
        data = "" if self.data is None else self.data.fingerprint
        # How images are read and by which architecture, which the weights do not say.
        model = "" if self.trained is None else repr(self.trained.description)
        text = (
            f"{__version__} {self.digest} {model} {data} {part} {self.train_samples} {self.flip} "
            f"{self.precision}"
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def _read(self, part: Part) -> Outputs | None:
        if self.stored is not None:
            return self.stored(part)
        images = self.images(part)
        if images is None and part != "test":
            return None
        path = None
        if self.kept is not None:
            path = self.kept / f"{self.key(part)[:16]}-{outputs_file(part)}"
            if path.exists():
                return load_outputs(path)
        assert self.data is not None
        found = _joined(self._pass(images if images is not None else self.data.test))
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            save_outputs(path, found, features=True)
        return found

    def _pass(self, split: object) -> Iterator[Outputs]:
        assert self.trained is not None
        return model_outputs(
            self.trained.model,
            split,  # type: ignore[arg-type]
            self.trained.normalization,
            self.execution,
            flip=self.flip,
        )


def sample(split: LabelledSplit, most: int, seed: int = 0) -> LabelledSplit:
    """So many samples of a split, the same each time; all where there are no more."""
    if len(split) <= most:
        return split
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(split), generator=generator)[:most]
    return split.select(chosen.sort().values)


def _joined(passing: Iterator[Outputs]) -> Outputs:
    keeper = OutputsKeeper(features=True)
    for _ in keeper.watch(passing):
        pass
    return keeper.joined()
