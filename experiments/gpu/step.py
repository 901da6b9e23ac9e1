"""A student's epoch against its bare matrix products, in one run.

python experiments/gpu/step.py [--device cpu]
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent.parent))
from products import products_of  # experiments/products.py
from timing import interleaved, machine  # experiments/timing.py

from graphkd.datasets import Graph, SettingView
from graphkd.datasets.setting import apply_setting
from graphkd.methods import InfGraND
from graphkd.sparse import Adjacency
from graphkd.spec import resolve
from graphkd.students import MLP
from graphkd.teachers import TeacherOutput
from graphkd.training import Training
from graphkd.training.stages.student import train_student
from graphkd.training.stages.teacher import TeacherResult

WIDTHS = (256, 2048)


def rows(device: str, nodes: int, epochs: int, rounds: int, **training: Any) -> list[dict[str, Any]]:
    """Both widths: milliseconds of an epoch of all rows, of its products, and the ratio."""
    view, teacher_result = drawn(nodes, device)
    warm = 20 if device == "cuda" else 2  # until the epoch is a graph
    found = []
    for width in WIDTHS:
        run = functools.partial(seconds, view, teacher_result, width, training)
        torch.manual_seed(0)
        calls = products_of(lambda epochs, run=run: run(epochs))
        floor = replayed(calls) if device == "cuda" else lambda calls=calls: [call() for call in calls]
        taken: list[float] = []

        def epoch(run: Any = run, taken: list[float] = taken) -> None:
            taken.append((run(warm + epochs) - run(warm)) / epochs)

        def products(floor: Callable[[], object] = floor) -> None:
            for _ in range(epochs):
                floor()
            if device == "cuda":
                torch.cuda.synchronize()

        bare = interleaved({"epoch": epoch, "products": products}, rounds)["products"] / epochs
        whole = sorted(taken[1:])[rounds // 2]
        found.append({"what": "student's epoch", "size": nodes, "width": width, "ms": 1000 * whole,
                      "products_ms": 1000 * bare, "ratio": whole / bare, **training})  # fmt: skip
    return found


def drawn(nodes: int, device: str, width: int = 128, classes: int = 40) -> tuple[SettingView, TeacherResult]:
    """Rows of a table, a ring as the graph, a twentieth of the nodes for validation."""
    torch.manual_seed(0)
    ring = torch.arange(nodes)
    edges = torch.stack([ring, ring.roll(1)])
    parts = torch.randperm(nodes).split([nodes // 10, nodes // 20, nodes - nodes // 10 - nodes // 20])
    adj = Adjacency(torch.cat([edges, edges.flip(0)], dim=1), nodes)
    x = torch.randn(nodes, width)
    logits = x @ torch.randn(width, classes)
    graph = Graph(x, adj, logits.argmax(dim=1), *parts, classes).to(device)
    output = TeacherOutput(logits.to(device))
    return apply_setting(graph, "transductive", 0), TeacherResult(None, output, {}, None, {"given": "drawn"}, None)  # type: ignore[arg-type]


def seconds(
    view: SettingView, teacher_result: TeacherResult, width: int, training: dict[str, Any], epochs: int
) -> float:
    """Of the training loop for so many epochs."""
    student = functools.partial(MLP, num_layers=3, hidden_dim=width)
    spec = resolve(
        method=InfGraND(),
        influence="none",
        student=student,
        training=Training(epochs, patience=10**6, **training),
    )
    return train_student(view, spec, teacher_result, 0, []).fit.seconds


def replayed(calls: list[Callable[[], object]]) -> Callable[[], object]:
    """The same in a CUDA graph, so that no launch is waited for."""
    for call in calls:
        call()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for call in calls:
            call()
    return graph.replay


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--nodes", type=int, default=16_384)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(machine(), "| width | ms per epoch | its products alone | ratio |", "|---" * 4 + "|", sep="\n")
    for row in rows(args.device, args.nodes, args.epochs, args.rounds):
        print(f"| {row['width']} | {row['ms']:.1f} | {row['products_ms']:.1f} | {row['ratio']:.2f} |", flush=True)


if __name__ == "__main__":
    main()
