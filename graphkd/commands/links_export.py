"""``graphkd export`` of a run of links."""

from __future__ import annotations

from pathlib import Path

from graphkd.errors import GraphKDError
from graphkd.links.bundle import load_predictor
from graphkd.run_data import load_run_data
from graphkd.runs import read_metrics
from graphkd.sparse import as_features
from graphkd.system import readable


def export_links_run(run: str, to: str, data_dir: str | None) -> None:
    """Exports the student of links into its bundle as ONNX, after a check on the run's rows.

    Args:
        run: folder of a run of links.
        to: the format.
        data_dir: folder of the run's data, if it has moved.

    Raises:
        GraphKDError: another format, or the files differ from the student.
    """
    if to != "onnx":
        raise GraphKDError(f"{run} scores pairs of nodes, which are exported as onnx alone: give --to onnx")
    from graphkd.links.onnx import export_links

    path = Path(run)
    read_metrics(path)
    predictor = load_predictor(path)
    data = load_run_data(path, predictor.card["seed"], data_dir)
    sizes, difference = export_links(path / "bundle", predictor, as_features(data.x))
    print(f"onnx float32: largest difference {difference:.1e}")
    for name, size in sizes.items():
        print(f"{path / 'bundle' / name}: {readable(size)}")
