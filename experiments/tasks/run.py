"""Is a student worth its teacher where nodes have several labels, or numbers?

python experiments/tasks/run.py --data-dir data --output-dir runs/tasks --seeds 10
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import safetensors.torch
import torch
from arguments import parsed, study_parser  # experiments/arguments.py
from sheets import rows_of, to_csv  # experiments/sheets.py

import graphkd
from graphkd.atomic_io import write_json, write_text
from graphkd.datasets import Graph
from graphkd.encoders import Positions
from graphkd.training.seeds import parse_seeds

if TYPE_CHECKING:
    from torch_geometric.data import Data

CELLS = ("chameleon", "blogcatalog")
MODELS = ("teacher", "mlp", "glnn", "teacher_bounded")
SCORES = {
    "chameleon": ("test", "test_mae", "test_rmse"),
    "blogcatalog": ("test_micro_f1_known_counts", "test_macro_f1_known_counts"),
}
"""Cell → scores of the test nodes in its table; of chameleon ``test`` is R²."""
COLUMNS = ("val", *dict.fromkeys(score for scores in SCORES.values() for score in scores))
TRAINING = {
    "chameleon": graphkd.Training(),
    "blogcatalog": graphkd.Training(max_epochs=200, weight_decay=0.0, teacher_weight_decay=0.0),
}
POSITIONS = Positions(features="none", dim=128, walks=40, window=10)


def data_of(cell: str, seed: int, data_dir: str, folder: Path) -> Data:
    """A data set with the split of a seed; BlogCatalog's rows are positions, which are computed once."""
    data = graphkd.load_dataset(cell, data_dir=data_dir, seed=seed)
    if cell == "blogcatalog":
        file = folder / "positions.safetensors"
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            safetensors.torch.save_file({"x": POSITIONS.compute(Graph.from_data(data).adj)}, file)
        data.x = safetensors.torch.load_file(file)["x"]
    return data


def run_seed(
    cell: str, seed: int, data: Data, cache: Path, known: dict[str, Any], done: Callable[[str], None]
) -> None:
    """Adds the scores of each model to those that are known; ``done`` is called after each."""
    methods = ("glnn", "teacher_bounded") if cell == "chameleon" else ("glnn",)
    for method in (method for method in methods if method not in known):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice on labels that are never predicted, and on the origin of x
            run = graphkd.distill(
                data, teacher="sage", method=method, training=TRAINING[cell], seed=seed, cache_dir=cache
            )
        (entry,) = run.metrics["seeds"]
        known |= {"teacher": entry["teacher"], "mlp": entry["mlp"], method: entry["student"]}
        done(method)


def main(arguments: list[str] | None = None) -> None:
    parser = study_parser(__doc__, CELLS, CELLS, "runs/tasks")
    parser.add_argument("--seeds", type=int, default=10)
    args = parsed(parser, CELLS, arguments)
    for cell in args.names:
        for seed in parse_seeds(args.seeds):
            file = args.output_dir / cell / f"{seed}.json"
            known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}

            def done(method: str, file: Path = file, known: dict[str, Any] = known) -> None:
                file.parent.mkdir(parents=True, exist_ok=True)
                write_json(file, known)
                print(f"{file.parent.name} {file.stem} {method}: {100 * known[method]['test']:.2f}", flush=True)

            data = data_of(cell, seed, args.data_dir, args.output_dir)
            run_seed(cell, seed, data, args.output_dir / "cache", known, done)
    rows = rows_of(args.output_dir, CELLS, MODELS, COLUMNS)
    write_text(args.output_dir / "results.csv", to_csv(["cell", "seed", "model", *COLUMNS], rows))
    print(table(rows))


def table(rows: list[dict[str, Any]]) -> str:
    """The means over seeds and their standard deviations, one line per model, as Markdown."""
    lines = []
    for cell in CELLS:
        if not any(row["cell"] == cell for row in rows):
            continue
        lines += ["", f"| {cell} | seeds | {' | '.join(SCORES[cell])} |", "|---|---|" + "---|" * len(SCORES[cell])]
        for model in MODELS:
            found = [row for row in rows if (row["cell"], row["model"]) == (cell, model)]
            if found:
                cells = [_mean([row[key] for row in found], key) for key in SCORES[cell]]
                lines.append(f"| {model} | {len(found)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _mean(values: list[float], key: str) -> str:
    """Shares in percent, errors in the data's unit."""
    factor = 1 if key in ("test_mae", "test_rmse") else 100
    scores = factor * torch.tensor(values, dtype=torch.float64)
    digits = 3 if factor == 1 else 1
    return f"{scores.mean():.{digits}f} ± {scores.std(correction=0):.{digits}f}"


if __name__ == "__main__":
    main()
