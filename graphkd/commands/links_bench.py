"""``graphkd bench`` of a run of links."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf

from graphkd.atomic_io import write_json
from graphkd.config import make_part
from graphkd.deploy.names import Encoded
from graphkd.evaluation import Times, latency
from graphkd.links.bundle import load_predictor
from graphkd.links.graph import LinkGraph
from graphkd.links.heuristic_teachers import HeuristicTeacher
from graphkd.links.heuristics import Heuristic
from graphkd.links.predictor import LinkPredictor
from graphkd.run_data import load_run_data
from graphkd.runs import read_config
from graphkd.sparse import as_features, select_rows

MANY = 100_000
"""Pairs of the largest call."""

K = 10


def bench_links(
    path: Path, metrics: dict[str, Any], target: Path | None, threads: int, seconds: float, data_dir: str | None
) -> None:
    """Times the answers of a predictor of links, and its teacher's, and prints Markdown.

    A teacher's time does not depend on its weights: a network of its shape is timed, with new weights. It computes
    the embeddings of all nodes again, as edges have changed since.

    Args:
        path: of the run.
        metrics: contents of its ``metrics.json``.
        target: file for all numbers, or None.
        threads: of torch, which were set.
        seconds: of each call's timing.
        data_dir: folder of the run's data, if it has moved.
    """
    predictor = load_predictor(path)
    seed = predictor.card["seed"]
    data = load_run_data(path, seed, data_dir)
    graph = LinkGraph.from_data(data, seed, metrics["setting"])
    calls = {
        **_student_calls(predictor, data.x),
        **_teacher_calls(path, metrics, graph, predictor.student.decoder.dim),
    }
    times = latency(calls, seconds)
    print("\n".join(_table(times, metrics, predictor, threads)))
    if target is not None:
        record = {name: vars(each) for name, each in times.items()}
        write_json(target, {"threads": threads, "nodes": predictor.num_nodes, "microseconds": record})
        print(f"written: {target}")


def _student_calls(predictor: LinkPredictor, x: Any) -> dict[str, Any]:
    draws = torch.Generator().manual_seed(0)
    pairs = torch.randint(predictor.num_nodes, (MANY, 2), generator=draws)
    row = select_rows(as_features(x), torch.zeros(1, dtype=torch.int64))
    return {
        "score of one pair": lambda turn: predictor.score(pairs[turn % MANY : turn % MANY + 1]),
        f"scores of {MANY:,} pairs": lambda _: predictor.score(pairs),
        f"top_k of one node, k = {K}": lambda turn: predictor.top_k(turn % predictor.num_nodes, k=K),
        "score of two new rows": lambda _: predictor.score_rows(Encoded(row), Encoded(row)),
    }


def _teacher_calls(path: Path, metrics: dict[str, Any], graph: LinkGraph, dim: int) -> dict[str, Any]:
    if metrics["teacher"] == "none":
        return {}
    teacher = make_part("teacher", OmegaConf.create(read_config(path)["teacher"]), partial=True)
    pair, adj = graph.split.test[:1], graph.split.inference_adj
    name = f"teacher {metrics['teacher']}: score of one pair"
    if issubclass(teacher.func, HeuristicTeacher):
        heuristic = Heuristic.on(adj, teacher.func.name, graph.split.train)
        return {name: lambda _: heuristic(pair)}
    network = teacher(num_features=graph.x.shape[1], num_classes=dim).eval()

    def answer(_: int) -> Any:
        with torch.no_grad():
            return network(graph.x, adj).logits[pair].prod(dim=1).sum()

    return {name: answer}


def _table(times: dict[str, Times], metrics: dict[str, Any], predictor: LinkPredictor, threads: int) -> list[str]:
    lines = [
        f"{metrics['dataset']} · {predictor.num_nodes:,} nodes · decoder {metrics['decoder']} · {threads} threads",
        "",
        "| answer | median µs | 95 % | 99 % |",
        "|---|---|---|---|",
    ]
    return [*lines, *(f"| {name} | {t.p50:,.1f} | {t.p95:,.1f} | {t.p99:,.1f} |" for name, t in times.items())]
