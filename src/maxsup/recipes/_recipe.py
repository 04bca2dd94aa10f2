"""What a recipe may set."""

from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from maxsup._fields import left_alone, settle_fields
from maxsup.recipes._without_effect import settings_without_effect

_MOST_EPOCHS = 1_000_000
_MOST_PIXELS = 16_384  # of a side; a single image of this size takes 0.8 GB
_MOST_WORKERS = 1_024


@dataclass(frozen=True)
class Recipe:
    """How a model is trained, whatever its objective: every setting, with its default.

    A recipe is a plain value: it repeats a training together with the data, the method and the
    seed. Lengths are in epochs, so that they mean the same on data of any size; where
    ``iterations`` says how many steps there are, an epoch is its part of them. With a ``head``, a
    model is trained for semantic segmentation, on images with masks.

    Raises:
        ValueError: A setting is out of its range; the message names it.
    """

    name: str
    """Name that the recipe is listed under."""
    model: str
    """Name of a timm model, with or without a tag; or small-convnet,
    small-resnet or cifar-resnet32."""
    small_stem: bool = False
    """Begin with a 3x3 convolution of stride 1 and without max-pooling, for small images."""
    zero_init: bool = True
    """Start each residual branch of a ResNet at zero, as timm does and torchvision does not."""
    blur_pool: bool = False
    """Blur before each strided convolution of at least 16 channels, against aliasing."""
    drop_path: float = 0.0
    """Rate of stochastic depth."""
    sync_batchnorm: bool = False
    """Take batch-norm's mean and variance over the batches of all GPUs together."""
    weights: str | None = None
    """Weights to start from: a file (safetensors, .pth), a directory with config.json and
    model.safetensors, a finished run's directory; or timm for those that timm publishes."""
    partial_weights: bool = False
    """Take weights that fit in part: what is missing starts fresh, what is left over is left
    out."""
    mean: tuple[float, ...] | None = None
    """Mean of each channel that the model expects, of pixels in [0, 1]; None for the training
    images' own, or ImageNet's for photographs."""
    std: tuple[float, ...] | None = None
    """Standard deviation of each channel that the model expects; None as for mean."""
    image_size: int | None = None
    """Side of the square images in pixels; None takes them as they are."""
    random_resized_crop: bool = False
    """Read photographs as they are needed, a random part of each, resized."""
    crop_scale: tuple[float, float] = (0.08, 1.0)
    """Least and greatest fraction of a photograph's area that a random crop takes."""
    crop_ratio: tuple[float, float] = (3 / 4, 4 / 3)
    """Least and greatest ratio of width to height of a random crop."""
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    """Interpolation with which photographs are resized."""
    start_image_size: int | None = None
    """Side of the training images at first, where the resolution grows; None for image_size."""
    resolution_epochs: tuple[float, float] = (0, 0)
    """Epochs between which the side grows from start_image_size on, in steps of 32."""
    eval_size: int | None = None
    """Side that photographs are resized to for measuring; None for image_size."""
    eval_crop: float = 1.0
    """Fraction of a photograph's shorter side that is measured, at its centre."""
    label_column: str | None = None
    """Column to learn where the data has several and its settings name none."""

    head: Literal["upernet", "linear"] | None = None
    """Train for segmentation, with this head on the model: UperNet, or one 1x1 convolution."""
    head_channels: int = 512
    """Channels within UperNet."""
    auxiliary: float = 0.4
    """Weight of the loss of UperNet's auxiliary head; 0 for none."""
    freeze_backbone: bool = False
    """Train the head alone, on the features as they are."""
    crop_size: tuple[int, int] | None = None
    """Height and width of the crops that are trained on; None for the size that most images have,
    at most 512 each way."""
    scale_range: tuple[float, float] = (0.5, 2.0)
    """Least and greatest factor that an image and its mask are resized by before the crop."""
    base_size: tuple[int, int] | None = None
    """Longer and shorter side that images are fitted into before that, and for measuring; None
    takes them as they are."""
    photometric_distortion: bool = False
    """Change brightness, contrast, saturation and hue at random."""
    cat_max_ratio: float = 1.0
    """Greatest fraction of a crop's labelled pixels that one class may have; of several places
    tried, the first such is taken."""
    balance_classes: bool = False
    """Weigh classes by the inverse square root of how many pixels they have, mean 1."""
    eval_scales: tuple[float, ...] = ()
    """Scales at which test images are seen once more at the end, mirrored as well; the measures of
    all views together stand beside those of the image alone."""
    window: tuple[int, int] | None = None
    """Height and width of the windows in which images are measured; None for whole images."""
    stride: tuple[int, int] | None = None
    """Steps from window to window; None for two thirds of it."""

    epochs: int = 100
    """Number of passes over the training data; with iterations, of the equal parts of these."""
    iterations: int | None = None
    """Number of optimiser steps, however many images there are; an epoch is then an equal part of
    them, after which the model is measured. For segmentation."""
    batch_size: int = 128
    """Images in one optimiser step, those of all processes and accumulated parts together."""
    accumulate: int = 1
    """Number of parts in which a batch goes through the model, one by one, to save memory."""

    optimizer: Literal["sgd", "adamw"] = "sgd"
    """Optimiser: SGD with momentum, or AdamW."""
    lr: float = 0.1
    """Peak learning rate, for the batch size of the recipe."""
    momentum: float = 0.9
    """Momentum of SGD."""
    nesterov: bool = False
    """Use Nesterov's form of SGD's momentum."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Decay rates of AdamW's averages of the gradient and of its square."""
    weight_decay: float = 5e-4
    """Weight decay: decoupled for AdamW, added to the gradient for SGD."""
    decay_norm_and_bias: bool = True
    """Let weight decay reach normalisation layers and biases too."""
    clip_norm: float | None = None
    """Norm that gradients are scaled down to; None leaves them."""

    lr_schedule: Literal["constant", "step", "cosine", "polynomial", "one-cycle"] = "cosine"
    """Course of the learning rate after the warm-up."""
    milestones: tuple[float, ...] = ()
    """Epochs, counted from 0, at which schedule step multiplies the learning rate by gamma."""
    gamma: float = 0.1
    """Factor of schedule step."""
    power: float = 1.0
    """Exponent of schedule polynomial; 1 falls linearly."""
    warmup_epochs: float = 0.0
    """Epochs in which the learning rate rises linearly; of one-cycle, the rise of the cycle."""
    warmup_lr: float = 0.0
    """Learning rate that the warm-up starts from."""
    final_lr: float = 0.0
    """Learning rate at the very end of schedules cosine, polynomial and one-cycle."""

    crop_padding: int = 0
    """Black pixels added on each side before a random crop; 0 crops nothing."""
    flip: bool = False
    """Mirror images at random."""
    cutout: int = 0
    """Side of the square blanked out at a random position; 0 for none."""
    rand_augment: str | None = None
    """RandAugment of photographs, written as timm does: rand-m9-mstd0.5-inc1."""
    erasing: float = 0.0
    """Fraction of the images in which a rectangle is replaced by noise."""
    repeats: int = 1
    """Times that each image comes in a row, in an epoch of as many times fewer images."""
    mixup: float = 0.0
    """Alpha of Mixup's beta distribution; 0 for none."""
    cutmix: float = 0.0
    """Alpha of CutMix's beta distribution; 0 for none. Of both, each batch draws one."""

    ema_decay: float | None = None
    """Keep an exponential moving average of the weights with this decay."""
    evaluate_ema: bool = False
    """Measure the averaged weights instead of the raw ones."""
    evaluate_flip: bool = False
    """Measure the mean of the logits of each image and its mirror image."""

    precision: Literal["fp32", "bf16"] = "fp32"
    """Precision of the forward and backward pass; weights and penalties stay float32."""
    channels_last: bool = False
    """Lay images out with channels last, which is faster on GPUs, and on CPUs with bf16."""
    compile: bool = False
    """Compile the model with torch.compile."""
    deterministic: bool = True
    """Use only GPU kernels that repeat bit for bit, where there are such; off is faster."""
    workers: int | None = field(default=None, compare=False)
    """Processes that read photographs beside each training process; None for one a core."""
    keep_outputs: bool = field(default=True, compare=False)
    """Keep the test and validation logits of each run, for measures that come later."""
    checkpoint_steps: int | None = field(default=None, compare=False)
    """Save a checkpoint every so many steps too, not only after each epoch."""
    keep_every: int | None = field(default=None, compare=False)
    """Keep the weights after every so many epochs, and after the first, so that inspect can show
    how features and last layer came to be; None for those at the end alone."""

    def __post_init__(self) -> None:
        settle_fields(self)
        at_least = {
            "epochs": 1, "batch_size": 1, "accumulate": 1, "momentum": 0, "weight_decay": 0,
            "gamma": 0, "warmup_epochs": 0, "warmup_lr": 0, "final_lr": 0, "crop_padding": 0,
            "cutout": 0, "mixup": 0, "cutmix": 0, "drop_path": 0, "repeats": 1, "erasing": 0,
            "workers": 0, "checkpoint_steps": 1, "keep_every": 1, "image_size": 1,
            "head_channels": 2, "auxiliary": 0, "iterations": 1,
            "start_image_size": 1, "eval_size": 1,
        }  # fmt: skip
        at_most = {
            "epochs": _MOST_EPOCHS,
            "workers": _MOST_WORKERS,
            **dict.fromkeys(
                ("image_size", "start_image_size", "eval_size", "crop_padding"), _MOST_PIXELS
            ),
        }
        for name, least in at_least.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name} must be at least {least}; got {value}.")
        for name, most in at_most.items():
            value = getattr(self, name)
            if value is not None and value > most:
                raise ValueError(f"{name} must be at most {most:,}; got {value:,}.")
        if not self.lr > 0:
            raise ValueError(f"lr must be positive; got {self.lr}.")
        for name in ("momentum", "drop_path"):
            if getattr(self, name) >= 1:
                raise ValueError(f"{name} must be below 1; got {getattr(self, name)}.")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas must lie in [0, 1); got {_listed(self.betas)}.")
        self._check_normalization()
        self._check_schedule()
        self._check_photographs()
        self._check_segmentation()
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"batch_size ({self.batch_size}) must be a multiple of accumulate "
                f"({self.accumulate})."
            )
        if self.ema_decay is not None and not 0 < self.ema_decay < 1:
            raise ValueError(f"ema_decay must lie between 0 and 1; got {self.ema_decay}.")
        if self.evaluate_ema and self.ema_decay is None:
            raise ValueError("evaluate_ema needs ema_decay, the decay of the average to measure.")
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise ValueError(f"clip_norm must be positive; got {self.clip_norm}.")
        if self.nesterov and not self.momentum > 0:
            raise ValueError("nesterov needs a momentum above 0.")
        self._check_effects()

    def _check_normalization(self) -> None:
        if (self.mean is None) != (self.std is None):
            given, missing = ("mean", "std") if self.std is None else ("std", "mean")
            raise ValueError(f"{given} needs {missing} beside it: images are scaled by both.")
        if self.mean is None or self.std is None:
            return
        if len(self.mean) != len(self.std) or len(self.mean) not in (1, 3):
            raise ValueError(
                "mean and std must have a number for each channel, 1 or 3 of them; got "
                f"{_listed(self.mean)} and {_listed(self.std)}."
            )
        if not all(value > 0 for value in self.std):
            raise ValueError(f"std must be positive numbers; got {_listed(self.std)}.")

    def _check_schedule(self) -> None:
        rising = list(self.milestones)
        if rising != sorted(set(rising)) or any(milestone <= 0 for milestone in rising):
            raise ValueError(
                f"milestones must be rising epochs above 0; got {_listed(self.milestones)}."
            )
        if self.lr_schedule != "step":
            return
        if not self.milestones:
            raise ValueError("lr_schedule 'step' needs milestones, the epochs of its steps.")
        if self.milestones[-1] >= self.epochs:
            raise ValueError(
                f"milestones ({_listed(self.milestones)}) must lie before the end of the training, "
                f"which has {self.epochs} epochs. In Python, Recipe.adapted(epochs=…) changes both "
                "together, as the option --epochs does."
            )

    def _check_photographs(self) -> None:
        for name in ("crop_scale", "crop_ratio"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise ValueError(
                    f"{name} must be two positive numbers, the smaller one first; got {low} {high}."
                )
        if not 0 < self.eval_crop <= 1:
            raise ValueError(f"eval_crop must lie in (0, 1]; got {self.eval_crop}.")
        if self.erasing > 1:
            raise ValueError(f"erasing is a fraction, so at most 1; got {self.erasing}.")
        if self.rand_augment is not None and not self.rand_augment.startswith("rand-"):
            raise ValueError(
                f"rand_augment must be written as timm does, rand-m9-mstd0.5-inc1 for example; got "
                f"{self.rand_augment!r}."
            )
        first, last = self.resolution_epochs
        if not 0 <= first <= last:
            raise ValueError(f"resolution_epochs must be rising epochs; got {first} {last}.")
        if self.start_image_size is not None and last >= self.epochs:
            raise ValueError(
                f"resolution_epochs ({first} {last}) must lie before the end of the training, "
                f"which has {self.epochs} epochs, or its images never reach image_size. In Python, "
                "Recipe.adapted(epochs=…) changes both together, as the option --epochs does."
            )
        if self.random_resized_crop and self.image_size is None:
            raise ValueError("random_resized_crop needs image_size, the side to resize crops to.")

    def _check_segmentation(self) -> None:
        low, high = self.scale_range
        if not 0 < low <= high:
            raise ValueError(
                "scale_range must be two positive numbers, the smaller one first; got "
                f"{low} {high}."
            )
        for name in ("crop_size", "base_size", "window", "stride"):
            sides = getattr(self, name)
            if sides is not None and not 1 <= min(sides) <= max(sides) <= _MOST_PIXELS:
                raise ValueError(
                    f"{name} must be two sides from 1 to {_MOST_PIXELS:,} pixels; got "
                    f"{_listed(sides)}."
                )
        if not 0 < self.cat_max_ratio <= 1:
            raise ValueError(f"cat_max_ratio must lie in (0, 1]; got {self.cat_max_ratio}.")
        if not self.power > 0:
            raise ValueError(f"power must be positive; got {self.power}.")
        if not all(scale > 0 for scale in self.eval_scales):
            raise ValueError(
                f"eval_scales must be positive numbers; got {_listed(self.eval_scales)}."
            )
        if self.window is not None and self.stride is not None:
            beyond = [a > b for a, b in zip(self.stride, self.window, strict=True)]
            if any(beyond):
                raise ValueError(
                    f"stride ({_listed(self.stride)}) must not exceed window "
                    f"({_listed(self.window)}), or pixels between windows were not seen."
                )
        if self.iterations is not None and self.iterations % self.epochs:
            near = max(self.iterations // self.epochs, 1) * self.epochs
            raise ValueError(
                f"iterations ({self.iterations}) must be a multiple of epochs ({self.epochs}), the "
                "number of equal parts that they are measured after. Set both, as in --iterations "
                f"{near} --epochs {self.epochs}."
            )

    @property
    def is_segmentation(self) -> bool:
        """Whether a label is learnt for each pixel, and not one for the whole image."""
        return self.head is not None

    def _check_effects(self) -> None:
        defaults = {field.name: field.default for field in fields(self)}
        for name, why in settings_without_effect(vars(self), defaults).items():
            raise ValueError(f"{name} {why}. {left_alone(name, defaults[name])}.")

    def adapted(self, **changes: Any) -> "Recipe":
        """The recipe with other settings, and with those that belong to them brought along.

        Other ``epochs`` stretch or shorten the lengths in it in the same ratio: ``milestones``,
        ``warmup_epochs``, ``resolution_epochs`` and ``iterations``. Another ``batch_size``
        multiplies the learning rates by the ratio of the two, ``lr``, ``warmup_lr`` and
        ``final_lr``: the linear scaling rule (Goyal et al. 2017), which the recipes with AdamW
        follow as well (Touvron et al. 2021).
        A setting that is among the changes is taken as it is, and with ``lr`` all learning rates
        are. What the changes turn away from, such as the milestones of another learning rate
        schedule, goes back to its default. :func:`dataclasses.replace` brings nothing along.

        Args:
            **changes: Settings by name.

        Raises:
            ValueError: A setting is out of its range; the message names it.

        Example:
            >>> from maxsup.recipes import get_recipe
            >>> get_recipe("cifar100-resnet18").adapted(epochs=30).milestones
            (9, 18, 24)
            >>> get_recipe("imagenet-resnet18").adapted(batch_size=512).lr
            0.2125
        """
        values = vars(self) | self.brought_along(**changes) | changes
        defaults = {field.name: field.default for field in fields(self)}
        for name in settings_without_effect(values, defaults):
            if name not in changes:
                values[name] = defaults[name]
        return replace(self, **values)

    def brought_along(self, **changes: Any) -> dict[str, Any]:
        """What :meth:`adapted` changes beside what it is told to, by name.

        >>> from maxsup.recipes import get_recipe
        >>> get_recipe("cifar100-resnet18").brought_along(batch_size=64)
        {'lr': 0.05}
        """
        ratios: dict[str, float] = {}
        # What cannot be scaled by is refused where it is checked.
        match changes.get("epochs"):
            case int(epochs) if 1 <= epochs <= _MOST_EPOCHS:
                ratios |= dict.fromkeys(_LENGTHS, epochs / self.epochs)
        match changes.get("batch_size"):
            case int(batch_size) if "lr" not in changes and 1 <= batch_size < 2**53:
                ratios |= dict.fromkeys(_LEARNING_RATES, batch_size / self.batch_size)
        scaled = {name: _times(getattr(self, name), ratio) for name, ratio in ratios.items()}
        if self.iterations is not None and "warmup_epochs" in ratios:
            # An epoch stays as long as it is.
            scaled["iterations"] = self.iterations // self.epochs * changes["epochs"]
        return {
            name: value
            for name, value in scaled.items()
            if name not in changes and value != getattr(self, name)
        }

    def keeps_epoch(self, epoch: int) -> bool:
        """Whether the weights are kept on their own after so many epochs; the last stay anyway.

        >>> recipe = Recipe("mine", model="resnet18", epochs=6, batch_size=8, lr=0.1, keep_every=3)
        >>> [epoch for epoch in range(1, 7) if recipe.keeps_epoch(epoch)]
        [1, 3]
        """
        every = self.keep_every
        return every is not None and epoch < self.epochs and (epoch == 1 or epoch % every == 0)

    def resolution(self, epoch: int) -> int | None:
        """Side of the training images in an epoch, counted from 0.

        Grows linearly from ``start_image_size`` to ``image_size`` between the two
        ``resolution_epochs``, rounded to a multiple of 32 (as FFCV's ImageNet code does).

        >>> recipe = Recipe(
        ...     "r", "m", random_resized_crop=True, image_size=192, start_image_size=160,
        ...     resolution_epochs=(65, 76),
        ... )
        >>> [recipe.resolution(epoch) for epoch in (0, 65, 70, 71, 76, 87)]
        [160, 160, 160, 192, 192, 192]
        """
        first, last = self.resolution_epochs
        if self.start_image_size is None or self.image_size is None or epoch >= last:
            return self.image_size
        if epoch <= first:
            return self.start_image_size
        grown = (epoch - first) / (last - first) * (self.image_size - self.start_image_size)
        return round((self.start_image_size + grown) / 32) * 32


_LENGTHS = ("milestones", "warmup_epochs", "resolution_epochs")
_LEARNING_RATES = ("lr", "warmup_lr", "final_lr")


def _times(value: Any, ratio: float) -> Any:
    """A number, or each of several, times a ratio; in six digits, as it is read by people."""
    if isinstance(value, tuple):
        return tuple(_times(each, ratio) for each in value)
    product = float(f"{value * ratio:.6g}")
    return int(product) if product.is_integer() else product


def _listed(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:g}" for value in values)
