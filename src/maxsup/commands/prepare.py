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
    out: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="OUT")]
    """Directory to write to; it is data itself then. Go on with the same one."""
    shrink: Annotated[
        tyro.conf.OmitArgPrefixes[ShrinkSettings], tyro.conf.arg(name="", help="")
    ] = field(default_factory=ShrinkSettings)
    shard_size: str = "512MB"
    """About how large a file is."""
    splits: tuple[str, ...] | None = None
    """The splits to write; by default those to train, to validate and to measure on."""
    image_column: str | None = None
    """The column of the images, where there are several."""
    label_column: str | None = None
    """The column of the labels, where there are several."""
    max_corrupt: int = 0
    """How many images may be left out because they cannot be read."""
    max_megapixels: int = 100
    """Millions of pixels to decode of an image at most; large JPEGs are decoded smaller at once."""
    workers: int | None = None
    """Threads; by default one for each core."""


def run(options: Options) -> int:
    """Write the images and say which were left out."""
    data = DataSettings(
        options.data,
        image_column=options.image_column,
        label_column=options.label_column,
        max_corrupt=options.max_corrupt,
        max_megapixels=options.max_megapixels,
    )
    shard_size = read_bytes(options.shard_size)

    from rich.progress import Progress

    from maxsup._console import console
    from maxsup._places import as_place
    from maxsup.data import prepare_shards

    out = as_place(options.out)
    if not isinstance(out, Path):
        raise ValueError(
            f"{options.out} is no directory of this machine, from which alone photographs are "
            "trained on. Name one; what is written there can be copied to a store."
        )

    with Progress(console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("images", total=None)

        def show(done: int, total: int) -> None:
            check_interrupted()
            bar.update(task, completed=done, total=total)

        prepared = prepare_shards(
            data,
            out,
            shrink=options.shrink,
            shard_size=shard_size,
            splits=options.splits,
            workers=options.workers,
            progress=show,
            announce=lambda note: bar.console.print(
                f"Data: {note}", highlight=False, markup=False, soft_wrap=True
            ),
        )
    for each in prepared.corrupt:
        print(f"left out: row {each.row} of split {each.split} {each.path}: {each.reason}")
    print(f"{prepared.images:,} images in {prepared.shards:,} files: {out}")
    return 0


COMMAND = Command(Options, run)
