"""Every method beside GLNN, from one teacher per seed and with one student shape; see README.md beside this file.

python experiments/methods/run.py --data-dir data --output-dir runs/methods [cell …]

Every seed of every cell is a file in the output folder, every trained network one in its cache: the command goes
on where it stopped, and trains only the students that a file lacks. It ends with the tables of all that is there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
import sheets  # experiments/sheets.py
from cells import run_cell  # experiments/cells.py
from processes import run_all  # experiments/processes.py

from graphkd.atomic_io import write_json, write_text
from graphkd.config import composed, spec_from
from graphkd.methods import GLNN, MLP
from graphkd.spec import DistillSpec
from graphkd.training.stages.stage_cache import StageCache

COLUMNS = {
    "mlp": "plain MLP",
    "teacher": "teacher (SAGE)",
    "glnn": "GLNN",
    "krd": "KRD",
    "ff_g2m": "FF-G2M",
    "adagmlp": "AdaGMLP",
    "simmlp": "SimMLP",
}
"""In the order of the tables."""
STUDENTS = tuple(name for name in COLUMNS if name != "teacher")
METHODS = ("krd", "ff_g2m", "adagmlp", "simmlp")


@dataclass(frozen=True)
class Cell:
    """A data set with a teacher.

    Args:
        name: in the tables.
        seeds: of splits and networks.
        configs: by student, overrides that compose its config; the first one names data set and teacher.
    """

    name: str
    seeds: tuple[int, ...]
    configs: dict[str, list[str]]

    def specs(self) -> dict[str, DistillSpec]:
        """Returns the students, GLNN first: the teacher is the one of its spec."""
        specs = {student: spec_from(composed(overrides)) for student, overrides in self.configs.items()}
        kinds = {"glnn": GLNN(), "mlp": MLP()}
        return {name: spec.with_method(kinds[name]) if name in kinds else spec for name, spec in specs.items()}


def cpf(dataset: str, name: str) -> Cell:
    """Returns the cell of a CPF data set: 2 x 128 for all, each method's other settings as published."""
    glnn = [f"experiment=glnn/cpf_{dataset}_sage"]
    published = {method: [f"experiment=methods/cpf_{dataset}_sage_{method}"] for method in METHODS}
    return Cell(name, tuple(range(10)), {"glnn": glnn, "mlp": glnn, **published})


def cpf_rows(dataset: str, name: str) -> Cell:
    """Returns the same with rows that sum to 1, as the released codes of KRD and FF-G2M read Planetoid."""
    cell, rows = cpf(dataset, name), "dataset.row_normalize=true"
    return Cell(f"{name}, rows sum to 1", cell.seeds, {key: [*each, rows] for key, each in cell.configs.items()})


def planetoid() -> Cell:
    """Returns the published cell of KRD on Cora's public split; the others share its student and training."""
    krd = ["experiment=methods/cora_sage_krd"]
    return Cell("Cora, public split, KRD's settings", (42, 43, 45), dict.fromkeys(("glnn", "mlp", "krd"), krd))


def digits() -> Cell:
    """Returns a cell without files, of a few epochs: that the command works."""
    short = ["dataset=digits", "teacher=sage", "training.max_epochs=2"]
    methods = {name: [*short, f"method={name}"] for name in METHODS}
    methods["simmlp"] = [*methods["simmlp"], "method.pretrain_epochs=2"]
    return Cell("Digits, 2 epochs", (0, 1), {"glnn": short, "mlp": short, **methods})


CELLS: dict[str, Callable[[], Cell]] = {
    "cpf_cora": partial(cpf, "cora", "CPF Cora"),
    "cpf_citeseer": partial(cpf, "citeseer", "CPF CiteSeer"),
    "cpf_cora_rows": partial(cpf_rows, "cora", "CPF Cora"),
    "cpf_citeseer_rows": partial(cpf_rows, "citeseer", "CPF CiteSeer"),
    "cora_krd": planetoid,
    "digits": digits,
}
DEFAULT_CELLS = tuple(name for name in CELLS if name != "digits")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cells", nargs="*", default=list(DEFAULT_CELLS), help=f"of {', '.join(CELLS)}")
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--output-dir", type=Path, default=Path("runs/methods"))
    parser.add_argument("--seeds", type=int, default=10, help="of each cell, at most")
    parser.add_argument("--students", nargs="+", choices=STUDENTS, default=STUDENTS)
    parser.add_argument("--workers", type=int, default=1, help="processes, of one thread each; 1 is this one")
    args = parser.parse_args(arguments)
    if unknown := set(args.cells) - set(CELLS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}: there are {', '.join(CELLS)}")
    jobs = [(name, seed) for name in args.cells for seed in CELLS[name]().seeds[: args.seeds]]
    run_all([partial(run_job, *job, args) for job in jobs], args.workers)
    rows = rows_of(args.output_dir)
    write_text(args.output_dir / "results.csv", to_csv(rows))
    print(to_markdown(rows))


def run_job(name: str, seed: int, args: argparse.Namespace) -> str:
    """Trains what the file of a cell's seed lacks, and writes it; refuses a file of other settings."""
    file, cell = args.output_dir / name / f"{seed}.json", CELLS[name]()
    results: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    every = cell.specs()
    for student, spec in every.items():
        if student in results and results[student]["settings"] != settings(spec):
            raise SystemExit(f"{file}: {student} was made with other settings: choose another --output-dir")
    missing = [student for student in args.students if student in every and student not in results]
    if missing:
        wanted = {student: every[student] for student in dict.fromkeys(("glnn", *missing))}
        config = composed(cell.configs["glnn"])
        found = run_cell(config, seed, args.data_dir, wanted, StageCache(args.output_dir / "cache"))
        results["teacher"] = results.get("teacher", found["teacher"])
        for student in missing:
            results[student] = {**found[student], "settings": settings(every[student])}
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, results)
    return f"{name} {seed}: " + ", ".join(f"{student} {facts['test']:.4f}" for student, facts in results.items())


def settings(spec: DistillSpec) -> dict[str, Any]:
    """Returns all settings of a student's run, as JSON keeps them."""
    kept: dict[str, Any] = json.loads(json.dumps(spec.config()))
    return kept


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """Returns one row per seed of a cell, of the files that are there."""
    rows = []
    for name in CELLS:
        for file in sorted((folder / name).glob("*.json"), key=lambda file: int(file.stem)):
            found = json.loads(file.read_text())
            rows.append({"cell": name, "seed": int(file.stem)})
            for model in (model for model in COLUMNS if model in found):
                facts = found[model]
                rows[-1] |= {
                    model: facts["test"],
                    f"{model}_val": facts["val"],
                    f"{model}_epochs": facts["epochs"],
                }
    return rows


def to_csv(rows: list[dict[str, Any]]) -> str:
    """Returns every seed, one a line; a model that was not trained has an empty cell."""
    kinds = ("", "_val", "_epochs")
    columns = ["cell", "seed", *(f"{model}{kind}" for kind in kinds for model in COLUMNS)]
    return sheets.to_csv(columns, rows)


def to_markdown(rows: list[dict[str, Any]]) -> str:
    """Returns two lines per cell, in percent: scores, and paired differences to GLNN."""
    lines = ["| data | seeds | | " + " | ".join(COLUMNS.values()) + " |", "|---|---|---|" + "---|" * len(COLUMNS)]
    for name in dict.fromkeys(row["cell"] for row in rows):
        mine = [row for row in rows if row["cell"] == name]
        scores = " | ".join(score(mine, model) for model in COLUMNS)
        gains = " | ".join(gain(mine, model) for model in COLUMNS)
        lines.append(f"| {CELLS[name]().name} | {len(mine)} | accuracy | {scores} |")
        lines.append(f"| | | over GLNN | {gains} |")
    return "\n".join(lines)


def score(rows: list[dict[str, Any]], model: str) -> str:
    """Returns mean ± population standard deviation over seeds, in percent."""
    values = [100 * row[model] for row in rows if model in row]
    return f"{np.mean(values):.2f} ± {np.std(values):.2f}" if values else "–"


def gain(rows: list[dict[str, Any]], model: str) -> str:
    """Returns the mean difference to GLNN over the seeds that have both, and its standard error, in points.

    >>> gain([{"glnn": 0.80, "krd": 0.82}, {"glnn": 0.81, "krd": 0.82}], "krd")
    '+1.50 (0.50)'
    """
    both = [100 * (row[model] - row["glnn"]) for row in rows if model in row and "glnn" in row]
    if model == "glnn" or not both:
        return "–"
    error = f"{np.std(both, ddof=1) / np.sqrt(len(both)):.2f}" if len(both) > 1 else "–"
    return f"{np.mean(both):+.2f} ({error})"


if __name__ == "__main__":
    main()
