"""What factored inputs save on Coauthor Physics, and where they pay; see README.md beside this file.

python experiments/factored/run.py --data-dir data [--part step|rule|dropout]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent.parent))
from memory import extra_megabytes  # experiments/memory.py
from timing import interleaved, machine  # experiments/timing.py

import graphkd
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.dropout import dropout
from graphkd.methods import InfGraND, Targets
from graphkd.sparse import Factored, SparseMatrix, linear, propagate
from graphkd.students import MLP
from graphkd.teachers import TeacherOutput

HIDDEN, HOPS = 256, 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--part", choices=("step", "rule", "dropout", "all"), default="all")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(2)
    print(machine())
    if args.part in ("step", "all"):
        step(args.data_dir, args.rounds)
    if args.part in ("rule", "all"):
        rule(args.data_dir, args.rounds)
    if args.part in ("dropout", "all"):
        drop(args.rounds)


def load(name: str, data_dir: str) -> Graph:
    return apply_setting(Graph.from_data(graphkd.load_dataset(name, data_dir, download="never"))).observed


def step(data_dir: str, rounds: int) -> None:
    """A training step of InfGraND's student: ours against a dense table and the loss written per edge."""
    graph = load("physics", data_dir)
    teacher = TeacherOutput(torch.randn(graph.num_nodes, graph.num_classes))
    weighted = graph.with_influence(torch.rand(graph.num_nodes))
    prepared: list[Targets] = []
    compiling = extra_megabytes(lambda: prepared.append(InfGraND(hops=HOPS).prepare(weighted, teacher)))
    targets = prepared[0]
    assert isinstance(targets.inputs, Factored)
    ours = trained(graph, lambda model: InfGraND(hops=HOPS)(model(targets.inputs), targets)["loss"])
    training = extra_megabytes(lambda: [ours() for _ in range(3)])
    times = interleaved({"ours": ours, "literal": literal(graph, weighted, teacher)}, rounds)
    print(f"peak memory above the loaded process: compile {compiling:.0f} MB, student stage {training:.0f} MB")
    print(f"step: ours {1e3 * times['ours']:.0f} ms, literal {1e3 * times['literal']:.0f} ms, ", end="")
    print(f"ratio {times['literal'] / times['ours']:.1f}")
    bytes_, bandwidth = traffic(targets.inputs), copy_bandwidth()
    floor = bytes_ / bandwidth
    print(f"{bytes_ / 1e9:.2f} GB at {bandwidth / 1e9:.1f} GB/s: {1e3 * floor:.0f} ms, ", end="")
    print(f"ours takes {times['ours'] / floor:.1f} times as long")


def trained(graph: Graph, loss_of: Callable[[nn.Module], Tensor]) -> Callable[[], None]:
    """One step of Adam on a student of two layers."""
    model = MLP(graph.num_features, HIDDEN, graph.num_classes, num_layers=2, dropout=0.3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    def run() -> None:
        optimizer.zero_grad()
        loss_of(model).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return run


def literal(graph: Graph, weighted: Graph, teacher: TeacherOutput) -> Callable[[], None]:
    """The same step as the formula reads: a dense X̃, torch's dropout, a KL term per edge."""
    table = propagate(graph.x, graph.adj, HOPS)
    assert isinstance(table, Tensor)
    pattern = graph.adj.structure(self_loops=1)
    row, col = pattern.row, pattern.col
    share = 1.0 / (pattern.sum(dim=1) * graph.num_nodes)
    weight = share[row] * (1.0 + 0.4 * weighted.influence[col])  # type: ignore[index]
    log_q = F.log_softmax(teacher.logits / 1.3, dim=1)
    layers = nn.Sequential(
        nn.Linear(graph.num_features, HIDDEN), nn.ReLU(), nn.Dropout(0.3), nn.Linear(HIDDEN, graph.num_classes)
    )
    optimizer = torch.optim.Adam(layers.parameters(), lr=0.01)
    label_weight = 0.8 + 0.1 * weighted.influence[graph.train]  # type: ignore[index]

    def run() -> None:
        optimizer.zero_grad()
        logits = layers(table)
        log_p = F.log_softmax(logits / 1.3, dim=1)
        per_edge = F.kl_div(log_p[row], log_q[col], reduction="none", log_target=True).sum(dim=1)
        label = F.cross_entropy(logits[graph.train], graph.y[graph.train], reduction="none")
        (0.5 * (label_weight * label).mean() + 0.5 * (weight * per_edge).sum()).backward()
        optimizer.step()

    return run


def traffic(inputs: Factored) -> float:
    """Bytes that a step must move if every operand of every pass is read or written exactly once.

    Forward and backward each: one product with X, P with Ã (read, write, add), and the passes over N × h of
    bias, ReLU and dropout.
    """
    dense = 4.0 * inputs.shape[0] * HIDDEN
    products = 12.0 * (inputs.x.nnz + inputs.hops * inputs.operator.nnz)
    passes = 2 + 3 * inputs.hops + 2 * 3
    return 2 * (products + passes * dense)


def copy_bandwidth() -> float:
    """Bytes per second, read and written, of copying 400 MB."""
    source = torch.ones(10**8)
    target = torch.empty_like(source)
    seconds = interleaved({"copy": lambda: target.copy_(source)}, 5)["copy"]
    return 8e8 / seconds


def rule(data_dir: str, rounds: int) -> None:
    """One layer forward and backward on the table against the factors, and what the rule says."""
    print("| data | hops | N·D | entries | table ms | factors ms | a sparse entry costs | rule takes |")
    print("|---|---|---|---|---|---|---|---|")
    for name in ("cora", "citeseer", "pubmed", "photo", "cs", "physics"):
        graph = Graph.from_data(graphkd.load_dataset(name, data_dir, download="never"))
        assert isinstance(graph.x, SparseMatrix)
        for hops in (0, 2, 4):
            print(rule_row(name, graph, hops, rounds))


def rule_row(name: str, graph: Graph, hops: int, rounds: int) -> str:
    x, adj = graph.x, graph.adj
    assert isinstance(x, SparseMatrix)
    operator = adj.normalize("symmetric", 1)
    factors = Factored(x, operator, hops) if hops else x
    table = propagate(x, adj, hops) if hops else x.to_dense()
    weight = torch.randn(HIDDEN, x.shape[1], requires_grad=True)
    grad = torch.randn(x.shape[0], HIDDEN)
    runs = {
        "table": lambda: linear(table, weight).backward(grad),
        "factors": lambda: linear(factors, weight).backward(grad),
    }
    times = interleaved(runs, rounds)
    cells, entries = x.shape[0] * x.shape[1], x.nnz + hops * operator.nnz
    cost = times["factors"] / entries / (times["table"] / cells)
    taken = graphkd.sparse.mix(x, adj, hops) if hops else graphkd.sparse.cheapest(x)
    chosen = "table" if isinstance(taken, Tensor) else "factors"
    figures = f"{1e3 * times['table']:.0f} | {1e3 * times['factors']:.0f} | {cost:.0f}"
    return f"| {name} | {hops} | {cells / 1e6:.1f} M | {entries / 1e6:.2f} M | {figures} | {chosen} |"


def drop(rounds: int) -> None:
    """Dropout on 34,493 × 256, forward and backward."""
    x, grad = torch.randn(34_493, HIDDEN, requires_grad=True), torch.randn(34_493, HIDDEN)
    runs = {
        "torch": lambda: F.dropout(x, 0.3).backward(grad),
        "graphkd": lambda: dropout(x, 0.3, training=True).backward(grad),
    }
    times = interleaved(runs, rounds)
    print(f"dropout: torch {1e3 * times['torch']:.0f} ms, graphkd {1e3 * times['graphkd']:.0f} ms")


if __name__ == "__main__":
    main()
