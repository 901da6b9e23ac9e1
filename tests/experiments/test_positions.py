"""Held-out edges, and the experiment on positions at its smallest size."""

import csv
from pathlib import Path
from types import ModuleType

import pytest
import torch

from tests.experiments.loading import load_run


@pytest.fixture(scope="module")
def positions() -> ModuleType:
    """Its ``run.py``."""
    return load_run("positions")


def test_held_out_edges_are_neither_in_the_graph_nor_among_pairs_without_an_edge(positions: ModuleType) -> None:
    generator = torch.Generator().manual_seed(0)
    edges = torch.randint(50, (2, 300), generator=generator)
    links = positions.held_out(torch.cat([edges, edges.flip(0)], dim=1), 50, seed=0)
    listed = {tuple(sorted(pair)) for pair in edges.t().tolist() if pair[0] != pair[1]}
    held, none = ({tuple(pair) for pair in each.tolist()} for each in (links.positive, links.negative))
    kept = {tuple(sorted(pair)) for pair in torch.stack([links.adj.matrix.row, links.adj.matrix.col]).t().tolist()}
    assert len(links.positive) == len(links.negative) == len(held) == len(listed) // 10
    assert held | kept == listed
    assert not held & kept
    assert not none & listed
    assert {tuple(pair) for pair in links.train_positive.tolist()} == kept
    assert not {tuple(pair) for pair in links.train_negative.tolist()} & listed


def test_scores_are_right_for_vectors_that_know_the_edges_and_a_half_for_others(positions: ModuleType) -> None:
    edges = torch.combinations(torch.arange(12)).t()
    links = positions.held_out(torch.cat([edges, edges + 12], dim=1), 24, seed=0)
    known = torch.zeros(24, 2)
    known[:12, 0] = known[12:, 1] = 1.0
    assert positions.aucs(known, links) == {"product": 1.0, "cosine": 1.0, "logistic": 1.0}
    assert positions.aucs(torch.ones(24, 2), links) == {"product": 0.5, "cosine": 0.5, "logistic": 0.5}


@pytest.mark.slow
def test_it_runs_and_goes_on_where_it_stopped(
    positions: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = [
        "synthetic-arxiv",
        "--scale",
        "0.01",
        "--output-dir",
        str(tmp_path),
        "--contenders",
        "deepwalk",
        "numpy",
    ]
    positions.main(args)
    first, second = csv.DictReader((tmp_path / "results.csv").open())
    assert float(first["logistic"]) == pytest.approx(float(second["logistic"]), abs=0.02), (
        "numpy has the same steps"
    )
    file = tmp_path / "synthetic-arxiv" / "deepwalk-0.json"
    before = file.stat().st_mtime_ns
    capsys.readouterr()
    positions.main(args)
    assert file.stat().st_mtime_ns == before
    assert "| synthetic-arxiv | deepwalk |" in capsys.readouterr().out
