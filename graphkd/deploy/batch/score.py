"""Scoring of a file of rows into a file of predictions."""

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
from graphkd.deploy.names import Encoded
from graphkd.drafts import sync
from graphkd.errors import GraphKDError
from graphkd.io.lines import StandardInput
from graphkd.prefetch import ahead

if TYPE_CHECKING:
    from graphkd.deploy.predictor import Predictor
    from graphkd.deploy.row_predictor import RowPredictor


@dataclass(frozen=True)
class Job:
    """A scoring job.

    Args:
        rows: file of raw rows, see ``open_rows``; or standard input, of which a killed job cannot go on.
        output: file of predictions, see ``output_of``.
        rejects: ``.csv`` for rows that cannot be scored, or None: then the first of them fails the job.
        id: id column to copy to the output; by default ``id``, if it exists.
        header: whether the first line of a csv contains column names.
        probabilities: whether a csv of predictions has a column for every class.
    """

    rows: Path | StandardInput
    output: Path
    rejects: Path | None = None
    id: str | None = None
    header: bool = True
    probabilities: bool = False


def score_file(job: Job, model: Predictor | RowPredictor, student: str) -> tuple[int, int]:
    """Scores a file block by block, in memory that does not depend on its length.

    One thread reads, one scores, one writes. Finished blocks are stored beside the output until it is complete: a
    job that was killed resumes after them, and its output is the same, byte for byte.

    Args:
        job: input and output.
        model: scores raw rows; it must not require a graph.
        student: identifies everything of the student that the predictions depend on.

    Returns:
        The numbers of scored and of rejected rows.

    Raises:
        GraphKDError: the file does not contain rows for this student, or a row cannot be scored.
    """
    source = open_rows(job.rows, Wanted.of(model.columns, model.num_features, job.id, job.header))
    num_classes = num_classes_of(model)
    rows = rows_of_a_block(model.num_features, num_classes)
    depends = {**dependencies(job, student), "rows_of_a_block": rows}
    again = isinstance(job.rows, Path)
    with journal_of(job.output, depends, again) as journal, _rejects(job.rejects, journal) as rejects:
        draft = journal.folder / "output"
        output = output_of(job.output.suffix, draft, num_classes, model.answers, job.probabilities)
        scored = 0
        for block in chain(journal.blocks(), _new(job, source, model, journal, rows)):
            output.add(block)
            rejects.add(block)
            scored += len(block.proba)
        output.close()
        sync(draft)
        os.replace(draft, job.output)
    return scored, rejects.count


def dependencies(job: Job, student: str) -> dict[str, Any]:
    """Returns everything that the predictions of a file depend on.

    Args:
        job: input and output.
        student: identifies everything of the student that the predictions depend on.
    """
    return {
        "version": __version__,
        "student": student,
        "rows": _identity(job.rows),
        "id": job.id,
        "header": job.header,
    }


def _identity(rows: Path | StandardInput) -> list[str | int]:
    if isinstance(rows, StandardInput):
        return [str(rows)]
    state = rows.stat()
    return [str(rows.resolve()), state.st_size, state.st_mtime_ns]


def num_classes_of(model: Predictor | RowPredictor) -> int:
    """Returns ``C``, from a prediction of no rows."""
    return int(model.scores(Encoded(np.empty((0, model.num_features), dtype=np.float32))).shape[1])


def _new(
    job: Job, source: Source, model: Predictor | RowPredictor, journal: Journal, rows: int
) -> Iterator[Scored]:
    """Yields the blocks that are not finished yet; each is added to the journal first."""
    num_finished = journal.finished
    if num_finished:
        print(f"graphkd: goes on after {num_finished} finished blocks of {rows} rows", file=sys.stderr)
    blocks = ahead(_scored(ahead(whole(source, job.rows, rows, num_finished)), model, source.columns))
    with progress(source.total, num_finished * rows) as advance:
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
        with suppress(GraphKDError):  # can only be due to a row, since the width is right
            proba = None if block.faults else model.scores(Encoded(block.x))
        if proba is None:
            yield _without_faults(block, model, columns)
        else:
            yield Scored(block.start, len(proba), proba, block.ids)


def _without_faults(block: Block, model: Predictor | RowPredictor, columns: list[str] | None) -> Scored:
    faults = {**faults_of(block.x, columns), **block.faults}
    count = block.x.shape[0]
    readable = np.delete(np.arange(count), list(faults))
    try:
        proba = model.scores(Encoded(block.x[readable]))
    except GraphKDError:
        overflowing = _overflowing(block.x, readable, model)
        faults |= dict.fromkeys(overflowing, "has an answer that is no number: its values are too large")
        proba = model.scores(Encoded(block.x[np.setdiff1d(readable, overflowing)]))
    return Scored(block.start, count, proba, block.ids, {row: faults[row] for row in sorted(faults)})


def _overflowing(x: Any, rows: NDArray[np.int64], model: Predictor | RowPredictor) -> list[int]:
    """Returns the readable rows whose logits overflow; found by bisection."""
    try:
        model.scores(Encoded(x[rows]))
    except GraphKDError:
        if len(rows) == 1:
            return [int(rows[0])]
        half = len(rows) // 2
        return [*_overflowing(x, rows[:half], model), *_overflowing(x, rows[half:], model)]
    return []


@contextmanager
def _rejects(path: Path | None, journal: Journal) -> Iterator[Rejects]:
    """Yields a writer of rejects, whose file is moved to ``path`` on success; discarded if ``path`` is None."""
    target = nullcontext(journal.folder / "rejects") if path is None else whole_file(path)
    with target as draft:
        rejects = Rejects(draft)
        try:
            yield rejects
        finally:
            rejects.close()
        if path is not None:
            sync(draft)


@contextmanager
def progress(total: int | None, done: int = 0, unit: str = "rows") -> Iterator[Callable[[int], object]]:
    """Yields a function that advances a bar on a terminal by a number of units.

    Args:
        total: units of the whole, if they are known.
        done: of them before.
        unit: their name.
    """
    try:
        from tqdm import tqdm
    except ImportError:  # tqdm is optional
        yield lambda count: None
        return
    with tqdm(total=total, initial=done, unit=f" {unit}", unit_scale=True, leave=False, disable=None) as bar:
        yield bar.update
