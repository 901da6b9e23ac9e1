"""A file of rows → a file of predictions."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from graphkd import __version__
from graphkd.atomic_io import whole_file
from graphkd.deploy.batch.block import Block, Scored, Source, rows_of_a_block
from graphkd.deploy.batch.columns import Wanted
from graphkd.deploy.batch.faults import faults_of
from graphkd.deploy.batch.journal import Journal, journal_of
from graphkd.deploy.batch.outputs import Rejects, output_of
from graphkd.deploy.batch.reading import open_rows, whole
from graphkd.drafts import sync
from graphkd.errors import GraphKDError
from graphkd.prefetch import ahead

if TYPE_CHECKING:
    from graphkd.deploy.predictor import Predictor
    from graphkd.deploy.row_predictor import RowPredictor


@dataclass(frozen=True)
class Job:
    """What is to be scored, and where to.

    Args:
        rows: file of raw rows, see ``open_rows``.
        output: file of predictions, see ``output_of``.
        rejects: ``.csv`` for rows that cannot be scored, or nothing: then the first of them ends the job.
        id: column that is carried over; by default ``id``, if it is there.
        header: whether the first line of a csv holds the columns' names.
    """

    rows: Path
    output: Path
    rejects: Path | None = None
    id: str | None = None
    header: bool = True


def score_file(job: Job, model: Predictor | RowPredictor, student: str) -> tuple[int, int]:
    """Scores a file block by block, in memory that does not depend on its length.

    One thread reads, one scores, one writes. What is finished is kept beside the output until that is whole: a job
    that was killed goes on there, and ends with the same bytes.

    Args:
        job: what and where to.
        model: scores raw rows; it must not need a graph.
        student: what of it the answers depend on.

    Returns:
        How many rows were scored, and how many were rejected.

    Raises:
        GraphKDError: the file does not hold rows for this student, or one that it cannot score.
    """
    source = open_rows(job.rows, Wanted(model.num_features, model.feature_names, job.id, job.header))
    num_classes = num_classes_of(model)
    rows, state = rows_of_a_block(model.num_features, num_classes), job.rows.stat()
    depends = {
        "version": __version__,
        "student": student,
        "rows": [str(job.rows.resolve()), state.st_size, state.st_mtime_ns],
        "rows_of_a_block": rows,
        "id": job.id,
        "header": job.header,
    }
    with journal_of(job.output, depends) as journal, _rejects(job.rejects, journal) as rejects:
        output = output_of(job.output.suffix, journal.folder / "output", num_classes, model.class_names)
        scored = 0
        for block in chain(journal.blocks(), _new(job, source, model, journal, rows)):
            output.add(block)
            rejects.add(block)
            scored += len(block.proba)
        output.close()
        sync(journal.folder / "output")
        os.replace(journal.folder / "output", job.output)
    return scored, rejects.count


def num_classes_of(model: Predictor | RowPredictor) -> int:
    """``C``, found by asking about no row."""
    return int(model.predict_proba(np.empty((0, model.num_features), dtype=np.float32)).shape[1])


def _new(
    job: Job, source: Source, model: Predictor | RowPredictor, journal: Journal, rows: int
) -> Iterator[Scored]:
    """The blocks that are not finished yet; each is kept before it is handed on."""
    done = journal.finished
    if done:
        print(f"graphkd: goes on after {done} finished blocks of {rows} rows", file=sys.stderr)
    blocks = ahead(_scored(ahead(whole(source, job.rows, rows, done)), model, source.columns))
    with _progress(source.total, done * rows) as advance:
        for block in blocks:
            if block.rejects and job.rejects is None:
                row, reason = next(iter(block.rejects.items()))
                where = source.where(block.start + row)
                raise GraphKDError(
                    f"{job.rows} {where}: {reason}; correct it, or --rejects FILE puts such rows aside"
                )
            journal.add(block)
            advance(block.count)
            yield block


def _scored(
    blocks: Iterable[Block], model: Predictor | RowPredictor, columns: list[str] | None
) -> Iterator[Scored]:
    for block in blocks:
        proba = None
        with suppress(GraphKDError):  # of a row, since the width is right
            proba = None if block.faults else model.predict_proba(block.x)
        if proba is None:
            yield _without_faults(block, model, columns)
        else:
            yield Scored(block.start, len(proba), proba, block.ids)


def _without_faults(block: Block, model: Predictor | RowPredictor, columns: list[str] | None) -> Scored:
    found = {**faults_of(block.x, columns), **block.faults}
    count = block.x.shape[0]
    good = np.delete(np.arange(count), list(found))
    try:
        proba = model.predict_proba(block.x[good])
    except GraphKDError:
        lost = _overflowing(block.x, good, model)
        found |= dict.fromkeys(lost, "has an answer that is no number: its values are too large")
        proba = model.predict_proba(block.x[np.setdiff1d(good, lost)])
    return Scored(block.start, count, proba, block.ids, {row: found[row] for row in sorted(found)})


def _overflowing(x: Any, rows: NDArray[np.int64], model: Predictor | RowPredictor) -> list[int]:
    """The rows, among those that can be read, whose answer is no number; found by halves."""
    try:
        model.predict_proba(x[rows])
    except GraphKDError:
        if len(rows) == 1:
            return [int(rows[0])]
        half = len(rows) // 2
        return [*_overflowing(x, rows[:half], model), *_overflowing(x, rows[half:], model)]
    return []


@contextmanager
def _rejects(path: Path | None, journal: Journal) -> Iterator[Rejects]:
    """A file that takes its place when the block ends well; where none is wanted, one that is thrown away."""
    place = nullcontext(journal.folder / "rejects") if path is None else whole_file(path)
    with place as draft:
        rejects = Rejects(draft)
        try:
            yield rejects
        finally:
            rejects.close()
        if path is not None:
            sync(draft)


@contextmanager
def _progress(total: int | None, done: int) -> Iterator[Callable[[int], object]]:
    try:
        from tqdm import tqdm
    except ImportError:  # a machine that only scores
        yield lambda count: None
        return
    with tqdm(total=total, initial=done, unit=" rows", unit_scale=True, leave=False, disable=None) as bar:
        yield bar.update
