"""The photographs that a model is measured on."""

from collections.abc import Iterator
from functools import partial

import torch

from maxsup.data._entry import Pixels
from maxsup.data._splits import EvaluationBatch
from maxsup.data.photographs._centre import read_central_part
from maxsup.data.photographs._reading import Job, PhotographReader, PlannedBatch
from maxsup.data.photographs._settings import PhotographSettings
from maxsup.data.photographs._split import PhotographSplit


def central_batches(
    split: PhotographSplit,
    batch_size: int,
    *,
    device: torch.device | str,
    rank: int,
    processes: int,
) -> Iterator[EvaluationBatch]:
    """The central parts of photographs, each once over all processes.

    Yields:
        Batches of at most ``batch_size`` samples, on the device, as uint8. Those that cannot be
        read are left out, and noted in ``split.corrupt``.

    Raises:
        ValueError: More images cannot be read than may be; the message lists them.
    """
    device = torch.device(device)
    settings = split.settings
    planned = (
        PlannedBatch(Job(items, settings.size), known)
        for items, known in split.evaluation_items(batch_size, rank, processes)
    )
    batches = -(-len(split) // (processes * batch_size))
    workers = min(settings.count_workers(), batches)
    decode = partial(_decode_centre, settings=settings)
    reader = PhotographReader(split.files, decode, workers, device, persistent=False)
    for read, (labels, true_labels, ids) in reader.read(planned):
        split.corrupt.add(read.corrupt)
        if not read.kept:
            continue
        labels, true_labels = (each.to(device, non_blocking=True) for each in (labels, true_labels))
        images = read.images.to(device, non_blocking=True).permute(0, 3, 1, 2)
        yield EvaluationBatch(images, labels, true_labels, ids)


def _decode_centre(content: bytes, job: Job, index: int, settings: PhotographSettings) -> Pixels:
    return read_central_part(content, settings)
