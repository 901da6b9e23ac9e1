"""One step of InfGraND's loss, compiled against the literal sum over edges; see README.md beside this file.

python experiments/edge_loss/run.py [--nodes 169343 --edges 1166243 --classes 40]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from graphkd.datasets import Graph
from graphkd.methods import InfGraND
from graphkd.sparse import Adjacency, SparseMatrix
from graphkd.teachers import TeacherOutput

sys.path.insert(0, str(Path(__file__).parents[1]))
from timing import interleaved, machine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=169_343)
    parser.add_argument("--edges", type=int, default=1_166_243)
    parser.add_argument("--classes", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    method = InfGraND("reference", lam=0.0, tau=1.0, gamma1=1.0, gamma2=0.4, hops=0)
    graph = random_graph(args.nodes, args.edges, args.classes)
    teacher = torch.randn(args.nodes, args.classes)
    targets = method.prepare(graph, TeacherOutput(teacher))
    pattern = graph.adj.structure(self_loops=1)
    weight = method.gamma1 + method.gamma2 * graph.influence
    logits = torch.randn(args.nodes, args.classes, requires_grad=True)

    def compiled() -> Tensor:
        logits.grad = None
        loss = targets.soft.loss(logits)
        loss.backward()
        return loss

    def literal() -> Tensor:
        logits.grad = None
        loss = literal_loss(logits, teacher, pattern, weight)
        loss.backward()
        return loss

    def tuned() -> Tensor:
        logits.grad = None
        loss = tuned_loss(logits, teacher, pattern, weight)
        loss.backward()
        return loss

    losses, grads = [], []
    for step in (compiled, literal):
        losses.append(float(step().detach()))
        grads.append(logits.grad.clone())
    difference = float((grads[0] - grads[1]).abs().max() / grads[1].abs().max())
    seconds = interleaved({"compiled": compiled, "literal": literal, "per edge, tuned": tuned}, args.rounds)
    print(f"{args.nodes:,} nodes, {pattern.nnz:,} edges with self-loops, {args.classes} classes; {machine()}")
    print(f"loss {losses[0]:.7f} against {losses[1]:.7f}, largest gradient difference {difference:.1e} (relative)")
    for name, value in seconds.items():
        print(f"{name:18}{1000 * value:>10.1f} ms per step{value / seconds['compiled']:>10.1f} x")


def random_graph(num_nodes: int, num_edges: int, num_classes: int) -> Graph:
    """Edges drawn at random between nodes of skewed popularity; no features are needed here."""
    ends = (num_nodes * torch.rand(2, num_edges) ** 2).long()
    return Graph(
        x=torch.zeros(num_nodes, 1),
        adj=Adjacency(ends, num_nodes),
        y=torch.zeros(num_nodes, dtype=torch.long),
        train=torch.arange(100),
        val=torch.arange(100, 200),
        test=torch.arange(200, 300),
        num_classes=num_classes,
        influence=torch.rand(num_nodes),
    )


def literal_loss(logits: Tensor, teacher: Tensor, pattern: SparseMatrix, weight: Tensor) -> Tensor:
    """As the formula reads, and as the released codes compute it: both softmaxes once per edge."""
    log_p = F.log_softmax(logits[pattern.row], dim=1)
    q = F.softmax(teacher[pattern.col], dim=1)
    return (weight[pattern.col] * F.kl_div(log_p, q, reduction="none").sum(dim=1)).mean()


def tuned_loss(logits: Tensor, teacher: Tensor, pattern: SparseMatrix, weight: Tensor) -> Tensor:
    """The best that still visits every edge: softmax per node, then a gather with a cheap backward."""
    log_p = F.log_softmax(logits, dim=1).index_select(0, pattern.row)
    q = F.softmax(teacher, dim=1).index_select(0, pattern.col)
    return (weight[pattern.col] * F.kl_div(log_p, q, reduction="none").sum(dim=1)).mean()


if __name__ == "__main__":
    main()
