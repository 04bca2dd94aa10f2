"""What a person should know of settings before a training begins."""

from pathlib import Path

from accelerate import Accelerator

from maxsup.recipes import Recipe


def advice(recipe: Recipe, accelerator: Accelerator) -> list[str]:
    """What a person should know of these settings on this machine, in sentences."""
    found = []
    if recipe.precision == "bf16" and accelerator.device.type == "cpu" and not _has_bf16(_CPU):
        found.append(
            "This processor has no instructions for bf16, which makes it many times slower than "
            "fp32 here: --precision fp32 is better."
        )
    if recipe.warmup_epochs > recipe.epochs:
        found.append(
            f"The warm-up of {recipe.warmup_epochs:g} epochs is longer than the training, which "
            f"has {recipe.epochs}: the learning rate never reaches {recipe.lr:g}. A shorter "
            "--warmup-epochs lets it."
        )
    return found


_CPU = Path("/proc/cpuinfo")
_BF16 = {"amx_bf16", "avx512_bf16", "bf16"}


def _has_bf16(description: Path) -> bool:
    """Whether a processor has, as far as Linux describes it."""
    if not description.exists():
        return True
    return not _BF16.isdisjoint(description.read_text(encoding="utf-8").split())
