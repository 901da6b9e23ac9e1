"""Sparse kernels side by side; see README.md beside this file.

python experiments/spmm/run.py [kernels attention edge_values rule] [--nodes 500000 --edges 5000000]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
import attention
import edge_values
import kernels
import rule
from graph import power_law
from timing import machine

# Gathering 256 columns of float64 for 5 M edges would need 10 GB: the rule has a smaller graph.
SIZES = {
    "kernels": (500_000, 5_000_000),
    "attention": (500_000, 5_000_000),
    "edge_values": (500_000, 5_000_000),
    "rule": (200_000, 2_000_000),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", default=list(SIZES), help=f"of {', '.join(SIZES)}; all of them")
    parser.add_argument("--nodes", type=int, help="default: 500,000, rule 200,000")
    parser.add_argument("--edges", type=int, help="default: 5,000,000, rule 2,000,000")
    parser.add_argument("--width", type=int, default=64, help="columns, for kernels and attention")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    if unknown := set(args.tables) - set(SIZES):
        parser.error(f"unknown table {', '.join(sorted(unknown))}: choose of {', '.join(SIZES)}")
    torch.set_num_threads(args.threads)
    for name in args.tables:
        nodes, edges = SIZES[name]
        adj = power_law(args.nodes or nodes, args.edges or edges)
        print(f"\n{name}: {adj.num_nodes:,} nodes, {adj.matrix.nnz:,} directed edges; {machine()}")
        print(f"load average before: {os.getloadavg()[0]:.1f}\n")
        if name == "kernels":
            kernels.table(adj, args.width, args.rounds)
        elif name == "attention":
            attention.table(adj, args.width, args.rounds)
        elif name == "edge_values":
            edge_values.table(adj, args.rounds)
        else:
            rule.table(adj, args.rounds)


if __name__ == "__main__":
    main()
