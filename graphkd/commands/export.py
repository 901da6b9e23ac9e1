"""``graphkd export``."""

from __future__ import annotations

from pathlib import Path

from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.deploy import load_bundle
from graphkd.deploy.exports.formats import export_bundle
from graphkd.deploy.exports.sample import Sample
from graphkd.deploy.files import SCHEMA, bundle_folder, holds_links
from graphkd.run_data import load_run_data
from graphkd.runs import read_metrics
from graphkd.system import readable

INSTEAD = "export it in Python, graphkd.load_run(RUN, data=DATA).export(FORMAT)"
"""Advice for runs on data in memory."""


def export(run: str, to: str, allow_loss: bool, data_dir: str | None) -> None:
    """Exports the student of a run's bundle into the bundle, after a check on the run's rows.

    Args:
        run: folder of a run.
        to: the format.
        allow_loss: write it even if its outputs differ from the student's.
        data_dir: folder of the run's data, if it has moved.

    Raises:
        GraphKDError: not a run, its data or a requirement of the format is missing, or the outputs differ.
    """
    if holds_links(run):
        from graphkd.commands.links_export import export_links_run

        export_links_run(run, to, data_dir)
        return
    path = Path(run)
    metrics = read_metrics(path)
    model = load_bundle(path)
    graph = Graph.from_data(load_run_data(path, model.card["seed"], data_dir, INSTEAD), model.preprocessing)
    sample = Sample.of(model, apply_setting(graph, metrics["setting"], model.card["seed"]).observed)
    artifact = export_bundle(path, to, sample, allow_loss)
    for precision, parity in artifact.parity.items():
        print(f"{to} {precision}: {parity}")
    for remark in artifact.remarks:
        print(remark)
    for name, content in artifact.files.items():
        print(f"{bundle_folder(path) / name}: {readable(len(content))}")
    print(f"{bundle_folder(path) / SCHEMA}: columns, classes and inputs of every exported file")
