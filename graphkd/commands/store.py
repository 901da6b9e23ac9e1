"""``graphkd store``."""

from __future__ import annotations

from pathlib import Path

from graphkd.commands.rows import OWN, bundle_place, graph_rows
from graphkd.deploy import Encoded, FeatureStore
from graphkd.deploy.files import read_bundle
from graphkd.deploy.inputs import InputParts
from graphkd.deploy.store.build import both_ways, check_free
from graphkd.errors import GraphKDError
from graphkd.system import readable


def store(run: str, source: str, folder: str, data_dir: str | None = None) -> None:
    """Builds a feature store of a graph for a run's student, see ``FeatureStore.for_bundle``.

    Args:
        run: folder of a run, or a bundle alone, which may be ``hf://OWNER/NAME``.
        source: the word ``graph`` for the run's own, or an ``.npz`` with ``x`` and ``edge_index``.
        folder: output folder, which must not exist.
        data_dir: folder of the run's data, if it has moved.

    Raises:
        GraphKDError: not a run, no graph, one that does not fit the student, or an existing folder.
    """
    path, target = bundle_place(run, source), Path(folder)
    check_free(target)
    bundle = read_bundle(path)
    graph = graph_rows(path, source, bundle.description["card"], data_dir)
    parts = InputParts.of(bundle.description)
    if parts.dim and graph.nodes is None:
        raise GraphKDError(
            f"this student reads positions, and {source} does not state which of its nodes those of training are: "
            "give the word graph for the run's own, or call FeatureStore.for_bundle with nodes="
        )
    edges, weight = graph.edge_index, graph.edge_weight if parts.hops else None
    directed = not both_ways(graph.x.shape[0], edges, weight)
    x, ids = Encoded(graph.x) if source == OWN else graph.x, graph.ids
    with FeatureStore.for_bundle(
        target, bundle.folder, x, edges, weight, directed, graph.nodes, node_ids=ids
    ) as features:
        kind = f"edges {'with' if directed else 'without'} a direction"
        size = readable(sum(file.stat().st_size for file in target.iterdir()))
        numbers, hops = f"ids 0 to {len(features) - 1}", features.settings.hops
        if ids:
            numbers = f"by their ids in the data, such as {ids[0]!r}"
        positions = f"positions of {parts.dim} numbers, " if parts.dim else ""
        print(f"{len(features)} nodes ({numbers}), {hops} hops, {positions}{kind}: {target} ({size})")
