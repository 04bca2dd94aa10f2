"""``maxsup prepare``: photographs written anew as smaller ones."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from maxsup._interrupts import check_interrupted
from maxsup.commands._command import Command
from maxsup.commands._options import CommonOptions
from maxsup.data import DataSettings, ShrinkSettings, read_bytes


@dataclass(frozen=True)
class Options(CommonOptions):
    """Write photographs anew as smaller JPEGs in Parquet files, once, to train on them faster."""

    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """What to read: a folder (image folder, Parquet, WebDataset), a file, or hf:owner/name."""
    out: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="OUT")]
    """Directory to write to; it is data itself then. Go on with the same one."""
    shrink: Annotated[
        tyro.conf.OmitArgPrefixes[ShrinkSettings], tyro.conf.arg(name="", help="")
    ] = field(default_factory=ShrinkSettings)
    shard_size: str = "512MB"
    """About how large a file is."""
    splits: tuple[str, ...] | None = None
    """The splits to write; by default those to train and to measure on."""
    image_column: str | None = None
    """The column of the images, where there are several."""
    label_column: str | None = None
    """The column of the labels, where there are several."""
    max_corrupt: int = 0
    """How many images may be left out because they cannot be read."""
    workers: int | None = None
    """Threads; by default one for each core."""


def run(options: Options) -> int:
    """Write the images and say which were left out."""
    data = DataSettings(
        options.data,
        train_split=options.splits[0] if options.splits else None,
        image_column=options.image_column,
        label_column=options.label_column,
    )
    shard_size = read_bytes(options.shard_size)

    from rich.progress import Progress

    from maxsup._console import console
    from maxsup.data import prepare_shards

    with Progress(console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("images", total=None)

        def show(done: int, total: int) -> None:
            check_interrupted()
            bar.update(task, completed=done, total=total)

        prepared = prepare_shards(
            data,
            options.out,
            shrink=options.shrink,
            shard_size=shard_size,
            splits=options.splits,
            max_corrupt=options.max_corrupt,
            workers=options.workers,
            progress=show,
        )
    for each in prepared.corrupt:
        print(f"left out: row {each.row} of split {each.split} {each.path}: {each.reason}")
    print(f"{prepared.images:,} images in {prepared.shards:,} files: {options.out}")
    return 0


COMMAND = Command(Options, run)
