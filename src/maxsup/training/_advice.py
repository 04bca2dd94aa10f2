"""What would make a training faster on this machine."""

from pathlib import Path

from accelerate import Accelerator

from maxsup.recipes import Recipe


def advice(recipe: Recipe, accelerator: Accelerator) -> str | None:
    """What a person should know of these settings on this machine, in a sentence or two."""
    if recipe.precision == "bf16" and accelerator.device.type == "cpu" and not _has_bf16(_CPU):
        return (
            "This processor has no instructions for bf16, which makes it many times slower than "
            "fp32 here: --precision fp32 is better."
        )
    return None


_CPU = Path("/proc/cpuinfo")
_BF16 = {"amx_bf16", "avx512_bf16", "bf16"}


def _has_bf16(description: Path) -> bool:
    """Whether a processor has, as far as Linux describes it."""
    if not description.exists():
        return True
    return not _BF16.isdisjoint(description.read_text(encoding="utf-8").split())
