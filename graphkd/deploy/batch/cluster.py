"""Scoring of the parts of a folder as tasks on a cluster, with one model for each of its processes."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from graphkd.cluster.session import Cluster
from graphkd.deploy.batch.parts import Part, score_part
from graphkd.deploy.batch.progress import InUseError
from graphkd.deploy.batch.score import progress
from graphkd.deploy.loading import load_bundle

if TYPE_CHECKING:
    from graphkd.deploy.predictor import Predictor
    from graphkd.deploy.row_predictor import RowPredictor

PATIENCE = 60.0
"""Seconds in which the process of a part whose driver was killed must have ended."""


def score_on_cluster(
    cluster: Cluster, bundle: Path, runtime: str, parts: Sequence[Part]
) -> Iterator[tuple[int, int]]:
    """Scores parts as tasks, and yields the counts of each as it is finished.

    Args:
        cluster: whose machines see the bundle, the rows and the output's folder under the same paths.
        bundle: of the student.
        runtime: that scores.
        parts: not finished yet; at least one.
    """
    reads = [bundle.absolute(), *{part.job.rows.parent for part in parts if isinstance(part.job.rows, Path)}]
    cluster.check(reads, [parts[0].record.parent])
    with progress(len(parts), unit="files") as advance:
        for counts in cluster.map(functools.partial(_scored, str(bundle.absolute()), runtime), parts):
            advance(1)
            yield counts


def _scored(bundle: str, runtime: str, part: Part) -> tuple[int, int]:
    """Scores one part on the machine of the task."""
    model, end = _model(bundle, runtime, part.student), time.monotonic() + PATIENCE
    while True:
        try:
            return score_part(part, model)
        except InUseError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


@functools.lru_cache(maxsize=1)
def _model(bundle: str, runtime: str, student: str) -> Predictor | RowPredictor:
    """Loads the student once for all parts of a process; ``student`` tells a bundle from another at its place."""
    return load_bundle(bundle, runtime)
