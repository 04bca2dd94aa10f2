"""Every method with every seed, one after the other, and what came of it."""

import gc
import traceback
from pathlib import Path

import torch
from rich.console import Console

from maxsup._files import write_text
from maxsup.study._gather import gather, write_results
from maxsup.study._settings import StudySettings
from maxsup.study.schema import Results
from maxsup.training import (
    ProgressReport,
    RunResult,
    advice,
    build_accelerator,
    load_data,
    train,
)

FAILURE_FILE = "failure.txt"


def compare(
    settings: StudySettings, directory: Path, *, command: str, console: Console | None = None
) -> Results:
    """Train every method with every seed on the same data, and say which differences hold.

    Each finished epoch is kept, so that a study that was stopped in whatever way goes on with the
    same call and ends with the same results. A run that fails is noted with its cause, and the
    others go on; it is tried again by the next call.

    Args:
        settings: What to compare.
        directory: Where the study is kept: its settings, ``METHOD/seed-N/`` for each run, and the
            ``results.json`` and ``results.csv`` that this writes.
        command: The command that repeats the study, noted in the results.
        console: Where progress is shown; standard error by default.

    Returns:
        What was written to ``results.json``.

    Raises:
        ValueError: The settings do not fit the data, or the directory holds another study.
        OSError: A file could not be written.
    """
    console = console or Console(stderr=True)
    accelerator = build_accelerator(settings.recipe)
    is_main = accelerator.is_main_process
    if is_main:
        settings.claim(directory)
    if is_main and (text := advice(settings.recipe, accelerator)):
        console.print(text)
    data = load_data(settings.data, settings.recipe, console.print if is_main else None)
    # By seed first: a study looked at half-way holds whole pairs.
    plan = [(method, seed) for seed in settings.seeds for method in settings.methods]
    runs: dict[tuple[str, int], RunResult | str] = {}
    epochs = settings.recipe.epochs * len(plan)
    with ProgressReport(console, epochs, quiet=not is_main) as progress:
        for number, (method, seed) in enumerate(plan):
            place = settings.run_directory(directory, method, seed)
            try:
                runs[method, seed] = train(
                    settings.run(method, seed),
                    data,
                    place,
                    accelerator=accelerator,
                    progress=progress,
                )
                (place / FAILURE_FILE).unlink(missing_ok=True)
            except (OSError, ValueError):
                # A full disk, or settings that do not fit: the next run would end no better.
                raise
            except Exception as error:
                runs[method, seed] = _cause(error)
                progress.say(f"{method}, seed {seed} failed: {runs[method, seed]}")
                place.mkdir(parents=True, exist_ok=True)
                write_text(place / FAILURE_FILE, traceback.format_exc())
                progress.advance_to(settings.recipe.epochs * (number + 1))
            finally:
                accelerator.free_memory()
    ordered = {(m, s): runs[m, s] for m in settings.methods for s in settings.seeds}
    results = gather(settings, data, ordered, directory, command)
    if is_main:
        write_results(results, directory)
    return results


def _cause(error: Exception) -> str:
    """One line for the table: what went wrong, and what to do where that is known."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or "out of memory" in str(error):
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return "out of memory: try --batch-size, --accumulate or --precision bf16"
    first_line = str(error).strip().splitlines()[0] if str(error).strip() else ""
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__
