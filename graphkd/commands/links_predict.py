"""``graphkd predict`` with a run of links."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from graphkd.commands.rows import OWN
from graphkd.deploy.batch.outputs import check_output
from graphkd.errors import GraphKDError
from graphkd.links.bundle import load_predictor
from graphkd.links.pair_files import score_pairs, write_top_k
from graphkd.links.pairs import undirected_pairs
from graphkd.places import same_place
from graphkd.run_data import load_run_data
from graphkd.runs import read_metrics

KINDS = (".csv", ".parquet")
TOP_K = 10
"""Partners of a node, where ``--top-k`` does not say."""


def predict_links(run: str, source: str, output: str, data_dir: str | None, top_k: int | None) -> None:
    """Scores the pairs of a file, or finds the best new partners of every node.

    Args:
        run: folder of a run of links, or its bundle.
        source: ``.csv`` or ``.parquet`` with columns ``source`` and ``target``; or ``graph``.
        output: ``.csv`` or ``.parquet``.
        data_dir: folder of the run's data, if it has moved.
        top_k: partners of each node, with ``graph``.

    Raises:
        GraphKDError: a file that cannot be read as pairs, an unknown node, or an argument without effect.
    """
    target, predictor = Path(output), load_predictor(run)
    check_output(target, KINDS)
    if source != OWN:
        if top_k is not None:
            raise GraphKDError("--top-k finds partners of the run's own nodes: give the word graph as the input")
        if same_place(Path(source), target):
            raise GraphKDError(f"{target} is also the input: choose another output")
        print(f"{score_pairs(predictor, Path(source), target)} scores: {target}")
        return
    k = TOP_K if top_k is None else top_k
    if k < 1:
        raise GraphKDError(f"--top-k is {k}: give a whole number from 1")
    read_metrics(Path(run))
    data = load_run_data(Path(run), predictor.card["seed"], data_dir)
    print(f"{write_top_k(predictor, k, _known(data.edge_index, predictor.num_nodes), target)} partners: {target}")


def _known(edge_index: Any, num_nodes: int) -> list[np.ndarray[Any, Any]]:
    """Returns the neighbours of each node, in either direction."""
    pairs = undirected_pairs(edge_index, num_nodes).numpy()
    ends, others = np.concatenate([pairs, pairs[:, ::-1]]).T
    order = np.argsort(ends, kind="stable")
    return np.split(others[order], np.searchsorted(ends[order], np.arange(1, num_nodes)))
