"""Small finished runs."""

from __future__ import annotations

from pathlib import Path

from graphkd import Training
from graphkd.cli import main
from tests.datasets.planetoid_files import write_planetoid

SHORT = Training(max_epochs=5)


def planetoid_run(folder: Path) -> Path:
    """A run of InfGraND on a small graph in Planetoid's format, two seeds."""
    write_planetoid(folder / "data" / "Cora" / "raw")
    args = [f"data_dir={folder}/data", f"output_dir={folder}/run", "training.max_epochs=5", "seeds=2"]
    assert main(["distill", "dataset=cora", "method=infgrand", *args]) == 0
    return folder / "run"
