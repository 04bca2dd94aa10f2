"""What ``--dry-run`` shows."""

from maxsup.commands._options import is_first_process
from maxsup.training import RunSettings, dry_run, duration


def show_dry_run(settings: RunSettings, runs: int, trials: int = 0) -> None:
    """Build a training, take two steps and print what all of it would take.

    Args:
        settings: What would be trained.
        runs: How many such trainings a study has.
        trials: How many come before them, to choose strengths.
    """
    found = dry_run(settings)
    if not is_first_process():
        return
    height, width = found.image_size
    processes = f", {found.processes} processes" if found.processes > 1 else ""
    rows = {
        "model": f"{settings.recipe.model}, {found.parameters / 1e6:.2f} M parameters",
        "FLOPs": f"{_short(found.flops)} forward for an image of {width}×{height}; "
        "a multiply-add counts as two",
        "data": f"{found.training_images:,} images to train, {found.test_images:,} to test, "
        f"{found.classes:,} classes",
        "steps": f"{found.steps_per_epoch:,} of {settings.recipe.batch_size:,} images in each of "
        f"{found.epochs:,} epochs: {found.steps_per_epoch * found.epochs:,}",
        "loss": ", ".join(f"{loss:.4f}" for loss in found.losses) + " in the two steps taken",
        "memory": f"{found.memory / 2**30:.1f} GiB at the peak",
        "step": f"{found.step_seconds:.3f} s on {found.device}{processes}",
        "reading": f"{found.reading_seconds:.3f} s from batch to batch",
        "time": f"about {duration(found.seconds)} for a training",
    }
    if found.outputs_bytes:
        rows["outputs"] = f"{_short_bytes(found.outputs_bytes)} to keep of each training"
    kept = sum(settings.recipe.keeps_epoch(each + 1) for each in range(found.epochs))
    if kept:
        size = _short_bytes(4 * found.parameters * kept)
        rows["weights"] = f"{size} to keep of {kept} epochs of each training"
    if trials:
        rows["tuning"] = f"about {duration(trials * found.seconds)} at most for its {trials} trials"
    if runs > 1:
        rows["study"] = (
            f"about {duration((runs + trials) * found.seconds)} for its {runs} trainings"
            + (f" at most and the {trials} trials" if trials else "")
        )
    for name, value in rows.items():
        print(f"{name:8} {value}")


def _short(count: int) -> str:
    return f"{count / 1e9:.2f} G" if count >= 1e9 else f"{count / 1e6:.2f} M"


def _short_bytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 else f"{count / 1e3:,.1f} kB"
