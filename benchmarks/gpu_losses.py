"""What ``loss.py`` measures, at sizes that fill a GPU: objectives, and heads with their layer.

The logits of the losses are far larger than a GPU's cache, so that a copy of them, which the
bandwidth is compared with, comes from its memory.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from functools import partial

import torch
from rich.table import Table

import loss
from gpu_record import Record, Row, described

DTYPES = (torch.bfloat16, torch.float32)
# The last one is a training's: there it is the launches that take time.
SHAPES = ((131072, 1000), (4096, 32000), (1024, 128256), (1024, 1000))
UNCOMPILED = ((1024, 1000),)
HEADS = {
    torch.bfloat16: ((8192, 4096, 128256), (16384, 2048, 32000)),
    torch.float32: ((4096, 1024, 32000),),
}
SMOKE_SHAPES, SMOKE_HEADS = ((16, 10),), ((16, 4, 50),)
ROUNDS, HEAD_ROUNDS = 21, 7
SECONDS = 15.0  # that a measurement may take


def measure_losses(record: Record, *, smoke: bool, compiled: bool) -> None:
    loss.settle_allocator()
    for shape in SMOKE_SHAPES if smoke else SHAPES:
        for dtype in DTYPES:
            compiles = compiled and shape not in UNCOMPILED
            contestants = loss.loss_contestants(compiled=compiles)
            name = f"{'x'.join(map(str, shape))}|{str(dtype).removeprefix('torch.')}"
            take = partial(
                costs, record, shape, dtype, contestants, loss.REFERENCE, 1 if smoke else ROUNDS
            )
            record.measure(name, take, needed=0 if smoke else SECONDS)


def measure_heads(record: Record, *, smoke: bool) -> None:
    for dtype, shapes in HEADS.items():
        for shape in SMOKE_HEADS if smoke else shapes:
            name = f"{'x'.join(map(str, shape))}|{str(dtype).removeprefix('torch.')}"
            contestants = loss.head_contestants(record.device)
            rounds = 1 if smoke else HEAD_ROUNDS
            take = partial(costs, record, shape, dtype, contestants, loss.HEAD_REFERENCE, rounds)
            record.measure(name, take, needed=0 if smoke else SECONDS)


def costs(
    record: Record,
    shape: tuple[int, ...],
    dtype: torch.dtype,
    contestants: Sequence[loss.Contestant],
    reference: str,
    rounds: int,
) -> Row:
    torch.compiler.reset()  # each shape compiled for itself, as in a training of its own
    make = loss.loss_inputs if len(shape) == 2 else loss.head_inputs
    inputs = make(shape, dtype, record.device)
    found = loss.measure(shape, contestants, inputs, reference, rounds)
    del inputs
    if record.device.type == "cuda":
        torch.cuda.empty_cache()
    return {"costs": [dataclasses.asdict(cost) for cost in found]}


def tables(content: Row) -> Iterator[Table]:
    by_dtype: dict[str, list[loss.Cost]] = {}
    failures = []
    for key, row in content["rows"].items():
        if "failed" in row:
            failures.append((key, row["failed"]))
            continue
        of_dtype = by_dtype.setdefault(key.split("|")[1], [])
        of_dtype += [loss.Cost(**cost | {"shape": tuple(cost["shape"])}) for cost in row["costs"]]
    for dtype, found in by_dtype.items():
        yield from loss.tables(found, f"{dtype}, {described(content['setting'])}")
    if failures:
        table = Table(title="Failed")
        table.add_column("shape")
        table.add_column("cause")
        for failure in failures:
            table.add_row(*failure)
        yield table
