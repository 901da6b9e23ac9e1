"""Which teacher and which method give the best MLP of links?

python experiments/links/run.py --data-dir data --output-dir runs/links --seeds 5
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from arguments import parsed, study_parser  # experiments/arguments.py
from sheets import rows_of, to_csv  # experiments/sheets.py

from graphkd import load_dataset
from graphkd.atomic_io import write_json, write_text
from graphkd.datasets.component import largest_component
from graphkd.links import (
    GLNN,
    LLP,
    Labels,
    LinkGraph,
    LinkMethod,
    LinkTeacher,
    LinkTraining,
    distill,
    train_teacher,
)
from graphkd.links.distill import evaluate
from graphkd.links.heuristics import HEURISTICS
from graphkd.training.seeds import parse_seeds

DATA = ("cora", "citeseer", "pubmed")
CELLS = [f"{name}_{setting}" for name in DATA for setting in ("transductive", "inductive")]
TEACHERS = ("sage", *HEURISTICS)
STUDENTS: dict[str, tuple[str, LinkMethod]] = {
    "mlp": ("", Labels()),
    "sage_glnn": ("sage", GLNN(lam=0.5)),
    "sage_glnn_soft": ("sage", GLNN(lam=0.0)),
    "sage_llp": ("sage", LLP()),
    "sage_llp_strong": ("sage", LLP(distribution_weight=1.0)),
    "aa_llp": ("aa", LLP()),
    "heuristics_llp": ("heuristics", LLP()),
}
"""Model → its teacher and its method."""
FAMILIES = {"sage_glnn": ("sage_glnn", "sage_glnn_soft"), "sage_llp": ("sage_llp", "sage_llp_strong")}
"""Method → its settings, of which the one with the best mean validation AUC stands in the table."""
MODELS = [*TEACHERS, *STUDENTS]
SCORES = ("val_auc", "auc", "ap", "hits@20", "hits@50", "mrr", "epochs", "seconds")
TRAINING = LinkTraining()


def graph_of(cell: str, seed: int, data_dir: str) -> LinkGraph:
    """The largest component of a data set, split by the seed."""
    name, setting = cell.split("_")
    data = load_dataset(name, data_dir=data_dir)
    component = largest_component(data)
    component.graphkd = data.graphkd  # how its rows are preprocessed
    return LinkGraph.from_data(component, seed, setting)


def run_seed(
    cell: str, seed: int, data_dir: str, models: list[str], known: dict[str, Any], done: Callable[[str], None]
) -> None:
    """Adds the scores of each model to those that are known; ``done`` is called after each."""
    if set(models) <= set(known):
        return
    graph, teachers = graph_of(cell, seed, data_dir), {}
    for model in (model for model in models if model not in known):
        name, method = (model, None) if model in TEACHERS else STUDENTS[model]
        if name and name not in teachers:
            teachers[name] = train_teacher(graph, name, seed=seed, training=TRAINING)
        known[model] = (
            of_teacher(graph, teachers[name])
            if method is None
            else of_student(graph, teachers.get(name), method, seed)
        )
        done(model)


def of_teacher(graph: LinkGraph, teacher: LinkTeacher) -> dict[str, float]:
    facts = {} if teacher.fit is None else {"epochs": teacher.fit.epochs, "seconds": teacher.fit.seconds}
    return {**evaluate(graph, teacher.inference), **facts}


def of_student(graph: LinkGraph, teacher: LinkTeacher | None, method: LinkMethod, seed: int) -> dict[str, float]:
    run = distill(graph, teacher or "", method, seed=seed, training=TRAINING, baseline=False)
    fit = run.fits["student"]
    return {**run.metrics["student"], "epochs": fit.epochs, "seconds": fit.seconds}


def main(arguments: list[str] | None = None) -> None:
    parser = study_parser(__doc__, CELLS, CELLS, "runs/links")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    args = parsed(parser, CELLS, arguments)
    for cell in args.names:
        for seed in parse_seeds(args.seeds):
            file = args.output_dir / cell / f"{seed}.json"
            known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}

            def done(model: str, file: Path = file, known: dict[str, Any] = known) -> None:
                file.parent.mkdir(parents=True, exist_ok=True)
                write_json(file, known)
                shown = " ".join(f"{key} {100 * known[model][key]:.2f}" for key in ("val_auc", "auc", "hits@20"))
                print(f"{file.parent.name} {file.stem} {model}: {shown}", flush=True)

            run_seed(cell, seed, args.data_dir, args.models, known, done)
    rows = rows_of(args.output_dir, CELLS, MODELS, SCORES)
    write_text(args.output_dir / "results.csv", to_csv(["cell", "seed", "model", *SCORES], rows))
    print(table(rows))


def table(rows: list[dict[str, Any]]) -> str:
    """The means over seeds and their standard deviations, one line per model, as Markdown."""
    lines = ["| cell | model | seeds | AUC | AP | Hits@20 | MRR |", "|---|---|---|---|---|---|---|"]
    for cell in CELLS:
        for model in shown_models([row for row in rows if row["cell"] == cell]):
            found = [row for row in rows if (row["cell"], row["model"]) == (cell, model)]
            cells = [_mean([row[key] for row in found]) for key in ("auc", "ap", "hits@20", "mrr")]
            lines.append(f"| {cell} | {model} | {len(found)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def shown_models(rows: list[dict[str, Any]]) -> list[str]:
    """The models of a cell; of those of one family the one that validation chooses."""
    val = {model: [row["val_auc"] for row in rows if row["model"] == model] for model in MODELS}
    found = {model: sum(scores) / len(scores) for model, scores in val.items() if scores}
    rest = {
        model
        for family in FAMILIES.values()
        for model in family
        if model in found and found[model] < max(found.get(other, 0.0) for other in family)
    }
    return [model for model in found if model not in rest]


def _mean(values: list[float]) -> str:
    shares = 100 * torch.tensor(values, dtype=torch.float64)
    return f"{shares.mean():.1f} ± {shares.std(correction=0):.1f}"


if __name__ == "__main__":
    main()
