"""What 8 bits cost: scores of a run's student in each precision; see README.md beside this file.

python experiments/latency/eight_bits.py RUN… [--data-dir DIR]   # transductive, with --to c and --to onnx-int8
"""

from __future__ import annotations

import argparse
from pathlib import Path

import graphkd
from graphkd.run_data import load_run_data

NAMES = ("run", "runtime", "val %", "test %", "loss on val", "loss on test", "same class, test %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--data-dir")
    args = parser.parse_args()
    print(f"| {' | '.join(NAMES)} |\n{'|---' * len(NAMES)}|")
    for run in args.runs:
        rows_of(run, args.data_dir)


def rows_of(run: Path, data_dir: str | None) -> None:
    model = graphkd.load_bundle(run)
    data = load_run_data(run, model.card["seed"], data_dir)
    hops, y = model.encoding.hops, data.y.numpy()
    x = model.prepare(data.x, data.edge_index) if hops else data.x
    val, test = data.val_mask.numpy(), data.test_mask.numpy()
    reference = None
    for runtime in ("native", "native-int8", "onnx-int8"):
        found = graphkd.load_bundle(run, runtime).predict_proba(x, propagated=bool(hops)).argmax(axis=1)
        reference = found if reference is None else reference
        scores = [100 * float((found[mask] == y[mask]).mean()) for mask in (val, test)]
        losses = [
            100 * float((reference[m] == y[m]).mean()) - score
            for m, score in zip((val, test), scores, strict=True)
        ]
        same = 100 * float((found[test] == reference[test]).mean())
        numbers = [f"{value:.2f}" for value in (*scores, *losses, same)]
        print(f"| {run.name} | {runtime} | {' | '.join(numbers)} |")


if __name__ == "__main__":
    main()
