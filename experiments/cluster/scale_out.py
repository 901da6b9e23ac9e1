"""Bytes and seconds of each worker for a graph that is too large for this machine, from formulas and constants.

python experiments/cluster/scale_out.py --edge-columns-per-second 3e8 --read 2e8
"""

from __future__ import annotations

import argparse

NODES, EDGES, FEATURES = 111_059_956, 3_231_371_744, 128
"""ogbn-papers100M, both directions, from OGB's page."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--hops", type=int, default=2)
    parser.add_argument(
        "--edge-columns-per-second", type=float, required=True, help="of one processor, from run.py"
    )
    parser.add_argument(
        "--read", type=float, default=2e8, help="bytes per second of the shared folder, each worker"
    )
    args = parser.parse_args()
    edges = EDGES + NODES  # with self-loops
    operator = 8 * NODES + (8 + 4) * edges
    print(f"operator {gb(operator)}, features {gb(4 * NODES * FEATURES)}, a join {gb(4 * edges * FEATURES)} a hop")
    print("| workers | columns | read once | read a hop without cache | held | written | propagate | read |")
    print("|---|---|---|---|---|---|---|---|")
    for workers in args.workers:
        columns = -(-FEATURES // workers)
        own = 4 * NODES * columns
        compute = args.hops * edges * columns / args.edge_columns_per_second
        reading = (operator + own) / args.read
        cells = [gb(operator + own), gb(operator), gb(3 * own), gb(own), minutes(compute), minutes(reading)]
        print(f"| {workers} | {columns} | {' | '.join(cells)} |")


def gb(size: float) -> str:
    return f"{size / 1e9:.1f} GB"


def minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min"


if __name__ == "__main__":
    main()
