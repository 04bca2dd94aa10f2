"""What a recipe may set."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Recipe:
    """How a model is trained, whatever its objective: every setting, with its default.

    A recipe is a plain value: it repeats a training together with the data, the method and the
    seed. Lengths are in epochs, so that they mean the same on data of any size.

    Raises:
        ValueError: A setting is out of its range; the message names it.
    """

    name: str
    """The name it is listed under."""
    model: str
    """A timm model, with the tag of its weights or without; small-convnet; cifar-resnet32."""
    small_stem: bool = False
    """For small images: first convolution 3x3 with stride 1, no max-pool."""
    zero_init: bool = True
    """ResNets: start each residual branch at zero, as timm does and torchvision does not."""
    blur_pool: bool = False
    """Blur before each strided convolution of at least 16 channels, against aliasing."""
    drop_path: float = 0.0
    """Rate of stochastic depth."""
    sync_batchnorm: bool = False
    """Over several GPUs: batch-norm takes mean and variance over the batches of all of them."""
    weights: str | None = None
    """Start from these: a safetensors file, or timm for those that timm publishes."""
    image_size: int | None = None
    """Side of the square images in pixels; none takes them as they are."""
    random_resized_crop: bool = False
    """For photographs: read them as they are needed, a random part of each, resized."""
    crop_scale: tuple[float, float] = (0.08, 1.0)
    """Random resized crop: least and most share of the photograph's area."""
    crop_ratio: tuple[float, float] = (3 / 4, 4 / 3)
    """Random resized crop: least and most width by height."""
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    """How photographs are resized."""
    start_image_size: int | None = None
    """Progressive resolution: side of the training images at first; none for image_size."""
    resolution_epochs: tuple[int, int] = (0, 0)
    """Progressive resolution: the epochs between which the side grows, in steps of 32."""
    eval_size: int | None = None
    """Side that photographs are resized to for measuring; none for image_size."""
    eval_crop: float = 1.0
    """Share of a photograph's shorter side that is measured, at its centre."""
    label_column: str | None = None
    """The column to learn, where the data has several."""

    epochs: int = 100
    """Passes over the training data."""
    batch_size: int = 128
    """Images in one optimiser step, over all processes and accumulated parts together."""
    accumulate: int = 1
    """Parts in which a batch goes through the model, one after the other, to save memory."""

    optimizer: Literal["sgd", "adamw"] = "sgd"
    """SGD with momentum, or AdamW."""
    lr: float = 0.1
    """Peak learning rate, for the batch size of the recipe."""
    momentum: float = 0.9
    """Of SGD."""
    nesterov: bool = False
    """Nesterov's form of SGD's momentum."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Of AdamW."""
    weight_decay: float = 5e-4
    """Decoupled for AdamW, added to the gradient for SGD."""
    decay_norm_and_bias: bool = True
    """Whether weight decay reaches normalisation layers and biases too."""
    clip_norm: float | None = None
    """Gradients are scaled down to this norm; none leaves them."""

    lr_schedule: Literal["constant", "step", "cosine", "one-cycle"] = "cosine"
    """How the learning rate goes on after the warm-up."""
    milestones: tuple[int, ...] = ()
    """Step: the epochs at which the learning rate is multiplied by gamma."""
    gamma: float = 0.1
    """Step: the factor."""
    warmup_epochs: float = 0.0
    """Linear rise at the start; one-cycle: the rise of the cycle."""
    warmup_lr: float = 0.0
    """Learning rate that the warm-up starts from."""
    final_lr: float = 0.0
    """Cosine, one-cycle: learning rate at the very end."""

    crop_padding: int = 0
    """Random crop after padding with so many black pixels."""
    flip: bool = False
    """Random horizontal flip."""
    cutout: int = 0
    """Side of the square blanked out at a random place; 0 for none."""
    rand_augment: str | None = None
    """RandAugment of photographs, in timm's words: rand-m9-mstd0.5-inc1."""
    erasing: float = 0.0
    """Share of the images in which a rectangle is replaced by noise."""
    repeats: int = 1
    """Repeated augmentation: each image so often in a row, in an epoch of so many times fewer."""
    mixup: float = 0.0
    """Alpha of Mixup; 0 for none."""
    cutmix: float = 0.0
    """Alpha of CutMix; 0 for none. With both, each batch takes one of them by lot."""

    ema_decay: float | None = None
    """Keep an exponential moving average of the weights with this decay."""
    evaluate_ema: bool = False
    """Measure the averaged weights instead of the raw ones."""
    evaluate_flip: bool = False
    """Measure the mean of the logits of each image and its mirror image."""

    precision: Literal["fp32", "bf16"] = "fp32"
    """Precision of the forward and backward pass; weights and penalties stay float32."""
    channels_last: bool = False
    """Memory layout of images and convolutions; faster on GPUs, and on CPUs with bf16."""
    compile: bool = False
    """Compile the model with torch.compile."""
    deterministic: bool = True
    """Only GPU kernels that repeat bit for bit, where there are such; turn off for speed."""
    workers: int | None = field(default=None, compare=False)
    """Processes that read photographs, beside each training process; none for one a core."""
    keep_outputs: bool = field(default=True, compare=False)
    """Keep the test and validation logits of each run, for measures that come later."""
    checkpoint_steps: int | None = field(default=None, compare=False)
    """Save a checkpoint every so many steps too, not only after each epoch."""

    def __post_init__(self) -> None:
        at_least = {
            "epochs": 1, "batch_size": 1, "accumulate": 1, "lr": 0, "momentum": 0,
            "weight_decay": 0, "gamma": 0, "warmup_epochs": 0, "warmup_lr": 0, "final_lr": 0,
            "crop_padding": 0, "cutout": 0, "mixup": 0, "cutmix": 0, "drop_path": 0,
            "repeats": 1, "erasing": 0,
        }  # fmt: skip
        for name, least in at_least.items():
            # Written so that NaN fails too.
            if not getattr(self, name) >= least:
                raise ValueError(f"{name} must be at least {least}; got {getattr(self, name)}.")
        at_least_if_any = {
            "workers": 0,
            "checkpoint_steps": 1,
            "start_image_size": 1,
            "eval_size": 1,
        }
        for name, least in at_least_if_any.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name} must be at least {least}; got {value}.")
        self._check_photographs()
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
        if self.lr_schedule == "step" and not self.milestones:
            raise ValueError("lr_schedule 'step' needs milestones, the epochs of its steps.")
        if self.nesterov and not self.momentum > 0:
            raise ValueError("nesterov needs a momentum above 0.")

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
            raise ValueError(f"erasing is a share, so at most 1; got {self.erasing}.")
        if self.rand_augment is not None and not self.rand_augment.startswith("rand-"):
            raise ValueError(
                f"rand_augment must be written as timm does, rand-m9-mstd0.5-inc1 for example; got "
                f"{self.rand_augment!r}."
            )
        first, last = self.resolution_epochs
        if not 0 <= first <= last:
            raise ValueError(f"resolution_epochs must be rising epochs; got {first} {last}.")
        if not self.random_resized_crop:
            needs = {
                "start_image_size": self.start_image_size,
                "eval_size": self.eval_size,
                "rand_augment": self.rand_augment,
                "erasing": self.erasing,
                "repeats": self.repeats > 1,
            }
            for name, asked in needs.items():
                if asked:
                    raise ValueError(f"{name} is for photographs: it needs random_resized_crop.")
            return
        if self.image_size is None:
            raise ValueError("random_resized_crop needs image_size, the side to resize crops to.")
        if self.crop_padding or self.cutout:
            raise ValueError("crop_padding and cutout are for small images: leave them at 0.")

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
