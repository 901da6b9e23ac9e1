"""What a student is given: raw rows, propagated rows, positions, and both; see README.md beside this file.

python experiments/encoders/run.py --data-dir data --output-dir runs/encoders [data set …]

Every seed is a file in the output folder: the command goes on where it stopped, and ends with the table of all
that is there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
import sheets  # experiments/sheets.py
from cells import view_of  # experiments/cells.py
from processes import run_all  # experiments/processes.py

from graphkd.atomic_io import write_json, write_text
from graphkd.config import composed, spec_from
from graphkd.spec import DistillSpec
from graphkd.training.stages.stage_cache import StageCache
from graphkd.training.stages.student import train_student
from graphkd.training.stages.teacher import train_teacher

DATASETS = {
    "cpf_cora": "CPF Cora",
    "cpf_citeseer": "CPF CiteSeer",
    "photo": "Photo",
    "pubmed": "PubMed",
    "digits": "Digits, 2 epochs",
}
DEFAULT = tuple(name for name in DATASETS if name != "digits")
SETTINGS = ("transductive", "production")
ENCODERS = {
    "raw": ["encoder=raw"],
    "propagated": ["encoder=propagated"],
    "positions": ["encoder=positions"],
    "both": ["encoder=positions", "encoder.features=propagated"],
}
TITLES = {
    "raw": "x",
    "propagated": "neighbours",
    "positions": "x and positions",
    "both": "neighbours and positions",
}
METHODS = ("mlp", "glnn")
SCORES = ("test", "test_ind", "test_tran")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("datasets", nargs="*", default=list(DEFAULT), help=f"of {', '.join(DATASETS)}")
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--output-dir", type=Path, default=Path("runs/encoders"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=1, help="processes, of one thread each; 1 is this one")
    args = parser.parse_args(arguments)
    if unknown := set(args.datasets) - set(DATASETS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}: there are {', '.join(DATASETS)}")
    cells = [(name, setting, seed) for seed in range(args.seeds) for name in args.datasets for setting in SETTINGS]
    run_all([partial(run_seed, *cell, args.data_dir, args.output_dir) for cell in cells], args.workers)
    rows = rows_of(args.output_dir)
    write_text(args.output_dir / "results.csv", sheets.to_csv(columns(), rows))
    print(to_markdown(rows))


def overrides(dataset: str, setting: str) -> list[str]:
    """Returns what names a cell's data and teacher."""
    short = ["training.max_epochs=2"] if dataset == "digits" else []
    return [f"dataset={dataset}", f"setting={setting}", "teacher=sage", *short]


def spec_of(dataset: str, setting: str, method: str, encoder: str) -> DistillSpec:
    """Returns the spec of a student."""
    return spec_from(composed([*overrides(dataset, setting), f"method={method}", *ENCODERS[encoder]]))


def run_seed(dataset: str, setting: str, seed: int, data_dir: str, folder: Path) -> str:
    """Trains a seed's teacher and all its students, unless its file is there."""
    file = folder / dataset / setting / f"{seed}.json"
    if not file.exists():
        view = view_of(composed(overrides(dataset, setting)), seed, data_dir)
        cache = StageCache(folder / "cache")
        specs = {(m, e): spec_of(dataset, setting, m, e) for m in METHODS for e in ENCODERS}
        teacher = train_teacher(view, specs["glnn", "raw"], seed, [], cache)
        results: dict[str, Any] = {"teacher": dict(teacher.scores)}
        for (method, encoder), spec in specs.items():
            student = train_student(view, spec, teacher, seed, [], cache)
            seconds = {"compile_seconds": student.compile_seconds, "seconds": student.fit.seconds}
            results[f"{method}_{encoder}"] = {**student.scores, **seconds}
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, results)
    found = json.loads(file.read_text())
    return f"{dataset} {setting} {seed}: " + ", ".join(
        f"{name} {each['test']:.4f}" for name, each in found.items()
    )


def models() -> list[str]:
    """Returns the teacher and the students, in the order of the table."""
    return ["teacher", *(f"{method}_{encoder}" for method in METHODS for encoder in ENCODERS)]


def columns() -> list[str]:
    """Returns the columns of the csv."""
    kinds = ("test", "test_ind", "test_tran", "val", "compile_seconds")
    return ["dataset", "setting", "seed", *(f"{model}_{kind}" for model in models() for kind in kinds)]


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """Returns one row per file."""
    rows = []
    for file in sorted(folder.glob("*/*/*.json"), key=lambda file: (file.parts[-3:-1], int(file.stem))):
        found = json.loads(file.read_text())
        cell = {"dataset": file.parts[-3], "setting": file.parts[-2], "seed": int(file.stem)}
        scores = {f"{model}_{kind}": value for model in found for kind, value in found[model].items()}
        rows.append({name: value for name, value in (cell | scores).items() if name in columns()})
    return rows


def to_markdown(rows: list[dict[str, Any]]) -> str:
    """Returns a line per data set and setting: mean ± population standard deviation in percent.

    In ``production`` a second line has the scores on hidden nodes alone.
    """
    heads = [f"{method.upper()}<br>{TITLES[encoder]}" for method in METHODS for encoder in ENCODERS]
    lines = ["| data | setting | seeds | teacher | " + " | ".join(heads) + " |", "|---" * (4 + len(heads)) + "|"]
    for name, setting in dict.fromkeys((row["dataset"], row["setting"]) for row in rows):
        mine = [row for row in rows if (row["dataset"], row["setting"]) == (name, setting)]
        for kind in ("test", "test_ind") if setting == "production" else ("test",):
            label = f"{setting}, hidden nodes" if kind == "test_ind" else setting
            cells = " | ".join(score(mine, f"{model}_{kind}") for model in models())
            lines.append(f"| {DATASETS[name]} | {label} | {len(mine)} | {cells} |")
    return "\n".join(lines)


def score(rows: Iterable[dict[str, Any]], column: str) -> str:
    """Returns mean ± population standard deviation over seeds, in percent.

    >>> score([{"a": 0.5}, {"a": 0.7}], "a")
    '60.00 ± 10.00'
    """
    values = [100 * row[column] for row in rows if column in row]
    return f"{np.mean(values):.2f} ± {np.std(values):.2f}" if values else "–"


if __name__ == "__main__":
    main()
