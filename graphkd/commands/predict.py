"""``graphkd predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graphkd.atomic_io import whole_file
from graphkd.cluster import Ray
from graphkd.commands.predict_folder import predict_folder, print_rejected, student_of
from graphkd.commands.rows import OWN, bundle_place, graph_rows, own_files
from graphkd.deploy import load_bundle
from graphkd.deploy.batch.block import Scored
from graphkd.deploy.batch.default import default_runtime
from graphkd.deploy.batch.outputs import check_output, output_of
from graphkd.deploy.batch.reading import check_is_rows, is_graph
from graphkd.deploy.batch.score import Job, score_file
from graphkd.deploy.files import Bundle, holds_links, read_bundle
from graphkd.deploy.inputs import InputParts
from graphkd.deploy.names import Encoded
from graphkd.errors import GraphKDError
from graphkd.io.lines import StandardInput
from graphkd.places import same_place

PIPE = "-"
"""The argument that stands for standard input."""


def predict(
    run: str,
    source: str,
    output: str,
    data_dir: str | None = None,
    runtime: str | None = None,
    rejects: str | None = None,
    row_id: str | None = None,
    header: bool = True,
    probabilities: bool = False,
    kind: str | None = None,
    top_k: int | None = None,
    cluster: Ray | None = None,
) -> None:
    """Predicts classes of the rows in a file, or of all nodes of the run's graph.

    Args:
        run: folder of a run, or a bundle alone, which may be ``hf://OWNER/NAME``.
        source: a file of raw rows, a folder of such files, ``-`` for standard input, or ``graph``.
        output: ``.parquet`` or ``.csv`` with a line per row, or ``.npy`` with probabilities ``[B, C]``; of a
            folder a folder with such files, whose name ends in the same way.
        data_dir: folder of the run's data, if it has moved.
        runtime: for inference; by default the fastest available one, and torch on a graph.
        rejects: ``.csv`` for rows that cannot be scored; without it the first of them is an error.
        row_id: column of the ids, by default ``id``.
        header: whether the first line of a csv contains the columns' names.
        probabilities: whether a csv of predictions has a column for every class.
        kind: of standard input: ``csv`` by default, ``tsv`` or ``jsonl``.
        top_k: of a run of links, partners of each node of its graph.
        cluster: that scores the files of a folder.

    Raises:
        GraphKDError: not a run, a file that cannot be read as rows, or rows that do not fit this student.
    """
    folder = source not in (OWN, PIPE) and Path(source).is_dir()
    if cluster is not None and not folder:
        raise GraphKDError(f"a cluster scores the files of a folder, and {source} is none: leave --cluster out")
    if holds_links(run):
        given = {"runtime": runtime, "rejects": rejects, "id": row_id, "format": kind}
        flags = {"no-header": not header or None, "probabilities": probabilities or None}
        _predict_links(run, source, output, data_dir, top_k, {**given, **flags})
        return None
    if top_k is not None:
        raise GraphKDError("--top-k is for runs of links, and this one is of nodes: leave it out")
    path, target = bundle_place(run, source), Path(output)
    if folder:
        parts = InputParts.of((bundle := read_bundle(path)).description)
        _check_is_raw(parts)
        job = Job(Path(source).absolute(), target.absolute(), _absolute(rejects), row_id, header, probabilities)
        return predict_folder(job, bundle, runtime or default_runtime(bundle), cluster)
    check_output(target)
    rows = _rows_of(source, kind)
    _check_no_overwriting(path, source, target, data_dir)
    bundle = read_bundle(path)
    parts = InputParts.of(bundle.description)
    if source != OWN:
        check_is_rows(rows)
        if isinstance(rows, StandardInput) or not is_graph(rows, parts.hops):
            _check_is_raw(parts)
            job = Job(rows, target, _rejects(rejects, source, output), row_id, header, probabilities)
            return _predict_rows(job, bundle, runtime or default_runtime(bundle))
    if rejects is not None or row_id is not None or not header:
        raise GraphKDError("--rejects, --id and --no-header are for rows without a graph: leave them out")
    _predict_graph(path, source, target, data_dir, runtime or "torch", probabilities)
    return None


def _predict_links(
    run: str, source: str, output: str, data_dir: str | None, top_k: int | None, others: dict[str, Any]
) -> None:
    from graphkd.commands.links_predict import predict_links

    for name, value in others.items():
        if value is not None:
            raise GraphKDError(f"--{name} is for students of nodes, and {run} scores pairs: leave it out")
    predict_links(run, source, output, data_dir, top_k)


def _rows_of(source: str, kind: str | None) -> Path | StandardInput:
    if source == PIPE:
        return StandardInput(f".{kind or 'csv'}")
    if kind is not None:
        raise GraphKDError("--format is for standard input (-): the name of a file says what it holds")
    return Path(source)


def _predict_rows(job: Job, bundle: Bundle, runtime: str) -> None:
    scored, rejected = score_file(job, load_bundle(bundle.folder, runtime), student_of(bundle, runtime))
    print(f"{scored} predictions: {job.output}")
    print_rejected(job, rejected)


def _absolute(rejects: str | None) -> Path | None:
    """Returns the path as other machines know it."""
    return None if rejects is None else Path(rejects).absolute()


def _predict_graph(
    path: Path, source: str, target: Path, data_dir: str | None, runtime: str, probabilities: bool
) -> None:
    """Predicts all nodes at once: propagated rows depend on each other."""
    model = load_bundle(path)
    graph = graph_rows(path, source, model.card, data_dir)
    x = Encoded(graph.x) if source == OWN else graph.x
    if runtime == "torch":
        proba = model.scores(x, graph.edge_index, edge_weight=graph.edge_weight, nodes=graph.nodes)
    else:
        rows = model.prepare(x, graph.edge_index, graph.edge_weight, graph.nodes)
        proba = load_bundle(path, runtime).scores(_for_numpy(rows), propagated=True)
    with whole_file(target) as draft:
        writer = output_of(target.suffix, draft, proba.shape[1], model.answers, probabilities)
        writer.add(Scored(0, len(proba), proba, graph.ids))
        writer.close()
    print(f"{len(proba)} predictions: {target}")


def _for_numpy(rows: Any) -> Any:
    import torch

    from graphkd.deploy.exports.sample import numpy_rows

    return numpy_rows(rows, torch.arange(rows.shape[0]))


def _check_is_raw(parts: InputParts) -> None:
    if parts.dim:
        raise GraphKDError(
            "this student reads positions of nodes, which rows alone do not have: give the word graph for the "
            "run's own nodes, or call predict(x, nodes=…) of load_bundle"
        )
    if parts.hops:
        raise GraphKDError(
            f"this student was trained on features propagated over {parts.hops} hops: give the "
            "word graph for the run's own nodes, or an .npz with x (all nodes of a graph) and edge_index"
        )


def _rejects(given: str | None, source: str, output: str) -> Path | None:
    if given is None:
        return None
    path = Path(given)
    check_output(path, (".csv",))
    if (source != PIPE and same_place(path, Path(source))) or same_place(path, Path(output)):
        raise GraphKDError(f"--rejects {path} is also the input or the output: choose another file")
    return path


def _check_no_overwriting(run: Path, source: str, target: Path, data_dir: str | None) -> None:
    if source == PIPE:
        return
    inputs = [Path(source)] if source != OWN else own_files(run, data_dir)
    if any(same_place(file, target) for file in inputs):
        raise GraphKDError(f"{target} is also the input: choose another output")
