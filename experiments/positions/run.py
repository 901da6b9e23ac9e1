"""What do positions cost, and what do they know of hidden edges? See README.md beside this file.

python experiments/positions/run.py --data-dir data --output-dir runs/positions [cora pubmed synthetic-arxiv]

Every contender of every graph runs in a process of its own and leaves a file: the command goes on where it
stopped.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent.parent))
import sheets  # experiments/sheets.py
from contenders import CONTENDERS
from links import aucs, held_out
from memory import extra_megabytes  # experiments/memory.py
from timing import machine  # experiments/timing.py

import graphkd
from graphkd.atomic_io import write_json, write_text

SLOW = ("torch, pairs", "numpy", "random_walk", "node2vec p=0.25 q=4", "node2vec p=4 q=0.25", "torch, sums")
GRAPHS = {"cora": (), "pubmed": (), "synthetic-arxiv": SLOW}
"""Name → contenders that are left out unless they are named."""

COLUMNS = ("graph", "contender", "seed", "seconds", "processor", "megabytes", "product", "cosine", "logistic")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("graphs", nargs="*", help=f"of {', '.join(GRAPHS)}; by default all")
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS)
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--output-dir", type=Path, default=Path("runs/positions"))
    parser.add_argument("--seeds", type=int, default=1, help="of held-out edges and of vectors")
    parser.add_argument("--scale", type=float, default=1.0, help="of synthetic graphs, for a trial run")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if unknown := set(args.graphs) - set(GRAPHS):
        parser.error(f"there is no graph {sorted(unknown)[0]}")
    if args.one:
        write_json(args.one, measured(args.graphs[0], args.contenders[0], args.seeds, args.data_dir, args.scale))
        return
    print(machine())
    files = [file for graph in args.graphs or GRAPHS for file in run_graph(graph, args)]
    rows = [json.loads(file.read_text()) for file in files]
    write_text(args.output_dir / "results.csv", sheets.to_csv(COLUMNS, rows))
    print(table(rows))


def run_graph(graph: str, args: argparse.Namespace) -> list[Path]:
    """Runs what has no file yet; returns all files."""
    names = args.contenders or [name for name in CONTENDERS if name not in GRAPHS[graph]]
    if importlib.util.find_spec("gensim") is None:
        names = [name for name in names if "gensim" not in name]
    files = []
    for seed in range(args.seeds):
        for name in names:
            file = args.output_dir / graph / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}.json"
            files.append(file)
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                options = ["--data-dir", args.data_dir, "--seeds", str(seed), "--scale", str(args.scale)]
                command = [sys.executable, __file__, graph, "--contenders", name, "--one", str(file), *options]
                subprocess.run(command, check=True)
                print(f"{graph}, {name}, seed {seed}: {json.loads(file.read_text())['seconds']:.1f} s", flush=True)
    return files


def measured(graph: str, contender: str, seed: int, data_dir: str, scale: float) -> dict[str, Any]:
    """Time, memory above the loaded process, and AUCs of one contender."""
    torch.set_num_threads(2)
    scaled = {"scale": scale} if graph.startswith("synthetic") else {}
    data = graphkd.load_dataset(graph, data_dir, **scaled)
    links = held_out(data.edge_index, data.num_nodes, seed)
    found, start, processor = [], time.perf_counter(), time.process_time()
    megabytes = extra_megabytes(lambda: found.append(CONTENDERS[contender](links.adj, seed)))
    times = {"seconds": time.perf_counter() - start, "processor": time.process_time() - processor}
    return {
        "graph": graph,
        "contender": contender,
        "seed": seed,
        **times,
        "megabytes": round(megabytes),
        **aucs(found[0], links),
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The means over seeds."""
    lines = [
        "| graph | contender | s | processor s | MB | product | cosine | logistic |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for graph, name in dict.fromkeys((row["graph"], row["contender"]) for row in rows):
        mine = [row for row in rows if (row["graph"], row["contender"]) == (graph, name)]
        mean = {key: sum(row[key] for row in mine) / len(mine) for key in COLUMNS[3:]}
        scores = (f"{100 * mean[key]:.1f}" for key in COLUMNS[6:])
        costs = (f"{mean['seconds']:.1f}", f"{mean['processor']:.1f}", f"{mean['megabytes']:.0f}")
        lines.append(f"| {' | '.join([graph, name, *costs, *scores])} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
