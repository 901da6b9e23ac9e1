"""The 36 published cells of InfGraND, beside plain MLPs and GLNN of their shape; see README.md beside this file.

python experiments/infgrand/run.py --data-dir data --output-dir runs/infgrand [cell …]

Every seed of every cell is a file in the output folder, every trained network one in its cache: the command goes
on where it stopped. It ends with the table of all that is there.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from cells import run_cell  # experiments/cells.py
from processes import run_all  # experiments/processes.py
from tables import MODELS, headline, rows_of, to_csv, to_markdown

from graphkd.atomic_io import write_json, write_text
from graphkd.config import composed, names_in, spec_from
from graphkd.methods import GLNN
from graphkd.spec import DistillSpec
from graphkd.training.stages.stage_cache import StageCache

FOLDER = "infgrand/"
CELLS = [name.removeprefix(FOLDER) for name in names_in("experiment") if name.startswith(FOLDER)]
CELLS.sort(key=lambda cell: (cell.endswith("_transductive"), cell))
SEEDS = (2022, 2023, 2024, 2025, 2026)
STUDENTS = tuple(MODELS)[1:]


@dataclass(frozen=True)
class Job:
    """A seed of a cell, and the file that it leaves behind."""

    cell: str
    seed: int
    file: Path
    students: tuple[str, ...]

    @property
    def found(self) -> dict[str, dict[str, float]]:
        """What is in the file."""
        results: dict[str, dict[str, float]] = json.loads(self.file.read_text()) if self.file.exists() else {}
        return results

    @property
    def missing(self) -> list[str]:
        """The students that are not there yet."""
        return [name for name in self.students if name not in self.found]

    def run(self, data_dir: str, cache: StageCache) -> str:
        """Trains what is missing, and writes the file."""
        warnings.filterwarnings("ignore", message="infgrand's variant=reference takes the influence")
        config, every = composed([f"experiment={FOLDER}{self.cell}"]), specs(self.cell)
        missing, results = self.missing, self.found
        if missing:  # another command may have made it since
            results |= run_cell(config, self.seed, data_dir, {name: every[name] for name in missing}, cache)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.file, results)
        scores = (f"{name} {facts['test']:.3f}" for name, facts in results.items())
        return f"{self.cell} {self.seed}: {', '.join(scores)}"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cells", nargs="*", help="such as cora_gcn_inductive; by default all 36")
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--output-dir", type=Path, default=Path("runs/infgrand"))
    parser.add_argument("--seeds", type=int, default=5, help="so many of the published five")
    parser.add_argument("--students", nargs="+", choices=STUDENTS, default=STUDENTS)
    parser.add_argument("--workers", type=int, default=2, help="processes, of one thread each; 1 is this one")
    args = parser.parse_args(arguments)
    if unknown := set(args.cells) - set(CELLS):
        parser.error(f"no cell is called {', '.join(sorted(unknown))}: there are {', '.join(CELLS)}")
    jobs = [
        Job(cell, seed, args.output_dir / cell / f"{seed}.json", tuple(args.students))
        for cell in args.cells or CELLS
        for seed in SEEDS[: args.seeds]
    ]
    cache = StageCache(args.output_dir / "cache")
    run_all((partial(job.run, args.data_dir, cache) for job in jobs if job.missing), args.workers)
    rows = rows_of(args.output_dir, CELLS)
    write_text(args.output_dir / "results.csv", to_csv(rows))
    print(to_markdown(rows), headline(rows), sep="\n")


def specs(cell: str) -> dict[str, DistillSpec]:
    """The students of a cell: one shape, one training, one teacher."""
    published, paper = (
        spec_from(composed([f"experiment={FOLDER}{cell}", f"method.variant={variant}"]))
        for variant in ("reference", "paper")
    )
    return {
        **published.baselines,
        "glnn": published.with_method(GLNN()),
        "reference": published,
        "paper": paper,
    }


if __name__ == "__main__":
    main()
