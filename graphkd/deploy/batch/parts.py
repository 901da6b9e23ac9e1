"""Scoring of a folder of files into a folder of predictions, file by file: each is one part, finished or not."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphkd.atomic_io import file_crc, write_json
from graphkd.deploy.batch.outputs import KINDS
from graphkd.deploy.batch.progress import LOCK, open_progress
from graphkd.deploy.batch.reading import READERS, suffix_of
from graphkd.deploy.batch.score import Job, dependencies, score_file
from graphkd.errors import GraphKDError
from graphkd.folders import replace_folder, restore

if TYPE_CHECKING:
    from graphkd.deploy.predictor import Predictor
    from graphkd.deploy.row_predictor import RowPredictor

OUTPUT, REJECTS, RECORDS = "output", "rejects", "records"
"""What a folder job has in its folder of progress."""


@dataclass(frozen=True)
class Part:
    """One file of a folder job.

    Args:
        job: that scores it.
        record: file that is written once it is scored.
        student: everything of the student that the predictions depend on.
    """

    job: Job
    record: Path
    student: str

    def counts(self) -> tuple[int, int] | None:
        """Returns the numbers of scored and of rejected rows, or None if it is not finished, or damaged since."""
        try:
            record = json.loads(self.record.read_text(encoding="utf-8"))
            same = {key: record[key] for key in ("job", "files")} == {"job": self._job, "files": self._files}
            return (record["rows"], record["rejects"]) if same else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def finish(self, rows: int, rejects: int) -> None:
        """Records that the part is scored."""
        write_json(self.record, {"job": self._job, "files": self._files, "rows": rows, "rejects": rejects})

    @property
    def _job(self) -> dict[str, Any]:
        named = {"name": self.job.output.name, "probabilities": self.job.probabilities}
        return {**dependencies(self.job, self.student), **named, "rejects": self.job.rejects is not None}

    @property
    def _files(self) -> list[int]:
        written = (self.job.output, self.job.rejects)
        return [file_crc(file) for file in written if file is not None]


Score = Callable[[Sequence[Part]], Iterable[tuple[int, int]]]
"""Parts → the counts of each as it is finished, in any order: here, or on other machines."""


def score_part(part: Part, model: Predictor | RowPredictor) -> tuple[int, int]:
    """Scores one part and records it; a part that was interrupted goes on after its last block.

    Args:
        part: of a folder job.
        model: scores raw rows.

    Returns:
        The numbers of scored and of rejected rows.
    """
    part.record.unlink(missing_ok=True)
    counts = score_file(part.job, model, part.student)
    part.finish(*counts)
    return counts


def score_folder(job: Job, student: str, score: Score) -> tuple[int, int, int]:
    """Scores every file of a folder into a file of the same name, in a folder that appears when all are there.

    A job that was killed goes on: parts that are finished are not scored again. A changed file is.

    Args:
        job: ``rows`` is a folder of files of one kind; ``output``, and ``rejects`` if there is one, are folders to
            make, whose suffix says what their files are.
        student: identifies everything of the student that the predictions depend on.
        score: scores the parts that are not finished.

    Returns:
        The numbers of parts, of scored and of rejected rows.

    Raises:
        GraphKDError: the folder holds something else than rows, or a part cannot be scored.
    """
    assert isinstance(job.rows, Path)
    files = part_files(job.rows)
    for folder in (job.output, job.rejects):
        if folder is not None:
            check_parts_folder(folder, files)
    with _progress_folder(job.output) as progress:
        parts = [_part(job, file, progress, student) for file in files]
        counts = [part.counts() for part in parts]
        missing = [part for part, found in zip(parts, counts, strict=True) if found is None]
        known = [found for found in counts if found is not None]
        if known:
            print(f"graphkd: goes on after {len(known)} finished parts of {len(parts)}", file=sys.stderr)
        known.extend(score(missing))
        _publish(job, parts, progress)
    return len(parts), sum(rows for rows, _ in known), sum(rejects for _, rejects in known)


def part_files(folder: Path) -> list[Path]:
    """Returns the files of a folder of parts, by name; hidden ones and those that begin with ``_`` are none.

    Raises:
        GraphKDError: there is none, or they are of several kinds, or something else is there.
    """
    files = sorted(entry for entry in folder.iterdir() if not entry.name.startswith((".", "_")))
    if not files:
        raise GraphKDError(f"{folder} holds no file of rows: give rows as {', '.join(READERS)}")
    for file in files:
        if not file.is_file() or suffix_of(file) not in READERS:
            raise GraphKDError(f"{file} is no file of rows ({', '.join(READERS)}): move it elsewhere")
    kinds = sorted({suffix_of(file) for file in files})
    if len(kinds) > 1:
        raise GraphKDError(f"{folder} holds files of several kinds ({', '.join(kinds)}): keep one kind in it")
    return files


def check_parts_folder(path: Path, files: Sequence[Path]) -> None:
    """Checks, before any computation, that a folder of parts can be made, or replaces one of the same files.

    Args:
        path: of the folder.
        files: of rows, each of which gives a part.

    Raises:
        GraphKDError: its name has no known suffix, or something else is there.
    """
    if path.suffix not in KINDS:
        raise GraphKDError(
            f"{path} ends in '{path.suffix}': predictions of a folder of rows are a folder, whose name ends in "
            f"{' or '.join(KINDS)}, as its files do"
        )
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise GraphKDError(f"{path} cannot be written: its own folder is not there or closed")
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise GraphKDError(f"{path} is there and no folder of its own: choose another output")
    made = {f"{_stem(file)}{path.suffix}" for file in files}
    others = sorted(entry.name for entry in path.iterdir() if entry.name not in made) if path.is_dir() else []
    if others:
        raise GraphKDError(f"{path} holds {others[0]}, which no file of rows gives: choose another output")


def _stem(file: Path) -> str:
    return file.name.removesuffix(suffix_of(file))


def _part(job: Job, file: Path, progress: Path, student: str) -> Part:
    stem = _stem(file)
    rejects = None if job.rejects is None else progress / REJECTS / f"{stem}{job.rejects.suffix}"
    output = progress / OUTPUT / f"{stem}{job.output.suffix}"
    return Part(replace(job, rows=file, output=output, rejects=rejects), progress / RECORDS / stem, student)


def _publish(job: Job, parts: Sequence[Part], progress: Path) -> None:
    """Moves the finished folders to their places; what other files once gave is left out."""
    kept = {file for part in parts for file in (part.job.output, part.job.rejects) if file is not None}
    for source, target in ((REJECTS, job.rejects), (OUTPUT, job.output)):
        for file in (progress / source).iterdir():
            if file not in kept:
                _remove(file)
        if target is not None:
            restore(target)
            replace_folder(progress / source, target)


@contextmanager
def _progress_folder(output: Path) -> Iterator[Path]:
    """Yields the hidden folder beside the output in which parts are written; deleted on success.

    Raises:
        InUseError: another process is writing the output.
        GraphKDError: the folder's name is in use for something else.
    """
    folder, lock = open_progress(output, _is_ours)
    try:
        for name in (OUTPUT, REJECTS, RECORDS):
            (folder / name).mkdir(exist_ok=True)
        try:
            yield folder
        except BaseException:
            if not any(file for name in (OUTPUT, RECORDS) for file in (folder / name).iterdir()):
                shutil.rmtree(folder, ignore_errors=True)
            raise
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        lock.close()


def _is_ours(entries: list[Path]) -> bool:
    return all(entry.name in (OUTPUT, REJECTS, RECORDS, LOCK) for entry in entries)


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink()
