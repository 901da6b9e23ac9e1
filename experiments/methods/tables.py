"""The tables of the comparison, from the rows of its results.

python experiments/methods/tables.py [--check]    # those of README.md, from expected.csv
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))
import readme  # experiments/readme.py
from protocol import CELLS, DATASETS, HERE, MODELS, SETTINGS, Published, published

from graphkd import methods
from graphkd.encoders import Propagated
from graphkd.evaluation import Friedman, friedman, paired_difference
from graphkd.registry import lookup

SCORES = ("test", "test_ind", "test_tran", "val", "test_macro_f1", "test_ece", "epochs", "seconds")
COLUMNS = ("cell", "seed", "model", *SCORES)
"""Of the csv: one line per model of a seed."""

READS = {"teacher": "the graph", "mlp_neighbours": Propagated().reads}
"""What a model that is no method reads when it answers."""

Rows = Sequence[dict[str, Any]]


def to_markdown(rows: Rows) -> str:
    """Returns an overview of every setting with its ranks, then a table for every cell."""
    overviews = [overview(rows, setting) for setting in SETTINGS]
    cells = [details(rows, name) for name in CELLS if any(row["cell"] == name for row in rows)]
    return "\n\n".join([*filter(None, overviews), *cells])


def overview(rows: Rows, setting: str) -> str:
    """Returns mean accuracies in percent, a line per model and a column per data set, and mean ranks."""
    cells = {name: make() for name, make in CELLS.items()}
    names = {cell.dataset: name for name, cell in cells.items() if cell.dataset and cell.setting == setting}
    used = [dataset for dataset in DATASETS if any(row["cell"] == names[dataset] for row in rows)]
    if not used:
        return ""
    result, ranked = ranks(rows, [names[dataset] for dataset in used])
    place = dict(zip(ranked, result.mean_ranks, strict=True)) if result is not None else {}
    heads = [f"{DATASETS[dataset]} ({len(scores(rows, names[dataset], 'glnn'))})" for dataset in used]
    lines = [
        f"**{setting.replace('_', ' ')}**",
        "",
        "| model | reads | " + " | ".join(heads) + " | mean rank |",
        "|---" * (3 + len(used)) + "|",
    ]
    for model in MODELS:
        cells_ = [mean_and_std(scores(rows, names[dataset], model)) for dataset in used]
        if any(cell != "–" for cell in cells_):
            rank = f"{place[model]:.1f}" if model in place else "–"
            lines.append(f"| {MODELS[model]} | {reads(model)} | {' | '.join(cells_)} | {rank} |")
    if result is not None:
        lines += ["", friedman_line(result, len(used))]
    return "\n".join(lines)


def details(rows: Rows, name: str) -> str:
    """Returns the table of a cell, a line per model."""
    cell, known = CELLS[name](), published()
    hides = cell.setting != "transductive" and any("test_ind" in row for row in rows if row["cell"] == name)
    extra = ["hidden nodes", "other nodes"] if hides else []
    heads = ["model", "seeds", "accuracy", *extra, "over GLNN", "macro-F1", "ECE", "s", "published"]
    title = f"{cell.name}, {cell.setting}" if cell.dataset else cell.name
    lines = [f"**{title}**", "", "| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for model in MODELS:
        mine = [row for row in rows if row["cell"] == name and row["model"] == model]
        if not mine:
            continue
        parts = [mean_and_std(percent(mine, key)) for key in ("test_ind", "test_tran")] if hides else []
        found = [
            mean_and_std(percent(mine, "test")),
            *parts,
            gain(rows, name, model),
            mean(percent(mine, "test_macro_f1")),
            mean(percent(mine, "test_ece")),
            mean([row["seconds"] for row in mine if "seconds" in row], 1),
            shown(known.get((model, cell.dataset, cell.setting))),
        ]
        lines.append(f"| {MODELS[model]} | {len(mine)} | {' | '.join(found)} |")
    return "\n".join(lines)


def ranks(rows: Rows, cells: Sequence[str]) -> tuple[Friedman | None, list[str]]:
    """Returns Friedman's test of the models that all cells have, over cells, and the models.

    Scores are means over seeds, rounded to a hundredth of a point.
    """
    models = [model for model in MODELS if all(len(scores(rows, cell, model)) for cell in cells)]
    if len(cells) < 2 or len(models) < 3:
        return None, models
    table = [[round(float(np.mean(scores(rows, cell, model))), 2) for model in models] for cell in cells]
    return friedman(table), models


def friedman_line(result: Friedman, count: int) -> str:
    """Returns the test in words."""
    test = f"χ² = {result.statistic:.1f}, p = {result.p_value:.2g}"
    apart = f"their mean ranks are more than {result.critical_difference:.1f} apart (Nemenyi)"
    return f"Friedman's test over {count} data sets: {test}. Two models differ at the level of 5 % if {apart}."


def reads(model: str) -> str:
    """Returns what a model reads of a node when it answers."""
    if model in READS:
        return READS[model]
    return str(lookup(methods, model)().encoder().reads)


def scores(rows: Rows, cell: str, model: str) -> list[float]:
    """Returns the test accuracies of a model in percent, by seed."""
    return percent([row for row in rows if row["cell"] == cell and row["model"] == model], "test")


def percent(rows: Rows, key: str) -> list[float]:
    """Returns a score in percent, of the rows that have it."""
    return [100 * row[key] for row in rows if key in row]


def mean_and_std(values: Sequence[float]) -> str:
    """Returns mean ± population standard deviation; of one value, the value alone.

    >>> mean_and_std([72.0, 80.0]), mean_and_std([72.0])
    ('76.00 ± 4.00', '72.00')
    """
    if len(values) < 2:
        return f"{values[0]:.2f}" if len(values) else "–"
    return f"{np.mean(values):.2f} ± {np.std(values):.2f}"


def mean(values: Sequence[float], digits: int = 2) -> str:
    """Returns the mean."""
    return f"{np.mean(values):.{digits}f}" if len(values) else "–"


def gain(rows: Rows, cell: str, model: str) -> str:
    """Returns the mean difference to GLNN in points over the seeds that have both, with a 95 % interval."""
    base = {row["seed"]: row["test"] for row in rows if row["cell"] == cell and row["model"] == "glnn"}
    mine = {row["seed"]: row["test"] for row in rows if row["cell"] == cell and row["model"] == model}
    both = sorted(base.keys() & mine.keys())
    if model == "glnn" or not both:
        return "–"
    result = paired_difference([100 * mine[seed] for seed in both], [100 * base[seed] for seed in both])
    if len(both) == 1:
        return f"{result.mean:+.2f}"
    return f"{result.mean:+.2f} [{result.low:+.2f}, {result.high:+.2f}]"


def shown(value: Published | None) -> str:
    """Returns a published score."""
    if value is None:
        return "–"
    return f"{value.score:.2f}" + (f" ± {value.std:.2f}" if value.std is not None else "")


def committed_rows() -> list[dict[str, Any]]:
    """Returns the rows of ``expected.csv``, their scores as numbers."""
    with (HERE / "expected.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = [name for name in COLUMNS if name not in ("cell", "seed", "model")]
    filled = [{name: value for name, value in row.items() if value != ""} for row in rows]
    return [{**row, **{name: float(row[name]) for name in numbers if name in row}} for row in filled]


def committed() -> str:
    """Returns the tables of the committed rows."""
    return to_markdown(committed_rows())


if __name__ == "__main__":
    readme.rewrite(HERE, committed)
