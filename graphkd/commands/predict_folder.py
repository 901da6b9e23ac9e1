"""``graphkd predict`` of a folder of files, here or on a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from graphkd.atomic_io import sha256
from graphkd.cluster import Ray
from graphkd.cluster.session import check_cluster, cluster_session
from graphkd.deploy import load_bundle
from graphkd.deploy.batch.cluster import score_on_cluster
from graphkd.deploy.batch.parts import Part, score_folder, score_part
from graphkd.deploy.batch.score import Job
from graphkd.deploy.files import EXPORTS, Bundle
from graphkd.errors import GraphKDError
from graphkd.places import same_place


def predict_folder(job: Job, bundle: Bundle, runtime: str, cluster: Ray | None) -> None:
    """Predicts classes of the rows in every file of a folder.

    Args:
        job: ``rows`` is the folder; ``output``, and ``rejects`` if there is one, are folders to make.
        bundle: of the student.
        runtime: that scores.
        cluster: whose machines score files; with None they are scored here, one after another.

    Raises:
        GraphKDError: the folder does not hold rows for this student, or the cluster cannot score them.
    """
    places = [place for place in (job.rows, job.output, job.rejects) if isinstance(place, Path)]
    if any(same_place(one, other) for at, one in enumerate(places) for other in places[:at]):
        raise GraphKDError(f"{job.output} is also the input or that of rejects: choose another output")

    if cluster is not None:
        check_cluster(cluster)

    def score(parts: Sequence[Part]) -> Iterator[tuple[int, int]]:
        if cluster is None:
            model = load_bundle(bundle.folder, runtime)
            yield from (score_part(part, model) for part in parts)
        elif parts:
            with cluster_session(cluster) as session:
                yield from score_on_cluster(session, bundle.folder, runtime, parts)

    parts, scored, rejected = score_folder(job, student_of(bundle, runtime), score)
    print(f"{scored} predictions in {parts} file{'s' * (parts != 1)}: {job.output}")
    print_rejected(job, rejected)


def print_rejected(job: Job, rejected: int) -> None:
    """Prints the number of rejected rows and where they are, if the job puts them aside."""
    if job.rejects is not None:
        print(f"{rejected} row{'s' * (rejected != 1)} rejected: {job.rejects}")


def student_of(bundle: Bundle, runtime: str) -> str:
    """Returns a text that identifies everything of a student that its predictions depend on."""
    exports = bundle.folder / EXPORTS
    return " ".join(
        [bundle.description["checksum"], sha256(exports.read_bytes()) if exports.is_file() else "", runtime]
    )
